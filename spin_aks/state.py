"""What doit remembers of a finished stage, kept so that no kill can lose it.

doit writes its state when a run ends (pydoit/doit#463): a run that is killed forgets every stage it had finished. This
backend commits after each of them. Registered as `doit.BACKEND: durable`, so plain `doit -f` uses the same state.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from doit.dependency import DatabaseException, SqliteDB

if TYPE_CHECKING:
    import sqlite3

    from spin_aks.json_types import JSON

LAST_KEY_OF_A_TASK = "deps:"  # Dependency.save_success writes it after all others (doit 0.37, dependency.py)
BUSY_TIMEOUT_MS = 10_000


class DurableDB(SqliteDB):  # type: ignore[misc]  # doit ships no types
    """doit's SQLite backend with a commit a task, readers beside a writer (WAL), and its folder made when needed."""

    desc = "SQLite, committed after each task"

    def _sqlite3(self, name: str) -> sqlite3.Connection:
        if name != ":memory:":
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            if not os.access(Path(name).parent, os.W_OK):
                return self._read_only(name)
            _refuse_what_is_none(name)
        connection: sqlite3.Connection = super()._sqlite3(name)
        connection.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        return connection

    def _read_only(self, name: str) -> sqlite3.Connection:
        """A copy in memory, to look at: a database in WAL mode can't be opened where nothing can be written beside it
        (https://sqlite.org/wal.html, "Read-Only Databases").
        """
        import sqlite3

        copy: sqlite3.Connection = super()._sqlite3(":memory:")
        with closing(sqlite3.connect(f"{Path(name).absolute().as_uri()}?immutable=1", uri=True)) as whole:
            copy.executemany("insert into doit values (?, ?)", whole.execute("select task_id, task_data from doit"))
        return copy

    def set(self, task_id: str, dependency: str, value: JSON) -> None:
        super().set(task_id, dependency, value)
        if dependency == LAST_KEY_OF_A_TASK:
            self._commit(task_id)

    def remove(self, task_id: str) -> None:
        super().remove(task_id)
        self._conn.commit()

    def _commit(self, task_id: str) -> None:
        row = (task_id, self.codec.encode(self._cache[task_id]))
        self._conn.execute("insert or replace into doit values (?, ?)", row)
        self._conn.commit()
        self._dirty.discard(task_id)


def _refuse_what_is_none(name: str) -> None:
    """doit's own check leaves the connection open, which Python 3.13 minds."""
    import sqlite3

    connection = sqlite3.connect(name)
    try:
        connection.execute("pragma schema_version")
    except sqlite3.DatabaseError as error:
        raise DatabaseException(f"`{name}`: {error}") from error
    finally:
        connection.close()
