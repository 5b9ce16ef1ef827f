"""What Azure answered, as its REST interface writes it: the SDK's classes change with its versions, this doesn't."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.json_types import JSON, JSONObject


def document(model: Any) -> JSONObject:
    """The JSON that an answer was made from; the SDK's older generation of classes serializes itself."""
    if hasattr(model, "serialize"):
        found: JSONObject = model.serialize(keep_readonly=True)
    else:
        found = model.as_dict()
    return found


def content(body: JSONObject) -> Any:
    """A body as it is sent: the SDK's older generation takes bytes as they are, and makes other texts of dicts."""
    return json.dumps(body).encode()


def at(source: JSON, *path: str) -> JSON:
    """What stands there, or None."""
    for name in path:
        source = source.get(name) if isinstance(source, dict) else None
    return source


def text(source: JSON, *path: str) -> str:
    found = at(source, *path)
    return found if isinstance(found, str) else ""


def flag(source: JSON, *path: str) -> bool:
    """Azure leaves out, or writes null for, what is off."""
    return at(source, *path) is True


def number(source: JSON, *path: str) -> int:
    found = at(source, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def objects(source: JSON, *path: str) -> Iterator[JSONObject]:
    found = at(source, *path)
    return (item for item in found if isinstance(item, dict)) if isinstance(found, list) else iter(())
