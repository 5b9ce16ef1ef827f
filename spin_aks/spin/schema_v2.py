"""The manifest of version 2: Spin 2.0 and later (crates/manifest/src/schema/v2.rs)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.spin.names import component_id, dependency_name, model_name, package_name, store_label, variable_name
from spin_aks.spin.schema_common import BUILD, FILE, SOURCE, VARIABLE, commands, one_of
from spin_aks.spin.shapes import (
    Field,
    Place,
    Reading,
    Shape,
    array,
    boolean,
    free,
    free_table,
    kind_of,
    record,
    ruled_text,
    table_of,
    text,
)
from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from spin_aks.json_types import JSON

TOOLS_SINCE = Version(2, 1)
DEPENDENCIES_SINCE = Version(3)
TARGETS_SINCE = Version(3, 4)
COMPONENT_TARGETS_SINCE = Version(3, 6)
PROFILES_SINCE = Version(4)
MIDDLEWARE_SINCE = Version(4)


def _version_two(value: object, place: Place, reading: Reading) -> JSON:
    if isinstance(value, bool) or value != 2:
        reading.fault(place, "`spin_manifest_version` has to be the integer 2")
    return 2


def _inherited(value: object, place: Place, reading: Reading) -> JSON:
    if isinstance(value, list):
        return array(text)(value, place, reading)
    if isinstance(value, bool):
        return value
    reading.fault(place, f"`inherit_configuration` has to be a boolean or an array of keys, not {kind_of(value)}")
    return None


_INHERIT = Field(_inherited, keep_empty=True, since=Version(4))
_EXPORT = Field(text, keep_empty=True)
_ID = ruled_text(component_id)

_DEPENDENCY_BY_KEY = {
    "path": record({"path": Field(text, required=True), "export": _EXPORT, "inherit_configuration": _INHERIT}),
    "url": record(
        {
            "url": Field(text, required=True),
            "digest": Field(text, required=True),
            "export": _EXPORT,
            "inherit_configuration": _INHERIT,
        }
    ),
    "component": record(
        {
            "component": Field(_ID, required=True, since=Version(3, 5)),
            "export": _EXPORT,
            "inherit_configuration": _INHERIT,
        }
    ),
    "version": record(
        {
            "version": Field(text, required=True),
            "registry": Field(text, keep_empty=True),
            "package": Field(text, keep_empty=True),
            "export": _EXPORT,
            "inherit_configuration": _INHERIT,
        }
    ),
}
_MIDDLEWARE_BY_KEY = {
    "path": record({"path": Field(text, required=True), "inherit_configuration": _INHERIT}),
    "url": record(
        {"url": Field(text, required=True), "digest": Field(text, required=True), "inherit_configuration": _INHERIT}
    ),
    "component": record({"component": Field(_ID, required=True), "inherit_configuration": _INHERIT}),
    "version": record(
        {
            "version": Field(text, required=True),
            "registry": Field(text, keep_empty=True),
            "package": Field(ruled_text(package_name), required=True),
            "inherit_configuration": _INHERIT,
        }
    ),
}


def _by_key(variants: dict[str, Shape]) -> Shape:
    """The variant whose own key is there: no two of them can both fit, since none allows another's."""

    def check(value: object, place: Place, reading: Reading) -> JSON:
        keys = value if isinstance(value, dict) else {}
        chosen = next((shape for key, shape in variants.items() if key in keys), variants["version"])
        return chosen(value, place, reading)

    return check


_DEPENDENCIES = table_of(
    one_of(
        "a version, or a table with `version`, `path`, `url` or `component`",
        string=text,
        table=_by_key(_DEPENDENCY_BY_KEY),
    ),
    dependency_name,
)
_MIDDLEWARE = table_of(
    array(one_of("a table with `component`, `path`, `url` or `version`", table=_by_key(_MIDDLEWARE_BY_KEY)))
)

_TARGETS = array(
    one_of(
        "a name such as `spin-up:3.3`, or a table with `path`, `url`, or `registry` and `id`",
        string=text,
        table=_by_key(
            {
                "path": record({"path": Field(text, required=True)}),
                "url": record({"url": Field(text, required=True, since=Version(4))}),
                "version": record({"registry": Field(text, required=True), "id": Field(text, required=True)}),
            }
        ),
    )
)

_PROFILE = record(
    {
        "source": Field(SOURCE, keep_empty=True),
        "environment": Field(table_of(text)),
        "dependencies": Field(_DEPENDENCIES),
        "build": Field(record({"command": Field(commands, required=True)}), keep_empty=True),
    }
)

COMPONENT = record(
    {
        "source": Field(SOURCE, required=True),
        "description": Field(text),
        "variables": Field(table_of(text, variable_name)),
        "environment": Field(table_of(text)),
        "files": Field(array(FILE)),
        "exclude_files": Field(array(text)),
        "allowed_http_hosts": Field(array(text)),
        "allowed_outbound_hosts": Field(array(text)),
        "key_value_stores": Field(array(ruled_text(store_label))),
        "sqlite_databases": Field(array(ruled_text(store_label))),
        "ai_models": Field(array(ruled_text(model_name))),
        "targets": Field(_TARGETS, keep_empty=True, since=COMPONENT_TARGETS_SINCE),
        "build": Field(BUILD, keep_empty=True),
        "tool": Field(table_of(free_table), since=TOOLS_SINCE),
        "dependencies_inherit_configuration": Field(boolean, since=DEPENDENCIES_SINCE),
        "dependencies": Field(_DEPENDENCIES, since=DEPENDENCIES_SINCE),
        "profile": Field(table_of(_PROFILE), since=PROFILES_SINCE),
    }
)

_REFERENCE = one_of("a component's id, or a table that is a component", string=_ID, table=COMPONENT)


def _references(value: object, place: Place, reading: Reading) -> JSON:
    """One component or several: a list of one is written back as that one."""
    if not isinstance(value, list):
        return _REFERENCE(value, place, reading)
    several = [_REFERENCE(item, (*place, index), reading) for index, item in enumerate(value)]
    return several[0] if len(several) == 1 else several


_TRIGGER = record(
    {
        "id": Field(text),
        "component": Field(_REFERENCE, keep_empty=True),
        "components": Field(table_of(_references)),
        "dependencies": Field(_MIDDLEWARE, since=MIDDLEWARE_SINCE),
    },
    rest=free,
)

MANIFEST = record(
    {
        "spin_manifest_version": Field(_version_two, required=True),
        "application": Field(
            record(
                {
                    "name": Field(text, required=True),
                    "version": Field(text),
                    "description": Field(text),
                    "authors": Field(array(text)),
                    "targets": Field(_TARGETS, since=TARGETS_SINCE),
                    "trigger": Field(table_of(free_table)),
                    "tool": Field(table_of(free_table), since=TOOLS_SINCE),
                }
            ),
            required=True,
        ),
        "variables": Field(table_of(VARIABLE, variable_name)),
        "trigger": Field(
            table_of(array(_TRIGGER, hint="a trigger stands in two brackets, such as `[[trigger.http]]`")),
            required=True,
        ),
        "component": Field(table_of(COMPONENT, component_id)),
    }
)
