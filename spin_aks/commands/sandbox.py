"""`spin-aks sandbox`: a registry and a cluster of one's own on loopback, to try the tool on with nothing installed."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.errors import LockedError, SpinAksError
from spin_aks.settings import arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spin_aks.sandbox.session import Session

TITLE_LENGTH = 60
DESCRIPTION = """\
Runs COMMAND with a registry, a Kubernetes API server and an Azure of its own on loopback, for instance

  spin-aks sandbox -- spin-aks up

Nothing of the application runs in it: its pods are simulated. What was pushed and applied is kept for the next time.
Without COMMAND it opens your shell; with --print-env, or without a terminal, it prints the environment and serves
until Ctrl-C. $SPIN_AKS_SANDBOX_DIR says where its folder is.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    arguments.add(parser, *arguments.GLOBALS)
    parser.add_argument("--reset", action="store_true", help="forget what was pushed and applied; the addresses stay")
    parser.add_argument("--print-env", action="store_true", help="print the environment and serve until Ctrl-C")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="what to run, and its arguments"
    )


def run(given: argparse.Namespace) -> int:
    from spin_aks.sandbox.folder import HeldError, SandboxError

    command: list[str] = given.command[1:] if given.command[:1] == ["--"] else given.command
    _hand_on(given)
    try:
        if given.reset:
            _reset(folder())
            if not command and not given.print_env:
                return 0
        return _serve(command, given.print_env)
    except HeldError as error:
        raise LockedError(str(error), hint=error.hint) from error
    except SandboxError as error:
        raise SpinAksError(str(error), hint=error.hint) from error


def _hand_on(given: argparse.Namespace) -> None:
    """`-c` and `-e` mean the command's configuration: the sandbox has none."""
    if given.config:
        os.environ["SPIN_AKS_CONFIG"] = str(Path(given.config).absolute())
    if given.environment:
        os.environ["SPIN_AKS_ENVIRONMENT"] = given.environment


def folder() -> Path:
    """$SPIN_AKS_SANDBOX_DIR, else a folder below the user's state folder (XDG base directories)."""
    if chosen := os.environ.get("SPIN_AKS_SANDBOX_DIR"):
        return Path(chosen).expanduser().absolute()
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "spin-aks" / "sandbox"


def _reset(place: Path) -> None:
    from spin_aks.sandbox.folder import clear

    clear(place)
    terminal.say(f"the sandbox in `{place}` is empty")


def _serve(command: Sequence[str], print_env: bool) -> int:
    from spin_aks.sandbox.running import Guest
    from spin_aks.sandbox.session import Session

    session = Session(folder(), Guest(_title(command), waits=bool(command)))
    try:
        _say_where(session)
        code = _with(session, command, print_env)
        _let_others_finish(session)
    finally:
        session.close()
    return code


def _title(command: Sequence[str]) -> str:
    """How the process that serves names us to its person, in one line."""
    words = " ".join(shlex.join(command).split()) if command else "a shell"
    shown = words if len(words) <= TITLE_LENGTH else f"{words[:TITLE_LENGTH]} ..."
    return f"`{shown}` (process {os.getpid()})"


def _with(session: Session, command: Sequence[str], print_env: bool) -> int:
    from spin_aks.sandbox import foreground

    if print_env or not (command or sys.stdin.isatty()):
        return _print_and_wait(session)
    if not command:
        command = [os.environ.get("SHELL", "sh")]
        terminal.say(f"`{command[0]}` in the sandbox: leave it with `exit`")
    return foreground.run([*command], session.environment)


def _print_and_wait(session: Session) -> int:
    for name, value in session.environment.items():
        terminal.put(f"export {name}={shlex.quote(value)}")
    terminal.say("serving until Ctrl-C")
    signal.pause()
    return 0


def _say_where(session: Session) -> None:
    for notice in session.notices:
        terminal.warn(notice)
    whose = "" if session.serves else " (of another terminal)"
    terminal.say(
        f"sandbox{whose}: registry {session.registry_host}, cluster {session.kubeconfig}; pods are simulated, "
        "nothing of the application runs"
    )


def _let_others_finish(session: Session) -> None:
    def say(title: str) -> None:
        terminal.say(f"{title} uses this sandbox: waiting for it to end; Ctrl-C leaves, and it goes on by itself")

    try:
        session.wait_for_guests(say)
    except KeyboardInterrupt:
        terminal.say("left: the other command serves from now on")
