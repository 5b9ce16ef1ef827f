"""Whether a Deployment has got to where it was sent: the rules of `kubectl rollout status`, as a value.

https://github.com/kubernetes/kubectl/blob/v0.36.0/pkg/polymorphichelpers/rollout_status.go
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.cluster import fields

if TYPE_CHECKING:
    from spin_aks.json_types import JSONObject

REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a Deployment is. `refused` is why pods can't even be made, `overdue` that Kubernetes has given up."""

    wanted: int
    replicas: int
    updated: int
    available: int
    observed: bool
    overdue: bool
    refused: str
    revision: str

    @property
    def healthy(self) -> bool:
        """Whether the newest state runs everywhere it should, and nothing else does."""
        return self.observed and self.wanted <= self.updated == self.replicas <= self.available

    def __str__(self) -> str:
        if not self.observed:
            return "not yet looked at by Kubernetes"
        if self.updated < self.wanted:
            return f"{self.updated} of {self.wanted} pods made"
        if self.available < self.updated:
            return f"{self.available} of {self.updated} pods ready"
        if self.replicas > self.updated:
            old = self.replicas - self.updated
            return f"{self.updated} of {self.wanted} pods made, {old} of the former state still there"
        return f"{self.available} of {self.wanted} pods ready"


def progress(deployment: JSONObject) -> Progress:
    """How far this live Deployment is."""
    status = fields.mapping(deployment, "status")
    conditions = {fields.text(c, "type"): c for c in fields.objects(status, "conditions")}
    failure = conditions.get("ReplicaFailure", {})
    return Progress(
        wanted=fields.number(deployment, "spec", "replicas", default=1),
        replicas=fields.number(status, "replicas"),
        updated=fields.number(status, "updatedReplicas"),
        available=fields.number(status, "availableReplicas"),
        observed=fields.number(status, "observedGeneration") >= fields.number(deployment, "metadata", "generation"),
        overdue=fields.text(conditions.get("Progressing", {}), "reason") == "ProgressDeadlineExceeded",
        refused=fields.text(failure, "message") if fields.text(failure, "status") == "True" else "",
        revision=fields.text(deployment, "metadata", "annotations", REVISION),
    )
