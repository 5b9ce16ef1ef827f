"""The stream of changes that a client watches: one JSON line each.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from spin_aks.sandbox import documents
from spin_aks.sandbox.objects import ExpiredError
from spin_aks.sandbox.status import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.kinds import Kind
    from spin_aks.sandbox.objects import Change, Store

    View: TypeAlias = Callable[[Document], Document]
    Test: TypeAlias = Callable[[Document], bool]

BOOKMARK_EVERY_S = 60.0
LONGEST_S = 3600.0
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass(frozen=True, slots=True)
class Watch:
    """What a client asked for: `since` 0 means everything that is there, and what comes after."""

    kind: Kind
    namespace: str
    fits: Test
    since: int
    timeout_s: float
    bookmarks: bool
    initial_bookmark: bool
    view: View


def lines(store: Store, watch: Watch) -> Iterator[bytes]:
    """Ends after the watch's time, when the store closes, or after an ERROR event for too old a version."""
    deadline = time.monotonic() + watch.timeout_s
    seen = watch.since
    if seen == 0:
        with store.lock:
            seen, there = store.version, [d for d in store.all_of(watch.kind, watch.namespace) if watch.fits(d)]
        yield from (_line("ADDED", watch.view(document)) for document in there)
        if watch.initial_bookmark:
            yield _bookmark(watch.kind, seen, {INITIAL_EVENTS_END: "true"})
    while not store.closed and (left := deadline - time.monotonic()) > 0:
        try:
            changes = store.changes(seen, min(left, BOOKMARK_EVERY_S))
        except ExpiredError:
            yield _line("ERROR", ApiError(410, "Expired", f"too old resource version: {seen}").document())
            return
        for change in changes:
            seen = change.version
            yield from _told(change, watch)
        if not changes and watch.bookmarks and not store.closed:
            seen = store.version
            yield _bookmark(watch.kind, seen, {})


def _told(change: Change, watch: Watch) -> Iterator[bytes]:
    if change.key.kind != watch.kind or watch.namespace not in ("", change.key.namespace):
        return
    was, fits = bool(change.before) and watch.fits(change.before), watch.fits(change.document)
    if change.event == "DELETED":
        if was:
            yield _line("DELETED", watch.view(change.document))
    elif fits:
        yield _line("MODIFIED" if was else "ADDED", watch.view(change.document))
    elif was:
        yield _line("DELETED", watch.view(change.document))


def _line(event: str, document: Document) -> bytes:
    return documents.dump({"type": event, "object": document}) + b"\n"


def _bookmark(kind: Kind, version: int, annotations: dict[str, str]) -> bytes:
    metadata: Document = {"resourceVersion": str(version), "creationTimestamp": None}
    if annotations:
        metadata["annotations"] = {**annotations}
    return _line("BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata})
