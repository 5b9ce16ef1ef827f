"""One run at a time in an environment; whoever comes second is told who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from pathlib import Path

from spin_aks import clock, terminal
from spin_aks.errors import LockedError
from spin_aks.files import refused_as_error

NAME_WITHIN = 25
NAME_PAUSE_S = 0.02
TRY_PAUSE_S = 0.01


class Lock:
    """The lock of one environment. The system drops it when the process ends, however it ends; its file stays."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    @property
    def is_ours(self) -> bool:
        """Whether it is this very object that holds it."""
        return self._descriptor >= 0

    def acquire(self, *, wait: bool = False, patience_s: float = 0.0) -> None:
        """Takes the lock, or does nothing if it is ours already; raises LockedError naming the holder.

        It tries for `patience_s` without a word. With `wait` it then says whom it waits for, and waits; a signal's
        exception ends that.
        """
        if self.is_ours:
            return
        with refused_as_error(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _take(descriptor, patience_s)
        except BlockingIOError:
            self._held_by_another(descriptor, wait=wait)
        self._descriptor = descriptor
        with refused_as_error(self.path):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, _me().encode())

    def _held_by_another(self, descriptor: int, *, wait: bool) -> None:
        try:
            if not wait:
                raise LockedError(
                    f"another run is at work here: {_holder(self.path)}",
                    where=str(self.path),
                    hint="wait for it to end, or name another environment with `-e NAME`",
                )
            terminal.say(f"waiting for another run in this folder: {_holder(self.path)}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except BaseException:
            os.close(descriptor)
            raise

    def release(self) -> None:
        if self.is_ours:
            os.close(self._descriptor)
            self._descriptor = -1

    def is_held(self) -> bool:
        """Whether anybody holds it, without waiting and without taking it for longer than it takes to ask."""
        if self.is_ours:
            return True
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


def _take(descriptor: int, patience_s: float) -> None:
    """Raises BlockingIOError if it is still another's after `patience_s`."""
    end = clock.monotonic_s() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock.monotonic_s() >= end:
                raise
            clock.sleep(TRY_PAUSE_S)
        else:
            return


def _me() -> str:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
    since = clock.rfc3339(clock.now())
    return json.dumps({"process": os.getpid(), "host": socket.gethostname(), "command": command, "since": since})


def _holder(path: Path) -> str:
    """Who holds it. One that took it this very moment has yet to write its name: that is waited for, briefly."""
    for _ in range(NAME_WITHIN):
        try:
            match json.loads(path.read_text()):
                case {"process": int(process), "host": str(host), "command": str(command), "since": str(since)}:
                    return f"`{command}`, process {process} on {host}, since {since}"
        except (OSError, ValueError):
            pass
        clock.sleep(NAME_PAUSE_S)
    return "it has not said its name yet"
