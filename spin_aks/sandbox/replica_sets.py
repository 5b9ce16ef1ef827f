"""ReplicaSets: as many pods of the template as they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox import documents, events, kinds
from spin_aks.sandbox.api import Write
from spin_aks.sandbox.deployments import condition, dated, key_of, owned_by, reference_to
from spin_aks.sandbox.documents import items, mapping, number, strings, text
from spin_aks.sandbox.objects import Key
from spin_aks.sandbox.status import ApiError

if TYPE_CHECKING:
    from spin_aks.sandbox.api import Api
    from spin_aks.sandbox.documents import Document

CONTROLLER = "replicaset-controller"
WRITE = Write("kube-controller-manager")
WRITE_STATUS = Write("kube-controller-manager", "status")


def reconcile(api: Api, replica_set: Document) -> None:
    """Makes or deletes pods until their number is right, and writes down how many there are."""
    pods = owned_by(api, replica_set, kinds.POD)
    failure: Document | None = None
    missing = number(replica_set, "spec", "replicas") - len(pods)
    try:
        for _ in range(missing):
            name = make_pod(api, replica_set, mapping(replica_set, "spec", "template"))
            events.record(api, CONTROLLER, replica_set, "SuccessfulCreate", f"Created pod: {name}")
    except ApiError as error:
        message = f"Error creating: {error}"
        events.record(api, CONTROLLER, replica_set, "FailedCreate", message, warning=True)
        failure = condition("ReplicaFailure", True, "FailedCreate", str(error))
    for pod in sorted(pods, key=is_ready)[: max(0, -missing)]:
        name = text(pod, "metadata", "name")
        api.delete(key_of(pod, kinds.POD), {})
        events.record(api, CONTROLLER, replica_set, "SuccessfulDelete", f"Deleted pod: {name}")
    _write_status(api, replica_set, failure)


def make_pod(api: Api, owner: Document, template: Document) -> str:
    """The name of a new pod of the template that `owner` controls; raises ApiError where it is refused."""
    metadata: Document = {
        "generateName": f"{text(owner, 'metadata', 'name')}-",
        "labels": {**strings(template, "metadata", "labels")},
        "annotations": {**strings(template, "metadata", "annotations")},
        "ownerReferences": [reference_to(owner)],
    }
    key = Key(kinds.POD, text(owner, "metadata", "namespace"), "")
    body: Document = {"metadata": metadata, "spec": documents.copied(mapping(template, "spec"))}
    return text(api.create(key, body, WRITE).document, "metadata", "name")


def is_ready(pod: Document) -> bool:
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in items(pod, "status", "conditions"))


def is_settled(replica_set: Document) -> bool:
    """Whether nothing is left to wait for."""
    wanted = number(replica_set, "spec", "replicas")
    return number(replica_set, "status", "replicas") == number(replica_set, "status", "availableReplicas") == wanted


def _write_status(api: Api, replica_set: Document, failure: Document | None) -> None:
    pods = owned_by(api, replica_set, kinds.POD)
    ready = sum(is_ready(pod) for pod in pods)
    status: Document = {"observedGeneration": number(replica_set, "metadata", "generation"), "replicas": len(pods)}
    counts = {"fullyLabeledReplicas": len(pods), "readyReplicas": ready, "availableReplicas": ready}
    status |= {name: count for name, count in counts.items() if count}
    if failure:
        dated_failure = dated(failure, items(replica_set, "status", "conditions"))
        status["conditions"] = [{name: value for name, value in dated_failure.items() if name != "lastUpdateTime"}]
    if status != mapping(replica_set, "status"):
        key = key_of(replica_set, kinds.REPLICA_SET)
        api.change(key, WRITE_STATUS, lambda document: document.update({"status": status}))
