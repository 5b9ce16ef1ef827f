"""What Azure does not let somebody do, and who can change that."""

from __future__ import annotations

import re

from spin_aks.azure.problems import RERUN, Answer, Kind, Reading
from spin_aks.azure.sign_in_problems import log_in

_DENIED = re.compile(
    r"client '(?P<client>[^']*)' with object id '(?P<oid>[^']*)' .*?perform action '(?P<action>[^']+)'"
    r"(?: over scope '(?P<scope>[^']+)')?"
)
_ASSIGNMENT = re.compile(r"/providers/Microsoft\.Authorization/roleAssignments/[^/]+$", re.IGNORECASE)

# The built-in role that is made for an action: its beginning, and the role's name.
_ROLES = (
    ("microsoft.authorization/roleassignments/", "Role Based Access Control Administrator"),
    (
        "microsoft.containerservice/managedclusters/listclusterusercredential",
        "Azure Kubernetes Service Cluster User Role",
    ),
    ("microsoft.containerservice/", "Azure Kubernetes Service Contributor Role"),
    ("microsoft.keyvault/vaults/secrets/", "Key Vault Secrets Officer"),
    ("microsoft.keyvault/", "Key Vault Contributor"),
    ("microsoft.cache/redis/", "Redis Cache Contributor"),
    ("microsoft.documentdb/", "DocumentDB Account Contributor"),
    ("microsoft.managedidentity/", "Managed Identity Contributor"),
)


def role_for(action: str) -> str:
    """The narrowest built-in role that allows an action of the kind that this project asks for."""
    lower = action.lower()
    if lower.endswith("/read"):
        return "Reader"
    if lower.endswith("/register/action"):
        return "Register Contributor"
    return next((role for beginning, role in _ROLES if lower.startswith(beginning)), "Contributor")


def _there(scope: str, action: str) -> str:
    """The scope to give a role at: what is only to be made can't have one, nor can all resources of a type, so it is
    what those are in.
    """
    lower = action.lower()
    if lower == "microsoft.resources/subscriptions/resourcegroups/write":
        return re.split("/resourcegroups/", scope, maxsplit=1, flags=re.IGNORECASE)[0]
    if lower.endswith("/write") and not lower.startswith("microsoft.authorization/"):
        return scope.partition("/providers/")[0]
    around, provider, resource = scope.rpartition("/providers/")
    names_one = len(resource.split("/")) % 2 == 1 and "/" in resource
    return around if provider and not names_one else scope


def denied(answer: Answer, tenant: str) -> Reading | None:
    if not answer.says("AuthorizationFailed", "LinkedAuthorizationFailed", "LinkedAccessCheckFailed"):
        return None
    found = _DENIED.search(answer.message)
    if found is None:
        hint = "an Owner or User Access Administrator of that resource can grant it"
        return Reading(Kind.DENIED, "a right is missing", hint, said=True)
    scope = _ASSIGNMENT.sub("", found["scope"] or "")
    give = (
        f'az role assignment create --assignee-object-id {found["oid"]} --role "{role_for(found["action"])}" '
        f"--scope {_there(scope, found['action']) or 'SCOPE'}"
    )
    hint = (
        f"an Owner or User Access Administrator of that scope can grant it: `{give}`; then run the same command again "
        f"(it may take minutes to be seen, and `{log_in(tenant)}` if it isn't)"
    )
    return Reading(Kind.DENIED, f"`{found['client']}` may not do `{found['action']}`", hint, scope)


