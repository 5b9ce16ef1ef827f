"""doit's memory: kept through a kill, shared by two processes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from doit.dependency import DatabaseException, Dependency

from spin_aks.state import DurableDB

if TYPE_CHECKING:
    from pathlib import Path

SAVE = """
import os, sys
from doit.dependency import Dependency
from doit.task import Task
from spin_aks.state import DurableDB
dependency = Dependency(DurableDB, sys.argv[1])
for name in sys.argv[3:]:
    task = Task(name, None)
    task.values = {"ran": name}
    dependency.save_success(task)
if sys.argv[2] == "kill":
    os.kill(os.getpid(), 9)
dependency.close()
"""


def save(path: Path, end: str, *names: str) -> None:
    subprocess.run([sys.executable, "-c", SAVE, str(path), end, *names], check=False)


def values(path: Path, name: str) -> dict[str, str]:
    dependency = Dependency(DurableDB, str(path))
    found: dict[str, str] = dependency.get_values(name)
    dependency.close()
    return found


def test_a_kill_loses_no_stage_that_had_ended(tmp_path: Path) -> None:
    path = tmp_path / "made/for/it/state.db"
    save(path, "kill", "a", "b")

    assert [{"ran": "a"}, {"ran": "b"}, {}] == [values(path, name) for name in "abc"]


def test_two_processes_keep_each_others_stages(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    first = Dependency(DurableDB, str(path))
    assert {} == first.get_values("a")
    save(path, "close", "b")
    first.close()

    assert {"ran": "b"} == values(path, "b")


def test_a_removed_task_is_gone_at_once(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    save(path, "close", "a")
    dependency = Dependency(DurableDB, str(path))
    dependency.remove("a")

    assert {} == values(path, "a")
    dependency.close()


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("this is no database, and long enough to be told from an empty one" * 20)

    with pytest.raises(DatabaseException, match=r"state\.db"):
        Dependency(DurableDB, str(tmp_path / "state.db"))
