"""Resource providers and their registration: https://learn.microsoft.com/rest/api/resources/providers.

All are registered, but for those which the trouble file calls `unregistered`: these are registered when asked. That
takes one look longer than the answer, and at least as long as the trouble file says, as the real one takes minutes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import locations
from spin_aks.sandbox.azure.call import Call, RefusedError, answer, page
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

KIND = "providers"
ONE = "~/providers/{namespace}"
TYPES = {
    "Microsoft.Authorization": ("roleAssignments", "roleDefinitions"),
    "Microsoft.Cache": ("Redis", "redisEnterprise"),
    "Microsoft.Compute": ("locations/usages", "virtualMachineScaleSets", "virtualMachines"),
    "Microsoft.ContainerRegistry": ("registries",),
    "Microsoft.ContainerService": ("managedClusters",),
    "Microsoft.DocumentDB": ("databaseAccounts",),
    "Microsoft.KeyVault": ("vaults", "deletedVaults"),
    "Microsoft.ManagedIdentity": ("userAssignedIdentities",),
    "Microsoft.Network": ("loadBalancers", "publicIPAddresses", "virtualNetworks"),
    "Microsoft.Resources": ("resourceGroups", "subscriptions"),
}


def registration(call: Call, namespace: str) -> str:
    """NotRegistered, Registering or Registered."""
    found = call.world.state.get(KIND, _key(call, namespace))
    if found is not None:
        return documents.text(found, "registrationState")
    return "NotRegistered" if call.world.trouble.unregistered(namespace) else "Registered"


def get(call: Call) -> Answer:
    namespace = _known(call)
    state = registration(call, namespace)
    shown = answer(_provider(call, namespace, state))
    if state == "Registering" and time.time() >= _ends(call, namespace):
        call.world.state.put(KIND, _key(call, namespace), {"registrationState": "Registered"})
    return shown


def _ends(call: Call, namespace: str) -> float:
    found = call.world.state.get(KIND, _key(call, namespace)) or {}
    ends = found.get("ends")
    return float(ends) if isinstance(ends, int | float) else 0.0


def list_all(call: Call) -> Answer:
    return page(call, [_provider(call, namespace, registration(call, namespace)) for namespace in TYPES])


def register(call: Call) -> Answer:
    namespace = _known(call)
    if registration(call, namespace) == "NotRegistered":
        ends = time.time() + call.world.trouble.registration_s
        call.world.state.put(KIND, _key(call, namespace), {"registrationState": "Registering", "ends": ends})
    return answer(_provider(call, namespace, registration(call, namespace)))


def _known(call: Call) -> str:
    asked = call.values["namespace"]
    for namespace in TYPES:
        if namespace.lower() == asked.lower():
            return namespace
    message = f"The resource namespace '{asked}' is invalid."
    raise RefusedError(404, "InvalidResourceNamespace", message, ("x-ms-failure-cause", "gateway"))


def _key(call: Call, namespace: str) -> str:
    return f"{call.values['subscription']}/{namespace}"


def _provider(call: Call, namespace: str, state: str) -> Document:
    regions: list[documents.JSON] = [*locations.DISPLAY_NAMES.values()]
    return {
        "id": call.fill(ONE, namespace=namespace),
        "namespace": namespace,
        "resourceTypes": [
            {"resourceType": kind, "locations": [*regions], "apiVersions": [call.api_version], "capabilities": "None"}
            for kind in TYPES[namespace]
        ],
        "registrationState": state,
        "registrationPolicy": "RegistrationRequired",
    }


ROUTES = (
    Route("GET", "~/providers", list_all),
    Route("GET", ONE, get),
    Route("POST", ONE + "/register", register),
)
FINISHES: dict[str, Finish] = {}
