"""Jobs: a pod at a time until enough have succeeded, or too many have failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox import events, kinds, moments
from spin_aks.sandbox.api import Write
from spin_aks.sandbox.deployments import condition, key_of, owned_by
from spin_aks.sandbox.documents import items, mapping, number, text
from spin_aks.sandbox.replica_sets import make_pod

if TYPE_CHECKING:
    from spin_aks.sandbox.api import Api
    from spin_aks.sandbox.documents import JSON, Document

CONTROLLER = "job-controller"
WRITE_STATUS = Write("kube-controller-manager", "status")


def reconcile(api: Api, job: Document) -> None:
    """One step: the next pod if one is needed, and the status."""
    if is_settled(job):
        return
    pods = owned_by(api, job, kinds.POD)
    phases = [text(pod, "status", "phase") for pod in pods]
    succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
    active = len(pods) - succeeded - failed
    is_complete = succeeded >= number(job, "spec", "completions", default=1)
    has_failed = failed > number(job, "spec", "backoffLimit", default=6)
    if not (is_complete or has_failed or active):
        name = make_pod(api, job, mapping(job, "spec", "template"))
        events.record(api, CONTROLLER, job, "SuccessfulCreate", f"Created pod: {name}")
        active = 1
    status: Document = {"startTime": text(job, "status", "startTime") or moments.now()}
    counts = {"active": active, "succeeded": succeeded, "failed": failed, "ready": 0}
    status |= {name: count for name, count in counts.items() if count or name == "ready"}
    status |= _end(is_complete, has_failed)
    if status != mapping(job, "status"):
        api.change(key_of(job, kinds.JOB), WRITE_STATUS, lambda document: document.update({"status": status}))
        if is_complete:
            events.record(api, CONTROLLER, job, "Completed", "Job completed")


def is_settled(job: Document) -> bool:
    ends = {"Complete", "Failed"}
    return any(c.get("type") in ends and c.get("status") == "True" for c in items(job, "status", "conditions"))


def _end(is_complete: bool, has_failed: bool) -> Document:
    now = moments.now()
    if is_complete:
        message = "Reached expected number of succeeded pods"
        names = ("SuccessCriteriaMet", "Complete")
        listed: list[JSON] = [condition(name, True, "CompletionsReached", message) | _times(now) for name in names]
        return {"conditions": listed, "completionTime": now}
    if has_failed:
        message = "Job has reached the specified backoff limit"
        names = ("FailureTarget", "Failed")
        return {"conditions": [condition(name, True, "BackoffLimitExceeded", message) | _times(now) for name in names]}
    return {}


def _times(now: str) -> Document:
    return {"lastProbeTime": now, "lastTransitionTime": now}
