"""The only place that asks a person: on stderr, line by line, so that every terminal, a screen reader and a log of the
session have the same words.

Each function is to be called only where `terminal.is_interactive()`; `asking.Asking` sees to that. Each raises
KeyboardInterrupt on Ctrl-C, and where input ends at a question that has no default.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from spin_aks import keyboard, terminal
from spin_aks.errors import Interrupted
from spin_aks.secret import Secret
from spin_aks.terminal import on_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MORE = "+"
YES, NO = frozenset({"y", "yes"}), frozenset({"n", "no"})


@dataclass(frozen=True, slots=True)
class Option:
    """`value` is what is chosen, `label` its name, `more` what tells it from others of that name, such as an id."""

    value: str
    label: str
    more: str = ""

    def __str__(self) -> str:
        return on_one_line(f"{self.label} ({self.more})" if self.more else self.label)


def nothing(_answer: str) -> str:
    """Refuses no answer."""
    return ""


def confirm(question: str, *, default: bool) -> bool:
    """Asks until the answer is yes or no; Enter and the end of input take the default."""
    choices = "[Y/n]" if default else "[y/N]"
    while True:
        answer = (_answer(f"{on_one_line(question)} {choices} ") or "").lower()
        if not answer:
            return default
        if answer in YES | NO:
            return answer in YES
        terminal.say("please answer y or n")


def text(question: str, *, default: str = "", refuses: Callable[[str], str] = nothing) -> str:
    """A line, without the blanks around it; Enter and the end of input take the default, if there is one.

    `refuses` gives the sentence why an answer can't be, or "": then it is asked again.
    """
    while True:
        answer = _answer(_asked(question, default))
        given = answer or default
        if answer is None and not default:
            _nobody()
        why = _unreadable(given) or refuses(given) if given else "an answer is needed"
        if not why:
            return given
        if answer is None:
            _nobody()
        terminal.say(on_one_line(why))


def secret(question: str, *, again: bool = False) -> Secret:
    """A line exactly as typed, which is never shown; `again` has it typed twice, until both are the same."""
    while True:
        with keyboard.hidden():
            first = _hidden(_asked(question))
            second = _hidden(_asked("The same again")) if again else first
        if first == second:
            return Secret(first)
        terminal.say("the two differ: please type both again")


def select(question: str, options: Sequence[Option], *, default: str = "") -> str:
    """The value of the chosen one of `options` (at least one); Enter and the end of input take `default`, if it is one.

    It is chosen by its number, its name, or by words that only it has; words that several have list those.
    """
    usual = next((place for place, option in enumerate(options) if option.value == default), None)
    asked = _asked("Number or part of a name", "" if usual is None else f"{usual + 1}: {options[usual].label}")
    terminal.say(on_one_line(question))
    rest = _show(options, range(len(options)))
    while True:
        answer = _answer(asked)
        if not answer and usual is not None:
            return options[usual].value
        if answer is None:
            _nobody()
        if answer == MORE and rest:
            rest = _show(options, rest)
            continue
        found = meant(answer, options) if answer else ()
        if len(found) == 1:
            terminal.say(f"chosen: {options[found[0]]}")
            return options[found[0]].value
        terminal.say(_not_one(answer, len(found), len(options)))
        rest = _show(options, found) if found else rest


def meant(answer: str, options: Sequence[Option]) -> Sequence[int]:
    """The places in `options` that `answer` means: a number from 1, else a whole name, else all with each of its words.

    Digits alone are never a part of something: who mistypes a number gets no other option by it.
    """
    if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(options):
        return (int(answer) - 1,)
    sought = answer.casefold()
    whole = [place for place, option in enumerate(options) if sought in _names(option)]
    if whole or answer.isdigit():
        return whole
    words = sought.split()
    texts = [f"{option.label}\n{option.more}".casefold() for option in options]
    return [place for place, searched in enumerate(texts) if all(word in searched for word in words)]


def _names(option: Option) -> tuple[str, str]:
    return option.value.casefold(), option.label.casefold()


def _not_one(answer: str, found: int, of: int) -> str:
    if not answer:
        return f"please choose one: its number (1 to {of}), its name, or a part of that"
    if found:
        return f"{found} have `{on_one_line(answer)}`:"
    return f"none has `{on_one_line(answer)}`: please answer with a number (1 to {of}), a name, or a part of one"


def _show(options: Sequence[Option], places: Sequence[int]) -> Sequence[int]:
    """Lists as many of `places` as the window has room for, and returns the rest."""
    columns, rows = _window()
    shown, left = 0, max(rows - 4, 3)
    for place in places:
        lines = listed(place, options, columns)
        left -= sum(1 + (len(line) - 1) // columns for line, _ in lines)
        if left < 0 and shown:
            break
        for line, dim in lines:
            terminal.say(_dimmed(line, dim) if dim else line)
        shown += 1
    rest = places[shown:]
    if rest:
        terminal.say(f"  ... and {len(rest)} more: `{MORE}` shows them")
    return rest


def listed(place: int, options: Sequence[Option], columns: int) -> tuple[tuple[str, int], ...]:
    """The lines that show an option in a window of `columns`, each with how many of its last characters are dimmed.

    Its label is never cut. What stands beside it is cut in its middle where it is too long: ids differ at their ends.
    """
    option, digits = options[place], len(str(len(options)))
    label, more = on_one_line(option.label), on_one_line(option.more)
    head = f"  {place + 1:>{digits}}  {label}"
    if not more:
        return ((head, 0),)
    widest = max(len(on_one_line(other.label)) for other in options)
    head += " " * (widest - len(label) if widest <= columns // 2 else 0)
    room = columns - len(head) - 3
    if len(more) <= room or room >= ROOM:
        more = _cut(more, room)
        return ((f"{head}  {more}", len(more)),)
    more = _cut(more, max(columns - digits - 5, ROOM // 2))
    return (head.rstrip(), 0), (f"{' ' * (digits + 4)}{more}", len(more))


ROOM = 24


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    front = (room - 3) // 3
    return f"{text[:front]}...{text[front + 3 - room :]}"


def _dimmed(line: str, last: int) -> str:
    if os.environ.get("TERM", "") in {"", "dumb", "unknown"} or os.environ.get("NO_COLOR"):
        return line
    return f"{line[:-last]}\x1b[2m{line[-last:]}\x1b[0m"


def _window() -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except OSError:
        columns, rows = 0, 0
    return columns or 80, rows or 24


def _asked(question: str, default: str = "") -> str:
    """The question as it is put: the default in brackets; a colon, unless it ends like a question itself."""
    question = on_one_line(question)
    asks = question.endswith(("?", ":"))
    if default:
        return f"{question} [{on_one_line(default)}]{'' if asks else ':'} "
    return f"{question}{'' if asks else ':'} "


def _answer(asked: str) -> str | None:
    """The answer without the blanks around it; None at the end of input."""
    while True:
        keyboard.forget()
        try:
            answer = _line(asked)
        except keyboard.UnusableError as why:
            terminal.say(str(why))
            continue
        return None if answer is None else answer.strip()


def _hidden(asked: str) -> str:
    """The answer, which is not shown: nor is the end of its line, which is made up for."""
    while True:
        try:
            answer = _line(asked)
        except keyboard.UnusableError as error:
            why = str(error)
        else:
            if answer is None:
                _nobody()
            why = _unreadable(answer) if answer else "an answer is needed"
            if not why:
                terminal.say("")
                return answer
        terminal.say(f"\n{why}")


def _line(asked: str) -> str | None:
    """What comes next starts on a line of its own, however this one ended."""
    try:
        print(asked, end="", file=sys.stderr, flush=True)
        answer = keyboard.line()
    except (KeyboardInterrupt, Interrupted):
        terminal.say("")
        raise
    if answer is None:
        terminal.say("")
    return answer


def _unreadable(answer: str) -> str:
    if on_one_line(answer) == answer:
        return ""
    return "that holds what can't be seen (of an arrow key, perhaps): please type it again"


def _nobody() -> NoReturn:
    """Who ends the input where an answer is needed wants out, as with Ctrl-C."""
    raise KeyboardInterrupt
