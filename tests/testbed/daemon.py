"""Servers that tests start themselves: own folder, own loopback port, asked until they answer, ended by process id."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

READY_WITHIN_S = 60.0
ENDED_WITHIN_S = 20.0
SHOWN_LINES = 40

_running: list[Daemon] = []


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running server; `log` holds what it writes to both of its outputs."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


def needs(program: str, package: str) -> str:
    """The path of `program`; skips the test, naming what is missing, where it is not installed."""
    found = shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"needs `{program}` (Debian package {package}), which is not installed")
    return found


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody takes connections on the loopback `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """A folder of a server's own, gone afterwards; its path is short, for Unix sockets must be."""
    with tempfile.TemporaryDirectory(prefix=f"spin-aks-{name}-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@contextmanager
def running(
    name: str,
    argv: list[str],
    log: Path,
    ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
    end_with: signal.Signals = signal.SIGTERM,
) -> Iterator[Daemon]:
    """The server while the block runs; fails the test with its log if it ends early or does not get ready."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_dies_with_us(end_with), *argv],
            cwd=log.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    daemon = Daemon(name, process, log)
    _running.append(daemon)
    try:
        _wait_until_ready(daemon, ready)
        yield daemon
    finally:
        _running.remove(daemon)
        _end(process, end_with)


def _dies_with_us(end_with: signal.Signals) -> list[str]:
    """Even a test run that is killed leaves no server behind, where the system can do that."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", end_with.name.removeprefix("SIG"), "--"] if setpriv else []


def _wait_until_ready(daemon: Daemon, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while daemon.process.poll() is None and time.monotonic() < deadline:
        if ready():
            return
        time.sleep(0.02)
    code = daemon.process.poll()
    state = "is not ready" if code is None else f"ended with {code}"
    pytest.fail(f"{daemon.name} {state}; its log:\n{_last_lines(daemon.log.read_bytes())}", pytrace=False)


def _end(process: subprocess.Popen[bytes], end_with: signal.Signals) -> None:
    process.send_signal(end_with)
    try:
        process.wait(ENDED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def log_sizes() -> dict[Path, int]:
    """How much each running server has written so far."""
    return {daemon.log: daemon.log.stat().st_size for daemon in _running}


def written_since(sizes: dict[Path, int]) -> list[tuple[str, str]]:
    """What each running server has written since: its name and its last lines."""
    news = ((daemon.name, daemon.log.read_bytes()[sizes.get(daemon.log, 0) :]) for daemon in _running)
    return [(name, _last_lines(text)) for name, text in news if text]


def _last_lines(text: bytes) -> str:
    return "\n".join(text.decode(errors="replace").splitlines()[-SHOWN_LINES:])
