"""The verbs of the cluster: each reads, decides and keeps under one lock, and answers as the real API server does."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spin_aks.sandbox import admission, apply, defaults, documents, moments
from spin_aks.sandbox.apply import Applied, ConflictError, Entry, Manager
from spin_aks.sandbox.documents import child, mapping, text
from spin_aks.sandbox.objects import Key
from spin_aks.sandbox.schema import shape_of
from spin_aks.sandbox.status import (
    ApiError,
    Cause,
    already_exists,
    bad_request,
    changed_meanwhile,
    conflicting,
    invalid,
    not_found,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.objects import Store


@dataclass(frozen=True, slots=True)
class Write:
    """Who writes, and how: `strict` refuses unknown fields, `dry_run` keeps nothing."""

    manager: str
    subresource: str = ""
    strict: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """The object as it is afterwards; `warnings` are for the person behind the request."""

    document: Document
    created: bool = False
    warnings: tuple[str, ...] = ()


class Api:
    """Every method raises ApiError for what the real server would refuse."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def read(self, key: Key) -> Document:
        found = self.store.get(key)
        if found is None:
            raise not_found(key.kind, key.name)
        return found

    def create(self, key: Key, body: JSON, write: Write) -> Written:
        """`key.name` may be empty: the body names the object, or gives the beginning of its name."""
        document, warnings = admission.decoded(body, key, strict=write.strict)
        key = _named(key, document)
        with self.store.lock:
            admission.check_namespace(key, self.store)
            if self.store.get(key) is not None:
                raise already_exists(key.kind, key.name)
            _drop_status(key, document)
            defaults.complete(key.kind, document)
            applied = apply.update({}, document, shape_of(key.kind), _updater(key, write))
            return Written(self._keep(key, applied, None, _updater(key, write), write), True, warnings)

    def replace(self, key: Key, body: JSON, write: Write) -> Written:
        document, warnings = admission.decoded(body, key, strict=write.strict)
        _check_place(key, document)
        with self.store.lock:
            before = self.read(key)
            _check_preconditions(key, before, mapping(document, "metadata"))
            return Written(self._update(key, document, before, write), warnings=warnings)

    def merge_patch(self, key: Key, body: JSON, write: Write) -> Written:
        """RFC 7386."""
        if not isinstance(body, dict):
            raise bad_request("the body is no JSON object")
        with self.store.lock:
            before = self.read(key)
            _check_preconditions(key, before, mapping(body, "metadata"))
            patched = _patched(documents.copied(before), body)
            document, warnings = admission.decoded(patched, key, strict=False)
            if warnings and write.strict:
                raise _strictly_refused(key, body, warnings)
            return Written(self._update(key, document, before, write), warnings=warnings)

    def change(self, key: Key, write: Write, edit: Callable[[Document], None]) -> Document:
        """What a controller does: `edit` gets a copy of the object to write into."""
        with self.store.lock:
            before = self.read(key)
            document = documents.copied(before)
            edit(document)
            return self._update(key, document, before, write)

    def apply(self, key: Key, body: JSON, write: Write, *, force: bool) -> Written:
        """Server-side apply."""
        wanted = admission.typed_patch(body, key)
        _check_place(key, wanted)
        with self.store.lock:
            before = self.store.get(key)
            if before is None:
                admission.check_namespace(key, self.store)
            else:
                _check_preconditions(key, before, mapping(wanted, "metadata"))
            if write.subresource == "status":
                wanted = {name: value for name, value in wanted.items() if name != "spec"}
            else:
                _drop_status(key, wanted)
            child(wanted, "metadata").pop("resourceVersion", None)
            manager = Manager(write.manager, "Apply", key.kind.api_version, write.subresource)
            try:
                applied = apply.apply(before or {}, wanted, shape_of(key.kind), manager, force=force)
            except ConflictError as error:
                raise conflicting(error.conflicts) from error
            return Written(self._keep(key, applied, before, manager, write), created=before is None)

    def delete(self, key: Key, options: Document, *, dry_run: bool = False) -> Document:
        """The object as it was last; what belongs to it goes after it, unless its dependents are to be orphaned."""
        with self.store.lock:
            found = self.read(key)
            _check_preconditions(key, found, mapping(options, "preconditions"))
            if dry_run:
                return found
            if text(options, "propagationPolicy") == "Orphan":
                self._orphan(text(found, "metadata", "uid"))
            if key.kind.kind == "Namespace" or documents.at(found, "metadata", "finalizers"):
                return self._begin_to_delete(key, found)
            return self.store.delete(key) or found

    def _begin_to_delete(self, key: Key, found: Document) -> Document:
        if documents.at(found, "metadata", "deletionTimestamp"):
            return found
        document = documents.copied(found)
        child(document, "metadata")["deletionTimestamp"] = moments.now()
        if key.kind.kind == "Namespace":
            child(document, "status")["phase"] = "Terminating"
        return self.store.put(key, document)

    def _orphan(self, uid: str) -> None:
        for key, document in self.dependents(uid):
            copy = documents.copied(document)
            owners = documents.items(copy, "metadata", "ownerReferences")
            child(copy, "metadata")["ownerReferences"] = [owner for owner in owners if owner.get("uid") != uid]
            self.store.put(key, copy)

    def dependents(self, uid: str) -> list[tuple[Key, Document]]:
        """The objects that name `uid` as an owner."""
        from spin_aks.sandbox.kinds import KINDS

        return [
            (Key(kind, text(document, "metadata", "namespace"), text(document, "metadata", "name")), document)
            for kind in KINDS
            for document in self.store.all_of(kind)
            if any(owner.get("uid") == uid for owner in documents.items(document, "metadata", "ownerReferences"))
        ]

    def _update(self, key: Key, document: Document, before: Document, write: Write) -> Document:
        """Keeps `document`: its status only, or all but its status, as `write` says."""
        if write.subresource == "status":
            document = {**documents.copied(before), **({"status": document["status"]} if "status" in document else {})}
        elif key.kind.has_status:
            document = {name: value for name, value in document.items() if name != "status"}
            document |= {"status": documents.copy(before["status"])} if "status" in before else {}
        defaults.complete(key.kind, document)
        applied = apply.update(before, document, shape_of(key.kind), _updater(key, write))
        return self._keep(key, applied, before, _updater(key, write), write)

    def _keep(self, key: Key, applied: Applied, before: Document | None, manager: Manager, write: Write) -> Document:
        document = documents.copied(applied.document)
        admission.complete(document, key, before, self.store)
        entries = _entries(applied, before, document, manager)
        apply.write_entries(document, entries)
        if before is not None and document == before:
            return before
        if write.dry_run:
            return document
        kept = self.store.put(key, document)
        is_over = documents.at(kept, "metadata", "deletionTimestamp") and not documents.at(
            kept, "metadata", "finalizers"
        )
        if is_over and key.kind.kind != "Namespace":
            self.store.delete(key)
        return kept