def vault_denied(answer: Answer, _tenant: str) -> Reading | None:
    if answer.says("ForbiddenByFirewall") or "Client address is not authorized" in answer.message:
        hint = (
            "add your address to the vault's firewall: `az keyvault network-rule add --name VAULT --ip-address ADDRESS`"
        )
        return Reading(Kind.DENIED, "the vault's firewall does not let this machine in", hint, said=True)
    if answer.says("ForbiddenByConnection") or "Public network access is disabled" in answer.message:
        hint = "run this from a machine in a network that the vault has a private endpoint in"
        return Reading(Kind.DENIED, "the vault is closed to the public network", hint, said=True)
    if answer.says("ForbiddenByRbac"):
        hint = (
            "an Owner of the vault can give you the role `Key Vault Secrets Officer`; a role that was given just now "
            "takes up to ten minutes to be seen: then run the same command again"
        )
        return Reading(Kind.DENIED, "the vault does not let whoever signed in use its secrets", hint)
    if answer.says("ForbiddenByPolicy", "AccessDenied") and answer.status == 403:
        hint = (
            "whoever keeps the vault can add one: `az keyvault set-policy --name VAULT --object-id OBJECT_ID "
            "--secret-permissions get list set delete recover`"
        )
        return Reading(Kind.DENIED, "none of the vault's access policies is for whoever signed in", hint)
    if answer.status == 403 and answer.code in ("Forbidden", ""):
        return Reading(Kind.DENIED, "Azure forbids it", "ask for the right to do it", said=True)
    return None


def forbidden_by_rules(answer: Answer, _tenant: str) -> Reading | None:
    if answer.says("RequestDisallowedByPolicy", "RequestDisallowedByAzure"):
        hint = "choose what the policy allows (another region, size or name), or ask who keeps it for an exemption"
        return Reading(Kind.POLICY, "a policy of your organisation's or Azure's forbids it", hint, said=True)
    if answer.says("ScopeLocked"):
        hint = "`az lock list` shows the lock; who set it can take it away"
        return Reading(Kind.LOCKED, "the resource or its group is locked", hint, said=True)
    if answer.says("ReadOnlyDisabledSubscription", "DisabledSubscription"):
        hint = "its owner can enable it again in the portal, or choose another with `az account list --output table`"
        return Reading(Kind.DISABLED, "the subscription is disabled", hint, said=True)
    if answer.says("TasksOperationsNotAllowed"):
        hint = "a paid subscription has them; else build without them: `--builder docker` or `--builder oci`"
        return Reading(Kind.POLICY, "this subscription may not use ACR Tasks (a free or trial one may not)", hint)
    return None


_ISSUERS = re.compile(r"sts\.windows\.net/([0-9a-fA-F-]{36})")


def tenant_of(answer: Answer) -> str:
    """The tenant that a subscription belongs to, where Azure refused a token because that is for another one."""
    issuers = _ISSUERS.findall(answer.message) if answer.says("InvalidAuthenticationTokenTenant") else []
    return str(issuers[1]) if len(issuers) > 1 else ""


def token(answer: Answer, tenant: str) -> Reading | None:
    if answer.status != 401:
        return None
    if answer.says("InvalidAuthenticationTokenTenant"):
        issuers = _ISSUERS.findall(answer.message)
        needed = tenant_of(answer)
        what = (
            f"the subscription belongs to tenant `{needed}`" if needed else "the subscription belongs to another tenant"
        )
        mine = f", and the sign-in is to `{issuers[0]}`" if issuers else ""
        return Reading(Kind.WRONG_TENANT, what + mine, f"sign in to that one: `{log_in(needed or 'TENANT')}`")
    if answer.says("InvalidAuthenticationTokenAudience"):
        hint = (
            "set AZURE_AUTHORITY_HOST to the cloud's sign-in host, and `az cloud set --name CLOUD`, then sign in again"
        )
        return Reading(Kind.WRONG_CLOUD, "the sign-in is to another of Azure's clouds", hint, said=True)
    hint = f"sign in again: `{log_in(tenant)}`; then {RERUN}"
    if answer.says("ExpiredAuthenticationToken") or "expired" in answer.message.lower():
        return Reading(Kind.EXPIRED, "the sign-in has expired, and can't be renewed without you", hint)
    return Reading(Kind.EXPIRED, "Azure does not accept the sign-in", hint, said=True)
