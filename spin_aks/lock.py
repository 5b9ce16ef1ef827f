"""One run at a time in an environment; whoever comes second is told who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.errors import LockedError
from spin_aks.files import refused_as_error

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Holds the lock at `path` for the block; raises LockedError naming the holder if another process has it.

    The system drops it when the process ends, however it ends; the file stays.
    """
    with refused_as_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"another run is at work here: {_holder(path)}",
                where=str(path),
                hint="wait for it to end, or name another environment with `-e NAME`",
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, _me().encode())
        yield
    finally:
        os.close(descriptor)


def _me() -> str:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
    since = clock.rfc3339(clock.now())
    return json.dumps({"process": os.getpid(), "host": socket.gethostname(), "command": command, "since": since})


def _holder(path: Path) -> str:
    try:
        match json.loads(path.read_text()):
            case {"process": int(process), "host": str(host), "command": str(command), "since": str(since)}:
                return f"`{command}`, process {process} on {host}, since {since}"
    except (OSError, ValueError):
        pass
    return "it has not said its name yet"
