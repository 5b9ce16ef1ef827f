"""Key Vaults, seen from outside: finding, making, bringing back a deleted one. What is in them is `secrets.py`.

A vault that is deleted keeps its name for up to 90 days, in the region it was in:
https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spin_aks.azure import roles, wire
from spin_aks.azure.arm import ResourceId, same
from spin_aks.azure.found import only
from spin_aks.azure.operations import follow, make, taken_up
from spin_aks.azure.problems import AzureRefusalError, Kind, if_registered, or_none, reported
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from azure.core.polling import LROPoller
    from azure.mgmt.keyvault import KeyVaultManagementClient

    from spin_aks.azure.operations import Watch
    from spin_aks.azure.roles import Grant
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSON, JSONObject

KIND = "Microsoft.KeyVault/vaults"
TITLE = "Key Vault"
READ = ("get",)
KEEP = ("get", "list", "set", "delete", "recover")


@dataclass(frozen=True, slots=True)
class Policy:
    """What one principal may do with the secrets of a vault without roles, in lower case."""

    object_id: str
    secrets: frozenset[str]


@dataclass(frozen=True, slots=True)
class Vault:
    """`rbac`: rights are roles; else they are `policies`. `uri` is where its secrets are, with its last slash.

    `public`: reached from everywhere, but for what `firewall` keeps out.
    """

    id: ResourceId
    location: str
    state: str
    uri: str
    tenant: str
    rbac: bool
    public: bool
    policies: tuple[Policy, ...]
    firewall: bool = False


@dataclass(frozen=True, slots=True)
class DeletedVault:
    """`id` is what it had. A `protected` one can't be purged before `purged_on` (RFC 3339)."""

    id: ResourceId
    location: str
    deleted_on: str
    purged_on: str
    protected: bool


def vaults(session: Session, subscription: str) -> tuple[Vault, ...]:
    """All of a subscription; raises AzureError."""
    with reported("list Key Vaults", f"/subscriptions/{subscription}", tenant=session.tenant):
        return tuple(parse(wire.document(one)) for one in _client(session, subscription).vaults.list_by_subscription())


def find(session: Session, subscription: str, name: str, group: str = "") -> Vault:
    """The one of that name, in whatever group if none is given; raises NotFoundError, AmbiguousError, AzureError."""
    if group:
        found = get(session, ResourceId.of(subscription, group, KIND, name))
        if found is not None:
            return found
    return only(if_registered(lambda: vaults(session, subscription), ()), TITLE, name, group)


def get(session: Session, resource: ResourceId) -> Vault | None:
    """The vault, or None if there is none (a deleted one is none); raises AzureError."""

    def look() -> Vault:
        with reported(f"look up vault `{resource.name}`", str(resource), tenant=session.tenant):
            return parse(
                wire.document(_client(session, resource.subscription).vaults.get(resource.group, resource.name))
            )

    return or_none(look)


def deleted(session: Session, subscription: str, name: str) -> DeletedVault | None:
    """The deleted vault of that name that can still be recovered, if the subscription has one; raises AzureError."""
    task = f"see whether a vault `{name}` was deleted"

    def look() -> DeletedVault | None:
        with reported(task, f"/subscriptions/{subscription}", tenant=session.tenant):
            for one in _client(session, subscription).vaults.list_deleted():
                document = wire.document(one)
                if same(wire.text(document, "name"), name):
                    return _deleted(document)
        return None

    return if_registered(look, None)


def why_not(session: Session, subscription: str, name: str) -> str:
    """Why no vault of that name can be made, in Azure's words; empty if one can, as far as Azure tells.

    Raises AzureError.
    """
    question: Any = {"name": name, "type": KIND}

    def ask() -> str:
        with reported(f"see whether the name `{name}` is free", KIND, tenant=session.tenant):
            return wire.why_not(wire.document(_client(session, subscription).vaults.check_name_availability(question)))

    return if_registered(ask, "")


def body(location: str, tenant: str, *, recover: bool = False) -> JSONObject:
    """A vault with roles, or the one that was deleted as it was."""
    properties: JSONObject = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}}
    if recover:
        properties["createMode"] = "recover"
    else:
        properties |= {"enableRbacAuthorization": True, "enableSoftDelete": True}
    return {"location": location, "properties": properties}


def create(session: Session, resource: ResourceId, location: str, tenant: str, watch: Watch) -> Vault:
    """Makes the vault, or gives the one that is there; about half a minute.

    Raises AzureError; an AzureRefusalError of kind SOFT_DELETED where a deleted vault holds the name, which `recover`
    brings back and `purge` frees.
    """
    return _made(session, resource, body(location, tenant), f"make vault `{resource.name}`", watch)


def recover(session: Session, resource: ResourceId, gone: DeletedVault, tenant: str, watch: Watch) -> Vault:
    """Brings back a deleted vault with all its secrets, in the group that it was in; raises AzureError."""
    wanted = body(gone.location, tenant, recover=True)
    return _made(session, resource, wanted, f"recover vault `{resource.name}`", watch)


