"""Which rights an application needs: decided here, given by `roles.py`, `vaults.py` and `cosmos.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.azure.roles import (
    ACR_PULL,
    ACR_PUSH,
    REPOSITORY_READER,
    REPOSITORY_WRITER,
    SECRETS_OFFICER,
    SECRETS_USER,
    Wanted,
)
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from spin_aks.azure.acr import Registry
    from spin_aks.azure.aks import Cluster, Identity
    from spin_aks.azure.credential import Person
    from spin_aks.azure.identities import ManagedIdentity
    from spin_aks.azure.vaults import Vault


def pull(cluster: Cluster, registry: Registry) -> Wanted:
    """The cluster's nodes may pull from the registry; of one with rights by repository, the role that it honours.

    Raises AzureError for a cluster whose nodes have no identity of their own (yet).
    """
    if cluster.kubelet is None:
        what = f"the nodes of cluster `{cluster.id.name}` have no managed identity that could be let in to the registry"
        role = REPOSITORY_READER if registry.abac else ACR_PULL
        hint = (
            f"is it being made? One with a service principal: `az role assignment create --assignee CLIENT_ID "
            f'--role "{role.name}" --scope {registry.id}`'
        )
        raise AzureError(what, where=str(cluster.id), hint=hint)
    what = f"the nodes of cluster `{cluster.id.name}` pull images from registry `{registry.id.name}`"
    return Wanted(what, registry.id, cluster.kubelet.object_id, REPOSITORY_READER if registry.abac else ACR_PULL)


def push(person: Person, registry: Registry) -> Wanted:
    """Whoever signed in may push."""
    what = f"`{person.name}` pushes images to registry `{registry.id.name}`"
    role = REPOSITORY_WRITER if registry.abac else ACR_PUSH
    return Wanted(what, registry.id, person.object_id, role, person.kind)


def keep_secrets(person: Person, vault: Vault) -> Wanted:
    """Whoever signed in may write secrets: who makes a vault may not by that alone."""
    what = f"`{person.name}` keeps secrets in vault `{vault.id.name}`"
    return Wanted(what, vault.id, person.object_id, SECRETS_OFFICER, person.kind)


def addon_identity(cluster: Cluster) -> Identity:
    """Who reads secrets for the cluster; raises AzureError where the Key Vault add-on is off."""
    if cluster.keyvault_identity is None:
        what = f"cluster `{cluster.id.name}` has no Key Vault add-on, which would read the secrets"
        raise AzureError(what, where=str(cluster.id), hint="`--enable-keyvault-addon` turns it on")
    return cluster.keyvault_identity


def addon_reads(cluster: Cluster, vault: Vault) -> str:
    """What the add-on's right is for."""
    return f"the Key Vault add-on of cluster `{cluster.id.name}` reads secrets of vault `{vault.id.name}`"


def read_secrets(cluster: Cluster, vault: Vault) -> Wanted:
    """The cluster's Key Vault add-on may read secrets (of a vault with roles); raises AzureError where it is off."""
    return Wanted(addon_reads(cluster, vault), vault.id, addon_identity(cluster).object_id, SECRETS_USER)


def application_reads_secrets(identity: ManagedIdentity, vault: Vault) -> Wanted:
    """An application's own identity may read secrets."""
    what = f"identity `{identity.id.name}` reads secrets of vault `{vault.id.name}`"
    return Wanted(what, vault.id, identity.object_id, SECRETS_USER)
