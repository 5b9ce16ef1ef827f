"""Which fields there are in an object, as sets of paths, and how they are written down (`fieldsV1`).

A path is a tuple of elements in the form that fieldsV1 has: `f:spec`, `k:{"name":"web"}`, `v:"finalizer"`.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from spin_aks.sandbox import documents
from spin_aks.sandbox.schema import KEY_DEFAULTS, ListOf, MapOf, Shape, Struct, below

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spin_aks.sandbox.documents import JSON, Document

Path: TypeAlias = tuple[str, ...]

NOBODYS = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            *("name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields"),
            *("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Paths that differ: `changed` are new or have another value, `removed` are there no more."""

    changed: frozenset[Path]
    removed: frozenset[Path]


def owned(value: JSON, shape: Shape) -> frozenset[Path]:
    """What somebody owns who applies this object: its leaves, and the items of its lists that have keys."""
    return frozenset(path for path in _leaves(value, shape, ()) if path[:2] not in NOBODYS and path not in NOBODYS)


def _leaves(value: JSON, shape: Shape, path: Path) -> Iterator[Path]:
    inner = entries(value, shape)
    if inner is None or not inner:
        if path:
            yield path
        return
    for element, (item, item_shape) in inner.items():
        if not element.startswith("f:"):
            yield (*path, element)
        yield from _leaves(item, item_shape, (*path, element))


def entries(value: JSON, shape: Shape) -> dict[str, tuple[JSON, Shape]] | None:
    """What is directly below, by path element; None for a leaf (a scalar, or what is atomic)."""
    if isinstance(value, dict) and isinstance(shape, Struct | MapOf) and not shape.atomic:
        found = {f"f:{name}": (item, below(shape, name)) for name, item in value.items()}
        return {element: (item, inner) for element, (item, inner) in found.items() if inner is not None}
    if isinstance(value, list) and isinstance(shape, ListOf) and not shape.atomic:
        return {element_of(item, shape): (item, shape.item) for item in value}
    return None


def element_of(item: JSON, shape: ListOf) -> str:
    """The path element of one item of a list that merges."""
    if shape.is_set:
        return f"v:{json.dumps(item, separators=(',', ':'))}"
    keys = {key: documents.at(item, key) for key in shape.keys}
    named = {key: KEY_DEFAULTS.get(key) if value is None else value for key, value in keys.items()}
    present = {key: value for key, value in named.items() if value is not None}
    return f"k:{json.dumps(present, separators=(',', ':'), sort_keys=True)}"


def compare(old: JSON, new: JSON, shape: Shape) -> Comparison:
    """What an update from `old` to `new` touches; maps and keyed items that appear or vanish count themselves, too."""
    changed: set[Path] = set()
    removed: set[Path] = set()
    _compare(old, new, shape, (), changed, removed)
    return Comparison(_of_somebody(changed), _of_somebody(removed))


def _of_somebody(paths: Iterable[Path]) -> frozenset[Path]:
    return frozenset(path for path in paths if path and path[:2] not in NOBODYS and path not in NOBODYS)


def _compare(old: JSON, new: JSON, shape: Shape, path: Path, changed: set[Path], removed: set[Path]) -> None:
    before, after = entries(old, shape) or {}, entries(new, shape) or {}
    if not before and not after:
        if old != new:
            (removed if new is None else changed).add(path)
        return
    if old is None and _counts_itself(shape, path):
        changed.add(path)
    if new is None and _counts_itself(shape, path):
        removed.add(path)
    nothing = None, shape
    for element in {**before, **after}:
        was, is_now = before.get(element, nothing), after.get(element, nothing)
        inner = is_now[1] if element in after else was[1]
        _compare(was[0], is_now[0], inner, (*path, element), changed, removed)


def _counts_itself(shape: Shape, path: Path) -> bool:
    return isinstance(shape, MapOf) or (bool(path) and not path[-1].startswith("f:"))


def encode(paths: Iterable[Path]) -> Document:
    """As fieldsV1 in `metadata.managedFields`."""
    root: Document = {}
    for path in sorted(paths):
        documents.child(root, *path)
    _mark_members(root, (), frozenset(paths))
    return root


def _mark_members(node: Document, path: Path, members: frozenset[Path]) -> None:
    inside = list(node.items())
    if inside and path in members:
        node["."] = {}
    for element, child in inside:
        if isinstance(child, dict):
            _mark_members(child, (*path, element), members)


def decode(fields: JSON, path: Path = ()) -> frozenset[Path]:
    """The paths of a fieldsV1."""
    if not isinstance(fields, dict) or not fields:
        return frozenset({path} if path else ())
    found: set[Path] = set()
    for element, inner in fields.items():
        found |= {path} if element == "." else decode(inner, (*path, element))
    return frozenset(found)


def closure(paths: Iterable[Path]) -> frozenset[Path]:
    """The paths and everything above them."""
    return frozenset(path[:length] for path in paths for length in range(1, len(path) + 1))


def is_below(path: Path, others: frozenset[Path]) -> bool:
    """Whether the path or anything above it is one of `others`."""
    return any(path[:length] in others for length in range(1, len(path) + 1))


def written(path: Path) -> str:
    """As messages name it: `.spec.template.spec.containers[name="web"].image`."""
    return "".join(_element_written(element) for element in path)


def _element_written(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    keys = documents.mapping(documents.load(rest))
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items()) + "]"
