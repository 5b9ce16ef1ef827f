"""Making what Azure lacks: all of it is shown, and allowed, before any of it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spin_aks.tasks.azure_place import show_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spin_aks.azure.arm import ResourceId
    from spin_aks.consent import Consent
    from spin_aks.errors import AzureError, Problem


TITLES = {"keyvault": "vault"}
FREE = frozenset({"identity"})
"""What Azure takes no money for."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What is named and not there. `what` is as in `--create-WHAT`, or `--recover-WHAT` for one that was deleted and
    that this `recovers`; `plan` says what would be made of it, and why so; `error` is that it is not there.
    """

    what: str
    id: ResourceId
    plan: tuple[str, ...]
    error: AzureError
    recovers: bool = False

    @property
    def title(self) -> str:
        return f"{TITLES.get(self.what, self.what)} `{self.id.name}`"

    def allowed(self, consent: Consent) -> bool:
        return self.what in (consent.recover if self.recovers else consent.create)


def allow(consent: Consent, missing: Sequence[Missing]) -> None:
    """Shows what would be made. Raises AzureError with the way to have it made, unless all of it was asked for."""
    for one in missing:
        show_plan("to be made in Azure", one.plan)
    asked = [one for one in missing if not one.allowed(consent)]
    if not asked:
        return
    if consent.ask:
        from spin_aks import prompts

        if all(prompts.confirm(each, default=False) for each in questions(asked)):
            return
    first = asked[0].error
    first.problems = tuple(_with_flag(one) for one in asked)
    raise first


def questions(missing: Sequence[Missing]) -> Iterator[str]:
    """One question for all that is new, one for all that is deleted: that brings back what is in it, too."""
    costs = any(one.what not in FREE for one in missing if not one.recovers)
    for start, recovers, end in (
        ("That costs money. Make " if costs else "Make ", False, "?"),
        ("Recover ", True, ", with all that is in it?"),
    ):
        titles = [one.title for one in missing if one.recovers == recovers]
        if titles:
            yield f"{start}{' and '.join(titles)}{end}"


def _with_flag(missing: Missing) -> Problem:
    problem = missing.error.problems[0]
    way = f"`--recover-{missing.what}` recovers" if missing.recovers else f"`--create-{missing.what}` makes"
    way = f"{way} `{missing.id.name}`"
    # What takes nothing away stands before what does.
    said = (way, problem.hint) if missing.recovers else (problem.hint, way)
    return replace(problem, hint="; ".join(one for one in said if one))
