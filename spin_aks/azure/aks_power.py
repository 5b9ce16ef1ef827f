"""Clusters that are stopped: such a one can be started, deleted and read, nothing else.

https://learn.microsoft.com/azure/aks/start-stop-cluster
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spin_aks.azure import aks_body
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.problems import Answer, Kind, Reading
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from spin_aks.azure.aks import Cluster

SWITCHING = frozenset({"starting", "stopping"})
"""States of a cluster that nobody can say of yet whether it serves; all others go on serving while they last."""

_CLUSTER = re.compile(
    rf"/subscriptions/([^/?]+)/resourcegroups/([^/?]+)/providers/{re.escape(aks_body.KIND)}/([^/?]+)", re.IGNORECASE
)


def check_running(found: Cluster, task: str) -> None:
    """Raises AzureError for one that is stopped; `task` goes after "can't"."""
    if not found.running:
        raise AzureError(f"can't {task}: it is {found.power.lower()}", where=str(found.id), hint=_starting(found.id))


def refused(answer: Answer, _tenant: str) -> Reading | None:
    """How Azure's own refusal is read, of a cluster that was stopped meanwhile."""
    asked = _CLUSTER.search(answer.url)
    if asked is None or "power state(stopped)" not in answer.message.lower():
        return None
    return Reading(
        Kind.STOPPED, "the cluster is stopped", _starting(ResourceId.of(asked[1], asked[2], aks_body.KIND, asked[3]))
    )


def _starting(resource: ResourceId) -> str:
    named = f"--resource-group {resource.group} --name {resource.name} --subscription {resource.subscription}"
    return f"`az aks start {named}` starts it, which takes minutes; then run the same command again"
