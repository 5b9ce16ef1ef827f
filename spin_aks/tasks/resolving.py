"""Finding in Azure all that the configuration names, and making what it was told to make."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from spin_aks import files
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
from spin_aks.tasks.making import Missing
from spin_aks.tasks.resources import cluster, making, registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.settings.stores import Store
    from spin_aks.tasks.azure_place import Named


def all_known(context: Context) -> bool:
    """Whether the stage `resources` has found all that is named now."""
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


def resolve(context: Context) -> None:
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
