"""Which rights an environment needs in Azure: its nodes', its vault's, its application's own identity's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.side_by_side import side_by_side
from spin_aks.tasks import resource_identity, resource_vault, resources, rights_identity, rights_vault
from spin_aks.tasks.right import Right, of_role, there

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from spin_aks.azure.aks import Cluster
    from spin_aks.context import Context

ATTACH_ACR = "--attach-acr"


def are_wanted(context: Context) -> bool:
    """Whether anything of Azure's is to be brought together."""
    return _pulls(context) or resource_vault.named(context) is not None or resource_identity.named(context) is not None


def rights(context: Context) -> tuple[Right, ...]:
    """Each as it stands, asked of Azure; changes nothing. Raises AzureError."""
    return tuple(right for some in side_by_side(lambda look: look(), _looks(context)) for right in some)


def _pulls(context: Context) -> bool:
    return resources.cluster(context) is not None and resources.registry(context) is not None


def _looks(context: Context) -> Iterator[Callable[[], Iterable[Right]]]:
    """Questions that don't depend on each other, but for the cluster, which most are about."""
    reads, signs_in = rights_vault.reads_secrets(context), rights_identity.signs_in(context)
    cluster = _cluster(context) if _pulls(context) or reads or signs_in else None
    if cluster is not None and _pulls(context):
        yield lambda: (_pull(context, cluster),)
    if resource_vault.named(context) is not None:
        yield lambda: tuple(rights_vault.rights(context, cluster))
    if resource_identity.named(context) is not None:
        yield lambda: tuple(rights_identity.rights(context, cluster))


def _cluster(context: Context) -> Cluster:
    from spin_aks.azure import aks

    resource = resources.resource_id(context, "cluster")
    return there(aks.get(context.azure, resource), str(resource))


def _pull(context: Context, cluster: Cluster) -> Right:
    from spin_aks.azure import acr, grants

    resource = resources.resource_id(context, "registry")
    wanted = grants.pull(cluster, there(acr.get(context.azure, resource), str(resource)))
    return of_role(context, wanted, ATTACH_ACR, needed=True)
