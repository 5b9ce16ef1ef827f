"""Questions whose answers Azure knows: which clusters and registries there are, and what a new one may be called.

Each answer is given by full key, as somebody would write it into the configuration. Nothing is made here, and nothing
allowed: the stage `resources` shows what it would make, and asks. `prompts.py` asks: only for a person at a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from spin_aks import files, prompts, terminal
from spin_aks.commands import named_anew
from spin_aks.commands.refused_answers import refuses
from spin_aks.errors import SpinAksError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spin_aks.azure.acr import Registry
    from spin_aks.azure.aks import Cluster
    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.session import Session
    from spin_aks.context import Context

Listed = TypeVar("Listed", "Cluster", "Registry")

NEW, CONTEXT = "a new one", "cluster.context"


def cluster_keys(context: Context, remembered: str) -> dict[str, str]:
    """What names the cluster whose id is remembered; nothing for what is no id of a cluster in Azure, or not where
    somebody says that it is.
    """
    found, given = _resource(remembered, "managedclusters"), context.settings
    if found is None or not _is_at(found, given.cluster_subscription, given.cluster_resource_group):
        return {}
    return _cluster_named(found)


def registry_keys(context: Context, remembered: str, cluster_subscription: str) -> dict[str, str]:
    """The same for a registry; its subscription is the cluster's where nothing else is said."""
    found, given = _resource(remembered, "registries"), context.settings
    if found is None or not _is_at(found, given.registry_subscription, given.registry_resource_group):
        return {}
    return _registry_named(found, cluster_subscription)


def is_host_of(remembered: str, host: str) -> bool:
    """Whether a host is that of the registry whose id is remembered, as `NAME.azurecr.io` or `NAME-HASH.azurecr.io`."""
    from spin_aks.azure.session import REGISTRY_HOSTS

    found, first = _resource(remembered, "registries"), host.partition(".")[0].partition("-")[0]
    return found is not None and host.endswith(REGISTRY_HOSTS) and first.lower() == found.name.lower()


def option(remembered: str, title: str) -> prompts.Option:
    """What is remembered by its id, to be chosen without asking Azure."""
    found = _parsed(remembered)
    return prompts.Option(remembered, found.name, f"{title}, in the group `{found.group}`")


def cluster_subscription(context: Context, answered: Mapping[str, str]) -> str:
    """The one that a registry without its own is looked for in; empty where it is not known yet."""
    given = answered.get("cluster.subscription") or context.settings.cluster_subscription
    return given or _found_before(context)[0]


def _found_before(context: Context) -> tuple[str, str]:
    """Subscription and region of the cluster that is named, where the stage `resources` has found it."""
    match files.read_json(context.state("azure.json")):
        case {"cluster": {"id": str(text), "location": str(location)}} if found := _resource(text, "managedclusters"):
            if found.name.lower() == context.settings.cluster_name.lower():
                return found.subscription, location
    return "", ""


def cluster(context: Context, last: str) -> dict[str, str]:
    """A cluster of AKS that is there, or a new one's name and place; `last` is the id of the usual choice.

    Raises SpinAksError where Azure can't be asked.
    """
    from spin_aks.azure import aks

    terminal.say("asking Azure which clusters there are")
    session, subscription = _place(context, context.settings.cluster_subscription)
    group = context.settings.cluster_resource_group
    every = [one for one in _listed(lambda: aks.clusters(session, subscription)) if _is_in(group, one.id)]
    options = [prompts.Option(str(one.id), one.id.name, _about_cluster(one)) for one in every]
    found = _chosen("AKS cluster", options, last)
    there = next((one for one in every if str(one.id) == found), None)
    if there is not None:
        return _cluster_named(there.id) | _location(context, there.location)
    name = named_anew.cluster(context, [one.id for one in every])
    named = {"cluster.name": name, "cluster.resource_group": group or name, "cluster.subscription": subscription}
    return named | named_anew.region(context, session, subscription)


