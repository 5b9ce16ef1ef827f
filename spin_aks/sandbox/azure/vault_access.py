"""Who may do what with the secrets of a vault: by roles, or by the vault's access policies.

https://learn.microsoft.com/azure/key-vault/general/rbac-guide. Being the owner of a vault, or having made it, gives no
right to its secrets. The texts are those of the service, as users report them.
"""

from __future__ import annotations

import ipaddress
from fnmatch import fnmatch
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents, moments
from spin_aks.sandbox.azure import role_definitions, roles
from spin_aks.sandbox.azure.call import RefusedError
from spin_aks.sandbox.azure.vault_names import KIND
from spin_aks.sandbox.web import LOOPBACK

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call, Caller
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document

AUDIENCE = "https://vault.azure.net"
# What a permission is called as an action on data.
ACTIONS = {
    "get": "getSecret/action",
    "list": "readMetadata/action",
    "set": "setSecret/action",
    "update": "update/action",
    "delete": "delete",
    "recover": "recover/action",
    "purge": "purge/action",
}


def check(call: Call, vault: Document, permission: str, secret: str) -> None:
    """Raises RefusedError: 401 with the challenge for a request without a fitting token, 403 for one without rights."""
    caller = _caller(call, vault)
    _check_network(caller, vault)
    if documents.mapping(vault, "properties").get("enableRbacAuthorization") is True:
        _check_roles(call, caller, vault, permission, secret)
    else:
        _check_policies(caller, vault, permission)


def _caller(call: Call, vault: Document) -> Caller:
    tenant = documents.text(vault, "properties", "tenantId")
    authority = f"https://login.microsoftonline.com/{tenant}"
    challenge = ("WWW-Authenticate", f'Bearer authorization="{authority}", resource="{AUDIENCE}"')
    if not call.header("Authorization"):
        message = "AKV10000: Request is missing a Bearer or PoP token."
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Unauthorized", message, challenge)
    if call.caller is None:
        message = "AKV10046: Unable to resolve the key used for signature validation."
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Unauthorized", message, challenge)
    if call.caller.audience.rstrip("/") != AUDIENCE:
        message = f"AKV10022: Invalid audience. Expected {AUDIENCE}, found: {call.caller.audience}."
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Unauthorized", message, challenge)
    if call.caller.tenant_id != tenant:
        wanted, found = (f"https://sts.windows.net/{one}/" for one in (tenant, call.caller.tenant_id))
        message = f"AKV10032: Invalid issuer. Expected one of {wanted}, found {found}."
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Unauthorized", message, challenge)
    return call.caller


def _check_network(caller: Caller, vault: Document) -> None:
    """Whoever asks the sandbox comes from loopback, which a rule of the vault's may name."""
    about = f"Caller: {_named(caller)}\r\nVault: {_placed(vault)}"
    if documents.text(vault, "properties", "publicNetworkAccess").lower() == "disabled":
        message = (
            "Public network access is disabled and request is not from a trusted service nor via an approved private "
            f"link.\r\n{about}"
        )
        raise _forbidden(message, "ForbiddenByConnection")
    rules = documents.mapping(vault, "properties", "networkAcls")
    named = [documents.text(rule, "value") for rule in documents.items(rules, "ipRules")]
    if documents.text(rules, "defaultAction").lower() == "deny" and not any(map(_has_loopback, named)):
        message = (
            f"Client address is not authorized and caller is not a trusted service.\r\nClient address: {LOOPBACK}\r\n"
            f"{about}"
        )
        raise _forbidden(message, "ForbiddenByFirewall")


def _has_loopback(network: str) -> bool:
    try:
        return ipaddress.ip_address(LOOPBACK) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _check_roles(call: Call, caller: Caller, vault: Document, permission: str, secret: str) -> None:
    where = documents.text(vault, "id") + (f"/secrets/{secret}" if secret else "")
    action = f"{KIND}/secrets/{ACTIONS[permission]}"
    if _is_granted(call.world, caller.object_id, action, where):
        return
    message = (
        "Caller is not authorized to perform action on resource.\r\n"
        "If role assignments, deny assignments or role definitions were changed recently, please observe propagation "
        f"time.\r\nCaller: {_named(caller)}\r\n"
        f"Action: '{action}'\r\n"
        f"Resource: '{where.lower()}'\r\n"
        "Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\n"
        f"Vault: {_placed(vault)}\r\n"
    )
    raise _forbidden(message, "ForbiddenByRbac")


def _is_granted(world: World, object_id: str, action: str, where: str) -> bool:
    """Whether one of this principal's roles allows it there; a new assignment has to spread first."""
    for assignment in world.state.all_of(roles.KIND):
        properties = documents.mapping(assignment, "properties")
        if documents.text(properties, "principalId").lower() != object_id.lower():
            continue
        scope = documents.text(properties, "scope").rstrip("/").lower()
        role = documents.text(properties, "roleDefinitionId").rsplit("/", 1)[-1].lower()
        allowed = any(fnmatch(action.lower(), one.lower()) for one in role_definitions.BY_ID[role][-1])
        second = documents.text(properties, "createdOn").partition(".")[0] + "Z"
        has_spread = moments.seconds_since(second) >= world.trouble.propagation_s
        if allowed and has_spread and f"{where.lower()}/".startswith(f"{scope}/"):
            return True
    return False


def _check_policies(caller: Caller, vault: Document, permission: str) -> None:
    mine = [
        policy
        for policy in documents.items(vault, "properties", "accessPolicies")
        if documents.text(policy, "objectId").lower() == caller.object_id.lower()
    ]
    if not mine:
        message = (
            f"Access denied. Caller was not found on any access policy.\r\nCaller: {_named(caller)}\r\n"
            f"Vault: {_placed(vault)}\r\n"
        )
        raise _forbidden(message, "AccessDenied")
    # `all` is every permission but the one that can't be undone.
    wanted = {permission if permission != "update" else "set"} | ({"all"} if permission != "purge" else set())
    if not any(wanted & _permissions(policy) for policy in mine):
        message = (
            f"The user, group or application '{_named(caller)}' does not have secrets {permission} permission on key "
            f"vault '{_placed(vault)}'. For help resolving this issue, please see "
            "https://go.microsoft.com/fwlink/?linkid=2125287"
        )
        raise _forbidden(message, "AccessDenied")


def _permissions(policy: Document) -> set[str]:
    found = documents.at(policy, "permissions", "secrets")
    return {one.lower() for one in found if isinstance(one, str)} if isinstance(found, list) else set()


def _named(caller: Caller) -> str:
    return f"appid={caller.app_id};oid={caller.object_id};iss=https://sts.windows.net/{caller.tenant_id}/"


def _placed(vault: Document) -> str:
    return f"{documents.text(vault, 'name')};location={documents.text(vault, 'location')}"


def _forbidden(message: str, why: str) -> RefusedError:
    return RefusedError(HTTPStatus.FORBIDDEN, "Forbidden", message, extra={"innererror": {"code": why}})
