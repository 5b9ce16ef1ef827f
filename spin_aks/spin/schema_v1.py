"""The manifest of version 1, as Spin 1.x reads it and as Spin 2.0 and later do.

Sources: crates/loader/src/local/config.rs and crates/manifest/src/lib.rs of Spin 1.0 to 1.5.1, and
crates/manifest/src/schema/v1.rs of Spin 2.0 and later, where ids and names are judged when they are converted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.spin.schema_common import BUILD, FILE, SOURCE, VARIABLE
from spin_aks.spin.shapes import Field, Place, Reading, array, free, free_table, kind_of, record, table_of, text
from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from spin_aks.json_types import JSON

SPIN_TWO = Version(2)
SETTING_OF_TRIGGER = {"http": "base", "redis": "address"}
"""What Spin 1.x wants to know of a trigger in the application's `trigger` table."""


def _version_one(value: object, place: Place, reading: Reading) -> JSON:
    if value != "1":
        reading.fault(place, '`spin_manifest_version` has to be the string "1"')
    return "1"


def _trigger(value: object, place: Place, reading: Reading) -> JSON:
    trigger = record({"type": Field(text, required=True)}, rest=free)(value, place, reading)
    if reading.spin < SPIN_TWO and isinstance(value, dict):
        setting = SETTING_OF_TRIGGER.get(str(value.get("type")), "")
        if setting and not isinstance(value.get(setting), str):
            hint = 'base = "/" serves every route as it is written' if setting == "base" else ""
            reading.fault(place, f"`{setting}` is missing in `trigger`, which has to be a string in Spin 1.x", hint)
    return trigger


_COMPONENT = record(
    {
        "id": Field(text, required=True),
        "source": Field(SOURCE, required=True),
        "trigger": Field(free_table, required=True),
        "description": Field(text),
        "config": Field(table_of(text)),
        "environment": Field(table_of(text)),
        "files": Field(array(FILE)),
        "exclude_files": Field(array(text)),
        "allowed_http_hosts": Field(array(text)),
        "allowed_outbound_hosts": Field(array(text), keep_empty=True, since=SPIN_TWO),
        "key_value_stores": Field(array(text)),
        "sqlite_databases": Field(array(text), since=Version(1, 3)),
        "ai_models": Field(array(text), since=Version(1, 5)),
        "build": Field(BUILD, keep_empty=True),
    }
)


def _components(value: object, place: Place, reading: Reading) -> JSON:
    if isinstance(value, dict):
        hint = "version 1 has `[[component]]` with an `id`; `[component.ID]` is version 2's"
        reading.fault(place, f"`component` has to be an array of tables, not {kind_of(value)}", hint)
        return None
    return array(_COMPONENT)(value, place, reading)


def manifest(value: object, place: Place, reading: Reading) -> JSON:
    """The whole of it; Spin 1.x wants `version` and at least the key `component`, later ones neither."""
    old = reading.spin < SPIN_TWO
    return record(
        {
            "spin_manifest_version": Field(_version_one),
            "spin_version": Field(_version_one),
            "name": Field(text, required=True),
            "version": Field(text, required=old),
            "description": Field(text),
            "authors": Field(array(text)),
            "namespace": Field(text, until=SPIN_TWO),
            "trigger": Field(_trigger, required=True),
            "variables": Field(table_of(VARIABLE)),
            "component": Field(_components, required=old),
        }
    )(value, place, reading)
