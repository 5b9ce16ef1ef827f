"""A right that an environment needs in Azure: it can be checked, and given where that is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from spin_aks.errors import AzureError, Problem
from spin_aks.tasks import resources
from spin_aks.tasks.azure_place import watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.azure.roles import Grant, Wanted
    from spin_aks.consent import Consent
    from spin_aks.context import Context

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Right:
    """`now` is how it stands; `plan` says what would be done, `give` does it and gives how it stands then.

    `flags` are those that allow it, `command` is for somebody else who may. A deployment that does not need it goes on
    without. `gift` is what the flags do, where that is not giving a role.
    """

    now: Grant
    plan: tuple[str, ...]
    give: Callable[[], Grant]
    flags: tuple[str, ...]
    command: str
    needed: bool
    gift: str = ""

    @property
    def lacks(self) -> bool:
        from spin_aks.azure import roles

        return self.now.state == roles.MISSING

    def allowed(self, consent: Consent) -> bool:
        return consent.give.issuperset(self.flags)

    def problem(self) -> Problem:
        gift = self.gift or f"gives the role `{self.now.role}`"
        hint = f"`{' '.join(self.flags)}` {gift}; or have somebody who may: `{self.command}`"
        return Problem(f"`{self.now.role}` is missing, which is needed so that {self.now.what}", self.now.scope, hint)


def plan(now: Grant) -> tuple[str, ...]:
    """The plan to give a role."""
    return f"`{now.role}` at {now.scope}", f"so that {now.what}"


def of_role(context: Context, wanted: Wanted, flag: str, *, needed: bool) -> Right:
    """A role of Azure's own, as it stands."""
    from spin_aks.azure import roles

    now = roles.check(context.azure, (wanted,))[0]
    give = partial(_given, context, wanted)
    return Right(now, plan(now), give, (flag,), wanted.command(), needed)


def _given(context: Context, wanted: Wanted) -> Grant:
    from spin_aks.azure import roles

    return roles.give(context.azure, wanted, watch(context))


def there(found: T | None, where: str) -> T:
    """What Azure has; raises AzureError where it has none any more."""
    if found is None:
        hint = f"spin-aks run {resources.NAME} --refresh"
        raise AzureError("there is no such resource any more", where=where, hint=hint)
    return found
