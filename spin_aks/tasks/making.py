"""Making what Azure lacks: all of it is shown, and allowed, before any of it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spin_aks import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spin_aks.azure.arm import ResourceId
    from spin_aks.consent import Consent
    from spin_aks.errors import AzureError, Problem


@dataclass(frozen=True, slots=True)
class Missing:
    """What is named and not there. `what` is as in `--create-WHAT`; `plan` says what would be made of it, and why so;
    `error` is that it is not there.
    """

    what: str
    id: ResourceId
    plan: tuple[str, ...]
    error: AzureError

    @property
    def title(self) -> str:
        return f"{self.what} `{self.id.name}`"


def allow(consent: Consent, missing: Sequence[Missing]) -> None:
    """Shows what would be made. Raises AzureError with the way to have it made, unless all of it was asked for."""
    for one in missing:
        terminal.say(f"to be made in Azure: {'; '.join(one.plan)}")
    asked = [one for one in missing if one.what not in consent.create]
    if not asked:
        return
    if consent.ask:
        from spin_aks import prompts

        if prompts.confirm(question(asked), default=False):
            return
    first = asked[0].error
    first.problems = tuple(_with_flag(one) for one in asked)
    raise first


def question(missing: Sequence[Missing]) -> str:
    """The one question for all of them."""
    return f"That costs money. Make {' and '.join(one.title for one in missing)}?"


def _with_flag(missing: Missing) -> Problem:
    problem = missing.error.problems[0]
    way = f"`--create-{missing.what}` makes it"
    return replace(problem, hint=f"{problem.hint}; {way}" if problem.hint else way)
