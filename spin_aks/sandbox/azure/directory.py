"""Which tenants and subscriptions there are: those in the state, and those that the trouble file adds.

Whoever signs in belongs to the sandbox's own tenant and is a guest in every other one. A tenant shows its own
subscriptions, and those that were delegated to it (Azure Lighthouse).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure.identifiers import OBJECT, TENANT

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.state import State
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document

TENANTS, SUBSCRIPTIONS = "tenants", "subscriptions"
COMMON = ("common", "organizations")


def add_tenant(state: State, tenant: str, name: str) -> None:
    state.put(TENANTS, tenant, _tenant(tenant, name))


def add_subscription(
    state: State, subscription: str, name: str, tenant: str = TENANT, *, enabled: bool = True, managed_by: str = ""
) -> None:
    """In that tenant; another one that manages it shows it, too."""
    found = _subscription(subscription, name, tenant)
    managing: list[documents.JSON] = [{"tenantId": managed_by}] if managed_by else []
    changed: Document = {"state": "Enabled" if enabled else "Disabled", "managedByTenants": managing}
    state.put(SUBSCRIPTIONS, subscription, {**found, **changed})


def tenants(world: World) -> list[Document]:
    found = {documents.text(one, "tenantId"): one for one in world.state.all_of(TENANTS)}
    return [*({_id(one): _tenant(_id(one), _name(one)) for one in world.trouble.tenants} | found).values()]


def is_tenant(world: World, tenant: str) -> bool:
    """Also for the names that stand for any."""
    return tenant in COMMON or any(documents.text(one, "tenantId") == tenant.lower() for one in tenants(world))


def object_id(tenant: str) -> str:
    """By which that tenant knows whoever signs in: a guest is another object in each."""
    return OBJECT if tenant == TENANT else str(uuid.uuid5(uuid.UUID(OBJECT), tenant))


def refusal(world: World, tenant: str) -> str:
    """The code by which that tenant refuses a sign-in that others take, such as `AADSTS50076`; empty if it doesn't."""
    return next((documents.text(one, "refuses") for one in world.trouble.tenants if _id(one) == tenant.lower()), "")


def subscriptions(world: World) -> list[Document]:
    """All of them, whoever shows them."""
    more = (
        _subscription(subscription.lower(), name, _id(one))
        for one in world.trouble.tenants
        for subscription, name in documents.strings(one, "subscriptions").items()
    )
    return [*world.state.all_of(SUBSCRIPTIONS), *more]


def subscription(world: World, wanted: str) -> Document | None:
    found = world.state.get(SUBSCRIPTIONS, wanted)
    return found or next((one for one in subscriptions(world) if one["subscriptionId"] == wanted.lower()), None)


def shows(world: World, tenant: str, resource_id: str) -> bool:
    """Whether that tenant shows the subscription that a resource is in."""
    found = subscription(world, resource_id.split("/")[2])
    return found is not None and is_shown(found, tenant)


def is_shown(subscription: Document, tenant: str) -> bool:
    managing = [documents.text(one, "tenantId") for one in documents.items(subscription, "managedByTenants")]
    return tenant in (documents.text(subscription, "tenantId"), *managing)


def _id(tenant: Document) -> str:
    return documents.text(tenant, "id").lower()


def _name(tenant: Document) -> str:
    return documents.text(tenant, "name") or _id(tenant)


def _tenant(tenant: str, name: str) -> Document:
    domain = f"{name.lower().replace(' ', '')}.onmicrosoft.com"
    return {
        "id": f"/tenants/{tenant}",
        "tenantId": tenant,
        "countryCode": "US",
        "displayName": name,
        "domains": [domain],
        "tenantCategory": "Home",
        "defaultDomain": domain,
        "tenantType": "AAD",
    }


def _subscription(subscription: str, name: str, tenant: str) -> Document:
    return {
        "id": f"/subscriptions/{subscription}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription,
        "tenantId": tenant,
        "displayName": name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }
