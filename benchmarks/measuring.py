"""Measuring programs side by side: in turns, so that what else the machine does hits all of them alike; medians."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

METER = Path(__file__).with_name("meter.py")


@dataclass(frozen=True, slots=True)
class Program:
    """What to measure. `before` sets its scene each time, outside the measurement; it has to end with 0."""

    name: str
    argv: tuple[str, ...]
    folder: Path = Path()
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one program; the times are medians, the memory is the most that any of them took."""

    samples: tuple[Sample, ...]

    @property
    def wall_s(self) -> float:
        return statistics.median(sample.wall_s for sample in self.samples)

    @property
    def cpu_s(self) -> float:
        return statistics.median(sample.cpu_s for sample in self.samples)

    @property
    def peak_mb(self) -> float:
        return max(sample.peak_mb for sample in self.samples)


class MeasurementError(Exception):
    """A measured program failed, so that its time means nothing."""


def side_by_side(programs: Sequence[Program], rounds: int, *, warm_up: bool = True) -> list[Series]:
    """Each program `rounds` times in turns, every other round backwards, after one round that does not count."""
    if warm_up:
        for program in programs:
            measure(program)
    taken: dict[str, list[Sample]] = {program.name: [] for program in programs}
    for number in range(rounds):
        for program in programs if number % 2 == 0 else reversed(programs):
            taken[program.name].append(measure(program))
    return [Series(tuple(taken[program.name])) for program in programs]


def measure(program: Program) -> Sample:
    """One run; its output is kept, not shown. Raises MeasurementError with it if the program fails."""
    if program.before:
        program.before()
    with tempfile.TemporaryDirectory() as scratch:
        report, log = Path(scratch, "report"), Path(scratch, "log")
        with log.open("wb") as output:
            subprocess.run(
                [sys.executable, "-I", "-S", METER, report, *program.argv],
                cwd=program.folder,
                env=_environment(program),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=True,
            )
        taken, said = json.loads(report.read_text()), log.read_text(errors="replace")
    if taken["code"] != 0:
        raise MeasurementError(f"{program.name} ended with {taken['code']}:\n{said}")
    return Sample(taken["wall_s"], taken["cpu_s"], taken["peak_mb"], said)


def _environment(program: Program) -> dict[str, str]:
    """With compiled modules kept, as every user has them: else ours would be compiled anew each time."""
    environment = {**os.environ, **program.environment}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment
