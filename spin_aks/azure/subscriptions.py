"""Subscriptions and regions: who can be meant, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.azure import wire
from spin_aks.azure.problems import reported
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from azure.mgmt.resource.subscriptions import SubscriptionClient

    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject


@dataclass(frozen=True, slots=True)
class Subscription:
    """`tenant` is the one that it belongs to; `state` is ARM's word. One that still has to be paid for is `PastDue`,
    and active: https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-states
    """

    id: str
    name: str
    tenant: str
    state: str

    @property
    def usable(self) -> bool:
        return self.state in ("Enabled", "PastDue")


@dataclass(frozen=True, slots=True)
class Location:
    """A region: `name` is as `westeurope`, `title` as `West Europe`."""

    name: str
    title: str


def subscriptions(session: Session) -> tuple[Subscription, ...]:
    """Those that the session's tenant shows, usable or not; raises AzureError."""
    with reported("list your subscriptions", session.cloud.arm, tenant=session.tenant):
        return tuple(_subscription(wire.document(found)) for found in _client(session).subscriptions.list())


def get(session: Session, subscription: str) -> Subscription:
    """Raises AzureError if whoever signed in sees no such subscription, or if it is disabled."""
    with reported(f"use subscription `{subscription}`", session.cloud.arm, tenant=session.tenant):
        found = _subscription(wire.document(_client(session).subscriptions.get(subscription)))
    if not found.usable:
        what = f"can't use subscription `{found.name}`: it is {found.state.lower() or 'in no state to be used'}"
        hint = "its owner can enable it again in the portal, or choose another with `az account list --output table`"
        raise AzureError(what, where=f"/subscriptions/{subscription}", hint=hint)
    return found


def locations(session: Session, subscription: str) -> tuple[Location, ...]:
    """The regions that the subscription can use, edge zones left out; raises AzureError."""
    with reported("list Azure's regions", f"/subscriptions/{subscription}", tenant=session.tenant):
        found = [wire.document(one) for one in _client(session).subscriptions.list_locations(subscription)]
    regions = (one for one in found if wire.text(one, "metadata", "regionType") in ("", "Physical"))
    return tuple(Location(wire.text(one, "name"), wire.text(one, "displayName")) for one in regions)


def _client(session: Session) -> SubscriptionClient:
    from azure.mgmt.resource.subscriptions import SubscriptionClient

    return session.client(SubscriptionClient)


def _subscription(found: JSONObject) -> Subscription:
    return Subscription(
        wire.text(found, "subscriptionId"),
        wire.text(found, "displayName"),
        wire.text(found, "tenantId"),
        wire.text(found, "state"),
    )
