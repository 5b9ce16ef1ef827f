"""What Azure answered, as its REST interface writes it: the SDK's classes change with its versions, this doesn't."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spin_aks.azure.arm import ResourceId
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.json_types import JSON, JSONObject


class ShapeError(AzureError):
    """An answer lacks what every such answer of Azure's has. `problems.reported` says of which it was lacking."""

    def __init__(self) -> None:
        super().__init__("what answered is not Azure, for its JSON is not what Azure answers")


def document(model: Any) -> JSONObject:
    """The JSON that an answer was made from; the SDK's older generation of classes serializes itself.

    Raises ShapeError for what the SDK made of an answer that was no object.
    """
    if hasattr(model, "serialize"):
        found = model.serialize(keep_readonly=True)
    elif hasattr(model, "as_dict"):
        found = model.as_dict()
    else:
        raise ShapeError
    return _object(found)


def _object(found: JSON) -> JSONObject:
    if not isinstance(found, dict):
        raise ShapeError
    return found


def resource(source: JSON) -> ResourceId:
    """Which resource that is; raises ShapeError."""
    try:
        return ResourceId.parse(text(source, "id"))
    except AzureError as error:
        raise ShapeError from error


def check_named(source: JSON) -> None:
    """Raises ShapeError for what says nothing of which resource it is."""
    if not text(source, "id") and not text(source, "name"):
        raise ShapeError


def why_not(answer: JSON) -> str:
    """Why a name can't be had, in Azure's words, from the answer of a `checkNameAvailability`; empty if it can.

    Raises ShapeError.
    """
    if not isinstance(at(answer, "nameAvailable"), bool):
        raise ShapeError
    return "" if flag(answer, "nameAvailable") else text(answer, "message") or "the name is taken"


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
