"""An `Application` out of a normalised manifest: no rule of Spin's stands here, only where each value goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from spin_aks.spin.model import (
    Application,
    Build,
    Component,
    FilePattern,
    FilePlacement,
    LocalSource,
    PackageSource,
    Profile,
    RemoteSource,
    Trigger,
    Variable,
)
from spin_aks.spin.normalised import Normalised, strings, table, tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.spin.model import Files, Source
    from spin_aks.spin.shapes import Place


def application(normalised: Normalised, path: Path, version: int, text: str) -> Application:
    """The application of the manifest at `path`, which is written in `version` and says `text`."""
    manifest = normalised.manifest
    details = table(manifest, "application")
    components = table(manifest, "component")
    return Application(
        path=path,
        manifest_version=version,
        name=str(details["name"]),
        version=str(details.get("version", "")),
        description=str(details.get("description", "")),
        authors=tuple(strings(details, "authors")),
        trigger_settings=cast("Mapping[str, Mapping[str, JSON]]", table(details, "trigger")),
        variables=tuple(
            _variable(name, table(table(manifest, "variables"), name)) for name in table(manifest, "variables")
        ),
        triggers=tuple(_triggers(normalised)),
        components=tuple(_component(name, table(components, name), normalised.components[name]) for name in components),
        normalised=manifest,
        text=text,
    )


def _variable(name: str, written: JSONObject) -> Variable:
    place: Place = ("variables", name)
    return Variable(
        name=name,
        required=bool(written.get("required")),
        default=cast("str | None", written.get("default")),
        secret=bool(written.get("secret")),
        description=str(written.get("description", "")),
        place=place,
    )


def _triggers(normalised: Normalised) -> Iterator[Trigger]:
    triggers = table(normalised.manifest, "trigger")
    for kind in triggers:
        for index, written in enumerate(tables(triggers, kind)):
            place = normalised.triggers[kind, index]
            yield Trigger(
                type=kind,
                id=str(written["id"]),
                component=cast("str | None", written.get("component")),
                config={key: value for key, value in written.items() if key not in ("id", "component")},
                place=place,
            )


def _component(name: str, written: JSONObject, place: Place) -> Component:
    profiles = table(written, "profile")
    return Component(
        id=name,
        source=_source(written["source"]),
        description=str(written.get("description", "")),
        variables=_text_table(written, "variables"),
        environment=_text_table(written, "environment"),
        files=_files(written),
        exclude_files=tuple(strings(written, "exclude_files")),
        allowed_outbound_hosts=(*strings(written, "allowed_outbound_hosts"), *_http_hosts(written)),
        key_value_stores=tuple(strings(written, "key_value_stores")),
        sqlite_databases=tuple(strings(written, "sqlite_databases")),
        ai_models=tuple(strings(written, "ai_models")),
        build=_build(table(written, "build")) if "build" in written else None,
        dependencies=table(written, "dependencies"),
        profiles={profile: _profile(table(profiles, profile)) for profile in profiles},
        place=place,
    )


def _http_hosts(written: JSONObject) -> tuple[str, ...]:
    if "allowed_http_hosts" not in written:
        return ()
    from spin_aks.spin import hosts

    return hosts.converted(strings(written, "allowed_http_hosts"))


def _source(written: JSON) -> Source:
    if not isinstance(written, dict):
        return LocalSource(str(written))
    if "url" in written:
        return RemoteSource(str(written["url"]), str(written["digest"]))
    return PackageSource(str(written["package"]), str(written["version"]), str(written.get("registry", "")))


def _text_table(written: JSONObject, key: str) -> Mapping[str, str]:
    return cast("Mapping[str, str]", table(written, key))


def _files(written: JSONObject) -> Files:
    entries = cast("list[str | dict[str, str]]", written.get("files") or [])
    return tuple(
        FilePattern(entry) if isinstance(entry, str) else FilePlacement(entry["source"], entry["destination"])
        for entry in entries
    )


def _commands(command: JSON) -> tuple[str, ...]:
    return (command,) if isinstance(command, str) else tuple(cast("list[str]", command))


def _build(written: JSONObject) -> Build:
    return Build(_commands(written["command"]), str(written.get("workdir", "")), tuple(strings(written, "watch")))


def _profile(written: JSONObject) -> Profile:
    return Profile(
        source=_source(written["source"]) if "source" in written else None,
        environment=_text_table(written, "environment"),
        commands=_commands(table(written, "build")["command"]) if "build" in written else None,
        dependencies=table(written, "dependencies"),
    )
