"""What Spin refuses when it loads an application whose manifest it could parse.

Sources: crates/loader/src/local.rs, crates/outbound-networking-config, crates/build/src/lib.rs, and the configuration
that each trigger reads (crates/trigger-http, trigger-redis). Whether files exist is known only after the build:
`missing_sources` and `spin_aks.spin.assets` see to that.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.spin import expressions, hosts, triggers
from spin_aks.spin.dependencies import wrong_dependencies
from spin_aks.spin.model import FilePattern, LocalSource, PackageSource, RemoteSource
from spin_aks.spin.names import is_semver, resolvable_variable
from spin_aks.spin.normalised import strings, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spin_aks.json_types import JSONObject
    from spin_aks.spin.model import Application, Component

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_INSIDE = "files have to be below the folder of spin.toml: move them there, or let the build command copy them"


def check(app: Application, *, given: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
    """Everything wrong, each with `PATH:LINE`, in the file's order; `given` are variables' values, before defaults."""
    values = {variable.name: variable.default for variable in app.variables if variable.default is not None}
    found = [*_variables(app), *triggers.check(app), *_duplicates(app)]
    for component in app.components:
        found += _component(app, component, {**values, **(given or {})})
    return tuple(sorted(found, key=_line))


def missing_sources(app: Application, *, built: bool = False) -> tuple[Problem, ...]:
    """The local sources that are not there: before the build only of components that have nothing to build them."""
    return tuple(
        Problem(
            f"component `{component.id}`: there is no `{component.source.path}`",
            app.where((*component.place, "source")),
            "its build command did not make it: do `command` and `source` name the same file?"
            if component.build
            else "give it a `build` with the command that makes it, or put the file there",
        )
        for component in app.components
        if isinstance(component.source, LocalSource)
        and (built or component.build is None)
        and not (app.root / component.source.path).is_file()
    )


def _line(problem: Problem) -> int:
    return int(problem.where.rpartition(":")[2])


def _variables(app: Application) -> Iterator[Problem]:
    for variable in app.variables:
        where = app.where(variable.place)
        if variable.required == (variable.default is not None):
            both = (
                "is `required` and has a `default`"
                if variable.required
                else "is neither `required` nor has a `default`"
            )
            hint = "a variable has either `required = true` or a `default`"
            yield Problem(f"variable `{variable.name}` {both}", where, hint)
        if not resolvable_variable(variable.name):
            yield Problem(f"Spin can't look up a variable of the name `{variable.name}`", where, _NAME_HINT)


_NAME_HINT = "names are in lower case: letters, digits and single `_`, a letter first, no `_` last"


def _duplicates(app: Application) -> Iterator[Problem]:
    """Two components of one id: Spin 1.x refuses them, later ones silently run the last for all of them."""
    if app.manifest_version != 1:
        return
    seen: set[str | None] = set()
    for trigger in app.triggers:
        if trigger.component in seen:
            where = app.where((*trigger.place[:-1], "id"))
            yield Problem(f"there are two components of the id `{trigger.component}`", where, "give one another id")
        seen.add(trigger.component)


def _component(app: Application, component: Component, values: Mapping[str, str]) -> Iterator[Problem]:
    yield from _source(app, component)
    yield from _expressions(app, component)
    yield from _hosts(app, component, values)
    yield from _files(app, component)
    yield from _build(app, component)
    for name, wrong in wrong_dependencies(component.dependencies):
        yield Problem(f"component `{component.id}`: {wrong}", app.where((*component.place, "dependencies", name)))


def _source(app: Application, component: Component) -> Iterator[Problem]:
    where = app.where((*component.place, "source"))
    match component.source:
        case RemoteSource(url, digest):
            if not _DIGEST.fullmatch(digest):
                what = f"component `{component.id}`: the digest `{digest}` is not `sha256:` and 64 hexadecimal digits"
                yield Problem(what, where, "`sha256sum FILE` prints the digits")
            if not url.startswith(("http://", "https://")):
                yield Problem(f"component `{component.id}`: `{url}` is not an address with http or https", where)
        case PackageSource(package, version):
            if not is_semver(version):
                what = f"component `{component.id}`: `{version}` is not an exact version of the package `{package}`"
                yield Problem(what, where, "write all three numbers, such as `1.2.3`")
        case LocalSource(path):
            if not path:
                yield Problem(f"component `{component.id}`: its `source` is empty", where)


def _expressions(app: Application, component: Component) -> Iterator[Problem]:
    key = "config" if app.manifest_version == 1 else "variables"
    for name, text in component.variables.items():
        place = (*component.place, key, name)
        if not resolvable_variable(name):
            what = f"component `{component.id}`: Spin can't look up a variable of the name `{name}`"
            yield Problem(what, app.where(place), _NAME_HINT)
        yield from expressions.wrong(app, text, place, f"component `{component.id}`, variable `{name}`")


def _hosts(app: Application, component: Component, values: Mapping[str, str]) -> Iterator[Problem]:
    subject = f"component `{component.id}`"
    written = _written(app, component)
    for index, wrong in hosts.wrong_http_hosts(strings(written, "allowed_http_hosts")):
        place = (*component.place, "allowed_http_hosts", index)
        yield Problem(f"{subject}: {wrong}", app.where(place), "use `allowed_outbound_hosts`, which replaced it")
    for index, entry in enumerate(strings(written, "allowed_outbound_hosts")):
        place = (*component.place, "allowed_outbound_hosts", index)
        if entry == hosts.ALLOW_ALL:
            what = f"{subject}: `{entry}` is not for `allowed_outbound_hosts`"
            yield Problem(what, app.where(place), "`*://*:*` allows all traffic, if that is what you want")
            continue
        yield from expressions.wrong(app, entry, place, f"{subject}, `allowed_outbound_hosts`")
        expression = expressions.parse(entry)
        resolved = expression.resolved(values)
        wrong = hosts.wrong_outbound_host(resolved) if resolved is not None else ""
        if wrong:
            came = "" if expression.is_literal else f" (what `{entry}` comes to)"
            yield Problem(f"{subject}: {wrong}{came}", app.where(place))


def _written(app: Application, component: Component) -> JSONObject:
    """The component in the normalised manifest, for the keys that the model holds in another form."""
    return table(table(dict(app.normalised), "component"), component.id)


def _files(app: Application, component: Component) -> Iterator[Problem]:
    for index, entry in enumerate(component.files):
        source = entry.pattern if isinstance(entry, FilePattern) else entry.source
        wrong = _wrong_file(source, isinstance(entry, FilePattern)) or _leaves_through_link(app, source)
        if not wrong and not isinstance(entry, FilePattern) and ".." in entry.destination.split("/"):
            wrong = f"the destination `{entry.destination}` leaves the component's own folder"
        if wrong:
            place = (*component.place, "files", index)
            hint = "" if "can't end" in wrong else _INSIDE
            yield Problem(f"component `{component.id}`: {wrong}", app.where(place), hint)


def _wrong_file(source: str, is_pattern: bool) -> str:
    if is_pattern and source.rpartition("/")[2] in (".", ".."):
        return (
            f"the file pattern `{source}` can't end in `{source.rpartition('/')[2]}`: name the folder, or end in `**/*`"
        )
    plain = posixpath.normpath(source or ".")
    if source.startswith("/") or plain == ".." or plain.startswith("../"):
        return f"`{source}` is outside the application's folder"
    return ""


def _leaves_through_link(app: Application, source: str) -> str:
    """Only of what is named without a glob; `assets` looks at every file, when they are all there."""
    path = app.root / source
    if os.path.lexists(path) and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(app.root)):
        return f"`{source}` leads out of the application's folder through a symbolic link"
    return ""


def _build(app: Application, component: Component) -> Iterator[Problem]:
    if component.build is not None and component.build.workdir.startswith("/"):
        what = f"component `{component.id}`: the workdir `{component.build.workdir}` is not relative to spin.toml"
        yield Problem(
            what, app.where((*component.place, "build", "workdir")), "write it relative to the manifest's folder"
        )
    if component.build is not None and not component.build.commands:
        what = f"component `{component.id}`: its `build` has no command"
        yield Problem(what, app.where((*component.place, "build")))
