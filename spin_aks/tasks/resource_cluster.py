"""The AKS cluster that is named: found or made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import AzureError
from spin_aks.tasks import azure_known, resource_vault
from spin_aks.tasks.azure_place import Named, compared, make_group, settled, watch
from spin_aks.tasks.making import Missing

if TYPE_CHECKING:
    from spin_aks.azure.aks import Cluster
    from spin_aks.azure.aks_body import NewCluster
    from spin_aks.azure.arm import ResourceId
    from spin_aks.context import Context
    from spin_aks.json_types import JSONObject

WHAT = "cluster"
DELETING = "deleting"


def find(context: Context, named: Named) -> Cluster | Missing:
    """A new one is made in a resource group of its own name, where none is given. Raises AzureError."""
    from spin_aks.azure import aks
    from spin_aks.azure.found import NotFoundError

    try:
        return aks.find(context.azure, named.subscription, named.name, named.group)
    except NotFoundError as error:
        resource = _id(named)
        explained = _new(context, resource).explained()
        plan = tuple(f"{what} ({why})" if why else what for what, why in explained)
        return Missing(WHAT, resource, plan, error)


def _id(named: Named) -> ResourceId:
    from spin_aks.azure import aks_body
    from spin_aks.azure.arm import ResourceId

    return ResourceId.of(named.subscription, named.group or named.name, aks_body.KIND, named.name)


def _new(context: Context, resource: ResourceId) -> NewCluster:
    from spin_aks.azure import aks_body

    settings = context.settings
    addon = bool(settings.secrets) and resource_vault.named(context) is not None
    return aks_body.NewCluster(resource, settings.location, settings.node_size, settings.node_count, addon)


def whole(context: Context, found: Cluster | Missing) -> Cluster:
    """The cluster, made if it has to be; what is being done to one that is there is waited for.

    Raises AzureError, also for one that is stopped.
    """
    from spin_aks.azure import aks

    if isinstance(found, Missing):
        make_group(context, found.id, context.settings.location)
        return aks.create(context.azure, _new(context, found.id), watch(context))
    return _running(context, found)


def running(context: Context, resource: ResourceId) -> Cluster:
    """The cluster as it is now; raises AzureError, also for one that is gone or stopped."""
    from spin_aks.azure import aks

    found = aks.get(context.azure, resource)
    if found is None:
        raise AzureError("there is no such cluster", where=str(resource), hint="spin-aks run resources --refresh")
    return serving(context, found)


def serving(context: Context, found: Cluster) -> Cluster:
    """The cluster, if it is not stopped; one that is being started or stopped is waited for. Raises AzureError."""
    from spin_aks.azure import aks_power

    if found.state.lower() in aks_power.SWITCHING:
        return _running(context, found)
    aks_power.check_running(found, _using(found))
    return found


def _running(context: Context, found: Cluster) -> Cluster:
    """One that a later change failed on still serves."""
    from spin_aks.azure import aks, aks_power

    now = settled(context, found, WHAT, lambda: aks.get(context.azure, found.id), lambda now: now.kubelet is not None)
    aks_power.check_running(now, _using(now))
    return now


def _using(found: Cluster) -> str:
    return f"use {WHAT} `{found.id.name}`"


def told(found: Cluster) -> JSONObject:
    """What is kept of it in azure.json."""
    told: JSONObject = {"id": str(found.id), "location": found.location, "private": found.private}
    return {**told, "kubelet_identity": identity(found)}


def identity(found: Cluster) -> str:
    """What tells it from another cluster that had its name before."""
    return found.kubelet.object_id if found.kubelet else ""


def gone(context: Context, named: Named) -> dict[str, str]:
    """A sentence, by `cluster`, where Azure has not the one that was found, or another one, or not for much longer.

    Raises AzureError.
    """
    from spin_aks.azure import aks
    from spin_aks.azure.arm import ResourceId

    match azure_known.entry(context, WHAT, named):
        case {"id": str(id), "kubelet_identity": str(before)}:
            resource = ResourceId.parse(id)
            now = aks.get(context.azure, resource)
            if now is not None and now.state.lower() == DELETING:
                return {WHAT: f"the {WHAT} `{resource.name}` in Azure is being deleted"}
            return {WHAT: compared(WHAT, resource, before, identity(now) if now else None)}
    return {}
