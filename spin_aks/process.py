"""The only place that starts processes: each in a process group of its own, which dies with us.

A child of ours that outlives a killed run would go on writing into the next run's files (facts: SIGTERM leaves doit's
own children running).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.errors import ProcessError, SpinAksError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

GRACE_S = 5.0
POLL_S = 0.02
STDERR = 2


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: `argv`, or with `shell` one line for `/bin/sh -c`; `environment` is added to our own."""

    argv: tuple[str, ...]
    folder: Path = Path()
    environment: tuple[tuple[str, str], ...] = ()

    @classmethod
    def shell(cls, line: str, folder: Path, environment: Mapping[str, str] | None = None) -> Command:
        """Spin's own way to run a build command (`Exec::shell`): `sh -c LINE`, on Windows `cmd /c LINE`."""
        argv = ("cmd.exe", "/c", line) if os.name == "nt" else ("sh", "-c", line)
        return cls(argv, folder, tuple((environment or {}).items()))

    def __str__(self) -> str:
        import shlex

        if self.argv[:2] == ("sh", "-c") and len(self.argv) == 3:
            return self.argv[2]
        return shlex.join(self.argv)


def stream(command: Command) -> None:
    """Runs `command`, its output going to our stderr, a terminal if that is one; raises ProcessError if it fails.

    Its standard input is empty: a build that asks would hang in CI. It writes there itself, and not through a pipe of
    ours: a server that it leaves behind (a compiler's cache, say) would keep that open, and us waiting.
    """
    sys.stderr.flush()
    with _signals_held() as let_go:
        child = _start(command, _watched(command), stdin=subprocess.PIPE, stdout=STDERR)
        try:
            let_go()
            code = child.wait()
        finally:
            _end(child)
            _dismiss_watcher(child)
    if code != 0:
        raise failure(command, code, "")


def capture(command: Command, *, timeout_s: float = 60.0, stdin: bytes = b"", complains_on_stdout: bool = False) -> str:
    """Its standard output as text; raises ProcessError with its standard error if it fails or takes too long.

    With `complains_on_stdout` the error holds its standard output too: credential helpers say there what went wrong.
    """
    with _start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            out, err = child.communicate(stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise ProcessError(f"`{command}` did not end within {timeout_s:g} s", code=-signal.SIGKILL) from error
        finally:
            _end(child)
    if child.returncode != 0:
        said = err + out if complains_on_stdout else err
        raise failure(command, child.returncode, said.decode(errors="replace").strip())
    return out.decode(errors="replace")


def failure(command: Command, code: int, why: str) -> ProcessError:
    """The error that says how `command` ended: its exit code, or the signal that ended it."""
    ended = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"failed with exit code {code}"
    folder = "" if command.folder == Path() else str(command.folder)
    return ProcessError(f"`{command}` {ended}", code=code, where=folder, why=why)


def _start(
    command: Command,
    argv: tuple[str, ...] = (),
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
    stderr: int | None = None,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv or command.argv,
            cwd=command.folder,
            env={**os.environ, **dict(command.environment)},
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        missing = command.folder if not command.folder.is_dir() else command.argv[0]
        raise SpinAksError(f"can't run `{command}`: there is no `{missing}`") from error
    except OSError as error:
        raise SpinAksError(f"can't run `{command}`: {error.strerror or error}") from error


@contextmanager
def _signals_held() -> Iterator[Callable[[], None]]:
    """Holds back what would raise between a child's start and the moment when we can end it, until `let_go`."""
    came: list[int] = []
    held = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in held}

    def let_go() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        before.clear()
        while came:
            signal.raise_signal(came.pop())

    try:
        yield let_go
    finally:
        let_go()


# A shell that leaves somebody beside the command, in its group: who reads from us until we end, and then ends it.
_WATCHED = 'exec 3<&0; { read -r word <&3 || kill -s KILL 0; } >/dev/null 2>&1 & exec "$@" </dev/null 3<&-'


def _watched(command: Command) -> tuple[str, ...]:
    """How to start `command` so that its whole group ends where we are killed and can't see to that."""
    import shutil

    if shutil.which(command.argv[0]) is None and os.sep not in command.argv[0]:
        raise SpinAksError(f"can't run `{command}`: there is no `{command.argv[0]}`")
    return ("sh", "-c", _WATCHED, "sh", *command.argv)


def _dismiss_watcher(child: subprocess.Popen[bytes]) -> None:
    """Lets what the command leaves behind (a compiler's cache server, say) outlive it, as it would in a shell."""
    child.communicate(b"it ended\n")


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the group of a child that has not ended by itself: politely, then by force after GRACE_S."""
    if child.poll() is not None:
        return
    deadline = clock.monotonic_s() + GRACE_S
    _signal_group(child, signal.SIGTERM)
    try:
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
        while _is_left(child.pid) and clock.monotonic_s() < deadline:
            clock.sleep(POLL_S)
    finally:  # a second Ctrl-C has no patience
        _signal_group(child, signal.SIGKILL)
    child.wait()


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _is_left(group: int) -> bool:
    """Whether anybody of the group still runs: not the dead that nobody has reaped, where /proc tells them apart."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    seen = list(Path("/proc").glob("[0-9]*/stat"))
    return not seen or any(_runs_in(group, stat) for stat in seen)


def _runs_in(group: int, stat: Path) -> bool:
    """By proc(5): after the name in parentheses stand the state, the parent and the group."""
    try:
        state, _, of_group = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return state != "Z" and int(of_group) == group
