"""One run at a time in an environment."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from spin_aks.errors import LockedError
from spin_aks.lock import Lock

if TYPE_CHECKING:
    from pathlib import Path

HOLD = (
    "import sys; from pathlib import Path; from spin_aks.lock import Lock\n"
    "sys.argv[0] = 'spin-aks'; Lock(Path(sys.argv[2])).acquire(); print('held', flush=True); sys.stdin.read()\n"
)


def test_the_second_is_told_who_holds_it_and_gets_it_when_the_first_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "state/lock"
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, "up", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout
    assert "held\n" == first.stdout.readline()
    second = Lock(path)

    with pytest.raises(LockedError, match=rf"another run is at work here: `spin-aks up`, process {first.pid} on "):
        second.acquire()
    assert second.is_held()

    first.kill()
    first.communicate()
    second.acquire()
    second.acquire()
    second.release()
    assert not second.is_held()


def test_asking_about_a_lock_that_never_was_makes_no_file(tmp_path: Path) -> None:
    assert not Lock(tmp_path / "lock").is_held()
    assert not (tmp_path / "lock").exists()


def test_who_is_patient_says_nothing_and_gets_it_or_is_told_who_has_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lock"
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, "up", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout
    assert first.stdin
    assert "held\n" == first.stdout.readline()
    second = Lock(path)

    with pytest.raises(LockedError, match="another run is at work here: `spin-aks up`"):
        second.acquire(patience_s=0.05)
    first.stdin.close()
    second.acquire(patience_s=60)

    assert second.is_ours
    assert ("", "") == capfd.readouterr()
    second.release()
    first.stdout.close()
    first.wait()
