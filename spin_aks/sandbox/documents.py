"""JSON documents as the servers of the sandbox meet them, and safe ways to look into one."""

from __future__ import annotations

import json
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Document: TypeAlias = "dict[str, JSON]"


def dump(document: JSON) -> bytes:
    """Compact UTF-8."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def load(content: bytes | str) -> JSON:
    """Raises ValueError for what is no JSON (NaN and its kin included)."""
    parsed: JSON = json.loads(content, parse_constant=_refuse)
    return parsed


def _refuse(constant: str) -> JSON:
    raise ValueError(f"{constant} is no JSON")


def copy(value: JSON) -> JSON:
    """A deep copy: nothing in it is shared with `value`."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value


def copied(document: Document) -> Document:
    return {key: copy(item) for key, item in document.items()}


def at(document: JSON, *path: str) -> JSON:
    """The value below `document` at `path`, or None if there is nothing."""
    for name in path:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def mapping(document: JSON, *path: str) -> Document:
    """The object at `path`, or an empty one: not to be written into."""
    found = at(document, *path)
    return found if isinstance(found, dict) else {}


def items(document: JSON, *path: str) -> list[Document]:
    """The objects in the list at `path`; whatever else is in it is left out."""
    found = at(document, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(document: JSON, *path: str) -> str:
    """The string at `path`, or an empty one."""
    found = at(document, *path)
    return found if isinstance(found, str) else ""


def number(document: JSON, *path: str, default: int = 0) -> int:
    """The integer at `path`, or `default`."""
    found = at(document, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def strings(document: JSON, *path: str) -> dict[str, str]:
    """The entries of the object at `path` whose values are strings, as labels and annotations are."""
    return {key: value for key, value in mapping(document, *path).items() if isinstance(value, str)}


def child(document: Document, *path: str) -> Document:
    """The object at `path`, made where it is missing: what is written into it is written into `document`."""
    for name in path:
        below = document.get(name)
        if not isinstance(below, dict):
            below = {}
            document[name] = below
        document = below
    return document
