"""The stage `resources`: find in Azure what the configuration names, or make what it was told to make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spin_aks import files, terminal
from spin_aks.errors import AzureError, SpinAksError
from spin_aks.tasks.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spin_aks.azure.acr import Registry
    from spin_aks.azure.aks import Cluster
    from spin_aks.azure.aks_body import NewCluster
    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session
    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject

NAME = "resources"
LOCATION = "eastus2"


@dataclass(frozen=True, slots=True)
class Named:
    """A resource as the configuration names it: `group` and `subscription` may be empty, for Azure to tell."""

    name: str
    group: str
    subscription: str


def cluster(context: Context) -> Named | None:
    """The AKS cluster that is named, if one is."""
    given = context.settings
    if not given.cluster_name or not _wins(context, "cluster.name", "cluster.kubeconfig", "cluster.context"):
        return None
    return Named(given.cluster_name, given.cluster_resource_group, given.cluster_subscription)


def registry(context: Context) -> Named | None:
    """The Azure Container Registry that is named, by its own name; its place is the cluster's where none is given."""
    given = context.settings
    by_name = given.registry_name and _wins(context, "container_registry.name", "container_registry.server")
    name = given.registry_name if by_name else given.registry
    if not is_name(name):
        return None
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
    return cluster(context) is not None or registry(context) is not None


def before_push(context: Context) -> tuple[str, ...]:
    """What a stage that needs the registry's host waits for."""
    return (NAME,) if registry(context) is not None else ()


def found(context: Context) -> tuple[Path, ...]:
    """The file that tells the registry's host, where it is Azure that tells."""
    return (context.state("azure.json"),) if registry(context) is not None else ()


def stage(context: Context) -> Stage:
    settings = context.settings
    named = registry(context)
    return Stage(
        name=NAME,
        doc="find the cluster and the registry in Azure, or make them",
        action=lambda: _resolve(context),
        values={
            "cluster.tenant": settings.cluster_tenant or None,
            "cluster.subscription": settings.cluster_subscription or None,
            "cluster.resource_group": settings.cluster_resource_group or None,
            "cluster.name": settings.cluster_name or None,
            "container_registry.subscription": settings.registry_subscription or None,
            "container_registry.resource_group": settings.registry_resource_group or None,
            "container_registry.name": named.name if named else None,
        },
        targets=(context.state("azure.json").as_posix(),),
        observed=lambda: context.observed().azure,
    )


def login_server(context: Context) -> str:
    """The host of the registry that is named; empty until this stage has found it."""
    match files.read_json(context.state("azure.json")):
        case {"registry": {"login_server": str(host)}}:
            return host
    return ""


def resource_id(context: Context, what: str) -> ResourceId:
    """The id of the `cluster` or the `registry` that this stage found; raises SpinAksError before it has."""
    from spin_aks.azure.arm import ResourceId

    match files.read_json(context.state("azure.json")):
        case {"cluster": {"id": str(found)}} if what == "cluster":
            return ResourceId.parse(found)
        case {"registry": {"id": str(found)}} if what == "registry":
            return ResourceId.parse(found)
    raise SpinAksError(f"it is not known yet which {what} is meant", hint=f"spin-aks run {NAME}")


def drift(context: Context) -> tuple[str, ...]:
    """What Azure no longer has of what was found, in sentences."""
    from spin_aks.azure import acr, aks

    document = files.read_json(context.state("azure.json")) or {}
    looks: dict[str, Callable[[Session, ResourceId], Cluster | Registry | None]] = {
        "cluster": aks.get,
        "registry": acr.get,
    }
    wanted = [what for what in looks if isinstance(document.get(what), dict)]
    return tuple(
        f"there is no {what} `{found.name}` in Azure any more"
        for what in wanted
        if looks[what](context.azure, found := resource_id(context, what)) is None
    )


def watch(context: Context) -> Watch:
    """How long operations in this environment are watched: what is begun is noted, for a run that is cut short."""
    from spin_aks.azure.operations import Journal, Watch

    return Watch(terminal.say, Journal(context.state("operations.json")))


def _resolve(context: Context) -> None:
    document: dict[str, JSON] = {}
    subscription = _subscription(context)
    beside = context.settings.cluster_resource_group
    wanted = cluster(context)
    if wanted is not None:
        found = _cluster(context, replace(wanted, subscription=wanted.subscription or subscription))
        document["cluster"], beside = _told(found), found.id.group
    named = registry(context)
    if named is not None:
        placed = replace(named, subscription=named.subscription or subscription)
        document["registry"] = _kept(_registry(context, placed, beside))
    files.write_json(context.state("azure.json"), document)


def _subscription(context: Context) -> str:
    """The one that was named, or the only one that whoever signed in sees."""
    from spin_aks.azure import subscriptions

    given = context.settings.cluster_subscription
    if given:
        return subscriptions.get(context.azure, given).id
    chosen = subscriptions.choose(subscriptions.subscriptions(context.azure), "", context.azure.tenant)
    terminal.say(f"subscription `{chosen.name}` ({chosen.id})")
    return chosen.id


def _cluster(context: Context, named: Named) -> Cluster:
    from spin_aks.azure import aks
    from spin_aks.azure.found import NotFoundError

    try:
        found = aks.find(context.azure, named.subscription, named.name, named.group)
    except NotFoundError as missing:
        return _made_cluster(context, named, missing)
    if found.state.lower() in ("creating", "updating"):
        return aks.create(context.azure, _new_cluster(context, named), watch(context))
    return found


def _made_cluster(context: Context, named: Named, missing: AzureError) -> Cluster:
    from spin_aks.azure import aks

    new = _new_cluster(context, named)
    _may_make(context, "cluster", missing, [f"{what}{f' ({why})' if why else ''}" for what, why in new.explained()])
    _group(context, new.id, new.location)
    return aks.create(context.azure, new, watch(context))


def _new_cluster(context: Context, named: Named) -> NewCluster:
    from spin_aks.azure import aks_body
    from spin_aks.azure.arm import ResourceId

    settings = context.settings
    group = named.group or named.name
    return aks_body.NewCluster(
        ResourceId.of(named.subscription, group, aks_body.KIND, named.name),
        settings.location,
        settings.node_size,
        settings.node_count,
    )


def _registry(context: Context, named: Named, beside: str) -> Registry:
    """The registry; a new one is made in the resource group `beside`, the cluster's, where none is given."""
    from spin_aks.azure import acr
    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.found import NotFoundError

    try:
        return acr.find(context.azure, named.subscription, named.name, named.group)
    except NotFoundError as missing:
        group = named.group or beside or named.name
        resource = ResourceId.of(named.subscription, group, acr.KIND, named.name)
        if why := acr.why_not(context.azure, named.subscription, named.name):
            raise AzureError(f"no registry `{named.name}` can be made", where=str(resource), why=why) from missing
        location = context.settings.location
        _may_make(context, "registry", missing, [f"registry `{named.name}` in resource group `{group}`, {location}"])
        _group(context, resource, location)
        return acr.create(context.azure, resource, location, watch(context))


def _may_make(context: Context, what: str, missing: AzureError, plan: list[str]) -> None:
    """Shows what would be made, and raises `missing` with the way to have it made unless that was asked for."""
    terminal.say(f"to be made in Azure: {'; '.join(plan)}")
    if what in context.consent.create:
        return
    if context.consent.ask:
        from spin_aks import prompts

        if prompts.confirm("It costs money. Make it?", default=False):
            return
    hint = f"`--create-{what}` makes it"
    if missing.problems[0].hint:
        hint = f"{missing.problems[0].hint}; {hint}"
    missing.problems = (replace(missing.problems[0], hint=hint),)
    raise missing


def _group(context: Context, resource: ResourceId, location: str) -> None:
    """Makes the resource group that a resource is to be in, if it is not there."""
    from spin_aks.azure import groups
    from spin_aks.azure.arm import ResourceId

    group = ResourceId(resource.subscription, resource.group)
    if groups.get(context.azure, group) is None:
        groups.create(context.azure, group, location, watch(context))


def _told(found: Cluster) -> JSONObject:
    kubelet = found.kubelet.object_id if found.kubelet else ""
    return {"id": str(found.id), "location": found.location, "private": found.private, "kubelet_identity": kubelet}


def _kept(found: Registry) -> JSONObject:
    return {"id": str(found.id), "login_server": found.login_server, "abac": found.abac}
