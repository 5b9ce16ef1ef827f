"""Somebody at a terminal: the tool on a pseudo-terminal of its own, and what is typed there."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testbed.daemon import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.application import App

CTRL_C, CTRL_D = "\x03", "\x04"
PATIENCE_S = 30.0


@dataclass
class Typist:
    """`seen` is all that the terminal has shown, with what was typed, line ends as `\\n`."""

    process: subprocess.Popen[bytes]
    terminal: int
    seen: str = ""

    def sees(self, text: str) -> None:
        """Waits until the terminal has shown `text`."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.seen:
            assert time.monotonic() < deadline, f"never saw {text!r} in:\n{self.seen}"
            assert self._read(), f"it ended without {text!r}:\n{self.seen}"

    def types(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

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
        self.seen += shown.decode().replace("\r\n", "\n")
        return bool(shown)


@contextmanager
def at_terminal(app: App, *argv: str, **more: str) -> Iterator[Typist]:
    """Starts the tool in the application's folder, all three streams on a terminal that is its controlling one."""
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [needs("setsid", "util-linux"), "--ctty", sys.executable, "-m", "spin_aks", *argv],
        cwd=app.root,
        env=app.surroundings(**more),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        try:
            yield Typist(process, ours)
        finally:
            process.kill()
            os.close(ours)
