"""Container registries: https://learn.microsoft.com/rest/api/container-registry/registries.

All registries of a sandbox lead to its one registry, whose repositories they share.
"""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure.call import Call, RefusedError, answer, empty, located
from spin_aks.sandbox.azure.collection import Collection
from spin_aks.sandbox.azure.hosts import HOSTS
from spin_aks.sandbox.azure.made_by import system_data
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.documents import mapping, text

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.web import Answer

KIND = "Microsoft.ContainerRegistry/registries"
RUN_KIND = f"{KIND}/runs"
REGISTRIES = Collection(KIND)
ONE = REGISTRIES.one
DOMAIN = "azurecr.io"
NAME = re.compile(r"[a-zA-Z0-9]{5,50}")
SKUS = ("Basic", "Standard", "Premium")
LEGACY, ABAC = "LegacyRegistryPermissions", "AbacRepositoryPermissions"


def put(call: Call) -> Answer:
    asked = call.document()
    state = call.world.state
    with state.lock:
        before = state.get(KIND, call.fill(ONE))
        _check(call, asked, before)
        registry = _registry(call, asked, before)
        if before is not None:
            return answer(state.put(KIND, call.fill(ONE), registry))
        documents.child(registry, "properties")["provisioningState"] = "Creating"
        state.put(KIND, call.fill(ONE), registry)
        state.put(HOSTS, text(registry, "properties", "loginServer"), {"resource": text(registry, "id")})
        headers = call.world.operations.begin(
            call,
            call.fill(ONE),
            KIND,
            "acr.created",
            status=call.fill(ONE + "/operationStatuses/registries-{{id}}"),
            words=("Creating",),
        )
    return answer(registry, *headers, status=HTTPStatus.CREATED)


def created(world: World, operation: Operation) -> None:
    registry = world.state.get(KIND, operation.target)
    if registry is not None:
        documents.child(registry, "properties")["provisioningState"] = "Succeeded"
        world.state.put(KIND, operation.target, registry)


def _check(call: Call, asked: Document, before: Document | None) -> None:
    name = call.values["name"]
    if before is None and (taken := unavailable(call, name)):
        if text(taken, "reason") == "Invalid":
            raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidResourceName", text(taken, "message"))
        message = (
            f"The registry DNS name {name.lower()}.{DOMAIN} is already in use. You can check if the name is already "
            "claimed using following API: "
            "https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability"
        )
        raise RefusedError(HTTPStatus.CONFLICT, "AlreadyInUse", message)
    if text(asked, "sku", "name") not in SKUS:
        message = f"The SKU '{text(asked, 'sku', 'name')}' is invalid. Supported SKUs are {', '.join(SKUS)}."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidSku", message)
    located(asked, before)


def unavailable(call: Call, name: str) -> Document:
    """Why no registry can be called so, as `checkNameAvailability` says it; empty if one can."""
    if not NAME.fullmatch(name):
        message = "The registry name is invalid: it has 5 to 50 letters and digits."
        return {"nameAvailable": False, "reason": "Invalid", "message": message}
    if call.world.state.get(HOSTS, f"{name.lower()}.{DOMAIN}") is not None:
        message = f"The registry {name} is already in use."
        return {"nameAvailable": False, "reason": "AlreadyExists", "message": message}
    return {}


def check_name(call: Call) -> Answer:
    return answer(unavailable(call, text(call.document(), "name")) or {"nameAvailable": True})


