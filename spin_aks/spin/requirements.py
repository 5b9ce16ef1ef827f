"""Whether a runtime can run an application: everything that would keep its pod from starting, found beforehand.

A pod whose shim fails ends with code 137, without a message and with empty logs, whatever the cause was; so whatever
can be decided from the manifest, the variables and the runtime's configuration is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from spin_aks.errors import Problem
from spin_aks.spin import manifest, runtime_config
from spin_aks.spin.features import BUILD_KEYS, FEATURES, Feature
from spin_aks.spin.model import FilePattern
from spin_aks.spin.versions import Runtime, Version, first_runtime, nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from spin_aks.spin.model import Application, Variable
    from spin_aks.spin.runtime_config import RuntimeConfig
    from spin_aks.spin.shapes import Place

Form: TypeAlias = Literal["artifact", "rootfs"]
_NEEDS_CONFIGURATION = "shim 0.10.0 brought it: install it or a later one on the nodes"


@dataclass(frozen=True, slots=True)
class Target:
    """What an application is to run on: the runtime, the image's form, what the pod will be given.

    `configuration` is what runtime-config.toml holds, whether the runtime reads it or not; None where it is broken, so
    that nobody can tell what it would have configured. `given_at` says where the value of a variable was given.
    """

    runtime: Runtime
    form: Form = "artifact"
    variables: Mapping[str, str] = field(default_factory=dict)
    configuration: RuntimeConfig | None = runtime_config.NOTHING
    given_at: Callable[[str], str] = lambda _name: "--variable"

    @property
    def configured(self) -> RuntimeConfig | None:
        """What of it reaches Spin in the pod."""
        return self.configuration and self.configuration.read_by(self.runtime)


def refusals(app: Application, target: Target) -> tuple[Problem, ...]:
    """Every reason why the target can't run it: what, since when Spin has it, what to do. Empty if it can."""
    return (
        *_triggers(app, target.runtime),
        *_image_form(app, target),
        *_features(app, target),
        *_unknown_variables(app, target),
        *_values(app, target),
        *_stores(app, target),
        *_secrets(target),
    )


def notices(app: Application, target: Target) -> tuple[Problem, ...]:
    """What will run, but perhaps not as its author thinks."""
    return (*_bare_folders(app, target), *_lost_data(app, target), *_unread(target))


def _triggers(app: Application, runtime: Runtime) -> Iterator[Problem]:
    if not app.triggers:
        yield Problem(
            "the application has no trigger, so it would do nothing", f"{app.path}:1", "add one to the manifest"
        )
    for trigger in app.triggers:
        if trigger.type not in runtime.triggers:
            known = ", ".join(sorted(runtime.triggers))
            yield Problem(
                f"the trigger `{trigger.id}` is of the type `{trigger.type}`, which {runtime} does not have",
                app.where(trigger.place),
                _trigger_hint(trigger.type, known),
            )
    if len(app.trigger_types) > 1 and not runtime.multiple_trigger_types:
        other = next(trigger for trigger in app.triggers if trigger.type != app.triggers[0].type)
        yield Problem(
            f"the application has triggers of {' and '.join(app.trigger_types)}, and {runtime} runs only one type",
            app.where(other.place),
            "shim 0.14.0 brought several: install it or a later one on the nodes, or split the application",
        )


def _trigger_hint(kind: str, known: str) -> str:
    from spin_aks.spin.versions import RUNTIMES

    first = next((row for row in RUNTIMES if kind in row.triggers), None)
    if first is None:
        return f"no shim has it: they run {known}"
    return f"shim {first.shim} brought it: install it or a later one on the nodes (this one runs {known})"


def _image_form(app: Application, target: Target) -> Iterator[Problem]:
    if target.form != "artifact" or target.runtime.artifact == "full":
        return
    if target.runtime.artifact == "none":
        what = f"{target.runtime} runs no Spin artifact"
        yield Problem(what, str(app.path), "use `--form rootfs`; shim 0.10.0 brought artifacts, 0.12.0 with files")
        return
    for component in app.components:
        if component.files:
            yield Problem(
                f"component `{component.id}` has `files`, and {target.runtime} reads no files from a Spin artifact",
                app.where((*component.place, "files")),
                "use `--form rootfs`; shim 0.12.0 brought files in artifacts",
            )


def _features(app: Application, target: Target) -> Iterator[Problem]:
    matter = ("at run time", "in the manifest") if target.form == "rootfs" else ("at run time",)
    lines: set[str] = set()
    for feature in FEATURES:
        if feature.since <= target.runtime.spin or feature.matters not in matter:
            continue
        for user, place in feature.uses(app):
            where = app.where(place)
            lines.add(where)
            yield Problem(f"{user} uses {feature.name}: {_since(feature, target)}", where, _instead(feature, target))
    if target.form == "rootfs":
        yield from (problem for problem in _reading(app, target.runtime) if problem.where not in lines)


def _since(feature: Feature, target: Target) -> str:
    runtime = target.runtime
    return f"Spin {feature.since.short} has it, the target shim {runtime.shim} runs Spin {runtime.spin}"


def _instead(feature: Feature, target: Target) -> str:
    newer = first_runtime(feature.since)
    choices = [f"install shim {newer.shim} or later on the nodes"] if newer else []
    if feature.matters == "in the manifest" and target.runtime.artifact == "full":
        choices.append("use `--form artifact`, which does without it at run time")
    choices.append(feature.instead or f"do without {feature.name}")
    return ", or ".join(choices)


