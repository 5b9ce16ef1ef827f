"""argv -> one command. Nothing heavy is imported at the top: `--help` answers before a person can notice."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

# Each command's module in spin_aks.commands, and what it does. In the order that a newcomer meets them.
COMMANDS = {
    "up": ("up", "bring everything up to date: build, push, deploy; do only what is stale"),
    "build": ("build", "compile the components that are stale"),
    "scaffold": ("scaffold", "write the Dockerfile and the Kubernetes files (dockerfile | k8s | both)"),
    "push": ("push", "make the image and push it"),
    "deploy": ("deploy", "apply to the cluster and wait until it is healthy"),
    "apply": ("deploy", "the same as deploy"),
    "run": ("run", "bring the named stages up to date, and what they need"),
    "list": ("list", "show each stage: fresh or stale, and why"),
    "why": ("why", "say in full sentences why a stage would run"),
    "validate": ("validate", "check spin.toml, and that the target can run it"),
    "config": ("config", "show, get and set what the configuration file holds"),
    "sandbox": ("sandbox", "run a command against an embedded registry and cluster: -- COMMAND"),
    "state": ("state", "show what was chosen last, or forget it (show | clear)"),
    "pipeline-file": ("pipeline_file", "print the path of the doit file, for plain `doit -f`"),
}
# Objects made between two searches for garbage (Python's own: 700). Next to nothing of what a start makes is garbage.
SELDOM = 200_000
VALUED_GLOBALS = frozenset({"-f", "--from", "--file", "-e", "--environment", "-c", "--config"})


def main() -> None:
    """The program: exits with 0 (done or fresh), 1 (a stage failed), 2 (a defect of ours), 3 (usage), 130 or 143."""
    import gc

    _open_streams()
    gc.set_threshold(SELDOM)
    code = run(sys.argv[1:])
    _hear_no_more()
    gc.freeze()  # at its end Python would look through all that there is: a tenth of a run that does nothing
    raise SystemExit(code)


def _hear_no_more() -> None:
    """All is done and said by now: Ctrl-C while Python clears up would only end it with a traceback of its own."""
    if "signal" in sys.modules:  # else nothing ran that anybody would interrupt
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _open_streams() -> None:
    """Data is UTF-8 in every locale, words show what theirs can; a stream that the caller closed is one to nowhere."""
    import os

    if None in (sys.stdin, sys.stdout, sys.stderr):
        nowhere = os.open(os.devnull, os.O_RDWR)
        sys.stdin = sys.stdin or open(nowhere, closefd=False)  # noqa: SIM115
        sys.stdout = sys.stdout or open(nowhere, "w", closefd=False)  # noqa: SIM115
        sys.stderr = sys.stderr or open(nowhere, "w", closefd=False)  # noqa: SIM115
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def run(argv: list[str]) -> int:
    """Runs one command line and returns its exit code; whatever goes wrong is said on stderr, never as a traceback."""
    before, name, after = split(argv)
    if name is None:
        return _quietly(lambda: _without_command(before))
    from spin_aks import terminal
    from spin_aks.errors import Interrupted, SpinAksError

    try:
        _end_on_sigterm()
        return _command(name, before + after)
    except SpinAksError as error:
        terminal.show_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        terminal.say("interrupted: what is done is kept, the same command goes on from there")
        return 130
    except Interrupted as error:
        terminal.say("ended by SIGTERM: what is done is kept, the same command goes on from there")
        return error.exit_code
    except BrokenPipeError:
        return _nobody_reads()
    except Exception as error:
        return _defect(error)


def _quietly(command: Callable[[], int]) -> int:
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:
        return _nobody_reads()
    return code


def _nobody_reads() -> int:
    """What stands in the buffers has nowhere to go: Python would complain of that at its end."""
    import os

    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    return 141


def split(argv: list[str]) -> tuple[list[str], str | None, list[str]]:
    """The flags before the command's name, the name (None if there is none), and everything after it."""
    before: list[str] = []
    rest = list(argv)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        flag = rest.pop(0)
        before.append(flag)
        if flag in VALUED_GLOBALS and rest:
            before.append(rest.pop(0))
    return (before, rest[0], rest[1:]) if rest else (before, None, [])


def help_text() -> str:
    """The overview of all commands."""
    lines = ["usage: spin-aks COMMAND [FLAGS]", "", "Takes a Spin application to a running service on Kubernetes.", ""]
    lines += [f"  {name:<14} {meaning}" for name, (_, meaning) in COMMANDS.items()]
    lines += ["", "`spin-aks COMMAND --help` shows a command's flags; `spin-aks --version` the version."]
    return "\n".join(lines)


def _without_command(flags: list[str]) -> int:
    if "--version" in flags:
        from spin_aks import __version__

        sys.stdout.write(f"spin-aks {__version__}\n")
        return 0
    asked = not flags or "-h" in flags or "--help" in flags
    (sys.stdout if asked else sys.stderr).write(f"{help_text()}\n")
    return 0 if asked else 3


def _command(name: str, argv: list[str]) -> int:
    import importlib

    from spin_aks.errors import UsageError

    if name not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        command = next((word for word in argv if word in COMMANDS), "")
        hint = f"did you mean `spin-aks {near[0]}`?" if near else "`spin-aks --help` lists them"
        if command:
            hint = f"flags stand after the command: `spin-aks {command} ...`"
        raise UsageError(f"there is no command `{name}`", hint=hint)
    module = importlib.import_module(f"spin_aks.commands.{COMMANDS[name][0]}")
    parser = parser_of(name, module.configure)
    arguments, rest = parser.parse_known_args(argv)
    if rest:
        from spin_aks.settings.arguments import unrecognized

        parser.error(f"unrecognized arguments: {unrecognized(rest)}")
    code: int = module.run(arguments)
    return code


def parser_of(name: str, configure: Callable[[argparse.ArgumentParser], None]) -> argparse.ArgumentParser:
    """The parser of one command, `configure` being its module's; it raises UsageError where argparse would exit."""
    import argparse

    from spin_aks.errors import UsageError

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise UsageError(message, hint=f"`{self.prog} --help` shows what it takes")

    parser = Parser(prog=f"spin-aks {name}", description=COMMANDS[name][1], allow_abbrev=False)
    configure(parser)
    return parser


def _end_on_sigterm() -> None:
    """Spin sends its plugins SIGTERM on Ctrl-C (spin 1.2 and later, src/commands/external.rs)."""
    import signal

    from spin_aks.errors import Interrupted

    def end(number: int, _frame: object) -> None:
        raise Interrupted(number)

    signal.signal(signal.SIGTERM, end)


def _defect(error: Exception) -> int:
    import tempfile
    import traceback
    from pathlib import Path

    from spin_aks import terminal

    with tempfile.NamedTemporaryFile("w", prefix="spin-aks-defect-", suffix=".txt", delete=False) as stream:
        stream.write("".join(traceback.format_exception(error)))
    terminal.say(f"error: this is a defect of spin-aks: {type(error).__name__}: {error}")
    terminal.say(f"hint: please report it with what is in `{Path(stream.name)}`; what is done is kept")
    return 2
