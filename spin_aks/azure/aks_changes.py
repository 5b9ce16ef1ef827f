"""Changing a part of an AKS cluster.

A cluster is changed by sending all of it back, as the Azure CLI does: what is left out would be reset. So it is read,
changed in one place and sent with its ETag; somebody who was faster is waited for, and it is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spin_aks import clock
from spin_aks.azure import aks, aks_body, aks_power, wire
from spin_aks.azure.operations import follow, settle
from spin_aks.azure.problems import RERUN, AzureRefusalError, Kind
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.azure.aks import Cluster
    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSON, JSONObject

TRIES = 20
BETWEEN_TRIES_S = 30.0


@dataclass(frozen=True, slots=True)
class _Change:
    """`task` goes after "can't"; `is_done` says whether a cluster is so already; `properties` gives, of those that a
    cluster has, the ones that become others.
    """

    task: str
    is_done: Callable[[Cluster], bool]
    properties: Callable[[JSON], JSONObject]


def enable_keyvault_addon(session: Session, resource: ResourceId, watch: Watch) -> Cluster:
    """Turns the Key Vault add-on on, where it is off, and gives the cluster with the add-on's identity.

    Takes about three minutes. Other operations on the cluster are waited for. Raises AzureError.
    """
    task = f"turn on the Key Vault add-on of cluster `{resource.name}`"
    wanted = _Change(task, lambda now: now.keyvault_addon, aks_body.keyvault_addon)
    found = _changed(session, resource, wanted, watch)
    if found.keyvault_identity is None:
        raise _undone(f"can't {task}: Azure says it is on, but it has no identity", resource)
    return found


def enable_workload_identity(session: Session, resource: ResourceId, watch: Watch) -> Cluster:
    """Turns the OIDC issuer and workload identity on, where one of them is off; the cluster has an `oidc_issuer` then.

    Takes minutes. Other operations on the cluster are waited for. Raises AzureError. The issuer can't be turned off
    again: https://learn.microsoft.com/azure/aks/use-oidc-issuer
    """
    task = f"turn on workload identity of cluster `{resource.name}`"
    wanted = _Change(task, lambda now: bool(now.workload_identity and now.oidc_issuer), aks_body.workload_identity)
    found = _changed(session, resource, wanted, watch)
    if not (found.workload_identity and found.oidc_issuer):
        missing = "it has no OIDC issuer" if found.workload_identity else "it is still off"
        raise _undone(f"can't {task}: Azure took the change, but {missing}", resource)
    return found


def _undone(what: str, resource: ResourceId) -> AzureError:
    return AzureError(what, where=str(resource), hint=f"`az resource show --ids {resource}` tells more; {RERUN}")


def _changed(session: Session, resource: ResourceId, wanted: _Change, watch: Watch) -> Cluster:
    """The cluster, which is changed unless it is so already; what else is being done to it is waited for.

    Sends one change at most: whether Azure did what it took is for the caller to see. Raises AzureError.
    """
    for left in reversed(range(TRIES)):
        found = _settled(session, resource, wanted.task, watch)
        if wanted.is_done(found):
            return found
        aks_power.check_running(found, wanted.task)
        try:
            _send(session, resource, wanted, watch)
            break
        except AzureRefusalError as error:
            if error.kind is not Kind.BUSY or not left:
                raise
            watch.progress(f"{wanted.task}: {error.answer.message or 'the cluster is busy'}")
            clock.sleep(BETWEEN_TRIES_S)
    return _settled(session, resource, wanted.task, watch)


def _settled(session: Session, resource: ResourceId, task: str, watch: Watch) -> Cluster:
    found = settle(watch, task, resource, lambda: aks.get(session, resource))
    if found is None:
        hint = "`spin-aks run resources --refresh` finds the one that is meant"
        raise AzureError(f"can't {task}: there is no such cluster", where=str(resource), hint=hint)
    return found


def _send(session: Session, resource: ResourceId, wanted: _Change, watch: Watch) -> None:
    model: Any = aks.read(session, resource)
    if model is None:
        return
    before = wire.document(model)
    for name, value in wanted.properties(wire.at(before, "properties")).items():
        model["properties"][name] = value
    follow(watch, wanted.task, resource, aks.putting(session, resource, model, etag=wire.text(before, "eTag")))
