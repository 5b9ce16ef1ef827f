"""The tenants of a person, and which of them shows what. A token shows what its own tenant does, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from spin_aks.azure import credential, rights, subscriptions, wire
from spin_aks.azure.problems import AzureRefusalError, Kind, SignInError, reported
from spin_aks.azure.sign_in_problems import log_in
from spin_aks.errors import AzureError
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spin_aks.azure.session import Session
    from spin_aks.azure.subscriptions import Subscription
    from spin_aks.json_types import JSONObject

    _Listed = tuple[Subscription, ...] | AzureError
    _Answers = tuple[Subscription | AzureError, ...]

T = TypeVar("T")

UNSEEN = (Kind.NOT_FOUND, Kind.WRONG_TENANT, Kind.DENIED)


@dataclass(frozen=True, slots=True)
class Tenant:
    """`name` and `domain` may be empty: a guest does not see them everywhere."""

    id: str
    name: str = ""
    domain: str = ""

    @property
    def title(self) -> str:
        return self.name or self.domain or self.id


@dataclass(frozen=True, slots=True)
class Seen:
    """A subscription, and the tenant through which it is seen: requests to it take a token of that one.

    That need not be the tenant it belongs to: by Azure Lighthouse a tenant shows subscriptions of its customers'.
    """

    subscription: Subscription
    through: Tenant


@dataclass(frozen=True, slots=True)
class Refused:
    """A tenant that could not be asked, and why."""

    tenant: Tenant
    error: AzureError

    @property
    def hint(self) -> str:
        """What to type, so that it can be asked."""
        return f"`{log_in(self.tenant.id)}`" if isinstance(self.error, SignInError) else self.error.problems[0].hint


@dataclass(frozen=True, slots=True)
class Everywhere:
    """The subscriptions of all tenants, each once, those that the sign-in's own tenant shows first; `own` is its id."""

    seen: tuple[Seen, ...]
    refused: tuple[Refused, ...]
    own: str

    @property
    def usable(self) -> tuple[Seen, ...]:
        return tuple(one for one in self.seen if one.subscription.usable)

    def tenant(self, one: Seen) -> str:
        """The tenant to ask about it; empty for the sign-in's own."""
        return "" if _same(one.through.id, self.own) else one.through.id

    def place(self, one: Seen) -> str:
        """Its tenant's name, where more than one shows some, or where that is not the sign-in's own; else empty."""
        several = len({other.through.id for other in self.usable}) > 1
        return one.through.title if several or self.tenant(one) else ""

    def described(self, one: Seen) -> str:
        """Its name, id and place."""
        named = f"`{one.subscription.name}` ({one.subscription.id})"
        return f"{named} in tenant `{place}`" if (place := self.place(one)) else named


def tenants(session: Session) -> tuple[Tenant, ...]:
    """All tenants that whoever signed in belongs to, as a guest too; raises AzureError."""
    from azure.mgmt.resource.subscriptions import SubscriptionClient

    with reported("list your tenants", session.cloud.arm, tenant=session.tenant):
        every = [_tenant(wire.document(found)) for found in session.client(SubscriptionClient).tenants.list()]
    return tuple(one for one in every if one.id)


def everywhere(session: Session) -> Everywhere:
    """The subscriptions of each tenant, asked side by side: for somebody in one tenant one request more than theirs.

    A tenant that wants another sign-in (a second factor, say) does not keep the others from being shown. Raises
    AzureError if none can be asked.
    """
    own = credential.tenant(session)
    known: list[Tenant] = []
    mine: list[_Listed] = []

    def ask(tenant: str) -> _Listed:
        return _or_error(lambda: subscriptions.subscriptions(session.in_tenant(tenant)))

    looks: tuple[Callable[[], None], ...] = (lambda: known.extend(tenants(session)), lambda: mine.append(ask("")))
    side_by_side(lambda look: look(), looks)
    others = [one for one in known if not _same(one.id, own)]
    answers = dict(zip(others, side_by_side(lambda one: ask(one.id), others), strict=True))
    home = next((one for one in known if _same(one.id, own)), Tenant(own))
    return _gathered({home: mine[0], **answers}, own)


def _gathered(answers: Mapping[Tenant, _Listed], own: str) -> Everywhere:
    refused = tuple(Refused(one, answer) for one, answer in answers.items() if isinstance(answer, AzureError))
    if len(refused) == len(answers):
        raise refused[0].error
    seen: dict[str, Seen] = {}
    for tenant, answer in answers.items():
        for found in () if isinstance(answer, AzureError) else answer:
            seen.setdefault(found.id.lower(), Seen(found, tenant))
    return Everywhere(tuple(seen.values()), refused, own)


def the_only(found: Everywhere) -> Seen:
    """The one subscription that can be used; raises AzureError with what there is."""
    usable = found.usable
    if not usable:
        hints = [one.hint for one in found.refused] or [f"`{log_in('TENANT')}`"]
        what = "whoever signed in sees no subscription that can be used"
        raise AzureError(what, hint=f"sign in to the tenant that has one: {', '.join(hints)}")
    if len(usable) > 1:
        named = ", ".join(found.described(one) for one in usable[:10])
        raise AzureError("which subscription is meant is not said", hint=f"`--subscription ID` says it: {named}")
    return usable[0]


def showing(session: Session, wanted: Sequence[str], first: str = "") -> tuple[str, tuple[Subscription, ...]]:
    """The tenant that shows all of these subscriptions, and they: `first` if it does, else the sign-in's own, for
    which it is empty, else the one that they belong to, else one of the others, which are asked side by side.

    Raises AzureError if none does, and if one of them is disabled.
    """
    answers: dict[str, _Answers] = {}
    for tenant in dict.fromkeys((first, "")):
        answers[tenant] = _asked(session, tenant, wanted)
        if shown := _all_shown(answers[tenant]):
            return tenant, shown
    _raise_unexpected(answers[""])
    for tenant in _owner(answers[""]):
        answers[tenant] = _asked(session, tenant, wanted)
        if shown := _all_shown(answers[tenant]):
            return tenant, shown
    known = {one.id.lower(): one for one in tenants(session)}
    others = known.keys() - {one.lower() for one in (*answers, credential.tenant(session))}
    rest = [one for one in known if one in others]
    answers |= zip(rest, side_by_side(lambda one: _asked(session, one, wanted), rest), strict=True)
    for tenant in rest:
        if shown := _all_shown(answers[tenant]):
            return tenant, shown
    raise _nowhere(wanted, {known.get(one.lower(), Tenant(one)): found for one, found in answers.items()})


def _owner(answers: _Answers) -> tuple[str, ...]:
    """The tenant that they belong to, where Azure said so and it is one."""
    refused = [one.answer for one in answers if isinstance(one, AzureRefusalError)]
    owners = {rights.tenant_of(one) for one in refused}
    return tuple(owners) if len(refused) == len(answers) and len(owners) == 1 and "" not in owners else ()


def _asked(session: Session, tenant: str, wanted: Sequence[str]) -> _Answers:
    within = session.in_tenant(tenant)
    return side_by_side(lambda one: _or_error(lambda: subscriptions.get(within, one)), wanted)


def _all_shown(answers: _Answers) -> tuple[Subscription, ...]:
    shown = tuple(one for one in answers if not isinstance(one, AzureError))
    return shown if len(shown) == len(answers) else ()


def _is_unseen(answer: Subscription | AzureError) -> bool:
    return isinstance(answer, AzureRefusalError) and answer.kind in UNSEEN


def _raise_unexpected(answers: _Answers) -> None:
    """For what is wrong in every tenant: nobody is signed in, Azure is not reached, the subscription is disabled."""
    for answer in answers:
        if isinstance(answer, AzureError) and not _is_unseen(answer):
            raise answer


def _nowhere(wanted: Sequence[str], answers: Mapping[Tenant, _Answers]) -> AzureError:
    """Why no tenant shows all of them, and what to do about it."""
    places = [_seen_in(place, answers) for place in range(len(wanted))]
    for place, seen in enumerate(places):
        if not seen:
            return _unseen(wanted[place], place, answers)
    parts = [f"`{one}` in {' and '.join(seen)}" for one, seen in zip(wanted, places, strict=True)]
    return AzureError(
        f"the subscriptions are in different tenants: {'; '.join(parts)}",
        why="what an environment names has to be in one tenant: no identity is given rights in another",
        hint="name resources of one tenant, or another environment (`-e NAME`) for those of the other",
    )


def _seen_in(place: int, answers: Mapping[Tenant, _Answers]) -> list[str]:
    shown = [tenant for tenant, found in answers.items() if not isinstance(found[place], AzureError)]
    return [f"`{one.title}` ({one.id})" if one.name else f"`{one.id}`" if one.id else "the sign-in's" for one in shown]


def _unseen(subscription: str, place: int, answers: Mapping[Tenant, _Answers]) -> AzureError:
    """What the sign-in's own tenant said, unless the tenant it belongs to could not be asked: then that one's word."""
    own = answers[Tenant("")][place]
    assert isinstance(own, AzureRefusalError)
    refused = [
        Refused(tenant, answer)
        for tenant, answer in ((tenant, found[place]) for tenant, found in answers.items())
        if isinstance(answer, AzureError) and not _is_unseen(answer)
    ]
    owner = rights.tenant_of(own.answer)
    for one in refused:
        if owner and _same(one.tenant.id, owner):
            what = f"can't use subscription `{subscription}`: it belongs to tenant `{one.tenant.title}`, and "
            return AzureError(what + one.error.problems[0].what, why=one.error.why, hint=one.hint)
    if owner or not refused:
        return own
    left_out = ", ".join(f"`{one.tenant.title}`" for one in refused)
    hint = f"it may be one of {left_out}, which can't be asked: {'; '.join(one.hint for one in refused)}"
    return AzureError(own.problems[0].what, where=own.problems[0].where, why=own.why, hint=hint)


def _or_error(ask: Callable[[], T]) -> T | AzureError:
    try:
        return ask()
    except AzureError as error:
        return error


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _tenant(found: JSONObject) -> Tenant:
    return Tenant(wire.text(found, "tenantId"), wire.text(found, "displayName"), wire.text(found, "defaultDomain"))
