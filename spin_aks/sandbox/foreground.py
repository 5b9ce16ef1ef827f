"""Runs a command as a shell does: in a process group of its own, in the terminal's foreground, signals passed on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spin_aks.sandbox.folder import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")
GRACE_S = 10


def run(argv: list[str], environment: Mapping[str, str]) -> int:
    """The command's exit code, or 128 and the number of the signal that ended it; call it from the main thread.

    `environment` is added to our own. Raises SandboxError for what can't be started. SIGTERM is passed on, too; a
    command that does not heed it is killed after GRACE_S.
    """
    added = {**os.environ, **environment}
    try:
        if sys.platform == "win32":
            return subprocess.call(argv, env=added)
        return _run(argv, added)
    except FileNotFoundError:
        raise SandboxError(f"can't run `{argv[0]}`: there is no such command") from None
    except OSError as error:
        raise SandboxError(f"can't run `{argv[0]}`: {error.strerror or error}") from error


def _run(argv: list[str], environment: Mapping[str, str]) -> int:
    # The handlers come first: a signal between the start and them would leave the child alone.
    with _passing_on() as receiver, _woken_by_signals() as alarm_bell:
        child = subprocess.Popen(argv, env=environment, process_group=0)
        receiver.take(child.pid)
        with _in_foreground(child.pid) as terminal:
            status = _wait(child.pid, terminal, alarm_bell)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _wait(child: int, terminal: int | None, alarm_bell: socket.socket) -> int:
    """The status it ended with; a child that is stopped (Ctrl-Z) stops us, and goes on when we do."""
    while True:
        changed, status = os.waitpid(child, os.WUNTRACED | os.WNOHANG)
        if not changed:
            alarm_bell.recv(1)
            continue
        if not os.WIFSTOPPED(status):
            return status
        # SIGTTIN and SIGTTOU: it was faster to use the terminal than we were to hand it over.
        if os.WSTOPSIG(status) not in (signal.SIGTTIN, signal.SIGTTOU):
            _give(terminal, os.getpgrp())
            os.kill(os.getpid(), signal.SIGSTOP)
        _give(terminal, child)
        _signal_group(child, signal.SIGCONT)


@contextmanager
def _woken_by_signals() -> Iterator[socket.socket]:
    """Gives a byte for each signal, the end of a child among them.

    Waiting in `waitpid` would miss one that comes right before it, or that another thread gets.
    """
    listening, ringing = socket.socketpair()
    ringing.setblocking(False)
    children = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    before = signal.set_wakeup_fd(ringing.fileno(), warn_on_full_buffer=False)
    try:
        yield listening
    finally:
        signal.set_wakeup_fd(before)
        signal.signal(signal.SIGCHLD, children)
        listening.close()
        ringing.close()


@contextmanager
def _in_foreground(child: int) -> Iterator[int | None]:
    """The terminal's descriptor, if we had it and `child` now has it; it comes back to us afterwards."""
    terminal = 0 if os.isatty(0) and _holds(0) else None
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        _give(terminal, child)
        yield terminal
    finally:
        _give(terminal, os.getpgrp())
        signal.signal(signal.SIGTTOU, before)


def _holds(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False


def _give(terminal: int | None, group: int) -> None:
    if terminal is None:
        return
    try:
        os.tcsetpgrp(terminal, group)
    except OSError:
        # The terminal is gone, or the group has ended: nobody is left to have it.
        return


class _Receiver:
    """Gets our signals: for the child's group, once there is one; what came before that is not lost."""

    def __init__(self) -> None:
        self._child = 0
        self._early: list[int] = []

    def take(self, child: int) -> None:
        self._child = child
        for number in self._early:
            self.pass_on(number, None)

    def pass_on(self, number: int, _frame: object) -> None:
        if not self._child:
            self._early.append(number)
            return
        _signal_group(self._child, number)
        if number in (signal.SIGTERM, signal.SIGHUP):
            signal.alarm(GRACE_S)

    def kill(self, _number: int, _frame: object) -> None:
        _signal_group(self._child, signal.SIGKILL)


@contextmanager
def _passing_on() -> Iterator[_Receiver]:
    """While it lasts, signals to us go to the child's group instead."""
    receiver = _Receiver()
    before = {name: signal.signal(getattr(signal, name), receiver.pass_on) for name in PASSED_ON}
    alarm = signal.signal(signal.SIGALRM, receiver.kill)
    try:
        yield receiver
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, alarm)
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
