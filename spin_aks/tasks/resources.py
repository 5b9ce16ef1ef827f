"""The stage `resources`: find in Azure what the configuration names, or make what it was told to make."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from spin_aks import files
from spin_aks.errors import SpinAksError
from spin_aks.side_by_side import side_by_side
from spin_aks.tasks import (
    azure_known,
    azure_providers,
    azure_subscription,
    resource_cluster,
    resource_identity,
    resource_registry,
    resource_stores,
    resource_vault,
)
from spin_aks.tasks.azure_place import Named
from spin_aks.tasks.making import Missing
from spin_aks.tasks.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from spin_aks.azure.arm import ResourceId
    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.settings.stores import Store

NAME = "resources"
LOCATION = "eastus2"


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
    others = resource_vault.named(context), resource_identity.named(context), *resource_stores.named(context)
    return cluster(context) is not None or registry(context) is not None or any(others)


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
    return (NAME,) if registry(context) is not None or resource_identity.named(context) is not None else ()


def rendered_from(context: Context) -> tuple[Path, ...]:
    """The file that tells those."""
    return (context.state("azure.json"),) if before_render(context) else ()


def stage(context: Context) -> Stage:
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
    from spin_aks.azure.arm import ResourceId

    match files.read_json(context.state("azure.json")):
        case {"cluster": {"id": str(found)}} if what == "cluster":
            return ResourceId.parse(found)
        case {"registry": {"id": str(found)}} if what == "registry":
            return ResourceId.parse(found)
    raise SpinAksError(f"it is not known yet which {what} is meant", hint=f"spin-aks run {NAME}")


def kubelet_identity(context: Context) -> str:
    """What tells the cluster from another one that had its name before; empty where this stage found none."""
    match files.read_json(context.state("azure.json")):
        case {"cluster": {"kubelet_identity": str(identity)}}:
            return identity
    return ""


def all_known(context: Context) -> bool:
    """Whether this stage has found all that is named now."""
    named = {
        resource_cluster.WHAT: cluster(context),
        resource_registry.WHAT: registry(context),
        resource_vault.WHAT: resource_vault.named(context),
        resource_identity.WHAT: resource_identity.named(context),
    }
    found = all(azure_known.entry(context, what, one) for what, one in named.items() if one is not None)
    return found and all(resource_stores.known(context, store) for store in resource_stores.named(context))


def gone(context: Context) -> dict[str, str]:
    """What Azure no longer has of what was found, or has another one of by now: `cluster`, `registry`, `keyvault`,
    `identity` or `store.LABEL`, and a sentence.
    """
    looks = [resource_vault.gone, resource_identity.gone, resource_stores.gone]
    if (wanted := cluster(context)) is not None:
        looks.append(partial(resource_cluster.gone, named=wanted))
    if (named := registry(context)) is not None:
        looks.append(partial(resource_registry.gone, named=named))
    found = side_by_side(lambda look: look(context), looks)
    return {what: sentence for one in found for what, sentence in one.items() if sentence}


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found of a resource: `told` gives what is kept of it, once it is whole; what is `missing` is made by
    that. `name` is that in azure.json, or a store's label.
    """

    name: str
    missing: Missing | None
    told: Callable[[], JSONObject]
    is_store: bool = False


def _resolve(context: Context) -> None:
    """Everything is looked for, then allowed, then made: nothing is half made because the other may not be."""
    meant, wanted = azure_subscription.meant(context, tuple(_named(context))), cluster(context)
    context, subscription = context.in_tenant(meant.tenant), meant.subscription
    found = resource_cluster.find(context, wanted.within(subscription)) if wanted else None
    beside = found.id.group if found else context.settings.cluster_resource_group
    looked = list(side_by_side(lambda look: look(), _looks(context, subscription, beside)))
    if found is not None:
        looked.insert(
            0,
            Looked(
                resource_cluster.WHAT,
                _missing(found),
                lambda: resource_cluster.told(resource_cluster.whole(context, found)),
            ),
        )
    missing = [one.missing for one in looked if one.missing]
    azure_providers.allow(context, missing)
    if missing:
        _note_making(context, missing)
    document: dict[str, JSON] = {}
    stores: dict[str, JSON] = {}
    for one in looked:
        (stores if one.is_store else document)[one.name] = one.told()
    whole: JSONObject = {**document, **({"stores": stores} if stores else {})}
    files.write_json(context.state("azure.json"), {**({"tenant": meant.tenant} if meant.tenant else {}), **whole})


def _note_making(context: Context, missing: Sequence[Missing]) -> None:
    """Before any of it is made: nobody has a right to what is made or recovered just now, though its id says nothing of
    that, and a run that is cut short in between must not hide it.
    """
    ids: list[JSON] = [str(one.id) for one in missing]
    files.write_json(making(context), {"made": ids, "run": uuid.uuid4().hex})


def making(context: Context) -> Path:
    """The file that is another one each time that something is made."""
    return context.state("made.json")


def _looks(context: Context, subscription: str, beside: str) -> Iterator[Callable[[], Looked]]:
    """Questions that don't depend on each other; a new resource is made in the group `beside`, the cluster's."""
    named, vault = registry(context), resource_vault.named(context)
    if named is not None:
        yield partial(_look_for_registry, context, named.within(subscription), beside)
    if vault is not None:
        yield partial(_look_for_vault, context, vault.within(subscription), beside)
    identity = resource_identity.named(context)
    if identity is not None:
        yield partial(_look_for_identity, context, identity.within(subscription), beside)
    for store in resource_stores.named(context):
        yield partial(_look_for_store, context, store, subscription, beside)


def _look_for_registry(context: Context, named: Named, beside: str) -> Looked:
    found = resource_registry.find(context, named, beside)
    return Looked(
        resource_registry.WHAT, _missing(found), lambda: resource_registry.told(resource_registry.whole(context, found))
    )


def _look_for_vault(context: Context, named: Named, beside: str) -> Looked:
    found = resource_vault.find(context, named, beside)
    told = partial(resource_vault.whole, context, found)
    return Looked(resource_vault.WHAT, _missing(found), lambda: resource_vault.told(told()))


def _look_for_identity(context: Context, named: Named, beside: str) -> Looked:
    found = resource_identity.find(context, named, beside)
    whole = partial(resource_identity.whole, context, found)
    return Looked(resource_identity.WHAT, _missing(found), lambda: resource_identity.told(whole()))


def _look_for_store(context: Context, store: Store, subscription: str, beside: str) -> Looked:
    place = resource_stores.place(context, store).within(subscription)
    found = resource_stores.find(context, store, place, beside)
    told = partial(resource_stores.whole, context, store, found)
    return Looked(store.label, _missing(found), told, is_store=True)


def _missing(found: object) -> Missing | None:
    return found if isinstance(found, Missing) else None


def _named(context: Context) -> Iterator[Named]:
    """All that is named in Azure."""
    stores = (resource_stores.place(context, store) for store in resource_stores.named(context))
    others = (resource_vault.named(context), resource_identity.named(context))
    yield from (one for one in (cluster(context), registry(context), *others, *stores) if one)
