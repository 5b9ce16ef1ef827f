"""The cluster's objects: in memory to be read, in SQLite to outlive the process, numbered to be watched.

A document that went in or came out is never changed in place: whoever wants another one makes a copy.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.kinds import KINDS, Kind

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.sandbox.documents import Document

REMEMBERED_CHANGES = 5_000
TABLES = """
CREATE TABLE IF NOT EXISTS objects
  (api_version TEXT, kind TEXT, namespace TEXT, name TEXT, body TEXT, PRIMARY KEY (api_version, kind, namespace, name));
CREATE TABLE IF NOT EXISTS version (newest INTEGER);
"""


@dataclass(frozen=True, slots=True)
class Key:
    """Where an object is; `namespace` is empty for cluster-scoped kinds."""

    kind: Kind
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """`event` is ADDED, MODIFIED or DELETED; `before` is the document that this change replaced, or empty."""

    version: int
    event: str
    key: Key
    document: Document
    before: Document


class ExpiredError(Exception):
    """So old a version is not remembered: whoever watches has to list again."""


class Store:
    """Safe for threads. Take `lock` around a read and the write that follows from it.

    Raises sqlite3.Error where the file is damaged or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._closed = False
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # A kill -9 loses nothing that was answered; a power cut may lose the last moments, but tears nothing.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(TABLES)
        self._objects = self._load()
        newest = self._database.execute("SELECT max(newest) FROM version").fetchone()[0]
        self.version: int = newest or 1
        self._forgotten = self.version
        self._history: deque[Change] = deque(maxlen=REMEMBERED_CHANGES)

    def _load(self) -> dict[Kind, dict[tuple[str, str], Document]]:
        by_name = {(kind.api_version, kind.kind): kind for kind in KINDS}
        objects: dict[Kind, dict[tuple[str, str], Document]] = {kind: {} for kind in KINDS}
        rows = self._database.execute("SELECT api_version, kind, namespace, name, body FROM objects")
        for api_version, kind, namespace, name, body in rows:
            if found := by_name.get((api_version, kind)):
                objects[found][namespace, name] = documents.mapping(documents.load(body))
        return objects

    def get(self, key: Key) -> Document | None:
        with self.lock:
            return self._objects[key.kind].get((key.namespace, key.name))

    def all_of(self, kind: Kind, namespace: str = "") -> list[Document]:
        """All of that kind by namespace and name; of one namespace, unless that is empty."""
        with self.lock:
            found = sorted(self._objects[kind].items())
        return [document for (place, _), document in found if namespace in ("", place)]

    def put(self, key: Key, document: Document) -> Document:
        """The document as it now is: with the next resourceVersion."""
        with self.lock:
            before = self.get(key)
            stored = self._numbered(document)
            row = (key.kind.api_version, key.kind.kind, key.namespace, key.name, documents.dump(stored).decode())
            self._write("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", row)
            self._objects[key.kind][key.namespace, key.name] = stored
            self._remember("ADDED" if before is None else "MODIFIED", key, stored, before or {})
        return stored

    def delete(self, key: Key) -> Document | None:
        """The document that was there, with the version at which it went."""
        with self.lock:
            before = self.get(key)
            if before is None:
                return None
            last = self._numbered(before)
            row = (key.kind.api_version, key.kind.kind, key.namespace, key.name)
            self._write("DELETE FROM objects WHERE (api_version, kind, namespace, name) = (?, ?, ?, ?)", row)
            del self._objects[key.kind][key.namespace, key.name]
            self._remember("DELETED", key, last, before)
        return last

    def changes(self, after: int, wait_s: float) -> list[Change]:
        """What came after that version; waits for it if there is nothing yet. Raises ExpiredError."""
        with self._changed:
            if after < self._forgotten:
                raise ExpiredError
            if self.version <= after and not self._closed:
                self._changed.wait(wait_s)
            return [change for change in self._history if change.version > after]

    def close(self) -> None:
        """Ends the waiting of all who wait for changes; nothing can be written afterwards."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._database.close()

    @property
    def closed(self) -> bool:
        return self._closed

    def _numbered(self, document: Document) -> Document:
        metadata = {**documents.mapping(document, "metadata"), "resourceVersion": str(self.version + 1)}
        return {**document, "metadata": metadata}

    def _write(self, statement: str, row: tuple[str, ...]) -> None:
        with self._database:
            self._database.execute("BEGIN")
            self._database.execute(statement, row)
            self._database.execute("DELETE FROM version")
            self._database.execute("INSERT INTO version VALUES (?)", (self.version + 1,))
        self.version += 1

    def _remember(self, event: str, key: Key, document: Document, before: Document) -> None:
        if len(self._history) == REMEMBERED_CHANGES:
            self._forgotten = self._history[0].version
        self._history.append(Change(self.version, event, key, document, before))
        self._changed.notify_all()
