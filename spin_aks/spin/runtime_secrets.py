"""Which values of a runtime-config.toml are secrets, so that a file with one never goes where others can read it.

Spin interpolates nothing in this file, so a password that a store needs stands in it as it is. The shapes here note
each secret where they meet one; the value itself goes no further than this module. Keys that Spin does not know are
judged by their names: Spin ignores them, and whoever may read the pod's configuration would not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from spin_aks.spin.shapes import Fault, Place, Reading, Shape, dotted, free, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.json_types import JSON
    from spin_aks.spin.versions import Version

WayOut: TypeAlias = "Callable[[Version], str]"
"""What to do instead, for an application that runs on this Spin."""

_NO_SAFE_WAY = (
    "there is no safe way yet to bring one to the pod: everybody who may read the application's ConfigMap could read it"
)
_NAMES = re.compile(
    r"key|secret|token|passw|passphrase|pwd|credential|authorization|signature|connection_?string", re.IGNORECASE
)
_VALUES = re.compile(
    r"PRIVATE KEY-----|(?:^|[?&;,\s])\w*(?:key|secret|token|passw\w*|pass|pwd|sig)=[^&;,\s]", re.IGNORECASE
)
_USER = re.compile(r"^(?P<scheme>[^:/]*)://(?P<name>[^:]*?)(?::(?P<password>.*))?@", re.DOTALL)
_USERS_WITHOUT_PASSWORD = frozenset({"redis", "rediss"})

# Strings are matched only to be passed over: a `#` in one begins no comment.
_STRING_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''
    r"|(?P<line>^[ \t]*\#[^\n]*(?:\n|\Z))|(?P<end>[ \t]*\#[^\n]*)",
    re.DOTALL | re.MULTILINE,
)


def secret(way_out: WayOut) -> Shape:
    """A string that is a secret unless it is empty."""

    def check(value: object, place: Place, reading: Reading) -> JSON:
        checked = text(value, place, reading)
        if checked:
            _note(place, reading, way_out(reading.spin))
        return checked

    return check


def address(way_out: WayOut) -> Shape:
    """A URL, which is a secret if it holds a password."""

    def check(value: object, place: Place, reading: Reading) -> JSON:
        checked = text(value, place, reading)
        if isinstance(checked, str) and _holds_secret(checked):
            _note(place, reading, way_out(reading.spin), "holds a password")
        return checked

    return check


def others(value: object, place: Place, reading: Reading) -> JSON:
    """What Spin does not know and ignores: anything, and a secret if it looks like one."""
    checked = free(value, place, reading)
    for where, found in _leaves(checked, place):
        name = next(str(part) for part in reversed(where) if isinstance(part, str))
        is_path = name.endswith(("_file", "_path"))
        if isinstance(found, str) and (_holds_secret(found) or (found and not is_path and _NAMES.search(name))):
            _note(where, reading, "Spin does not know this key: take it out", "looks like a secret")
    return checked


def without_comments(content: str) -> str:
    """The same TOML without its comments: one may hold what was there before, and pods need none."""
    return _STRING_OR_COMMENT.sub(
        lambda match: "" if match["line"] is not None or match["end"] is not None else match[0], content
    )


def _note(place: Place, reading: Reading, hint: str, what: str = "is a secret") -> None:
    name = next(str(part) for part in reversed(place) if isinstance(part, str))
    reading.secrets.append(Fault(place, f"`{name}` in `{dotted(place[:-1])}` {what}, and {_NO_SAFE_WAY}", hint))


def _holds_secret(value: str) -> bool:
    user = _USER.match(value)
    if user is not None and (user["password"] or (user["name"] and user["scheme"] not in _USERS_WITHOUT_PASSWORD)):
        return True
    return _VALUES.search(value) is not None


def _leaves(value: JSON, place: Place) -> list[tuple[Place, JSON]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*place, key))]
    if isinstance(value, list):
        return [leaf for index, item in enumerate(value) for leaf in _leaves(item, (*place, index))]
    return [(place, value)]
