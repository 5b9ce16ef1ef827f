"""What Azure Resource Manager's gateway asks of every request before a service sees it."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import groups, known_troubles, providers, subscriptions, tokens
from spin_aks.sandbox.azure.call import RefusedError
from spin_aks.sandbox.azure.routes import MANAGEMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.web import Answer

VERSION = re.compile(r"\d{4}-\d\d-\d\d(-[a-z]+)?")
NAMESPACE = re.compile(r".*/providers/([^/]+)/.*", re.IGNORECASE)
AUDIENCES = frozenset({"https://management.azure.com", "https://management.core.windows.net"})
SUBSCRIPTION_BOUND = re.compile(r"/subscriptions/([^/]+)(/.*)?", re.IGNORECASE)
IN_GROUP = re.compile(r"(/subscriptions/[^/]+/resourcegroups/[^/]+)/.+", re.IGNORECASE)
OPERATION = re.compile(
    r".*/(operations|operationsStatus|operationStatuses|operationResults|asyncOperations|commandResults)/[^/]+/?",
    re.IGNORECASE,
)
ALWAYS_REGISTERED = frozenset({"microsoft.authorization", "microsoft.resources"})


def check_caller(call: Call) -> None:
    """Raises RefusedError (401) for a request that nobody signed, or somebody for another audience."""
    if call.caller is None:
        raise tokens.refusal(call)
    if call.caller.audience.rstrip("/") not in AUDIENCES:
        message = (
            f"The access token has been obtained for wrong audience or resource '{call.caller.audience}'. It should "
            "exactly match with one of the allowed audiences 'https://management.core.windows.net/',"
            "'https://management.azure.com/'."
        )
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "InvalidAuthenticationTokenAudience", message)


def check(call: Call) -> None:
    """Raises RefusedError for what the gateway refuses of a request that has a route."""
    _check_version(call)
    path = call.request.path
    if bound := SUBSCRIPTION_BOUND.fullmatch(path):
        subscriptions.existing(call, bound[1])
    writes = call.request.method in ("PUT", "PATCH", "POST")
    if (inside := IN_GROUP.fullmatch(path)) and call.request.method != "HEAD":
        group = groups.existing(call.world, inside[1])
        if writes and documents.text(group, "properties", "provisioningState") == "Deleting":
            raise groups.being_deleted(documents.text(group, "name"))
    if bound and call.request.method in ("PUT", "POST") and (provider := NAMESPACE.fullmatch(path)):
        _check_registered(call, provider[1])


def _check_version(call: Call) -> None:
    if not call.api_version:
        message = (
            "The api-version query parameter (?api-version=) is required for all requests."
            if call.request.method == "GET"
            else "The api-version query parameter is required for all requests."
        )
        raise RefusedError(HTTPStatus.BAD_REQUEST, "MissingApiVersionParameter", message)
    if not VERSION.fullmatch(call.api_version):
        message = f"The api-version '{call.api_version}' is invalid."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidApiVersionParameter", message)


def _check_registered(call: Call, namespace: str) -> None:
    """Of what is read nobody knows a recording."""
    if namespace.lower() in ALWAYS_REGISTERED or known_troubles.REGISTER.fullmatch(call.request.path):
        return
    if providers.registration(call, namespace) != "Registered":
        raise known_troubles.not_registered(namespace)


def unknown(call: Call, methods: Sequence[str]) -> Answer:
    """For an address that no service of the sandbox has: said so, for it may well be one that Azure has."""
    if methods:
        message = f"The resource does not support {call.request.method}; the sandbox serves {', '.join(methods)}."
        return RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message).answer
    if OPERATION.fullmatch(call.request.path):
        # Azure, too, forgets its operations some time after they ended.
        name = call.request.path.rstrip("/").rsplit("/", 1)[-1]
        message = f"The operation '{name}' was not found."
        return RefusedError(HTTPStatus.NOT_FOUND, "NotFound", message, ("x-ms-failure-cause", "gateway")).answer
    where = call.request.path if call.host == MANAGEMENT else f"https://{call.host}{call.request.path}"
    message = f"spin-aks sandbox: its Azure does not serve {call.request.method} {where}"
    return RefusedError(HTTPStatus.NOT_IMPLEMENTED, "NotServedBySandbox", message).answer
