"""What each kind's fields are, and how their lists and maps merge: read once from `schema.json`.

The rules are those of structured-merge-diff, https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from spin_aks.sandbox import documents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.kinds import Kind

# The only keys of lists that have a default (core/v1 ServicePort and ContainerPort).
KEY_DEFAULTS: Mapping[str, JSON] = {"protocol": "TCP"}


@dataclass(frozen=True, slots=True)
class Scalar:
    """`name` is string, integer, number, boolean, quantity, intstr, or any (which nobody looks into)."""

    name: str


@dataclass(frozen=True, slots=True)
class MapOf:
    """Entries of one type under any name; an atomic one has one owner."""

    item: Shape
    atomic: bool


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items are told apart by `keys`, or by their value (`is_set`), or else has one owner as a whole."""

    item: Shape
    keys: tuple[str, ...] = ()
    is_set: bool = False

    @property
    def atomic(self) -> bool:
        return not self.keys and not self.is_set


@dataclass(frozen=True, slots=True)
class Struct:
    """Declared fields, by name; looked up in the table when needed, since types refer to themselves."""

    type_name: str
    atomic: bool = False

    @property
    def fields(self) -> Mapping[str, Shape]:
        return _types()[self.type_name].fields

    @property
    def required(self) -> tuple[str, ...]:
        return _types()[self.type_name].required


Shape: TypeAlias = "Scalar | MapOf | ListOf | Struct"


@dataclass(frozen=True, slots=True)
class _Declared:
    fields: Mapping[str, Shape]
    required: tuple[str, ...]
    atomic: bool


def shape_of(kind: Kind) -> Struct:
    """The shape of a whole object of this kind."""
    return Struct(documents.text(_source(), "kinds", f"{kind.api_version} {kind.kind}"))


def below(shape: Shape, name: str) -> Shape | None:
    """The shape of the entry `name` of a struct or a map; None if a struct does not declare it."""
    if isinstance(shape, Struct):
        return shape.fields.get(name)
    return shape.item if isinstance(shape, MapOf) else Scalar("any")


@cache
def _source() -> Document:
    content = documents.load((Path(__file__).parent / "schema.json").read_bytes())
    return documents.mapping(content)


@cache
def _types() -> Mapping[str, _Declared]:
    types = documents.mapping(_source(), "types")
    return {name: _declared(documents.mapping(source)) for name, source in types.items()}


def _declared(source: Document) -> _Declared:
    fields = {name: _shape(field) for name, field in documents.mapping(source, "fields").items()}
    return _Declared(fields, _names(source.get("required")), source.get("atomic") is True)


def _shape(source: JSON) -> Shape:
    if not isinstance(source, dict):
        return Scalar(str(source))
    if "struct" in source:
        name = documents.text(source, "struct")
        return Struct(name, source.get("atomic") is True or documents.at(_source(), "types", name, "atomic") is True)
    if "of" in source:
        return MapOf(_shape(source["of"]), source.get("atomic") is True)
    return ListOf(_shape(source["list"]), _names(source.get("keys")), source.get("set") is True)


def _names(source: JSON) -> tuple[str, ...]:
    return tuple(name for name in source if isinstance(name, str)) if isinstance(source, list) else ()


def undeclared(value: JSON, shape: Shape, where: str = "") -> list[str]:
    """The paths (`.spec.typo`) of fields that no type declares."""
    found: list[str] = []
    if isinstance(value, dict) and isinstance(shape, Struct | MapOf):
        for name, item in value.items():
            inner = below(shape, name)
            found += [f"{where}.{name}"] if inner is None else undeclared(item, inner, f"{where}.{name}")
    if isinstance(value, list) and isinstance(shape, ListOf):
        for index, item in enumerate(value):
            found += undeclared(item, shape.item, f"{where}[{_label(item, shape, index)}]")
    return found


def mistyped(value: JSON, shape: Shape, where: str = "") -> list[str]:
    """Values of the wrong type, in the real server's words: `.spec.replicas: expected numeric (int or float), ...`."""
    if value is None:
        return []
    if isinstance(shape, Scalar):
        return (
            [] if _fits(value, shape.name) else [f"{where}: expected {_EXPECTED[shape.name]}, got {_described(value)}"]
        )
    if isinstance(shape, ListOf):
        if not isinstance(value, list):
            return [f"{where}: expected list, got {_described(value)}"]
        items = ((item, f"{where}[{_label(item, shape, index)}]") for index, item in enumerate(value))
        return [error for item, place in items for error in mistyped(item, shape.item, place)]
    if not isinstance(value, dict):
        return [f"{where}: expected map, got {_described(value)}"]
    inner = ((item, below(shape, name), f"{where}.{name}") for name, item in value.items())
    return [error for item, found, place in inner if found for error in mistyped(item, found, place)]


_EXPECTED = {
    "string": "string",
    "integer": "numeric (int or float)",
    "number": "numeric (int or float)",
    "boolean": "boolean",
    "quantity": "string or number",
    "intstr": "string or number",
    "any": "anything",
}


def _fits(value: JSON, name: str) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return is_number
    if name == "boolean":
        return isinstance(value, bool)
    if name == "string":
        return isinstance(value, str)
    return name == "any" or isinstance(value, str) or is_number


def _described(value: JSON) -> str:
    return f"{json.dumps(value)}" if isinstance(value, str | int | float) else type(value).__name__


def _label(item: JSON, shape: ListOf, index: int) -> str:
    keys = [(key, documents.at(item, key)) for key in shape.keys]
    named = [f"{key}={json.dumps(value)}" for key, value in keys if value is not None]
    return ",".join(named) if named else str(index)
