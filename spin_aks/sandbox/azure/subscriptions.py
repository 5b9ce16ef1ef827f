"""Tenants, subscriptions and their locations: https://learn.microsoft.com/rest/api/resources/subscriptions.

A sandbox begins with one tenant, and one subscription in it. Whoever signs in is a guest in every other tenant that is
there; each shows its own subscriptions, and those that were delegated to it (Azure Lighthouse).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import locations
from spin_aks.sandbox.azure.call import Call, RefusedError, answer, page
from spin_aks.sandbox.azure.identifiers import SUBSCRIPTION, TENANT
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.azure.state import State
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

TENANTS, SUBSCRIPTIONS = "tenants", "subscriptions"
LOCATION_ID = "~/locations"


def add_tenant(state: State, tenant: str, name: str) -> None:
    domain = f"{name.lower().replace(' ', '')}.onmicrosoft.com"
    document: Document = {
        "id": f"/tenants/{tenant}",
        "tenantId": tenant,
        "countryCode": "US",
        "displayName": name,
        "domains": [domain],
        "tenantCategory": "Home",
        "defaultDomain": domain,
        "tenantType": "AAD",
    }
    state.put(TENANTS, tenant, document)


def add_subscription(
    state: State, subscription: str, name: str, tenant: str = TENANT, *, enabled: bool = True, managed_by: str = ""
) -> None:
    """In that tenant; another one that manages it shows it, too."""
    document: Document = {
        "id": f"/subscriptions/{subscription}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [{"tenantId": managed_by}] if managed_by else [],
        "subscriptionId": subscription,
        "tenantId": tenant,
        "displayName": name,
        "state": "Enabled" if enabled else "Disabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }
    state.put(SUBSCRIPTIONS, subscription, document)


def begin(state: State) -> bool:
    """Makes what a new sandbox has; false if it is no new one."""
    with state.lock:
        if state.all_of(TENANTS):
            return False
        add_tenant(state, TENANT, "Spin AKS Sandbox")
        add_subscription(state, SUBSCRIPTION, "Sandbox")
    return True


def list_tenants(call: Call) -> Answer:
    return page(call, call.world.state.all_of(TENANTS))


def list_subscriptions(call: Call) -> Answer:
    """Those of the tenant that the token is for: a guest asks each tenant with a token of its own."""
    found = call.world.state.all_of(SUBSCRIPTIONS)
    return page(call, [one for one in found if _is_shown(one, call.who.tenant_id)])


def get_subscription(call: Call) -> Answer:
    return answer(existing(call, call.values["subscription"]))


def list_locations(call: Call) -> Answer:
    return page(call, locations.described(call.values["subscription"]))


def existing(call: Call, subscription: str) -> Document:
    """RefusedError if there is none, or if the token is for another tenant."""
    found = call.world.state.get(SUBSCRIPTIONS, subscription)
    if found is None:
        message = f"The subscription '{subscription}' could not be found."
        raise RefusedError(404, "SubscriptionNotFound", message, ("x-ms-failure-cause", "gateway"))
    if not _is_shown(found, call.who.tenant_id):
        raise _wrong_tenant(call, str(found.get("tenantId")))
    if found.get("state") != "Enabled" and call.request.method not in ("GET", "HEAD"):
        message = (
            f"The subscription '{subscription}' is disabled and therefore marked as read only. You cannot perform any "
            "write actions on this subscription until it is re-enabled."
        )
        raise RefusedError(409, "ReadOnlyDisabledSubscription", message, ("x-ms-failure-cause", "gateway"))
    return found


def shows(state: State, tenant: str, resource_id: str) -> bool:
    """Whether that tenant shows the subscription that a resource is in."""
    found = state.get(SUBSCRIPTIONS, resource_id.split("/")[2])
    return found is not None and _is_shown(found, tenant)


def _is_shown(subscription: Document, tenant: str) -> bool:
    managing = [documents.text(one, "tenantId") for one in documents.items(subscription, "managedByTenants")]
    return tenant in (documents.text(subscription, "tenantId"), *managing)


def _wrong_tenant(call: Call, right: str) -> RefusedError:
    authority = f"https://login.windows.net/{right}"
    message = (
        f"The access token is from the wrong issuer 'https://sts.windows.net/{call.who.tenant_id}/'. It must match the "
        f"tenant 'https://sts.windows.net/{right}/' associated with this subscription. Please use the authority (URL) "
        f"'{authority}' to get the token. Note, if the subscription is transferred to another tenant there is no "
        "impact to the services, but information about new tenant could take time to propagate (up to an hour). If "
        "you just transferred your subscription and see this error message, please try back later."
    )
    challenge = f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{message}"'
    return RefusedError(401, "InvalidAuthenticationTokenTenant", message, ("WWW-Authenticate", challenge))


ROUTES = (
    Route("GET", "/tenants", list_tenants),
    Route("GET", "/subscriptions", list_subscriptions),
    Route("GET", "~", get_subscription),
    Route("GET", LOCATION_ID, list_locations),
)
FINISHES: dict[str, Finish] = {}
