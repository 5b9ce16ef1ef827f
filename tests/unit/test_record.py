"""How each stage last ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spin_aks import clock
from spin_aks.record import LastRun, Record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "rfc3339", lambda _moment: "2026-11-21T12:00:00Z")


def test_what_one_run_wrote_the_next_one_reads(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    record = Record(path)
    record.done("validate")
    record.failed("push", "no registry\nat all")
    record.started("apply")

    read = Record(path)

    assert LastRun("done", "2026-11-21T12:00:00Z") == read.last_run("validate")
    assert LastRun("failed", "2026-11-21T12:00:00Z", "no registry") == read.last_run("push")
    assert LastRun("running", "2026-11-21T12:00:00Z") == read.last_run("apply")
    assert read.last_run("image") is None


@pytest.mark.parametrize("content", ["", "[]", '{"validate": 1}', '{"validate": {"state": 1}}'])
def test_a_record_that_is_none_means_that_nothing_is_known(tmp_path: Path, content: str) -> None:
    (tmp_path / "record.json").write_text(content)

    assert Record(tmp_path / "record.json").last_run("validate") is None
