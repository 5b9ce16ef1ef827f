"""A test run as a process: what becomes of a test whose real part is missing, and of one that fails beside a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

NEEDS_A_PART = """
from testbed.daemon import needs

def test_with_a_part():
    needs("no-such-program", "no-such-package")
"""
SKIPS_ITSELF = """
import pytest

pytest.importorskip("no_such_module")
"""
FAILS = """
import sys
import pytest
from testbed.daemon import running

@pytest.fixture
def server(tmp_path):
    log = tmp_path / "log"
    argv = [sys.executable, "-c", "import time; print('what the server says', flush=True); time.sleep(60)"]
    with running("a server", argv, log, lambda: b"says" in log.read_bytes()) as started:
        yield started

def test_that_fails(server):
    raise AssertionError
"""
ENDS_EARLY = """
import sys
from testbed.daemon import running

def test_of_a_server(tmp_path):
    with running("a server", [sys.executable, "-c", "exit('its last words')"], tmp_path / "log", lambda: False):
        pass
"""


def run(folder: Path, test: str, **environment: str) -> tuple[int, str]:
    (folder / "test_it.py").write_text(test)
    argv = [sys.executable, "-m", "pytest", f"--config-file={ROOT / 'pyproject.toml'}", "-p", "conftest", "-ra"]
    inherited = {name: value for name, value in os.environ.items() if name != "SPIN_AKS_REQUIRE_ALL"}
    done = subprocess.run(
        [*argv, f"--rootdir={folder}", str(folder)],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT / "tests"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_test_is_skipped_with_the_name_of_the_missing_part(tmp_path: Path) -> None:
    code, out = run(tmp_path, NEEDS_A_PART)

    assert code == 0
    assert "needs `no-such-program` (Debian package no-such-package), which is not installed" in out


def test_a_skipped_test_fails_the_run_where_nothing_may_be_missing(tmp_path: Path) -> None:
    code, out = run(tmp_path, NEEDS_A_PART, SPIN_AKS_REQUIRE_ALL="1")

    assert (code, "1 failed" in out) == (1, True)
    assert "may not be skipped while SPIN_AKS_REQUIRE_ALL is set. Skipped: needs `no-such-program`" in out


def test_a_skipped_module_fails_the_run_where_nothing_may_be_missing(tmp_path: Path) -> None:
    code, out = run(tmp_path, SKIPS_ITSELF, SPIN_AKS_REQUIRE_ALL="1")

    assert (code, "1 error" in out) == (2, True)


def test_a_test_that_fails_shows_what_its_server_wrote(tmp_path: Path) -> None:
    code, out = run(tmp_path, FAILS)

    assert code == 1
    assert "- log of a server -" in out
    assert "what the server says" in out


def test_a_server_that_ends_early_shows_its_last_words(tmp_path: Path) -> None:
    code, out = run(tmp_path, ENDS_EARLY)

    assert code == 1
    assert "a server ended with 1; its log:\nits last words" in out