def _registry(call: Call, asked: Document, before: Document | None) -> Document:
    was = mapping(before, "properties")
    wanted = {**_kept(was), **mapping(asked, "properties")}
    made = system_data(call, before)
    sku = text(asked, "sku", "name") or text(before, "sku", "name")
    return {
        "sku": {"name": sku, "tier": sku},
        "type": KIND,
        "id": text(before, "id") or call.fill(ONE),
        "name": text(before, "name") or call.values["name"],
        "location": located(asked, before),
        "tags": mapping(asked, "tags") or mapping(before, "tags"),
        "systemData": made,
        "properties": {
            "loginServer": text(was, "loginServer") or _login_server(call, wanted),
            "creationDate": text(made, "createdAt"),
            "provisioningState": "Succeeded",
            "adminUserEnabled": wanted.get("adminUserEnabled") is True,
            "networkRuleSet": {"defaultAction": "Allow", "ipRules": []},
            "policies": _policies(wanted, text(made, "lastModifiedAt")),
            "encryption": {"status": "disabled"},
            "dataEndpointEnabled": False,
            "dataEndpointHostNames": [],
            "privateEndpointConnections": [],
            "publicNetworkAccess": text(wanted, "publicNetworkAccess") or "Enabled",
            "networkRuleBypassOptions": "AzureServices",
            "networkRuleBypassAllowedForTasks": wanted.get("networkRuleBypassAllowedForTasks") is True,
            "zoneRedundancy": "Disabled",
            "anonymousPullEnabled": wanted.get("anonymousPullEnabled") is True,
            "metadataSearch": "Disabled",
            "roleAssignmentMode": text(wanted, "roleAssignmentMode") or LEGACY,
            "autoGeneratedDomainNameLabelScope": text(wanted, "autoGeneratedDomainNameLabelScope") or "Unsecure",
        },
    }


def _kept(was: Document) -> Document:
    """What a change that does not name it leaves as it is."""
    names = ("adminUserEnabled", "anonymousPullEnabled", "publicNetworkAccess", "roleAssignmentMode", "policies")
    return {name: was[name] for name in (*names, "autoGeneratedDomainNameLabelScope") if name in was}


def _login_server(call: Call, wanted: Document) -> str:
    """Lower-case; with a hash in it where the name is to be the owner's own, whatever others are called."""
    name = call.values["name"].lower()
    if text(wanted, "autoGeneratedDomainNameLabelScope") in ("", "Unsecure"):
        return f"{name}.{DOMAIN}"
    digest = hashlib.sha256(f"{call.who.tenant_id}/{call.values['subscription']}/{name}".encode()).digest()
    return f"{name}-{''.join(chr(ord('a') + byte % 26) for byte in digest[:12])}.{DOMAIN}"


def _policies(wanted: Document, now: str) -> Document:
    as_arm: JSON = text(wanted, "policies", "azureADAuthenticationAsArmPolicy", "status") or "enabled"
    return {
        "quarantinePolicy": {"status": "disabled"},
        "trustPolicy": {"type": "Notary", "status": "disabled"},
        "retentionPolicy": {"days": 7, "lastUpdatedTime": now, "status": "disabled"},
        "exportPolicy": {"status": "enabled"},
        "azureADAuthenticationAsArmPolicy": {"status": as_arm},
        "softDeletePolicy": {"retentionDays": 7, "lastUpdatedTime": now, "status": "disabled"},
    }


def patch(call: Call) -> Answer:
    before = REGISTRIES.existing(call)
    asked = call.document()
    whole: Document = {"location": before["location"], "sku": before["sku"], **asked}
    _check(call, whole, before)
    return answer(call.world.state.put(KIND, call.fill(ONE), _registry(call, whole, before)))


def delete(call: Call) -> Answer:
    state = call.world.state
    with state.lock:
        registry = state.get(KIND, call.fill(ONE))
        if registry is None:
            return empty(HTTPStatus.NO_CONTENT)
        state.delete(HOSTS, text(registry, "properties", "loginServer"))
        state.delete_below(call.fill(ONE) + "/")
        state.delete(KIND, call.fill(ONE))
    return empty(HTTPStatus.OK)


ROUTES = (
    *REGISTRIES.reading,
    Route("POST", "~/providers/Microsoft.ContainerRegistry/checkNameAvailability", check_name),
    Route("PUT", ONE, put),
    Route("PATCH", ONE, patch),
    Route("DELETE", ONE, delete),
)
FINISHES = {"acr.created": created}
