"""What both manifest versions share (crates/manifest/src/schema/common.rs)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spin_aks.spin.names import package_name
from spin_aks.spin.shapes import Field, Place, Reading, Shape, array, boolean, kind_of, record, ruled_text, text
from spin_aks.spin.versions import Version

if TYPE_CHECKING:
    from spin_aks.json_types import JSON

_REGISTRY = re.compile(r"[^\s/@?#\\]+")


def registry_name(name: str, _reading: Reading) -> str:
    """A rule of shapes: the host of a registry, with its port if need be."""
    return "" if _REGISTRY.fullmatch(name) else f"`{name}` is not a registry: it is written `HOST` or `HOST:PORT`"


def one_of(expected: str, *, string: Shape | None = None, table: Shape | None = None) -> Shape:
    """A string or a table, whichever are given; `expected` names them."""

    def check(value: object, place: Place, reading: Reading) -> JSON:
        if isinstance(value, str) and string is not None:
            return string(value, place, reading)
        if isinstance(value, dict) and table is not None:
            return table(value, place, reading)
        name = next((part for part in reversed(place) if isinstance(part, str)), "")
        reading.fault(place, f"`{name}` has to be {expected}, not {kind_of(value)}")
        return None

    return check


VARIABLE = record(
    {
        "description": Field(text, keep_empty=True, since=Version(3, 4)),
        "required": Field(boolean),
        "default": Field(text, keep_empty=True),
        "secret": Field(boolean),
    }
)

_REMOTE_SOURCE = record({"url": Field(text, required=True), "digest": Field(text, required=True)})
_PACKAGE_SOURCE = record(
    {
        "registry": Field(ruled_text(registry_name), keep_empty=True),
        "package": Field(ruled_text(package_name), required=True),
        "version": Field(text, required=True),
    }
)
_PACKAGES_SINCE = Version(2, 6)


def _source_table(value: object, place: Place, reading: Reading) -> JSON:
    keys = value.keys() if isinstance(value, dict) else ()
    if "reference" in keys and "parcel" in keys:
        hint = "Spin 1.0 dropped them; name the file, or its `url` and `digest`"
        reading.fault(place, "`source` is a bindle's `reference` and `parcel`, which Spin does not read any more", hint)
        return None
    if "package" in keys and "url" not in keys:
        if reading.spin < _PACKAGES_SINCE:
            hint = f"Spin 2.6 brought it; this is judged as Spin {reading.spin}"
            reading.fault(place, "`source` is a package of a registry", hint)
            return None
        return _PACKAGE_SOURCE(value, place, reading)
    return _REMOTE_SOURCE(value, place, reading)


SOURCE = one_of("a path, or a table with `url` and `digest`", string=text, table=_source_table)

FILE = one_of(
    "a path, a glob, or a table with `source` and `destination`",
    string=text,
    table=record({"source": Field(text, required=True), "destination": Field(text, required=True)}),
)


def commands(value: object, place: Place, reading: Reading) -> JSON:
    """One command, or several from Spin 3.0."""
    if isinstance(value, list):
        if reading.spin < Version(3):
            hint = f"Spin 3.0 brought lists of commands; this is judged as Spin {reading.spin}: join them with `&&`"
            reading.fault(place, "`command` has to be a string, not an array", hint)
            return None
        return array(text)(value, place, reading)
    return text(value, place, reading)


BUILD = record(
    {
        "command": Field(commands, required=True),
        "workdir": Field(text, keep_empty=True),
        "watch": Field(array(text), since=Version(1, 1)),
    }
)
