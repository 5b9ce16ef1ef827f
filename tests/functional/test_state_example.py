"""`.doit.db.example` shows what doit's state really looks like after a finished run."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testbed.application import App

EXAMPLE = json.loads((Path(__file__).resolve().parents[2] / ".doit.db.example").read_text())


def state(path: Path) -> dict[str, dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        return {task: json.loads(kept) for task, kept in connection.execute("select task_id, task_data from doit")}


def shape(kept: dict[str, dict[str, Any]]) -> dict[str, tuple[list[str], dict[str, list[str]]]]:
    return {
        task: (sorted(keys), {name: sorted(value) for name, value in keys["_values_:"].items()})
        for task, keys in kept.items()
    }


def test_the_example_has_the_stages_files_and_values_of_a_real_run(shop: App) -> None:
    shop.ok("up")

    assert shape(EXAMPLE["state"]) == shape(state(shop.root / ".spin-aks/default/doit.db"))


def test_every_key_of_the_example_is_explained() -> None:
    keys = {key for kept in EXAMPLE["state"].values() for key in kept}
    values = {key for kept in EXAMPLE["state"].values() for key in kept["_values_:"]}

    assert {key for key in keys if key.endswith(":")} | values <= set(EXAMPLE["explained"])
    assert "PATH" in EXAMPLE["explained"]


def test_a_variables_value_stands_only_where_the_example_says_so(shop: App) -> None:
    shop.flags = tuple(flag.replace("Welcome", "canary-in-the-coal-mine") for flag in shop.flags)
    shop.ok("up")

    holders = [
        path.relative_to(shop.root).as_posix()
        for path in shop.root.rglob("*")
        if path.is_file() and b"canary-in-the-coal-mine" in path.read_bytes()
    ]
    assert {".spin-aks/default/doit.db", ".spin-aks/default/rendered.json", ".spin-aks/default/rendered.yaml"} == set(
        holders
    )
