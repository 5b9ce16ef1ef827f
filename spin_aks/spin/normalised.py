"""A manifest in the one form Spin works with, and the way into it; `normalise` makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from spin_aks.json_types import JSONObject
    from spin_aks.spin.shapes import Place


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Normalised:
    """`manifest` as Spin's parser gives it; where its components and triggers stand in the file."""

    manifest: JSONObject
    components: dict[str, Place]
    triggers: dict[tuple[str, int], Place]


def table(parent: JSONObject, key: str) -> JSONObject:
    """The table at `key` of what a schema has found sound; an empty one if it is not there."""
    return cast("JSONObject", parent.get(key) or {})


def tables(parent: JSONObject, key: str) -> list[JSONObject]:
    return cast("list[JSONObject]", parent.get(key) or [])


def strings(parent: JSONObject, key: str) -> list[str]:
    return cast("list[str]", parent.get(key) or [])
