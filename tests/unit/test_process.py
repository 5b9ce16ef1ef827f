"""Children: streamed, in a group of their own, ended with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spin_aks import process
from spin_aks.errors import ProcessError, SpinAksError
from spin_aks.process import Command


def test_a_failure_names_the_command_and_its_code_after_its_output(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ProcessError) as caught:
        process.stream(Command.shell("echo first; echo second >&2; exit 7", tmp_path))

    assert "`echo first; echo second >&2; exit 7` failed with exit code 7" == caught.value.problems[0].what
    assert (7, 1) == (caught.value.code, caught.value.exit_code)
    assert "first\nsecond\n" == capfd.readouterr().err


def test_a_server_that_a_command_leaves_behind_does_not_hold_us_up(tmp_path: Path) -> None:
    process.stream(Command.shell("sleep 30 & echo $! > pid", tmp_path))

    server = int((tmp_path / "pid").read_text())
    assert Path(f"/proc/{server}").exists()
    os.kill(server, signal.SIGKILL)


def test_a_child_ended_by_a_signal_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="was ended by SIGKILL"):
        process.stream(Command.shell("kill -9 $$", tmp_path))


def test_output_is_streamed_to_stderr_as_it_comes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    process.stream(Command.shell("echo out; echo err >&2", tmp_path))

    assert ("", "out\nerr\n") == tuple(capfd.readouterr())


def test_a_missing_program_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(SpinAksError, match="there is no `no-such-program`"):
        process.stream(Command(("no-such-program",), tmp_path))
    with pytest.raises(SpinAksError, match=f"there is no `{tmp_path / 'gone'}`"):
        process.stream(Command(("true",), tmp_path / "gone"))


def test_capture_gives_the_output_and_takes_input(tmp_path: Path) -> None:
    assert "hello" == process.capture(Command(("cat",), tmp_path), stdin=b"hello")


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=r"`sleep 60` did not end within 0\.1 s"):
        process.capture(Command(("sleep", "60"), tmp_path), timeout_s=0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_child_and_its_children_too(tmp_path: Path, number: signal.Signals) -> None:
    script = (
        "import sys; from pathlib import Path; from spin_aks import cli, process\n"
        "cli._end_on_sigterm()\n"
        "process.stream(process.Command.shell('sleep 300 & echo $! > grandchild; echo $$ > child; wait', Path('.')))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.DEVNULL)
    while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
        time.sleep(0.01)

    parent.send_signal(number)
    parent.wait(20)

    pids = [int((tmp_path / name).read_text()) for name in ("child", "grandchild")]
    assert [False, False] == [_alive(pid) for pid in pids]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_grandchild_that_takes_no_signal_ends_even_where_we_are_killed(
    tmp_path: Path, number: signal.Signals
) -> None:
    stubborn = 'trap "" TERM INT; sleep 300 & echo $! > grandchild; wait'
    script = (
        "from pathlib import Path; from spin_aks import process; process.GRACE_S = 0.2\n"
        f"process.stream(process.Command.shell({f'({stubborn}) & sleep 300'!r}, Path('.')))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.DEVNULL)
    while not (tmp_path / "grandchild").exists() or not (tmp_path / "grandchild").read_text():
        time.sleep(0.01)

    parent.send_signal(number)
    parent.wait(20)

    assert not _alive(int((tmp_path / "grandchild").read_text()))


def _alive(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
            return False
        time.sleep(0.02)
    return True
