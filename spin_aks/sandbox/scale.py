"""The subresource `scale`: autoscaling/v1 Scale, as `kubectl scale` reads and writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox.documents import at, child, mapping, number, strings, text
from spin_aks.sandbox.status import Cause, bad_request, invalid, not_served

if TYPE_CHECKING:
    from spin_aks.sandbox.api import Api, Write
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.objects import Key


def answer(api: Api, key: Key, method: str, body: JSON, write: Write) -> Document:
    """The Scale of that Deployment or ReplicaSet: read, or written by PUT or a merge patch."""
    if method == "GET":
        return _scale(api.read(key))
    if method not in ("PUT", "PATCH"):
        raise not_served(f"{method} of {key.kind.plural}/scale")
    replicas = at(body, "spec", "replicas")
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request("spec.replicas is missing")
    if replicas < 0:
        raise invalid(key.kind, key.name, [Cause("spec.replicas", "FieldValueInvalid", "must not be negative")])

    def edit(document: Document) -> None:
        child(document, "spec")["replicas"] = replicas

    return _scale(api.change(key, write, edit))


def _scale(document: Document) -> Document:
    metadata = mapping(document, "metadata")
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = strings(document, "spec", "selector", "matchLabels")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: text(metadata, name) for name in kept},
        "spec": {"replicas": number(document, "spec", "replicas")},
        "status": {
            "replicas": number(document, "status", "replicas"),
            "selector": ",".join(f"{name}={value}" for name, value in labels.items()),
        },
    }
