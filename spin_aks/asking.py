"""Who answers a question: one rule for all of them."""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING

from spin_aks import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spin_aks.prompts import Option
    from spin_aks.secret import Secret


def _nothing(_answer: str) -> str:
    return ""


class Asking(Enum):
    """Each question has one answer in each mode; None is what nobody has answered: a value that is missing.

    `last` is the choice of last time, as state knows it: it is offered before `default` as long as it still can be.
    Where nothing is asked neither counts; values that hold without any question are not a question's business.
    """

    SOMEBODY_ANSWERS = "somebody answers"
    DEFAULTS_ARE_TAKEN = "defaults are taken"
    NOTHING_IS_ASKED = "nothing is asked"

    @property
    def uses_state(self) -> bool:
        return self is not Asking.NOTHING_IS_ASKED

    def confirm(self, question: str, *, default: bool) -> bool:
        """The default where nobody answers."""
        if self is Asking.SOMEBODY_ANSWERS:
            from spin_aks import prompts

            return prompts.confirm(question, default=default)
        if self is Asking.DEFAULTS_ARE_TAKEN:
            _say(question, "yes" if default else "no", "by default")
        return default

    def select(self, question: str, options: Sequence[Option], *, default: str = "", last: str = "") -> str | None:
        """The value of one of `options`; None if there is none."""
        known = {option.value: str(option) for option in options}
        offered, origin = _offered(last, default, lambda value: value in known)
        if not known or self is Asking.NOTHING_IS_ASKED:
            return None
        if self is Asking.SOMEBODY_ANSWERS:
            from spin_aks import prompts

            return prompts.select(question, options, default=offered)
        return _taken(question, offered, origin, known.get(offered, ""))

    def text(
        self, question: str, *, default: str = "", last: str = "", refuses: Callable[[str], str] = _nothing
    ) -> str | None:
        """A line that `refuses` has nothing against."""
        offered, origin = _offered(last, default, lambda value: not refuses(value))
        if self is Asking.NOTHING_IS_ASKED:
            return None
        if self is Asking.SOMEBODY_ANSWERS:
            from spin_aks import prompts

            return prompts.text(question, default=offered, refuses=refuses)
        return _taken(question, offered, origin, offered)

    def secret(self, question: str, *, again: bool = False) -> Secret | None:
        """What only a person can give: it has no default, and is never remembered."""
        if self is not Asking.SOMEBODY_ANSWERS:
            return None
        from spin_aks import prompts

        return prompts.secret(question, again=again)


def mode(*, yes: bool, no_input: bool) -> Asking:
    """`--no-input` and CI come first, then `-y`, which needs no terminal; then it is whether there is one."""
    if no_input or os.environ.get("CI"):
        return Asking.NOTHING_IS_ASKED
    if yes:
        return Asking.DEFAULTS_ARE_TAKEN
    return Asking.SOMEBODY_ANSWERS if terminal.is_interactive() else Asking.NOTHING_IS_ASKED


def _offered(last: str, default: str, possible: Callable[[str], bool]) -> tuple[str, str]:
    if last and possible(last):
        return last, "as last time"
    return (default, "by default") if default and possible(default) else ("", "")


def _taken(question: str, value: str, origin: str, seen: str) -> str | None:
    if not value:
        return None
    _say(question, seen, origin)
    return value


def _say(question: str, answer: str, origin: str) -> None:
    asks = question.endswith(("?", ":"))
    terminal.say(terminal.on_one_line(f"{question}{'' if asks else ':'} {answer}, {origin}"))
