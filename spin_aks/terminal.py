"""The only place that writes to a terminal: words for people go to stderr, data goes to stdout."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spin_aks.errors import SpinAksError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.errors import Problem
    from spin_aks.json_types import JSON


def say(text: str) -> None:
    """A line for the person who watches. Everything it says can be understood without colour."""
    print(text, file=sys.stderr, flush=True)


def warn(text: str) -> None:
    say(f"warning: {text}")


def show_notice(notice: Problem) -> None:
    """Something that stops nothing, and what to do about it."""
    warn(str(notice))
    if notice.hint:
        say(f"hint: {notice.hint}")


def show_error(error: SpinAksError) -> None:
    """Each problem on a line, what was heard from elsewhere indented below, then what to do next."""
    for line in lines_of(error):
        say(line)


def show_setback(error: SpinAksError) -> None:
    """The same of an error that stops nothing, since there is another way."""
    for line in lines_of(error, word="warning"):
        say(line)


def lines_of(error: SpinAksError, *, word: str = "error") -> Iterator[str]:
    """The lines that show the error, for whoever shows them in another way."""
    for problem in error.problems:
        yield f"{word}: {_visible(str(problem))}"
    for line in error.why.splitlines():
        yield f"  {_visible(line)}"
    for hint in dict.fromkeys(problem.hint for problem in error.problems if problem.hint):
        yield f"hint: {hint}"


def _visible(text: str) -> str:
    """What others wrote (a file's name, a server's answer) can't move the cursor or paint over our words."""
    return text.translate(_CONTROLS)


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}


def on_one_line(text: str) -> str:
    """`text` so that it stays where it is put: nothing in it ends the line, moves the cursor or turns it round."""
    return text.translate(_CONTROLS | _TURNS | {ord("\t"): "\\t", ord("\n"): "\\n"})


# Unicode's separators of lines and paragraphs, and what changes the direction of writing (UAX #9, explicit formatting).
_TURNS = {code: f"\\u{code:04x}" for code in (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))}


def put(text: str) -> None:
    """Text that another program may read, as it is, with a final newline.

    Raises SpinAksError where it can't be written, BrokenPipeError where nobody reads any more.
    """
    with _refused_as_error():
        print(text, flush=True)


def put_json(document: JSON) -> None:
    put(json.dumps(document, indent=2, ensure_ascii=False))


@contextmanager
def _refused_as_error() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SpinAksError(f"can't write to standard output: {error.strerror or error}") from error


def is_interactive() -> bool:
    """Whether somebody can answer: both ends are a terminal, and this is no CI."""
    return sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")
