"""Tenants, subscriptions and regions: who can be meant, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.azure import wire
from spin_aks.azure.problems import AzureRefusalError, Kind, reported
from spin_aks.azure.sign_in_problems import log_in
from spin_aks.errors import AzureError
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from azure.mgmt.resource.subscriptions import SubscriptionClient

    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject


@dataclass(frozen=True, slots=True)
class Tenant:
    """`name` and `domain` may be empty: a guest does not see them everywhere."""

    id: str
    name: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """`state` is ARM's word; only an `Enabled` one can be written to."""

    id: str
    name: str
    tenant: str
    state: str

    @property
    def usable(self) -> bool:
        return self.state == "Enabled"


@dataclass(frozen=True, slots=True)
class Location:
    """A region: `name` is as `westeurope`, `title` as `West Europe`."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Everywhere:
    """The subscriptions of all tenants, and for each tenant that could not be asked, why."""

    subscriptions: tuple[Subscription, ...]
    refused: tuple[tuple[Tenant, AzureError], ...]


def tenants(session: Session) -> tuple[Tenant, ...]:
    """All tenants that whoever signed in belongs to, as a guest too; raises AzureError."""
    with reported("list your tenants", session.cloud.arm, tenant=session.tenant):
        return tuple(_tenant(wire.document(found)) for found in _client(session).tenants.list())


def subscriptions(session: Session) -> tuple[Subscription, ...]:
    """Those that the session's tenant shows, usable or not; raises AzureError."""
    with reported("list your subscriptions", session.cloud.arm, tenant=session.tenant):
        return tuple(_subscription(wire.document(found)) for found in _client(session).subscriptions.list())


def everywhere(session: Session) -> Everywhere:
    """The subscriptions of each tenant, asked side by side. A token shows those of its own tenant only.

    A tenant that wants another sign-in (a second factor, say) does not keep the others from being shown. Raises
    AzureError if none can be asked.
    """
    known = tenants(session)

    def ask(tenant: Tenant) -> tuple[Subscription, ...] | AzureError:
        try:
            return subscriptions(session.in_tenant(tenant.id))
        except AzureError as error:
            return error

    answers = tuple(zip(known, side_by_side(ask, known), strict=True))
    refused = tuple((tenant, answer) for tenant, answer in answers if isinstance(answer, AzureError))
    if known and len(refused) == len(known):
        raise refused[0][1]
    found = [one for _, answer in answers if not isinstance(answer, AzureError) for one in answer]
    return Everywhere(tuple({one.id.lower(): one for one in found}.values()), refused)


def get(session: Session, subscription: str) -> Subscription:
    """Raises AzureError if whoever signed in sees no such subscription, or if it is disabled."""
    with reported(f"use subscription `{subscription}`", session.cloud.arm, tenant=session.tenant):
        found = _subscription(wire.document(_client(session).subscriptions.get(subscription)))
    if not found.usable:
        what = f"can't use subscription `{found.name}`: it is {found.state.lower() or 'in no state to be used'}"
        hint = "its owner can enable it again in the portal, or choose another with `az account list --output table`"
        raise AzureError(what, where=f"/subscriptions/{subscription}", hint=hint)
    return found


def choose(found: tuple[Subscription, ...], wanted: str, tenant: str = "") -> Subscription:
    """The usable one with that id or name; of an empty `wanted`, the only one. Raises AzureError with what there is."""
    usable = tuple(one for one in found if one.usable)
    matching = tuple(one for one in usable if not wanted or wanted.lower() in (one.id.lower(), one.name.lower()))
    if len(matching) == 1:
        return matching[0]
    named = ", ".join(f"`{one.name}` ({one.id})" for one in (matching or usable)[:10])
    if not usable:
        what = "whoever signed in sees no subscription that can be used"
        raise AzureError(what, hint=f"sign in to the tenant that has one: `{log_in(tenant)}`")
    if not matching:
        raise AzureError(f"there is no subscription `{wanted}`", hint=f"choose one of {named}")
    raise AzureError("which subscription is meant is not said", hint=f"`--subscription ID` says it: {named}")


def locations(session: Session, subscription: str) -> tuple[Location, ...]:
    """The regions that the subscription can use, edge zones left out; raises AzureError."""
    with reported("list Azure's regions", f"/subscriptions/{subscription}", tenant=session.tenant):
        found = [wire.document(one) for one in _client(session).subscriptions.list_locations(subscription)]
    regions = (one for one in found if wire.text(one, "metadata", "regionType") in ("", "Physical"))
    return tuple(Location(wire.text(one, "name"), wire.text(one, "displayName")) for one in regions)


def is_visible(session: Session, subscription: str) -> bool:
    """Whether the session's tenant shows that subscription; raises AzureError for anything else that goes wrong."""
    try:
        get(session, subscription)
    except AzureRefusalError as error:
        if error.kind in (Kind.NOT_FOUND, Kind.WRONG_TENANT, Kind.DENIED):
            return False
        raise
    return True


def _client(session: Session) -> SubscriptionClient:
    from azure.mgmt.resource.subscriptions import SubscriptionClient

    return session.client(SubscriptionClient)


def _tenant(found: JSONObject) -> Tenant:
    return Tenant(wire.text(found, "tenantId"), wire.text(found, "displayName"), wire.text(found, "defaultDomain"))


def _subscription(found: JSONObject) -> Subscription:
    return Subscription(
        wire.text(found, "subscriptionId"),
        wire.text(found, "displayName"),
        wire.text(found, "tenantId"),
        wire.text(found, "state"),
    )