def _reading(app: Application, runtime: Runtime) -> Iterator[Problem]:
    """What else the target's own parser would refuse in the manifest that the image holds."""
    for fault in manifest.faults(app.lines.text, app.path, spin=max(runtime.spin, Version(1))):
        if not _only_for_the_build(fault.place):
            what = f"shim {runtime.shim} runs Spin {runtime.spin}, which can't read the manifest: {fault.what}"
            yield Problem(what, app.where(fault.place), fault.hint)


def _only_for_the_build(place: Place) -> bool:
    keys = place[1:] if place[:1] == ("application",) else place[2:]
    return any(key in BUILD_KEYS for key in keys)


def _unknown_variables(app: Application, target: Target) -> Iterator[Problem]:
    known = tuple(variable.name for variable in app.variables)
    for name in target.variables:
        if name not in known:
            near = nearest_name(name, known)
            hint = f"did you mean `{near}`?" if near else f"`[variables]` in `{app.path}` says which there are"
            yield Problem(f"the application has no variable `{name}`", target.given_at(name), hint)


def _values(app: Application, target: Target) -> Iterator[Problem]:
    """Secrets, which may not be given a value yet; what else has none is asked for before anything runs."""
    for variable in app.variables:
        if variable.secret and variable.name in target.variables:
            yield Problem(
                f"the variable `{variable.name}` is a secret, and what is given for it would be a plain one: everybody"
                " who may read the Deployment could read it",
                target.given_at(variable.name),
                "take it out there, and have a provider in runtime-config.toml supply it",
            )
        elif variable.secret and _is_missing(variable, target):
            yield Problem(
                f"the variable `{variable.name}` is a secret that needs a value, and there is no safe way yet to hand"
                " one to the pod: everybody who may read the Deployment could read a plain variable",
                app.where(variable.place),
                "give it a `default` that is no secret, or have a provider in runtime-config.toml supply it",
            )
    if target.variables and not target.runtime.variable_prefix:
        what = f"{target.runtime} hands no variables on to Spin"
        where = target.given_at(next(iter(target.variables)))
        yield Problem(what, where, "shim 0.9.0 brought it: install it or a later one, or write a `default`")


def without_value(app: Application, target: Target) -> tuple[Variable, ...]:
    """The required plain variables that nothing gives a value."""
    return tuple(variable for variable in app.variables if not variable.secret and _is_missing(variable, target))


def _is_missing(variable: Variable, target: Target) -> bool:
    configured = target.configured
    supplied = configured is None or configured.may_supply_any_variable or variable.name in configured.static_variables
    return variable.default is None and not supplied and variable.name not in target.variables


def _stores(app: Application, target: Target) -> Iterator[Problem]:
    """Labels that nobody configured (`default` always is), or that only a file has which the runtime does not read."""
    read, written = target.configured, target.configuration
    if read is None or written is None:
        return
    for component in app.components:
        for key, table_name, labels in (
            ("key_value_stores", "key_value_store", component.key_value_stores),
            ("sqlite_databases", "sqlite_database", component.sqlite_databases),
        ):
            known, meant = getattr(read, key), getattr(written, key)
            for index, label in enumerate(labels):
                if label in known or (label == "default" and label not in meant):
                    continue
                lacks = (
                    f"{target.runtime} does not read the runtime-config.toml that has it"
                    if label in meant
                    else "runtime-config.toml has none of it"
                )
                yield Problem(
                    f"component `{component.id}` uses `{label}` in `{key}`, and {lacks}",
                    app.where((*component.place, key, index)),
                    _store_hint(table_name, label, target.runtime),
                )


def _store_hint(table_name: str, label: str, runtime: Runtime) -> str:
    if runtime.runtime_config_path:
        return f"add `[{table_name}.{label}]` to runtime-config.toml, beside the manifest, or use the label `default`"
    if label == "default":
        return f"{_NEEDS_CONFIGURATION}, or take `[{table_name}.default]` out of the file to keep its data in the pod"
    return f"{runtime} reads no runtime-config.toml, so there is only `default`; {_NEEDS_CONFIGURATION}"


def _secrets(target: Target) -> tuple[Problem, ...]:
    """What keeps runtime-config.toml from being handed to the pod; where it is not read, it stays here anyway."""
    return target.configured.secrets if target.configured else ()


def _unread(target: Target) -> Iterator[Problem]:
    if target.configuration not in (None, runtime_config.NOTHING) and not target.runtime.runtime_config_path:
        what = f"{target.runtime} reads no runtime-config.toml: what it configures is without effect"
        yield Problem(what, "runtime-config.toml", _NEEDS_CONFIGURATION)


def _bare_folders(app: Application, target: Target) -> Iterator[Problem]:
    if target.form != "artifact":
        return
    for component in app.components:
        for index, entry in enumerate(component.files):
            if isinstance(entry, FilePattern) and (app.root / entry.pattern).is_dir():
                folder = entry.pattern.rstrip("/")
                yield Problem(
                    f"component `{component.id}` sees the folder `{folder}` as `{folder}/{folder}` (Spin's own doing)",
                    app.where((*component.place, "files", index)),
                    f'`{{ source = "{folder}", destination = "/{folder}" }}` puts it where it looks to be',
                )


def _lost_data(app: Application, target: Target) -> Iterator[Problem]:
    if target.configured is None or "default" in target.configured.key_value_stores:
        return
    for component in app.components:
        if "default" in component.key_value_stores:
            index = component.key_value_stores.index("default")
            yield Problem(
                f"component `{component.id}` keeps its key-value data in the pod: it goes when the pod goes,"
                " and each replica has its own",
                app.where((*component.place, "key_value_stores", index)),
                "configure `[key_value_store.default]` in runtime-config.toml to keep it",
            )
