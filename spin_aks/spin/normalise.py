"""From what the schemas found to the one form Spin works with: version 2, every trigger named, no component inline.

Sources: crates/manifest/src/compat.rs (version 1 to 2) and crates/manifest/src/normalize.rs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from spin_aks.spin.hosts import DATABASES, converted, wrong_http_hosts
from spin_aks.spin.names import component_id, is_kebab, variable_name
from spin_aks.spin.normalised import Normalised, strings, table, tables
from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.spin.shapes import Place, Reading

_MOVED = (
    "source",
    "description",
    "environment",
    "files",
    "exclude_files",
    "key_value_stores",
    "sqlite_databases",
    "ai_models",
    "build",
)
_OWN_RESOURCES = (
    "ai_models",
    "allowed_http_hosts",
    "allowed_outbound_hosts",
    "dependencies",
    "environment",
    "files",
    "key_value_stores",
    "sqlite_databases",
    "variables",
)


def from_v1(found: JSONObject, reading: Reading) -> Normalised:
    """Version 1 in version 2's form, ids and names judged on the way."""
    trigger = dict(table(found, "trigger"))
    kind = str(trigger.pop("type"))
    application: JSONObject = {key: found[key] for key in ("name", "version", "description", "authors") if key in found}
    application["trigger"] = {kind: cast("JSON", trigger)}
    _judge_names(table(found, "variables"), ("variables",), reading)
    manifest: JSONObject = {"spin_manifest_version": 2, "application": application}
    if found.get("variables"):
        manifest["variables"] = found["variables"]
    components: JSONObject = {}
    triggers: list[JSON] = []
    places: dict[str, Place] = {}
    trigger_places: dict[tuple[str, int], Place] = {}
    for index, written in enumerate(tables(found, "component")):
        place: Place = ("component", index)
        name = _component_id(str(written["id"]), (*place, "id"), reading)
        components[name] = _component_from_v1(written, place, reading)
        places[name] = place
        trigger_places[kind, index] = (*place, "trigger")
        triggers.append({"id": f"trigger-{name}", "component": name, **table(written, "trigger")})
    manifest["trigger"] = {kind: triggers} if triggers else {}
    if components:
        manifest["component"] = components
    return Normalised(manifest, places, trigger_places)


def from_v2(found: JSONObject, reading: Reading) -> Normalised:
    """Version 2 with every trigger named, every component at the top, and dependencies on components resolved."""
    triggers = table(found, "trigger")
    components = table(found, "component")
    places: dict[str, Place] = {name: ("component", name) for name in components}
    _name_triggers(triggers)
    _lift_inline_components(triggers, components, places)
    if components:
        found["component"] = components
    for name in components:
        _spread_inheritance(name, table(components, name), places[name], reading)
    sources = {name: dict(table(components, name)) for name in components}
    for name in components:
        _resolve_dependencies(name, table(components, name), sources, places[name], reading)
    return Normalised(
        found, places, {(kind, index): ("trigger", kind, index) for kind, index, _ in _each_trigger(triggers)}
    )


def _component_id(written: str, place: Place, reading: Reading) -> str:
    if is_kebab(written) or reading.spin < Version(2):
        return written
    mended = written.replace("_", "-").lower()
    wrong = component_id(mended, reading)
    if wrong:
        reading.fault(place, wrong, "Spin 2.0 and later want words of letters and digits with `-` between them")
    return mended


def _judge_names(names: JSONObject, place: Place, reading: Reading) -> None:
    """Spin 2.0 and later judge the names of variables when they convert; 1.x when it loads."""
    if reading.spin < Version(2):
        return
    for name in names:
        wrong = variable_name(name, reading)
        if wrong:
            reading.fault((*place, name), wrong)


def _component_from_v1(written: JSONObject, place: Place, reading: Reading) -> JSONObject:
    component: JSONObject = {key: written[key] for key in _MOVED if key in written}
    _judge_names(table(written, "config"), (*place, "config"), reading)
    if written.get("config"):
        component["variables"] = written["config"]
    http_hosts = strings(written, "allowed_http_hosts")
    for index, wrong in wrong_http_hosts(http_hosts):
        reading.fault((*place, "allowed_http_hosts", index), wrong)
    named = strings(written, "allowed_outbound_hosts") if "allowed_outbound_hosts" in written else list(DATABASES)
    hosts = [*named, *converted(http_hosts)]
    if hosts:
        component["allowed_outbound_hosts"] = cast("JSON", hosts)
    return component