def _entries(applied: Applied, before: Document | None, document: Document, manager: Manager) -> list[Entry]:
    """Everybody's managedFields; the writer's time is now if it changed anything, and else stays."""
    old = {entry.manager: entry for entry in apply.entries_of(before or {})}
    is_same = before is not None and _without_entries(document) == _without_entries(before)
    found = []
    for owner, fields in applied.owners.items():
        known = old.get(owner)
        keeps_time = known is not None and (owner != manager or (is_same and known.fields == fields))
        found.append(Entry(owner, fields, known.time if known and keeps_time else moments.now()))
    return sorted(found, key=lambda entry: (entry.manager.operation, entry.time, entry.manager))


def _without_entries(document: Document) -> Document:
    metadata = {name: value for name, value in mapping(document, "metadata").items() if name != "managedFields"}
    return {**document, "metadata": metadata}


def _updater(key: Key, write: Write) -> Manager:
    return Manager(write.manager, "Update", key.kind.api_version, write.subresource)


def _named(key: Key, document: Document) -> Key:
    prefix = text(document, "metadata", "generateName")
    name = text(document, "metadata", "name") or (prefix + admission.random_suffix() if prefix else "")
    if not name:
        raise bad_request("name or generateName is required")
    _check_place(replace(key, name=name), document)
    return replace(key, name=name)


def _check_place(key: Key, document: Document) -> None:
    namespace = text(document, "metadata", "namespace")
    if namespace and namespace != key.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    name = text(document, "metadata", "name")
    if name and name != key.name:
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({key.name})")


def _check_preconditions(key: Key, before: Document, expected: Document) -> None:
    for name, title in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        wanted, found = text(expected, name), text(before, "metadata", name)
        if wanted and wanted != found:
            why = f"Precondition failed: {title} in precondition: {wanted}, {title} in object meta: {found}"
            raise changed_meanwhile(key.kind, key.name, "" if name == "resourceVersion" else why)


def _strictly_refused(key: Key, patch: Document, warnings: tuple[str, ...]) -> ApiError:
    shown = json.dumps(documents.dump(patch).decode())
    message = f"Invalid value: {shown}: strict decoding error: {', '.join(warnings)}"
    return invalid(key.kind, "", [Cause("patch", "FieldValueInvalid", message)])


def _drop_status(key: Key, document: Document) -> None:
    if key.kind.has_status:
        document.pop("status", None)


def _patched(target: Document, patch: Document) -> Document:
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, dict):
            below = target.get(name)
            target[name] = _patched(below if isinstance(below, dict) else {}, value)
        else:
            target[name] = value
    return target
