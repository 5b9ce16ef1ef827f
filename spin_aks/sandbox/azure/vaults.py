"""Key vaults: https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults.

A vault is registered in DNS for a while after it was made, without an operation that could be followed. From
api-version 2026-02-01 on, a vault that is made without saying how access is granted has roles, before that access
policies: https://learn.microsoft.com/azure/key-vault/general/access-control-default.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import deleted_vaults, placement, vault_names
from spin_aks.sandbox.azure.call import RefusedError, answer, empty
from spin_aks.sandbox.azure.deleted_vaults import RETENTION_DAYS
from spin_aks.sandbox.azure.made_by import system_data
from spin_aks.sandbox.azure.operations import AT_ONCE
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.azure.vault_names import HOSTS, KIND, ONE, VAULTS, host, uri

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.operations import Finish, Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

ROLES_BY_DEFAULT = "2026-02-01"
OPEN_TO_ALL: Document = {"bypass": "AzureServices", "defaultAction": "Allow"}
GIVEN = (
    *("enabledForDeployment", "enabledForDiskEncryption", "enabledForTemplateDeployment", "enableSoftDelete"),
    *("softDeleteRetentionInDays", "enableRbacAuthorization", "enablePurgeProtection", "publicNetworkAccess"),
)


def put(call: Call) -> Answer:
    asked = call.document()
    name = call.values["vault"]
    if not vault_names.fits(name):
        raise vault_names.malformed(name)
    with call.world.state.lock:
        before = call.world.state.get(KIND, call.fill(ONE))
        gone = deleted_vaults.find(call.world, name)
        if documents.text(asked, "properties", "createMode").lower() == "recover" and before is None:
            return _recover(call, gone)
        if before is None:
            _check_free(call, gone)
        vault = _vault(call, asked, before)
        shown = {**vault, "properties": {**documents.mapping(vault, "properties"), "vaultUri": uri(name).rstrip("/")}}
        call.world.state.put(KIND, call.fill(ONE), vault)
        call.world.state.put(HOSTS, host(name), {})
        if before is not None:
            return answer(vault)
    headers = call.world.operations.begin(call, call.fill(ONE), KIND, "vaults.registered")
    return answer(shown, *headers)


def _check_free(call: Call, gone: Document | None) -> None:
    name = call.values["vault"]
    if gone is not None and documents.text(gone, "subscription").lower() == call.values["subscription"].lower():
        raise vault_names.soft_deleted()
    if gone is not None or VAULTS.named(call.world, name) is not None:
        raise vault_names.taken(name)


def _vault(call: Call, asked: Document, before: Document | None) -> Document:
    sent = documents.mapping(asked, "properties")
    old = documents.mapping(before, "properties")
    tenant = documents.text(sent, "tenantId") or documents.text(old, "tenantId")
    sku = documents.mapping(sent, "sku") or documents.mapping(old, "sku")
    if not tenant or not documents.text(sku, "name"):
        missing = "sku" if tenant else "tenantId"
        message = f"The parameter {missing} is not specified."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message)
    given: Document = {**_defaults(call, old), **{name: sent[name] for name in GIVEN if sent.get(name) is not None}}
    policies = sent.get("accessPolicies", old.get("accessPolicies", []))
    rules = documents.mapping(sent, "networkAcls") or documents.mapping(old, "networkAcls")
    walls: Document = {"networkAcls": rules} if rules and not OPEN_TO_ALL.items() >= rules.items() else {}
    return {
        "id": documents.text(before, "id") or call.fill(ONE),
        "name": documents.text(before, "name") or call.values["vault"],
        "type": KIND,
        "location": placement.place(asked, before),
        "tags": documents.mapping(asked, "tags"),
        "systemData": system_data(call, before),
        "properties": {
            "sku": sku,
            "tenantId": tenant,
            "accessPolicies": policies,
            **walls,
            **given,
            "vaultUri": uri(call.values["vault"]),
            "provisioningState": "Succeeded" if before else "RegisteringDns",
        },
    }


def _defaults(call: Call, old: Document) -> Document:
    if old:
        return {name: old[name] for name in GIVEN if name in old}
    new: Document = {
        "enabledForDeployment": False,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": RETENTION_DAYS,
        "publicNetworkAccess": "Enabled",
    }
    return {**new, "enableRbacAuthorization": True} if call.api_version >= ROLES_BY_DEFAULT else new


def registered(world: World, operation: Operation) -> Document | None:
    vault = world.state.get(KIND, operation.target)
    if vault is not None:
        documents.child(vault, "properties")["provisioningState"] = "Succeeded"
        world.state.put(KIND, operation.target, vault)
    return vault


def get(call: Call) -> Answer:
    vault = VAULTS.existing(call)
    # Whoever waits for the vault has nothing else to look at.
    waits = call.world.operations.running(call.fill(ONE)) is not None
    return answer(vault, *((AT_ONCE,) if waits else ()))


def patch(call: Call) -> Answer:
    """What is sent changes, access policies as a whole; the rest stays."""
    asked = call.document()
    with call.world.state.lock:
        before = VAULTS.existing(call)
        whole = {"tags": documents.mapping(before, "tags"), **asked, "location": documents.text(before, "location")}
        return answer(call.world.state.put(KIND, call.fill(ONE), _vault(call, whole, before)))


def delete(call: Call) -> Answer:
    with call.world.state.lock:
        vault = call.world.state.get(KIND, call.fill(ONE))
        if vault is None:
            return empty(HTTPStatus.NO_CONTENT)
        deleted_vaults.put_aside(call.world, vault)
        # Roles that were given at the vault go, and do not come back with it.
        call.world.state.delete_below(call.fill(ONE) + "/")
        call.world.state.delete(KIND, call.fill(ONE))
    return empty(HTTPStatus.OK)


def _recover(call: Call, gone: Document | None) -> Answer:
    vault = documents.mapping(gone, "vault")
    if not gone or documents.text(vault, "id").lower() != call.fill(ONE).lower():
        raise vault_names.not_deleted(call.values["vault"])
    back: Document = {**vault, "systemData": system_data(call, vault)}
    documents.child(back, "properties")["provisioningState"] = "Succeeded"
    deleted_vaults.forget(call.world, call.values["vault"])
    call.world.state.put(HOSTS, host(call.values["vault"]), {})
    return answer(call.world.state.put(KIND, call.fill(ONE), back))


def check_name(call: Call) -> Answer:
    name = documents.text(call.document(), "name")
    if not vault_names.fits(name):
        refusal = vault_names.malformed(name)
        return answer({"nameAvailable": False, "reason": "AccountNameInvalid", "message": str(refusal)})
    if VAULTS.named(call.world, name) or deleted_vaults.find(call.world, name):
        message = str(vault_names.taken(name))
        return answer({"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return answer({"nameAvailable": True})


ROUTES = (
    Route("POST", "~/providers/Microsoft.KeyVault/checkNameAvailability", check_name),
    Route("PUT", ONE, put),
    # Before how all others are read.
    Route("GET", ONE, get),
    *VAULTS.reading,
    Route("PATCH", ONE, patch),
    Route("DELETE", ONE, delete),
)
FINISHES: dict[str, Finish] = {"vaults.registered": registered}
