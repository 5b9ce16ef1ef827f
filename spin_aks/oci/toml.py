"""A TOML document as text, the same text everywhere.

What a library writes may change with its version, and with it the digest of the image that the text goes into.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOML: TypeAlias = "bool | int | float | str | datetime | date | time | list[TOML] | dict[str, TOML]"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_HEADERS_DEEP = 3
"""Tables below this many keys stand inside their line."""


def dumps(document: Mapping[str, TOML]) -> str:
    """The text whose `tomllib.loads` is `document`; the order of keys is kept but for tables, which come last."""
    return "\n".join(_table(document, ())).lstrip("\n") + "\n"


def _table(table: Mapping[str, TOML], path: tuple[str, ...]) -> Iterator[str]:
    below: list[tuple[str, TOML]] = []
    for key, value in table.items():
        if _has_header(value, len(path)):
            below.append((key, value))
        else:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in below:
        here = (*path, key)
        name = ".".join(_key(part) for part in here)
        if isinstance(value, dict):
            if not value or any(not _has_header(item, len(here)) for item in value.values()):
                yield f"\n[{name}]"
            yield from _table(value, here)
        elif isinstance(value, list):
            for item in value:
                yield f"\n[[{name}]]"
                yield from _table(item if isinstance(item, dict) else {}, here)


def _has_header(value: TOML, depth: int) -> bool:
    if isinstance(value, dict):
        return depth < _HEADERS_DEEP
    is_tables = isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
    return is_tables and depth < _HEADERS_DEEP - 1


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _value(value: TOML) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return repr(value)


def _string(text: str) -> str:
    """JSON's strings are TOML's but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
