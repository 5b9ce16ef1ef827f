"""How often Azure is asked, and how long that takes: against the sandbox's, which answers at once.

Times are the tool's own, then, without what Azure takes; the requests are what they would be.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import synthetic
from measuring import MeasurementError
from scenarios import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NAMED = ("--cluster", "measured", "--registry", "measured")
ALLOWED = ("--create", "--attach-acr")
SERVING = "serving until Ctrl-C"
MUTATING = frozenset({"PUT", "PATCH", "DELETE"})
ENDS_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Asked:
    """`requests` are those to Azure's hosts, sign-in and registry included; `mutating` those that change something."""

    seconds: float
    requests: int
    mutating: int

    @property
    def figure(self) -> str:
        return f"{self.requests} requests, {self.mutating} of them mutating; {self.seconds:.2f} s"


def azure(folder: Path) -> list[Row]:
    """From nothing but a subscription; again; what Azure has looked at again; and the stage `access` alone."""
    app = synthetic.application(folder / "azure", 10, name="azure")
    sandbox = folder / "sandbox"
    with _serving(sandbox) as environment:
        log = sandbox / "azure" / "requests.log"
        first = _run(app, environment, log, "up", *ALLOWED)
        second = _run(app, environment, log, "up")
        refreshed = _run(app, environment, log, "up", "--refresh")
        (app / ".spin-aks" / "default" / "access.json").unlink()
        access = _run(app, environment, log, "run", "access")
    return [
        Row("first up: cluster and registry made, right given, deployed", first.figure),
        Row("second up", second.figure, limit="none to Azure", kept=second.requests == 0),
        Row("up --refresh", refreshed.figure, limit="none mutating", kept=refreshed.mutating == 0),
        Row("access alone", access.figure, limit="none mutating", kept=access.mutating == 0),
    ]


@contextmanager
def _serving(folder: Path) -> Iterator[Mapping[str, str]]:
    """A sandbox of its own, and the environment that leads to it."""
    variables = {**os.environ, "SPIN_AKS_SANDBOX_DIR": str(folder)}
    argv = ("spin-aks", "sandbox", "--print-env")
    with subprocess.Popen(argv, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield {**variables, **_environment(process)}
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(ENDS_WITHIN_S)


def _environment(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stderr is not None
    assert process.stdout is not None
    for line in process.stderr:
        if SERVING in line:
            break
    else:
        raise MeasurementError("the sandbox did not start")
    os.set_blocking(process.stdout.fileno(), False)
    words = shlex.split(process.stdout.read() or "")
    return dict(word.split("=", 1) for word in words if "=" in word)


def _run(app: Path, environment: Mapping[str, str], log: Path, *argv: str) -> Asked:
    before = len(_lines(log))
    began = time.monotonic()
    done = subprocess.run(
        ("spin-aks", *argv, *NAMED), cwd=app, env=dict(environment), capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - began
    if done.returncode:
        raise MeasurementError(
            f"`spin-aks {' '.join(argv)}` ended with {done.returncode}: {json.dumps(done.stderr[-500:])}"
        )
    asked = _lines(log)[before:]
    return Asked(seconds, len(asked), sum(_mutates(line) for line in asked))


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").splitlines() if log.is_file() else []


def _mutates(line: str) -> bool:
    """Of management's hosts; what is sent to a registry is the image's business."""
    method, where = line.split()[:2]
    return method in MUTATING and where.startswith("management.")
