"""What Azure itself says in kinds of trouble that any request can meet, by the names that the trouble file uses.

The texts are those of recorded traffic (Azure CLI's test recordings) where there is one, else of Microsoft's
troubleshooting pages:
https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spin_aks.sandbox.azure.call import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.documents import Document

PROVIDER = re.compile(r".*/providers/([^/]+)/(.+)", re.IGNORECASE)
REGISTER = re.compile(r"(/subscriptions/[^/]+)/providers/[^/]+/register", re.IGNORECASE)
VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def refusal(name: str, call: Call) -> RefusedError:
    return BY_NAME[name](call)


def no_rights(call: Call) -> RefusedError:
    """`Microsoft.X/types/write` over the resource, as the gateway names them."""
    caller = call.who
    message = (
        f"The client '{caller.app_id}' with object id '{caller.object_id}' does not have authorization to perform "
        f"action '{action(call.request.method, call.request.path)}' over scope '{_scope(call)}' or the scope is "
        "invalid. If access was recently granted, please refresh your credentials."
    )
    return RefusedError(403, "AuthorizationFailed", message, ("x-ms-failure-cause", "gateway"))


def action(method: str, path: str) -> str:
    """The permission that a request needs: the provider's types without their names, and a verb."""
    match = PROVIDER.fullmatch(path)
    if match is None:
        kind, names = "Microsoft.Resources/subscriptions", path.strip("/").split("/")[2:]
        kind += "".join(f"/{part}" for part in names[::2])
        return f"{kind}/{VERBS.get(method, 'action')}"
    parts = match[2].split("/")
    types = "/".join(parts[::2])
    if method == "POST" and len(parts) % 2:
        return f"{match[1]}/{types}/action"
    return f"{match[1]}/{types}/{VERBS.get(method, 'action')}"


def _scope(call: Call) -> str:
    path = call.request.path
    if at_subscription := REGISTER.fullmatch(path):
        return at_subscription[1]
    if call.request.method == "POST":
        return path.rsplit("/", 1)[0]
    return path


def not_registered(namespace: str) -> RefusedError:
    message = (
        f"The subscription is not registered to use namespace '{namespace}'. "
        "See https://aka.ms/rps-not-found for how to register subscriptions."
    )
    code = "MissingSubscriptionRegistration"
    details: Document = {"details": [{"code": code, "target": namespace, "message": message}]}
    return RefusedError(409, code, message, ("x-ms-failure-cause", "gateway"), extra=details)


def _not_registered(call: Call) -> RefusedError:
    match = PROVIDER.fullmatch(call.request.path)
    return not_registered(match[1] if match else "Microsoft.Resources")


def _throttled(call: Call) -> RefusedError:
    message = (
        f"The request is being throttled as the limit has been reached for operation type - "
        f"{'Read' if call.request.method == 'GET' else 'Write'}_ObservationWindow_00:05:00. "
        "For more information, see - https://aka.ms/srpthrottlinglimits"
    )
    return RefusedError(429, "TooManyRequests", message, ("Retry-After", "1"))


def _expired(_call: Call) -> RefusedError:
    return expired("Sat, 01 Jan 2000 00:00:00 GMT")


def expired(moment: str) -> RefusedError:
    message = f"The access token expiry UTC time '{moment}' is earlier than current UTC time."
    challenge = ("WWW-Authenticate", 'Bearer error="invalid_token", error_description="The access token has expired."')
    return RefusedError(401, "ExpiredAuthenticationToken", message, challenge)


def _quota(call: Call) -> RefusedError:
    code = "ErrCode_InsufficientVCPUQuota" if "/managedclusters/" in call.request.path.lower() else "QuotaExceeded"
    return RefusedError(400, code, _exceeding(10, 10, 6))


def too_many_vcpus(limit: int, used: int, more: int) -> RefusedError:
    return RefusedError(400, "ErrCode_InsufficientVCPUQuota", _exceeding(limit, used, more))


def _exceeding(limit: int, used: int, more: int) -> str:
    return (
        "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional "
        f"details - Deployment Model: Resource Manager, Current Limit: {limit}, Current Usage: {used}, Additional "
        f"Required: {more}, (Minimum) New Limit Required: {used + more}. Submit a request for Quota increase at "
        "https://aka.ms/ProdportalCRP/#blade/Microsoft_Azure_Capacity/UsageAndQuota.ReactView/Parameters/ by "
        "specifying parameters listed in the 'Details' section for deployment to succeed. Please read "
        "more about quota limits at https://docs.microsoft.com/en-us/azure/azure-supportability/regional-quota-requests"
    )


def _policy(call: Call) -> RefusedError:
    name = call.request.path.rstrip("/").rsplit("/", 1)[-1]
    message = f"Resource '{name}' was disallowed by policy. Reasons: 'not allowed here'. See error details for policy."
    return RefusedError(403, "RequestDisallowedByPolicy", message, ("x-ms-failure-cause", "gateway"))


def _locked(call: Call) -> RefusedError:
    message = (
        f"The scope '{call.request.path}' cannot perform {VERBS.get(call.request.method, 'write')} operation because "
        "following scope(s) are locked: '/'. Please remove the lock and try again."
    )
    return RefusedError(409, "ScopeLocked", message, ("x-ms-failure-cause", "gateway"))


def _concurrent(call: Call) -> RefusedError:
    """As https://github.com/pulumi/pulumi-azure-native/issues/4343 has it."""
    identity = call.request.path.lower().partition("/federatedidentitycredentials")[0]
    message = (
        f"Too many Federated Identity Credentials are written concurrently for the managed identity '{identity}'. "
        "Concurrent Federated Identity Credentials writes under the same managed identity are not supported."
    )
    return RefusedError(409, "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity", message)


def _unavailable(_call: Call) -> RefusedError:
    return RefusedError(503, "ServiceUnavailable", "The service is temporarily unavailable. Try again later.")


BY_NAME: dict[str, Callable[[Call], RefusedError]] = {
    "AuthorizationFailed": no_rights,
    "MissingSubscriptionRegistration": _not_registered,
    "TooManyRequests": _throttled,
    "ExpiredAuthenticationToken": _expired,
    "QuotaExceeded": _quota,
    "RequestDisallowedByPolicy": _policy,
    "ScopeLocked": _locked,
    "ServiceUnavailable": _unavailable,
    "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity": _concurrent,
}
NAMES = tuple(BY_NAME)