def _each_trigger(triggers: JSONObject) -> Iterator[tuple[str, int, JSONObject]]:
    for kind in triggers:
        for index, trigger in enumerate(tables(triggers, kind)):
            yield kind, index, trigger


def _name_triggers(triggers: JSONObject) -> None:
    taken = {str(trigger.get("id", "")) for _, _, trigger in _each_trigger(triggers)}
    counters: dict[str, int] = {}
    for kind, _, trigger in _each_trigger(triggers):
        if trigger.get("id"):
            continue
        name = f"{trigger.get('component')}-{kind}-trigger"
        if not isinstance(trigger.get("component"), str) or name in taken:
            counter = counters.get(kind, 1)
            while f"{kind}-trigger{counter}" in taken:
                counter += 1
            counters[kind] = counter
            name = f"{kind}-trigger{counter}"
        trigger["id"] = name
        taken.add(name)


def _lift_inline_components(triggers: JSONObject, components: JSONObject, places: dict[str, Place]) -> None:
    for kind, index, trigger in _each_trigger(triggers):
        slots = list(_slots(trigger))
        counter = 1
        for holder, key, way in slots:
            inline = cast("dict[str | int, JSON]", holder)[key]
            if not isinstance(inline, dict):
                continue
            name = f"{trigger['id']}-component"
            if len(slots) > 1 or not is_kebab(name) or name in components:
                while f"inline-component{counter}" in components:
                    counter += 1
                name = f"inline-component{counter}"
            cast("dict[str | int, JSON]", holder)[key] = name
            components[name] = inline
            places[name] = ("trigger", kind, index, *way)


def _slots(trigger: JSONObject) -> Iterator[tuple[JSONObject | list[JSON], str | int, Place]]:
    """Everywhere a trigger may name a component or hold one."""
    if "component" in trigger:
        yield trigger, "component", ("component",)
    several = table(trigger, "components")
    for key, value in several.items():
        if isinstance(value, list):
            for index in range(len(value)):
                yield value, index, ("components", key, index)
        else:
            yield several, key, ("components", key)


def _spread_inheritance(name: str, component: JSONObject, place: Place, reading: Reading) -> None:
    """From Spin 4.0 what a component says of all its dependencies is written to each of them."""
    everyone = component.get("dependencies_inherit_configuration")
    if everyone is None or reading.spin < Version(4):
        return
    dependencies = [entry for entry in table(component, "dependencies").values() if isinstance(entry, dict)]
    if any("inherit_configuration" in entry for entry in dependencies):
        reading.fault(
            (*place, "dependencies_inherit_configuration"),
            f"component `{name}` has both `dependencies_inherit_configuration` and, for a dependency,"
            " `inherit_configuration`",
            "use one or the other",
        )
        return
    for entry in dependencies:
        entry["inherit_configuration"] = everyone


def _resolve_dependencies(
    name: str, component: JSONObject, components: dict[str, JSONObject], place: Place, reading: Reading
) -> None:
    """A dependency on a component of the same application becomes one on that component's source."""
    dependencies = table(component, "dependencies")
    for key, entry in dependencies.items():
        if not isinstance(entry, dict) or "component" not in entry:
            continue
        wanted = str(entry["component"])
        here = (*place, "dependencies", key)
        if wanted not in components:
            reading.fault(here, f"component `{name}` depends on a component `{wanted}`, and there is none of that id")
            continue
        own = [resource for resource in _OWN_RESOURCES if components[wanted].get(resource)]
        if own:
            reading.fault(
                here,
                f"component `{name}` can't depend on `{wanted}`, which has its own "
                + ", ".join(f"`{resource}`" for resource in own),
                "a dependency has no resources or permissions of its own; take them away from it",
            )
            continue
        rest = {field: value for field, value in entry.items() if field != "component"}
        dependencies[key] = {**_as_dependency(components[wanted]["source"]), **rest}


def _as_dependency(source: JSON) -> JSONObject:
    return dict(source) if isinstance(source, dict) else {"path": source}
