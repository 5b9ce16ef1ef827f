"""A clock that a test turns, and recordings of the real Azure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from spin_aks import clock

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Clock:
    """Nobody waits: what sleeps moves `seconds` on."""

    seconds: float = 0.0

    def sleep(self, duration_s: float) -> None:
        self.seconds += duration_s

    def monotonic_s(self) -> float:
        return self.seconds


@pytest.fixture(autouse=True)
def turned(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "sleep", made.sleep)
    monkeypatch.setattr(clock, "monotonic_s", made.monotonic_s)
    return made


@pytest.fixture
def recordings(shared: Path) -> Path:
    return shared / "azure-recorded"
