"""A build that was killed, and a wasm that another hand made: neither passes for what the sources make."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from testbed.tiny import WASM, build_command

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.application import App

OTHER = WASM + b"\0\1\1"


def test_a_killed_build_runs_again_even_where_its_sources_are_put_back(tiny: App) -> None:
    build_command(tiny.root, "cp a.src a.wasm; test ! -e ../slow || sleep 60")
    tiny.ok("build")
    source, wasm = tiny.root / "a/a.src", tiny.root / "a/a.wasm"
    source.write_bytes(OTHER)
    (tiny.root / "slow").touch()
    killed = tiny.start("build")
    _await_content(wasm, OTHER)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    source.write_bytes(WASM)
    (tiny.root / "slow").unlink()

    again = tiny.ok("build")

    assert ["build:a"] == again.stages("run")
    assert "was killed" in again.err
    assert WASM == wasm.read_bytes()


def test_a_stage_that_another_process_runs_is_not_said_to_have_been_killed(tiny: App) -> None:
    build_command(tiny.root, "cp a.src a.wasm; sleep 60")
    (tiny.root / "a/a.wasm").touch()
    at_work = tiny.start("build")
    _await_content(tiny.root / "a/a.wasm", WASM)

    meanwhile = tiny.ok("why", "build:a").out
    os.kill(at_work.pid, signal.SIGKILL)
    at_work.communicate()

    assert "- another process runs it right now, since 20" in meanwhile
    assert "was killed" in tiny.ok("why", "build:a").out


def test_a_wasm_that_somebody_else_made_is_made_anew(tiny: App) -> None:
    tiny.ok("build")
    wasm = tiny.root / "a/a.wasm"
    wasm.write_bytes(OTHER)

    again = tiny.ok("build")

    assert "run     build:a: a/a.wasm is not as it left it" in again.err
    assert WASM == wasm.read_bytes()


def _await_content(path: Path, content: bytes) -> None:
    deadline = time.monotonic() + 60
    while path.read_bytes() != content:
        assert time.monotonic() < deadline
        time.sleep(0.02)
