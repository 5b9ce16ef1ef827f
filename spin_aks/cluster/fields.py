"""Reading fields of a JSON document that came from elsewhere: whatever has another type counts as absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spin_aks.json_types import JSON, JSONObject


def at(document: JSON, *path: str) -> JSON:
    """The value at this path of keys, or None."""
    for key in path:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def text(document: JSON, *path: str) -> str:
    """The text at this path, or an empty one."""
    value = at(document, *path)
    return value if isinstance(value, str) else ""


def number(document: JSON, *path: str, default: int = 0) -> int:
    """The whole number at this path, or `default`."""
    value = at(document, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def flag(document: JSON, *path: str) -> bool:
    """Whether the value at this path is `true`."""
    return at(document, *path) is True


def mapping(document: JSON, *path: str) -> JSONObject:
    """The object at this path, or an empty one."""
    value = at(document, *path)
    return value if isinstance(value, dict) else {}


def objects(document: JSON, *path: str) -> tuple[JSONObject, ...]:
    """The objects in the list at this path."""
    value = at(document, *path)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def texts(document: JSON, *path: str) -> tuple[str, ...]:
    """The texts in the list at this path."""
    value = at(document, *path)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
