"""How each stage last ended, and when: `T/record.json`. doit keeps neither (a failed task leaves no trace).

A stage that was killed is found as `running` by the next run, and counts as failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks import clock, files

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.json_types import JSON


@dataclass(frozen=True, slots=True)
class LastRun:
    """`state` is `running`, `done` or `failed`; `when` is RFC 3339; `error` is the first line of what was wrong."""

    state: str
    when: str
    error: str = ""


class Record:
    """The record of one environment. Only the holder of the environment's lock may write it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stages = _read(path)

    def last_run(self, stage: str) -> LastRun | None:
        return self._stages.get(stage)

    def started(self, stage: str) -> None:
        self._put(stage, "running")

    def done(self, stage: str) -> None:
        self._put(stage, "done")

    def failed(self, stage: str, error: str) -> None:
        self._put(stage, "failed", error.partition("\n")[0])

    def _put(self, stage: str, state: str, error: str = "") -> None:
        self._stages[stage] = LastRun(state, clock.rfc3339(clock.now()), error)
        document: dict[str, JSON] = {
            name: {"state": run.state, "when": run.when, "error": run.error} for name, run in self._stages.items()
        }
        files.write_json(self._path, document)


def _read(path: Path) -> dict[str, LastRun]:
    stages = {}
    for name, entry in (files.read_json(path) or {}).items():
        match entry:
            case {"state": str(state), "when": str(when), "error": str(error)}:
                stages[name] = LastRun(state, when, error)
    return stages
