"""Whether the clusters of the sandbox's Azure may pull from one of its registries: their kubelets need a role for
it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox.azure import acr, aks, role_definitions, roles
from spin_aks.sandbox.azure.hosts import HOSTS
from spin_aks.sandbox.documents import mapping, text

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document

# Owners may pull, too, unless the registry has repository permissions.
LEGACY = frozenset({role_definitions.ACR_PULL, role_definitions.ACR_PUSH})
LEGACY |= {role_definitions.OWNER, role_definitions.CONTRIBUTOR}
BY_REPOSITORY = frozenset({role_definitions.REPOSITORY_READER, role_definitions.REPOSITORY_WRITER})
BY_REPOSITORY |= {role_definitions.REPOSITORY_CONTRIBUTOR}


def refusal(world: World, host: str, repository: str) -> str:
    """What containerd reports; empty if some cluster may pull, or if no cluster was made here that would have to."""
    named = world.state.get(HOSTS, host)
    if named is None:
        asked = f"https://{host}/v2/{repository}/manifests/"
        return f'failed to do request: Head "{asked}": dial tcp: lookup {host}: no such host'
    registry = mapping(world.state.get(acr.KIND, text(named, "resource")))
    kubelets = [text(cluster, *KUBELET) for cluster in world.state.all_of(aks.KIND)]
    if not kubelets or any(_may_pull(world, registry, one) for one in kubelets):
        return ""
    return (
        f"failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
        f"https://{host}/oauth2/token?scope=repository%3A{repository.replace('/', '%2F')}%3Apull&service={host}: "
        "401 Unauthorized"
    )


KUBELET = ("properties", "identityProfile", "kubeletidentity", "objectId")


def _may_pull(world: World, registry: Document, kubelet: str) -> bool:
    by_repository = text(registry, "properties", "roleAssignmentMode") == acr.ABAC
    wanted = BY_REPOSITORY if by_repository else LEGACY
    anonymous = mapping(registry, "properties").get("anonymousPullEnabled") is True
    return anonymous or bool(kubelet and wanted & roles.of(world, kubelet, text(registry, "id")))
