"""The store of the cluster's objects: kept, numbered, watched."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from spin_aks.sandbox import kinds, objects
from spin_aks.sandbox.objects import ExpiredError, Key, Store

if TYPE_CHECKING:
    from pathlib import Path

KEY = Key(kinds.CONFIG_MAP, "default", "a")
BODY = {"metadata": {"name": "a", "namespace": "default"}}


def test_objects_and_their_numbers_are_there_after_a_restart(tmp_path: Path) -> None:
    first = Store(tmp_path / "x.sqlite")
    stored = first.put(KEY, BODY)  # type: ignore[arg-type]
    version = first.version
    first.close()
    second = Store(tmp_path / "x.sqlite")

    assert (second.get(KEY), second.version) == (stored, version)
    second.close()


def test_every_change_has_a_number_of_its_own(tmp_path: Path) -> None:
    store = Store(tmp_path / "x.sqlite")
    start = store.version
    store.put(KEY, BODY)  # type: ignore[arg-type]
    store.put(KEY, BODY)  # type: ignore[arg-type]
    store.delete(KEY)
    events = [(change.version, change.event) for change in store.changes(start, 0)]
    store.close()

    assert events == [(start + 1, "ADDED"), (start + 2, "MODIFIED"), (start + 3, "DELETED")]


def test_who_asks_for_what_is_forgotten_has_to_list_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "REMEMBERED_CHANGES", 2)
    store = Store(tmp_path / "x.sqlite")
    start = store.version
    for _ in range(3):
        store.put(KEY, BODY)  # type: ignore[arg-type]

    with pytest.raises(ExpiredError):
        store.changes(start, 0)
    assert len(store.changes(start + 1, 0)) == 2
    store.close()


def test_closing_ends_the_waiting_for_changes(tmp_path: Path) -> None:
    store = Store(tmp_path / "x.sqlite")
    waiting = threading.Thread(target=store.changes, args=(store.version, 60.0))
    waiting.start()
    store.close()
    waiting.join(10)

    assert not waiting.is_alive()
