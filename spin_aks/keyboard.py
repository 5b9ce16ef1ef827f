"""What a person types, a line at a time, as the terminal itself lets them edit it.

Nothing is taken that was typed before its question was seen, and of a paste of several lines none is: the second one
would answer a question that nobody has read, or run as a command when we are gone.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from select import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET_S, AT_MOST = 0.05, 20
LOOK_UP_S = 0.2
# Linux keeps this much of a line (N_TTY_BUF_SIZE in drivers/tty/n_tty.c, less its end), and drops the rest unseen.
LINE_BYTES = 4095


class UnusableError(Exception):
    """What was typed can't be taken for an answer; the text says why, and never repeats it."""


def forget() -> None:
    """Drops what was typed until now."""
    import termios

    with suppress(termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def line() -> str | None:
    """The next line without its end; None at the end of input, or where the terminal is gone. Raises UnusableError."""
    # A signal that comes just before a read begins is not heard until it ends: so none begins before there is a line.
    while not select([sys.stdin], [], [], LOOK_UP_S)[0]:
        pass
    try:
        typed = sys.stdin.buffer.readline()
    except OSError:  # Linux gives EIO where nobody holds the other end
        return None
    if not typed:
        return None
    if _more_came():
        raise UnusableError("that was more than one line, none of which was taken: please answer with one")
    if len(typed) >= LINE_BYTES:
        raise UnusableError(
            f"that was longer than a terminal can take in ({LINE_BYTES} bytes): please answer with less"
        )
    try:
        return typed.decode(sys.stdin.encoding, "strict").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UnusableError(f"that was no {sys.stdin.encoding} text: please type it again") from None


def _more_came() -> bool:
    came = False
    for _ in range(AT_MOST):
        if not select([sys.stdin], [], [], QUIET_S)[0]:
            break
        came = True
        forget()
    return came


@contextmanager
def hidden() -> Iterator[None]:
    """Within it nothing that is typed is shown, however it ends; before and after, what nobody has read is dropped.

    Ctrl-Z and Ctrl-\\ do nothing there: a shell that takes the terminal back turns the echo on again, and leaves it on.
    """
    import termios

    keys = sys.stdin.fileno()
    before, off = termios.tcgetattr(keys), termios.tcgetattr(keys)
    nothing = bytes([os.fpathconf(keys, "PC_VDISABLE")])
    off[3] &= ~(termios.ECHO | termios.ECHONL)
    off[6][termios.VSUSP] = off[6][termios.VQUIT] = nothing
    try:
        termios.tcsetattr(keys, termios.TCSAFLUSH, off)
        yield
    finally:
        with suppress(termios.error):
            termios.tcsetattr(keys, termios.TCSAFLUSH, before)
