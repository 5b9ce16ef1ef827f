"""Somebody at a terminal: a program on a pseudo-terminal of its own, and what is typed there."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from testbed.daemon import needs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from testbed.application import App

CTRL_C, CTRL_D = "\x03", "\x04"
PATIENCE_S = 30.0


@dataclass
class Typist:
    """`seen` is all that the terminal has shown, with what was typed, line ends as `\\n`."""

    process: subprocess.Popen[bytes]
    terminal: int
    seen: str = ""
    waited_for: int = 0

    def sees(self, text: str) -> None:
        """Waits until the terminal has shown `text`, after what was waited for before."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.seen[self.waited_for :]:
            assert time.monotonic() < deadline, f"never saw {text!r} in:\n{self.seen}"
            assert self._read(), f"it ended without {text!r}:\n{self.seen}"
        self.waited_for = self.seen.index(text, self.waited_for) + len(text)

    def types(self, keys: str | bytes) -> None:
        os.write(self.terminal, keys.encode() if isinstance(keys, str) else keys)

    def modes(self) -> list[Any]:
        """How the terminal is set, as `termios.tcgetattr` has it."""
        return termios.tcgetattr(self.terminal)

    def echoes(self) -> bool:
        return bool(self.modes()[3] & termios.ECHO)

    def leaves(self) -> int:
        """Waits for the end, and gives the exit code."""
        while self._read():
            pass
        return self.process.wait(PATIENCE_S)

    def _read(self) -> bool:
        if not select.select([self.terminal], [], [], PATIENCE_S)[0]:
            return False
        try:
            shown = os.read(self.terminal, 1 << 16)
        except OSError:  # Linux: nobody has the other end open any more
            return False
        self.seen += shown.decode(errors="replace").replace("\r\n", "\n")
        return bool(shown)


@contextmanager
def at_terminal(app: App, *argv: str, **more: str) -> Iterator[Typist]:
    """Starts the tool in the application's folder, all three streams on a terminal that is its controlling one."""
    with started([sys.executable, "-m", "spin_aks", *argv], app.root, app.surroundings(**more)) as typist:
        yield typist


@contextmanager
def started(
    argv: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    columns: int = 80,
    rows: int = 24,
    out: int | None = None,
) -> Iterator[Typist]:
    """Starts a program on a terminal that is its controlling one; the open file `out` is its stdout, if given."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with subprocess.Popen(
        [needs("setsid", "util-linux"), "--ctty", *argv],
        cwd=folder,
        env=environment,
        stdin=theirs,
        stdout=theirs if out is None else out,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        try:
            yield Typist(process, ours)
        finally:
            process.kill()
            os.close(ours)
