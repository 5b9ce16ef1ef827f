"""What came with which Spin, and where an application uses it.

Sources: the differences between the schema files and triggers of spinframework/spin from tag to tag, and its release
notes. `matters` tells what a feature is needed for: the runtime reads it whatever the image's form; or it is only a
word in the manifest, which a root file system holds and an artifact does not, and a Spin that does not know the word
does not start; or only who builds reads it, and no image holds anything of it (`BUILD_KEYS`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from spin_aks.spin import expressions, hosts
from spin_aks.spin.names import is_kebab
from spin_aks.spin.normalised import strings, table
from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spin_aks.json_types import JSONObject
    from spin_aks.spin.model import Application
    from spin_aks.spin.shapes import Place

Use: TypeAlias = tuple[str, "Place"]
"""Who uses it (`component `x``, `the trigger `y``) and where in the file."""
Matters: TypeAlias = Literal["at run time", "in the manifest", "in the build"]

BUILD_KEYS = frozenset({"build", "tool", "targets", "profile"})
"""Keys of a component or an application that are gone, or applied, when its image is made."""


@dataclass(frozen=True, slots=True)
class Feature:
    """`instead` is what an application can do that has to do without it."""

    name: str
    since: Version
    uses: Callable[[Application], Iterator[Use]]
    matters: Matters = "at run time"
    instead: str = ""


def _component_key(key: str, old_key: str = "") -> Callable[[Application], Iterator[Use]]:
    def uses(app: Application) -> Iterator[Use]:
        written = table(dict(app.normalised), "component")
        for component in app.components:
            if table(written, component.id).get(key):
                shown = old_key if old_key and app.manifest_version == 1 else key
                yield f"component `{component.id}`", (*component.place, shown)

    return uses


def _application_key(key: str) -> Callable[[Application], Iterator[Use]]:
    def uses(app: Application) -> Iterator[Use]:
        if table(dict(app.normalised), "application").get(key):
            yield "the application", ("application", key)

    return uses


def _either(*several: Callable[[Application], Iterator[Use]]) -> Callable[[Application], Iterator[Use]]:
    def uses(app: Application) -> Iterator[Use]:
        for one in several:
            yield from one(app)

    return uses


def _trigger_key(kind: str, key: str) -> Callable[[Application], Iterator[Use]]:
    def uses(app: Application) -> Iterator[Use]:
        for trigger in app.triggers:
            if trigger.type == kind and key in trigger.config:
                yield f"the trigger `{trigger.id}`", (*trigger.place, key)

    return uses


def _version_two(app: Application) -> Iterator[Use]:
    if app.manifest_version == 2:
        yield "the application", ("spin_manifest_version",)


def _private_routes(app: Application) -> Iterator[Use]:
    for trigger in app.triggers:
        if isinstance(trigger.config.get("route"), dict):
            yield f"the trigger `{trigger.id}`", (*trigger.place, "route")


def _described_variables(app: Application) -> Iterator[Use]:
    for variable in app.variables:
        if variable.description:
            yield f"variable `{variable.name}`", (*variable.place, "description")


def _command_lists(app: Application) -> Iterator[Use]:
    for component in app.components:
        if component.build is not None and len(component.build.commands) != 1:
            yield f"component `{component.id}`", (*component.place, "build", "command")


def _kebab_labels(app: Application) -> Iterator[Use]:
    for component in app.components:
        for key, labels in (
            ("key_value_stores", component.key_value_stores),
            ("sqlite_databases", component.sqlite_databases),
        ):
            for index, label in enumerate(labels):
                if app.manifest_version == 2 and "-" in label and is_kebab(label):
                    yield f"component `{component.id}`", (*component.place, key, index)


def _written_hosts(app: Application) -> Iterator[tuple[str, str, Place]]:
    written: JSONObject = table(dict(app.normalised), "component")
    for component in app.components:
        for index, host in enumerate(strings(table(written, component.id), "allowed_outbound_hosts")):
            yield component.id, host, (*component.place, "allowed_outbound_hosts", index)


def _host_templates(app: Application) -> Iterator[Use]:
    for component, host, place in _written_hosts(app):
        if expressions.parse(host).names:
            yield f"component `{component}`", place


def _service_chaining(app: Application) -> Iterator[Use]:
    for component, host, place in _written_hosts(app):
        if hosts.is_service_chaining(host):
            yield f"component `{component}`", place


def _redis_templates(app: Application) -> Iterator[Use]:
    for trigger in app.triggers:
        for key in ("address", "channel"):
            text = trigger.config.get(key)
            if trigger.type == "redis" and isinstance(text, str) and expressions.parse(text).names:
                yield f"the trigger `{trigger.id}`", (*trigger.place, key)
    text = app.trigger_settings.get("redis", {}).get("address")
    if isinstance(text, str) and expressions.parse(text).names:
        version_one = app.manifest_version == 1
        yield (
            "the application",
            ("trigger", "address") if version_one else ("application", "trigger", "redis", "address"),
        )


def _inherited_configuration(app: Application) -> Iterator[Use]:
    for component in app.components:
        for name, source in component.dependencies.items():
            if isinstance(source, dict) and "inherit_configuration" in source:
                yield f"component `{component.id}`", (*component.place, "dependencies", name)


def _middleware(app: Application) -> Iterator[Use]:
    for trigger in app.triggers:
        if trigger.config.get("dependencies"):
            yield f"the trigger `{trigger.id}`", (*trigger.place, "dependencies")


FEATURES: tuple[Feature, ...] = (
    Feature("`sqlite_databases`", Version(1, 3), _component_key("sqlite_databases")),
    Feature("`ai_models`", Version(1, 5), _component_key("ai_models")),
    Feature("manifest version 2", Version(2), _version_two),
    Feature("`tool`", Version(2, 1), _either(_application_key("tool"), _component_key("tool")), "in the build"),
    Feature(
        "labels with `-`", Version(2, 3), _kebab_labels, "in the manifest", "write `_` instead of `-` in the label"
    ),
    Feature("`{{ }}` in `allowed_outbound_hosts`", Version(2, 4), _host_templates, instead="write the host itself"),
    Feature(
        "`{{ }}` in a Redis trigger's address or channel", Version(2, 4), _redis_templates, instead="write it itself"
    ),
    Feature(
        "a Redis trigger's own `address`",
        Version(2, 4),
        _trigger_key("redis", "address"),
        instead="set it for all in `[application.trigger.redis]`",
    ),
    Feature("calling another component by `NAME.spin.internal`", Version(2, 4), _service_chaining),
    Feature("private routes", Version(2, 5), _private_routes),
    Feature("lists of build commands", Version(3), _command_lists, "in the build", "join them with `&&`"),
    Feature("component `dependencies`", Version(3), _component_key("dependencies"), "in the manifest"),
    Feature("a variable's `description`", Version(3, 4), _described_variables, "in the manifest"),
    Feature("`targets`", Version(3, 4), _application_key("targets"), "in the build"),
    Feature("`static_response`", Version(3, 5), _trigger_key("http", "static_response")),
    Feature("a component's `targets`", Version(3, 6), _component_key("targets"), "in the build"),
    Feature("`profile`", Version(4), _component_key("profile"), "in the build"),
    Feature("`inherit_configuration`", Version(4), _inherited_configuration, "in the manifest"),
    Feature("a trigger's `dependencies` (middleware)", Version(4), _middleware),
)
