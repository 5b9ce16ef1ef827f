"""At which address a Service is reached, and why it has none yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.cluster import fields
from spin_aks.cluster.resources import EVENTS, SERVICES
from spin_aks.cluster.symptoms import event

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.cluster.connection import Cluster
    from spin_aks.cluster.symptoms import Event
    from spin_aks.json_types import JSONObject
    from spin_aks.kubernetes_object import ObjectKey

ASK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Reach:
    """`url` is empty where nobody outside can reach it (yet); `note` then says why, and how to get there."""

    url: str
    note: str


def reach(
    cluster: Cluster,
    service: ObjectKey,
    *,
    timeout_s: float,
    progress: Callable[[str], None],
) -> Reach:
    """Waits, for `timeout_s` at most, until a LoadBalancer has its address; a missing one is a note, not an error."""
    deadline = clock.monotonic_s() + timeout_s
    told = False
    while True:
        document = cluster.get(SERVICES.path(service.namespace, service.name))
        if document is None:
            return Reach("", f"{service} is not there")
        if found := url(document):
            return Reach(found, "")
        pending = fields.text(document, "spec", "type") == "LoadBalancer"
        if not pending or clock.monotonic_s() >= deadline:
            said = _events(cluster, service) if pending else ()
            return Reach("", why_none(service, document, said))
        if not told:
            progress(f"{service}: waiting for its address")
            told = True
        clock.sleep(min(ASK_EVERY_S, max(0.0, deadline - clock.monotonic_s())))


def _events(cluster: Cluster, service: ObjectKey) -> tuple[Event, ...]:
    about = f"involvedObject.name={service.name}"
    found = cluster.list(EVENTS.collection(service.namespace), field_selector=about).items
    return tuple(sorted((event(document) for document in found), key=lambda e: e.when))


def url(document: JSONObject) -> str:
    """The address that the cloud gave this live Service; empty if it gave none."""
    ingress = fields.objects(document, "status", "loadBalancer", "ingress")
    host = next((h for i in ingress if (h := fields.text(i, "ip") or fields.text(i, "hostname"))), "")
    ports = fields.objects(document, "spec", "ports")
    port = fields.number(ports[0], "port", default=80) if ports else 80
    if not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    scheme = "https" if port == 443 else "http"
    return f"{scheme}://{host}" if port in {80, 443} else f"{scheme}://{host}:{port}"


def why_none(service: ObjectKey, document: JSONObject, events: tuple[Event, ...]) -> str:
    """Why this live Service has no address from outside, and what to do, in one sentence or two."""
    kind = fields.text(document, "spec", "type") or "ClusterIP"
    ports = fields.objects(document, "spec", "ports")
    port = fields.number(ports[0], "port", default=80) if ports else 80
    forward = (
        f"`kubectl port-forward --namespace {service.namespace} service/{service.name} 8080:{port}`, "
        "then http://127.0.0.1:8080"
    )
    if kind != "LoadBalancer":
        return f"{service} is of type {kind}, reached from inside the cluster only; from here: {forward}"
    refused = next((e for e in reversed(events) if e.warning), None)
    if refused is not None:
        return f"{service} gets no address: {refused}. Meanwhile, from here: {forward}"
    return (
        f"{service} has no address yet: the cloud is still making one, or nobody makes any in this cluster; "
        f"`kubectl get service {service.name} --namespace {service.namespace} --watch` shows when it comes. "
        f"Meanwhile, from here: {forward}"
    )
