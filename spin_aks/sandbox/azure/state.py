"""Everything that was made in the sandbox's Azure: documents in SQLite, each below its kind and its id."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.sandbox.documents import Document

TABLE = "CREATE TABLE IF NOT EXISTS documents (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key))"


class State:
    """Safe for threads. Take `lock` around a read and the write that follows from it.

    Kinds and keys ignore case, as ids in Azure do; a document that comes out is the caller's own. Raises sqlite3.Error
    where the file is damaged or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # A kill -9 loses nothing that was answered; a power cut may lose the last moments, but tears nothing.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(TABLE)

    def get(self, kind: str, key: str) -> Document | None:
        with self.lock:
            found = self._database.execute(
                "SELECT body FROM documents WHERE (kind, key) = (?, ?)", (kind.lower(), key.lower())
            ).fetchone()
        return documents.mapping(documents.load(found[0])) if found else None

    def put(self, kind: str, key: str, document: Document) -> Document:
        """The same document, for whoever answers with it."""
        row = (kind.lower(), key.lower(), documents.dump(document).decode())
        with self.lock:
            self._database.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", row)
        return document

    def delete(self, kind: str, key: str) -> bool:
        """True if it was there."""
        with self.lock:
            gone = self._database.execute(
                "DELETE FROM documents WHERE (kind, key) = (?, ?)", (kind.lower(), key.lower())
            )
        return gone.rowcount > 0

    def all_of(self, kind: str, below: str = "") -> list[Document]:
        """All of that kind whose key begins with `below`, by key."""
        return [document for _, document in self.items_of(kind, below)]

    def items_of(self, kind: str, below: str = "") -> list[tuple[str, Document]]:
        """As `all_of`, with the keys, which are lower-case."""
        begin = below.lower()
        with self.lock:
            rows = self._database.execute(
                "SELECT key, body FROM documents WHERE kind = ? AND substr(key, 1, ?) = ? ORDER BY key",
                (kind.lower(), len(begin), begin),
            ).fetchall()
        return [(key, documents.mapping(documents.load(body))) for key, body in rows]

    def has(self, key: str) -> bool:
        """Whether there is a document of any kind with that key."""
        with self.lock:
            found = self._database.execute("SELECT 1 FROM documents WHERE key = ? LIMIT 1", (key.lower(),)).fetchone()
        return found is not None

    def delete_below(self, prefix: str) -> None:
        """All documents of all kinds whose key begins with `prefix`."""
        begin = prefix.lower()
        with self.lock:
            self._database.execute("DELETE FROM documents WHERE substr(key, 1, ?) = ?", (len(begin), begin))

    def kinds_below(self, prefix: str) -> list[tuple[str, Document]]:
        """Every document whose key begins with `prefix`, with its kind in lower case, by key."""
        begin = prefix.lower()
        with self.lock:
            rows = self._database.execute(
                "SELECT kind, body FROM documents WHERE substr(key, 1, ?) = ? ORDER BY key", (len(begin), begin)
            ).fetchall()
        return [(kind, documents.mapping(documents.load(body))) for kind, body in rows]

    def close(self) -> None:
        with self.lock:
            self._database.close()