def purge(session: Session, gone: DeletedVault, watch: Watch) -> None:
    """Ends a deleted vault for good: nothing of it comes back. Raises AzureError."""
    task = f"purge the deleted vault `{gone.id.name}`"
    if gone.protected:
        what = f"can't {task}: it is protected until {gone.purged_on}"
        raise AzureError(what, where=str(gone.id), hint="recover it, or choose another name")
    operations = _client(session, gone.id.subscription).vaults

    def begin(token: str | None) -> LROPoller[None]:
        return operations.begin_purge_deleted(gone.id.name, gone.location, **taken_up(token))

    follow(watch, task, gone.id, begin)


def check_policy(vault: Vault, what: str, object_id: str, permissions: tuple[str, ...]) -> Grant:
    """Whether one of the vault's access policies lets that principal do this; `role` of the grant says what."""
    allowed = next((policy.secrets for policy in vault.policies if same(policy.object_id, object_id)), frozenset())
    given = "all" in allowed or set(permissions) <= allowed
    role = f"access policy: secrets {', '.join(permissions)}"
    return roles.Grant(what, str(vault.id), object_id, role, roles.PRESENT if given else roles.MISSING)


def policy_body(tenant: str, object_id: str, permissions: tuple[str, ...]) -> JSONObject:
    secrets: list[JSON] = [*permissions]
    policy: JSONObject = {"tenantId": tenant, "objectId": object_id, "permissions": {"secrets": secrets}}
    return {"properties": {"accessPolicies": [policy]}}


def policy_command(vault: Vault, object_id: str, permissions: tuple[str, ...]) -> str:
    """What somebody else may type to add it."""
    return (
        f"az keyvault set-policy --subscription {vault.id.subscription} --name {vault.id.name} --object-id {object_id} "
        f"--secret-permissions {' '.join(permissions)}"
    )


def allow(session: Session, vault: Vault, what: str, object_id: str, permissions: tuple[str, ...]) -> Grant:
    """Adds what is missing to the principal's access policy, leaving all others as they are; raises AzureError."""
    grant = check_policy(vault, what, object_id, permissions)
    if grant.state == roles.PRESENT:
        return grant
    task = f"add an access policy to vault `{vault.id.name}`"
    added: Any = policy_body(vault.tenant, object_id, permissions)
    try:
        with reported(task, str(vault.id), tenant=session.tenant):
            given = _client(session, vault.id.subscription).vaults.update_access_policy(
                vault.id.group, vault.id.name, "add", added
            )
            wire.check_named(wire.document(given))
    except AzureRefusalError as error:
        if error.kind is not Kind.DENIED:
            raise
        who = "an Owner or Key Vault Contributor of that vault"
        raise roles.denied(error, policy_command(vault, object_id, permissions), who) from error
    return roles.Grant(grant.what, grant.scope, grant.principal_id, grant.role, roles.MADE)


def _made(session: Session, resource: ResourceId, wanted: JSONObject, task: str, watch: Watch) -> Vault:
    operations = _client(session, resource.subscription).vaults
    sent: Any = wanted

    def begin(token: str | None) -> LROPoller[Any]:
        return operations.begin_create_or_update(resource.group, resource.name, sent, **taken_up(token))

    return make(watch, task, resource, lambda: get(session, resource), begin)


def _client(session: Session, subscription: str) -> KeyVaultManagementClient:
    from azure.mgmt.keyvault import KeyVaultManagementClient

    return session.client(KeyVaultManagementClient, subscription)


def parse(document: JSONObject) -> Vault:
    """A vault from the JSON of Microsoft.KeyVault/vaults; one made before 2023 has no state, and is whole."""
    properties = wire.at(document, "properties")
    return Vault(
        id=wire.resource(document),
        location=wire.text(document, "location"),
        state=wire.text(properties, "provisioningState") or "Succeeded",
        uri=wire.text(properties, "vaultUri"),
        tenant=wire.text(properties, "tenantId"),
        rbac=wire.flag(properties, "enableRbacAuthorization"),
        public=wire.text(properties, "publicNetworkAccess").lower() != "disabled",
        policies=tuple(_policy(one) for one in wire.objects(properties, "accessPolicies")),
        firewall=wire.text(properties, "networkAcls", "defaultAction").lower() == "deny",
    )


def _policy(found: JSONObject) -> Policy:
    listed = wire.at(found, "permissions", "secrets")
    allowed = frozenset(str(one).lower() for one in listed) if isinstance(listed, list) else frozenset()
    return Policy(wire.text(found, "objectId"), allowed)


def _deleted(document: JSONObject) -> DeletedVault:
    properties = wire.at(document, "properties")
    return DeletedVault(
        ResourceId.parse(wire.text(properties, "vaultId")),
        wire.text(properties, "location"),
        wire.text(properties, "deletionDate"),
        wire.text(properties, "scheduledPurgeDate"),
        wire.flag(properties, "purgeProtectionEnabled"),
    )
