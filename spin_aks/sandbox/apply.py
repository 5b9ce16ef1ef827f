"""Who owns which field of an object, and what becomes of both when somebody applies or updates.

Server-side apply as https://kubernetes.io/docs/reference/using-api/server-side-apply/ describes it and
sigs.k8s.io/structured-merge-diff (v6, merge/update.go) does it. Nothing in here reads or writes anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents, ownership
from spin_aks.sandbox.ownership import Path, compare, owned
from spin_aks.sandbox.schema import ListOf, MapOf, Shape, Struct, below

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spin_aks.sandbox.documents import JSON, Document


@dataclass(frozen=True, slots=True, order=True)
class Manager:
    """Somebody who owns fields: `operation` is `Apply` or `Update`, `subresource` is `status` or empty."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One manager's fields, and when they last changed (RFC 3339)."""

    manager: Manager
    fields: frozenset[Path]
    time: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that somebody else owns and that would get another value."""

    entry: Entry
    path: Path


class ConflictError(Exception):
    """The apply would take fields from others and was not told to."""

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = conflicts


@dataclass(frozen=True, slots=True)
class Applied:
    """The object as it now is, without its managedFields, and who owns what of it."""

    document: Document
    owners: Mapping[Manager, frozenset[Path]]


def entries_of(document: Document) -> tuple[Entry, ...]:
    """What the object's `metadata.managedFields` says."""
    return tuple(
        Entry(
            Manager(*(documents.text(item, name) for name in ("manager", "operation", "apiVersion", "subresource"))),
            ownership.decode(item.get("fieldsV1")),
            documents.text(item, "time"),
        )
        for item in documents.items(document, "metadata", "managedFields")
    )


def write_entries(document: Document, entries: Iterable[Entry]) -> None:
    """Sets the object's `metadata.managedFields`; managers without a field are left out."""
    documents.child(document, "metadata")["managedFields"] = [
        _entry_document(entry) for entry in entries if entry.fields
    ]


def _entry_document(entry: Entry) -> Document:
    found: Document = {
        "manager": entry.manager.name,
        "operation": entry.manager.operation,
        "apiVersion": entry.manager.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": ownership.encode(entry.fields),
    }
    return found | ({"subresource": entry.manager.subresource} if entry.manager.subresource else {})


def apply(live: Document, wanted: Document, shape: Shape, manager: Manager, *, force: bool) -> Applied:
    """`live` after `manager` applied `wanted`; raises ConflictError unless `force`."""
    entries = entries_of(live)
    new_fields = owned(wanted, shape)
    merged = documents.mapping(merge(live, wanted, shape))
    changed = compare(live, merged, shape).changed
    others = {entry.manager: entry.fields for entry in entries if entry.manager != manager}
    conflicts = _conflicts(entries, manager, changed)
    if conflicts and not force:
        raise ConflictError(conflicts)
    owners = {other: fields - changed for other, fields in others.items()} | {manager: new_fields}
    last = next((entry.fields for entry in entries if entry.manager == manager), frozenset())
    kept = ownership.closure(path for fields in owners.values() for path in fields)
    pruned = remove(merged, shape, ownership.closure(last) - kept)
    return Applied(documents.mapping(pruned), owners)


def _conflicts(entries: Iterable[Entry], manager: Manager, changed: frozenset[Path]) -> tuple[Conflict, ...]:
    return tuple(
        Conflict(entry, path)
        for entry in entries
        if entry.manager != manager
        for path in sorted(entry.fields & changed)
    )


def update(live: Document, new: Document, shape: Shape, manager: Manager) -> Applied:
    """`live` after `manager` replaced it by `new`: what differs is now its own."""
    comparison = compare(live, new, shape)
    touched = comparison.changed | comparison.removed
    owners = {
        entry.manager: frozenset(
            path for path in entry.fields if path not in touched and not ownership.is_below(path, comparison.removed)
        )
        for entry in entries_of(live)
    }
    owners[manager] = owners.get(manager, frozenset()) | comparison.changed
    return Applied(new, owners)


def merge(live: JSON, wanted: JSON, shape: Shape) -> JSON:
    """`live` with the values of `wanted`: maps and keyed lists item by item, all else as a whole."""
    if isinstance(live, dict) and isinstance(wanted, dict) and isinstance(shape, Struct | MapOf) and not shape.atomic:
        merged: Document = dict(live)
        for name, value in wanted.items():
            inner = below(shape, name)
            merged[name] = merge(live.get(name), value, inner) if inner else value
        return merged
    if isinstance(live, list) and isinstance(wanted, list) and isinstance(shape, ListOf) and not shape.atomic:
        return _merge_lists(live, wanted, shape)
    return documents.copy(wanted)


def _merge_lists(live: list[JSON], wanted: list[JSON], shape: ListOf) -> list[JSON]:
    """In the order of `wanted`; what only `live` has stays behind the item it came after."""
    old = {ownership.element_of(item, shape): item for item in live}
    new = {ownership.element_of(item, shape): item for item in wanted}
    order = list(new)
    position = 0
    for element in old:
        if element in new:
            position = order.index(element) + 1
        else:
            order.insert(position, element)
            position += 1
    return [merge(old.get(key), new[key], shape.item) if key in new else old[key] for key in order]


def remove(value: JSON, shape: Shape, paths: frozenset[Path], prefix: Path = ()) -> JSON:
    """`value` without what is at `paths`; a map or list that thereby becomes empty goes too (None at the top)."""
    inner = ownership.entries(value, shape)
    if not inner or not any(path[: len(prefix)] == prefix for path in paths):
        return value
    kept = {
        element: remove(item, item_shape, paths, (*prefix, element))
        for element, (item, item_shape) in inner.items()
        if (*prefix, element) not in paths
    }
    lost = {element for element, item in kept.items() if item is None and inner[element][0] is not None}
    kept = {element: item for element, item in kept.items() if element not in lost}
    if not kept:
        return None
    if isinstance(value, list):
        return list(kept.values())
    undeclared = {name: item for name, item in documents.mapping(value).items() if f"f:{name}" not in inner}
    return undeclared | {element.removeprefix("f:"): item for element, item in kept.items()}
