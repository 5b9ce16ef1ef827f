"""Vaults that were deleted: they keep their names and their secrets until they are recovered or purged.

https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents, moments
from spin_aks.sandbox.azure import vault_names
from spin_aks.sandbox.azure.call import RefusedError, answer, empty, filled, page
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.operations import Finish, Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

KIND = "Microsoft.KeyVault/deletedVaults"
ALL = "~/providers/Microsoft.KeyVault/deletedVaults"
ONE = "~/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{vault}"
RESULT = "~/providers/Microsoft.KeyVault/locations/{location}/operationResults/{{id}}"
RETENTION_DAYS = 90


def put_aside(world: World, vault: Document) -> None:
    """Keeps a vault that is deleted, so that it can be recovered or purged."""
    name, location = documents.text(vault, "name"), documents.text(vault, "location")
    subscription = documents.text(vault, "id").split("/")[2]
    days = documents.number(vault, "properties", "softDeleteRetentionInDays", default=RETENTION_DAYS)
    protected = documents.mapping(vault, "properties").get("enablePurgeProtection") is True
    where = {"subscription": subscription, "location": location, "vault": name}
    shown: Document = {
        "id": filled(ONE, where),
        "name": name,
        "type": KIND,
        "properties": {
            "vaultId": documents.text(vault, "id"),
            "location": location,
            "tags": documents.mapping(vault, "tags"),
            "deletionDate": moments.now(),
            "scheduledPurgeDate": f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}",
            **({"purgeProtectionEnabled": True} if protected else {}),
        },
    }
    world.state.delete(vault_names.HOSTS, vault_names.host(name))
    world.state.put(KIND, name, {"subscription": subscription, "shown": shown, "vault": vault})


def put_aside_below(world: World, prefix: str) -> None:
    """Keeps the vaults of a group that is deleted."""
    for vault in world.state.all_of(vault_names.KIND, prefix):
        put_aside(world, vault)


def list_all(call: Call) -> Answer:
    subscription = call.values["subscription"].lower()
    kept = call.world.state.all_of(KIND)
    found = [one for one in kept if documents.text(one, "subscription").lower() == subscription]
    return page(call, [documents.mapping(one, "shown") for one in found])


def get(call: Call) -> Answer:
    return answer(documents.mapping(_existing(call), "shown"))


def purge(call: Call) -> Answer:
    gone = _existing(call)
    if documents.mapping(gone, "shown", "properties").get("purgeProtectionEnabled") is True:
        message = "Operation 'DeletedVaultPurge' is not allowed."
        raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    note: Document = {"vault": call.values["vault"]}
    target, result = call.fill(ONE), call.fill(RESULT)
    headers = call.world.operations.begin(call, target, KIND, "vaults.purged", result=result, note=note)
    return empty(HTTPStatus.ACCEPTED, *headers)


def purged(world: World, operation: Operation) -> Document:
    name = documents.text(operation.note, "vault")
    world.state.delete(KIND, name)
    world.state.delete_below(f"{vault_names.host(name)}/")
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
    return {"createdDateTime": operation.started, "lastActionDateTime": now, "status": "Succeeded"}


def _existing(call: Call) -> Document:
    gone = find(call.world, call.values["vault"])
    if gone is None or documents.text(gone, "shown", "id").lower() != call.fill(ONE).lower():
        raise vault_names.not_deleted(call.values["vault"])
    return gone


def find(world: World, name: str) -> Document | None:
    """`subscription`, `shown` (what Azure shows of it) and `vault` (what it was)."""
    return world.state.get(KIND, name)


def forget(world: World, name: str) -> None:
    """For a vault that is back."""
    world.state.delete(KIND, name)


ROUTES = (
    Route("GET", ALL, list_all),
    Route("GET", ONE, get),
    Route("POST", ONE + "/purge", purge),
)
FINISHES: dict[str, Finish] = {"vaults.purged": purged}
