"""The stage `resources`: find in Azure what the configuration names, or make what it was told to make.

What others ask of it is here: what is named, and what it found. How it does that is in `resolving`, which a run that
has nothing to find does not load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import files
from spin_aks.tasks.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.azure.arm import ResourceId
    from spin_aks.context import Context
    from spin_aks.tasks.azure_place import Named

NAME = "resources"


def cluster(context: Context) -> Named | None:
    """The AKS cluster that is named, if one is."""
    given = context.settings
    if not given.cluster_name or not _wins(context, "cluster.name", "cluster.kubeconfig", "cluster.context"):
        return None
    from spin_aks.tasks.azure_place import Named

    return Named(given.cluster_name, given.cluster_resource_group, given.cluster_subscription)


def registry(context: Context) -> Named | None:
    """The Azure Container Registry that is named, by its own name; its place is the cluster's where none is given."""
    given = context.settings
    by_name = given.registry_name and _wins(context, "container_registry.name", "container_registry.server")
    name = given.registry_name if by_name else given.registry
    if not is_name(name):
        return None
    from spin_aks.tasks.azure_place import Named

    subscription = given.registry_subscription or given.cluster_subscription
    return Named(name, given.registry_resource_group, subscription)


def _wins(context: Context, key: str, *others: str) -> bool:
    """Whether what was said of Azure holds against what was said of a host or a kubeconfig."""
    return context.loaded is None or context.loaded.wins(key, *others)


def is_name(registry: str) -> bool:
    """Whether `--registry` names a registry of Azure's rather than a host, which has a dot or a port."""
    from spin_aks.settings import rules

    return registry != "localhost" and rules.REGISTRY_NAME.accepts(registry)


def in_azure(context: Context) -> bool:
    """Whether anything of Azure's is named: else there is no such stage."""
    given = context.settings
    others = bool(given.vault_name or given.identity_name or given.stores)
    return others or cluster(context) is not None or registry(context) is not None


def before_push(context: Context) -> tuple[str, ...]:
    """What a stage that needs the registry's host waits for."""
    return (NAME,) if registry(context) is not None else ()


def host(context: Context) -> str:
    """The registry's host as it was given; empty for a registry in Azure, of which `found` tells."""
    return "" if registry(context) is not None else context.settings.registry


def found(context: Context) -> tuple[Path, ...]:
    """The file that tells the registry's host, where it is Azure that tells."""
    return (context.state("azure.json"),) if registry(context) is not None else ()


def before_render(context: Context) -> tuple[str, ...]:
    """What the stage waits for that puts the registry's host or the identity's client id into what is applied."""
    return (NAME,) if registry(context) is not None or context.settings.identity_name else ()


def rendered_from(context: Context) -> tuple[Path, ...]:
    """The file that tells those."""
    return (context.state("azure.json"),) if before_render(context) else ()


def stage(context: Context) -> Stage:
    from spin_aks.tasks import resource_identity, resource_stores, resource_vault

    settings = context.settings
    wanted, named = cluster(context), registry(context)
    return Stage(
        name=NAME,
        doc="find what is named in Azure, or make it",
        action=lambda: _resolve(context),
        values={
            "cluster.tenant": settings.cluster_tenant or None,
            "cluster.subscription": settings.cluster_subscription or None,
            "cluster.resource_group": settings.cluster_resource_group or None,
            "cluster.name": wanted.name if wanted else None,
            "container_registry.subscription": settings.registry_subscription or None,
            "container_registry.resource_group": settings.registry_resource_group or None,
            "container_registry.name": named.name if named else None,
            **resource_vault.values(context),
            **resource_identity.values(context),
            **resource_stores.values(context),
        },
        targets=(context.state("azure.json").as_posix(),),
        observed=lambda: context.observed().azure,
        requires=lambda: resource_stores.requirements(context),
    )


def login_server(context: Context) -> str:
    """The host of the registry that is named; empty until this stage has found it."""
    match files.read_json(context.state("azure.json")):
        case {"registry": {"login_server": str(host)}}:
            return host
    return ""


def resource_id(context: Context, what: str) -> ResourceId:
    """The id of the `cluster` or the `registry` that this stage found; raises SpinAksError before it has."""
    from spin_aks.tasks import azure_known

    return azure_known.resource_id(context, what, cluster(context) if what == "cluster" else registry(context))


def kubelet_identity(context: Context) -> str:
    """What tells the cluster from another one that had its name before; empty where this stage found none."""
    match files.read_json(context.state("azure.json")):
        case {"cluster": {"kubelet_identity": str(identity)}}:
            return identity
    return ""


def making(context: Context) -> Path:
    """The file that is another one each time that something is made."""
    return context.state("made.json")


def _resolve(context: Context) -> None:
    from spin_aks.tasks import resolving

    resolving.resolve(context)
