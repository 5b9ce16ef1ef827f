"""Deployments: a ReplicaSet for each pod template, rolled out one after the other, and a status that says how far."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.sandbox import admission, documents, events, kinds, moments
from spin_aks.sandbox.api import Write
from spin_aks.sandbox.documents import child, items, mapping, number, strings, text
from spin_aks.sandbox.objects import Key
from spin_aks.sandbox.rollout import Generation, limits, recreate, rolling

if TYPE_CHECKING:
    from spin_aks.sandbox.api import Api
    from spin_aks.sandbox.documents import JSON, Document

REVISION = "deployment.kubernetes.io/revision"
TEMPLATE_HASH = "pod-template-hash"
CONTROLLER = "deployment-controller"
WRITE = Write("kube-controller-manager")
WRITE_STATUS = Write("kube-controller-manager", "status")
COUNTS = ("replicas", "readyReplicas", "availableReplicas")


@dataclass(frozen=True, slots=True)
class _Sets:
    """The ReplicaSets of one Deployment: the one of its template, if there is one yet, and the rest, oldest first."""

    new: Document | None
    old: tuple[Document, ...]

    @property
    def every(self) -> tuple[Document, ...]:
        return (*self.old, *([self.new] if self.new else []))


def key_of(document: Document, kind: kinds.Kind) -> Key:
    return Key(kind, text(document, "metadata", "namespace"), text(document, "metadata", "name"))


def owned_by(api: Api, owner: Document, kind: kinds.Kind) -> list[Document]:
    """The objects of that kind in the owner's namespace that it controls, oldest first."""
    uid, namespace = text(owner, "metadata", "uid"), text(owner, "metadata", "namespace")
    found = [
        item
        for item in api.store.all_of(kind, namespace)
        if any(reference.get("uid") == uid for reference in items(item, "metadata", "ownerReferences"))
    ]
    return sorted(found, key=lambda item: (text(item, "metadata", "creationTimestamp"), _revision(item)))


def reference_to(owner: Document) -> Document:
    """An ownerReference of a controller."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": text(owner, "metadata", "name"),
        "uid": text(owner, "metadata", "uid"),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def reconcile(api: Api, deployment: Document) -> None:
    """One step towards what the Deployment says."""
    sets = _sets_of(api, deployment)
    if not documents.at(deployment, "spec", "paused"):
        if sets.new is None:
            _create(api, deployment, sets)
            sets = _sets_of(api, deployment)
        _mark_revision(api, deployment, sets)
        _scale(api, deployment, sets)
        _forget_history(api, deployment, sets)
    current = api.store.get(key_of(deployment, kinds.DEPLOYMENT))
    if current is not None:
        _write_status(api, current, _sets_of(api, current))


def is_settled(deployment: Document) -> bool:
    """Whether nothing is left to wait for."""
    status, replicas = mapping(deployment, "status"), number(deployment, "spec", "replicas")
    counts = [number(status, name) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    seen = number(status, "observedGeneration") == number(deployment, "metadata", "generation")
    return seen and counts == [replicas] * 3


def _sets_of(api: Api, deployment: Document) -> _Sets:
    found = owned_by(api, deployment, kinds.REPLICA_SET)
    template = _template(deployment)
    new = next((item for item in found if _template(item) == template), None)
    return _Sets(new, tuple(item for item in found if item is not new))


def _template(document: Document) -> Document:
    template = documents.copied(mapping(document, "spec", "template"))
    child(template, "metadata", "labels").pop(TEMPLATE_HASH, None)
    return template


def _revision(replica_set: Document) -> int:
    number_of = strings(replica_set, "metadata", "annotations").get(REVISION, "0")
    return int(number_of) if number_of.isdigit() else 0


def _create(api: Api, deployment: Document, sets: _Sets) -> None:
    template = _template(deployment)
    digest = hashlib.sha256(documents.dump(template)).digest()
    letters = "".join(admission.NAME_LETTERS[byte % len(admission.NAME_LETTERS)] for byte in digest[:10])
    child(template, "metadata", "labels")[TEMPLATE_HASH] = letters
    selector = documents.copied(mapping(deployment, "spec", "selector"))
    child(selector, "matchLabels")[TEMPLATE_HASH] = letters
    name = f"{text(deployment, 'metadata', 'name')}-{letters}"
    metadata: Document = {
        "name": name,
        "labels": {**strings(template, "metadata", "labels")},
        "annotations": {**_copied_annotations(deployment), REVISION: str(_next_revision(sets))},
        "ownerReferences": [reference_to(deployment)],
    }
    spec: Document = {"replicas": 0, "selector": selector, "template": template}
    key = Key(kinds.REPLICA_SET, text(deployment, "metadata", "namespace"), name)
    api.create(key, {"metadata": metadata, "spec": spec}, WRITE)


def _copied_annotations(deployment: Document) -> dict[str, str]:
    left_out = (REVISION, "kubectl.kubernetes.io/last-applied-configuration")
    annotations = strings(deployment, "metadata", "annotations")
    return {name: value for name, value in annotations.items() if name not in left_out}


def _next_revision(sets: _Sets) -> int:
    return max((_revision(item) for item in sets.every), default=0) + 1


def _mark_revision(api: Api, deployment: Document, sets: _Sets) -> None:
    """Back to an earlier template is a new revision, too."""
    new = sets.new
    if new is None:
        return
    revision = str(_revision(new))
    if any(_revision(item) > _revision(new) for item in sets.old):
        revision = str(_next_revision(sets))
    for item, kind in ((new, kinds.REPLICA_SET), (deployment, kinds.DEPLOYMENT)):
        if strings(item, "metadata", "annotations").get(REVISION) != revision:
            api.change(
                key_of(item, kind),
                WRITE,
                lambda document: child(document, "metadata", "annotations").update({REVISION: revision}),
            )


def _generation(replica_set: Document) -> Generation:
    status = mapping(replica_set, "status")
    counts = number(replica_set, "spec", "replicas"), number(status, "replicas"), number(status, "availableReplicas")
    return Generation(text(replica_set, "metadata", "name"), *counts)


def _scale(api: Api, deployment: Document, sets: _Sets) -> None:
    if sets.new is None:
        return
    replicas, strategy = number(deployment, "spec", "replicas"), mapping(deployment, "spec", "strategy")
    new, old = _generation(sets.new), tuple(_generation(item) for item in sets.old)
    if strategy.get("type") == "Recreate":
        steps = recreate(replicas, new, old)
    else:
        bounds = mapping(strategy, "rollingUpdate")
        steps = rolling(limits(replicas, bounds.get("maxSurge"), bounds.get("maxUnavailable")), new, old)
    for item in sets.every:
        name, before = text(item, "metadata", "name"), number(item, "spec", "replicas")
        if (after := steps.get(name, before)) != before:
            _scale_set(api, item, after)
            way = "up" if after > before else "down"
            message = f"Scaled {way} replica set {name} from {before} to {after}"
            events.record(api, CONTROLLER, deployment, "ScalingReplicaSet", message)


def _scale_set(api: Api, replica_set: Document, replicas: int) -> None:
    def edit(document: Document) -> None:
        child(document, "spec")["replicas"] = replicas

    api.change(key_of(replica_set, kinds.REPLICA_SET), WRITE, edit)


def _forget_history(api: Api, deployment: Document, sets: _Sets) -> None:
    empty = [
        item for item in sets.old if not number(item, "spec", "replicas") and not number(item, "status", "replicas")
    ]
    kept = number(deployment, "spec", "revisionHistoryLimit", default=10)
    for item in empty[: max(0, len(empty) - kept)]:
        api.delete(key_of(item, kinds.REPLICA_SET), {})


def _write_status(api: Api, deployment: Document, sets: _Sets) -> None:
    counts = {name: sum(number(item, "status", name) for item in sets.every) for name in COUNTS}
    counts["updatedReplicas"] = number(sets.new, "status", "replicas")
    wanted = number(deployment, "spec", "replicas")
    counts["unavailableReplicas"] = max(0, max(wanted, counts["replicas"]) - counts["availableReplicas"])
    status: Document = {"observedGeneration": number(deployment, "metadata", "generation")}
    status |= {name: count for name, count in counts.items() if count}
    status["conditions"] = _conditions(deployment, sets, counts)
    if status != mapping(deployment, "status"):
        key = key_of(deployment, kinds.DEPLOYMENT)
        api.change(key, WRITE_STATUS, lambda document: document.update({"status": status}))


def _conditions(deployment: Document, sets: _Sets, counts: dict[str, int]) -> list[JSON]:
    wanted, strategy = number(deployment, "spec", "replicas"), mapping(deployment, "spec", "strategy", "rollingUpdate")
    limit = limits(wanted, strategy.get("maxSurge", 0), strategy.get("maxUnavailable", 0))
    is_available = counts["availableReplicas"] >= wanted - limit.unavailable
    words = "has" if is_available else "does not have"
    reason = "MinimumReplicasAvailable" if is_available else "MinimumReplicasUnavailable"
    available = condition("Available", is_available, reason, f"Deployment {words} minimum availability.")
    progressing = _progress(deployment, sets, counts)
    failing = [
        c for item in sets.every for c in items(item, "status", "conditions") if c.get("type") == "ReplicaFailure"
    ]
    before = items(deployment, "status", "conditions")
    return [dated(c, before) for c in (available, progressing, *failing[:1])]


def _progress(deployment: Document, sets: _Sets, counts: dict[str, int]) -> Document:
    name = text(sets.new, "metadata", "name")
    wanted = number(deployment, "spec", "replicas")
    if counts["updatedReplicas"] == counts["replicas"] == counts["availableReplicas"] == wanted:
        return condition(
            "Progressing", True, "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.'
        )
    before = next((c for c in items(deployment, "status", "conditions") if c.get("type") == "Progressing"), {})
    has_moved = any(counts[count] != number(deployment, "status", count) for count in counts)
    is_same_set = f'"{name}"' in text(before, "message")
    overdue = moments.seconds_since(text(before, "lastUpdateTime")) > number(
        deployment, "spec", "progressDeadlineSeconds"
    )
    was_done = before.get("reason") == "NewReplicaSetAvailable"
    if before and is_same_set and not has_moved and not was_done and overdue:
        message = f'ReplicaSet "{name}" has timed out progressing.'
        return condition("Progressing", False, "ProgressDeadlineExceeded", message)
    found = condition("Progressing", True, "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    return found | ({"lastUpdateTime": moments.now()} if has_moved else {})


def condition(name: str, holds: bool, reason: str, message: str) -> Document:
    return {"type": name, "status": str(holds), "reason": reason, "message": message}


def dated(new: Document, before: list[Document]) -> Document:
    """The condition with the times of the one before it, as far as it is still the same."""
    old = next((c for c in before if c.get("type") == new.get("type")), {})
    now = moments.now()
    same = all(old.get(name) == new.get(name) for name in ("status", "reason", "message"))
    update = text(new, "lastUpdateTime") or (text(old, "lastUpdateTime") if same else "") or now
    transition = text(old, "lastTransitionTime") if old.get("status") == new.get("status") else ""
    return {**new, "lastUpdateTime": update, "lastTransitionTime": transition or now}
