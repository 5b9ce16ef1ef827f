"""Tenants, subscriptions and their locations: https://learn.microsoft.com/rest/api/resources/subscriptions.

A sandbox begins with one tenant, and one subscription in it; `directory.py` knows of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox.azure import directory, locations
from spin_aks.sandbox.azure.call import Call, RefusedError, answer, page
from spin_aks.sandbox.azure.identifiers import SUBSCRIPTION, TENANT
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.azure.state import State
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

LOCATION_ID = "~/locations"


def begin(state: State) -> bool:
    """Makes what a new sandbox has; false if it is no new one."""
    with state.lock:
        if state.all_of(directory.TENANTS):
            return False
        directory.add_tenant(state, TENANT, "Spin AKS Sandbox")
        directory.add_subscription(state, SUBSCRIPTION, "Sandbox")
    return True


def list_tenants(call: Call) -> Answer:
    return page(call, directory.tenants(call.world))


def list_subscriptions(call: Call) -> Answer:
    """Those of the tenant that the token is for: a guest asks each tenant with a token of its own."""
    found = directory.subscriptions(call.world)
    return page(call, [one for one in found if directory.is_shown(one, call.who.tenant_id)])


def get_subscription(call: Call) -> Answer:
    return answer(existing(call, call.values["subscription"]))


def list_locations(call: Call) -> Answer:
    return page(call, locations.described(call.values["subscription"]))


def existing(call: Call, subscription: str) -> Document:
    """RefusedError if there is none, or if the token is for another tenant."""
    found = directory.subscription(call.world, subscription)
    if found is None:
        message = f"The subscription '{subscription}' could not be found."
        raise RefusedError(404, "SubscriptionNotFound", message, ("x-ms-failure-cause", "gateway"))
    if not directory.is_shown(found, call.who.tenant_id):
        raise _wrong_tenant(call, str(found.get("tenantId")))
    if found.get("state") != "Enabled" and call.request.method not in ("GET", "HEAD"):
        message = (
            f"The subscription '{subscription}' is disabled and therefore marked as read only. You cannot perform any "
            "write actions on this subscription until it is re-enabled."
        )
        raise RefusedError(409, "ReadOnlyDisabledSubscription", message, ("x-ms-failure-cause", "gateway"))
    return found


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