def registry(context: Context, answered: Mapping[str, str], last: str, *, beside_cluster: bool) -> dict[str, str]:
    """The same for a registry. `answered` is what was asked for before; `beside_cluster` says that the cluster is in
    Azure, too, so that both are in one subscription where nobody says another.
    """
    from spin_aks.azure import acr

    terminal.say("asking Azure which registries there are")
    beside = cluster_subscription(context, answered)
    session, subscription = _place(context, context.settings.registry_subscription or beside)
    one_for_both = beside_cluster and not beside and not context.settings.registry_subscription
    shared = {"cluster.subscription": subscription} if one_for_both else {}
    group = context.settings.registry_resource_group
    every = [one for one in _listed(lambda: acr.registries(session, subscription)) if _is_in(group, one.id)]
    options = [prompts.Option(str(one.id), one.id.name, _about_registry(one)) for one in every]
    found = _chosen("Container registry", options, last)
    there = next((one for one in every if str(one.id) == found), None)
    if there is not None:
        return shared | _registry_named(there.id, subscription if shared else beside)
    named = {"container_registry.name": named_anew.registry(context, session, subscription)}
    if not shared and subscription.lower() != beside.lower():
        named["container_registry.subscription"] = subscription
    if named_anew.LOCATION in answered or named_anew.says_where(context):
        return shared | named
    near = "" if CONTEXT in answered else _location_of_cluster(context, session, answered)
    return shared | named | named_anew.region(context, session, subscription, near=near)


def _location_of_cluster(context: Context, session: Session, answered: Mapping[str, str]) -> str:
    """Where the cluster is, as far as it is known which one is meant, and it is there; else empty."""
    from spin_aks.azure import aks, aks_body
    from spin_aks.azure.arm import ResourceId

    given, subscription = context.settings, cluster_subscription(context, answered)
    name = answered.get("cluster.name") or given.cluster_name
    group = answered.get("cluster.resource_group") or given.cluster_resource_group
    if (before := _found_before(context)[1]) or not (name and group and subscription):
        return before
    found = aks.get(session, ResourceId.of(subscription, group, aks_body.KIND, name))
    return found.location if found else ""


def _place(context: Context, given: str) -> tuple[Session, str]:
    """The subscription that is asked, and the sign-in by which it is seen; which one is asked for if nobody says."""
    from spin_aks.tasks import azure_subscription
    from spin_aks.tasks.azure_place import Named

    meant = azure_subscription.meant(context, [Named("", "", given)])
    return context.in_tenant(meant.tenant).azure, given or meant.subscription


def _resource(text: str, kind: str) -> ResourceId | None:
    if not text.startswith("/subscriptions/"):
        return None
    try:
        found = _parsed(text)
    except SpinAksError:
        return None
    return found if found.group and found.types and found.types[-1][0].lower() == kind else None


def _parsed(text: str) -> ResourceId:
    from spin_aks.azure.arm import ResourceId

    return ResourceId.parse(text)


def _cluster_named(found: ResourceId) -> dict[str, str]:
    return {
        "cluster.name": found.name,
        "cluster.resource_group": found.group,
        "cluster.subscription": found.subscription,
    }


def _registry_named(found: ResourceId, cluster_subscription: str) -> dict[str, str]:
    named = {"container_registry.name": found.name, "container_registry.resource_group": found.group}
    if found.subscription.lower() != cluster_subscription.lower():
        named["container_registry.subscription"] = found.subscription
    return named


def _is_at(found: ResourceId, subscription: str, group: str) -> bool:
    return _is_in(group, found) and subscription.lower() in ("", found.subscription.lower())


def _is_in(group: str, found: ResourceId) -> bool:
    return not group or group.lower() == found.group.lower()


def _listed(ask: Callable[[], tuple[Listed, ...]]) -> Sequence[Listed]:
    """By name; where the subscription is not registered for such resources there can be none."""
    from spin_aks.azure.problems import if_registered

    found: tuple[Listed, ...] = if_registered(ask, ())
    return sorted(found, key=lambda one: (one.id.name.lower(), one.id.group.lower()))


def _chosen(title: str, options: Sequence[prompts.Option], last: str) -> str:
    """The id of what is chosen; NEW without a question where there is nothing else."""
    if not options:
        terminal.say("there is none yet: name a new one (you are asked again before it is made)")
        return NEW
    usual = next((one.value for one in options if one.value.lower() == last.lower()), "")
    return prompts.select(title, [*options, prompts.Option(NEW, NEW)], default=usual)


def _about_cluster(found: Cluster) -> str:
    power = "" if found.running else found.power.lower()
    return _about(found.id, found.location, power or _unusual(found.state), "private" if found.private else "")


def _about_registry(found: Registry) -> str:
    return _about(found.id, found.location, _unusual(found.state), "" if found.public else "private")


def _about(resource: ResourceId, *more: str) -> str:
    return ", ".join(filter(None, (f"group {resource.group}", *more)))


def _unusual(state: str) -> str:
    return "" if state.lower() in ("succeeded", "") else state.lower()


def _location(context: Context, location: str) -> dict[str, str]:
    """What is made besides is made where the cluster is, unless somebody says where."""
    said = named_anew.says_where(context) or refuses("cluster.location")(location)
    return {} if said else {"cluster.location": location}
