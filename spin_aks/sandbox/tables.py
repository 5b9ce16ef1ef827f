"""What `kubectl get` prints: rows that the server makes, as the real one does (pkg/printers/internalversion)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox import kinds
from spin_aks.sandbox.documents import items, mapping, number, strings, text
from spin_aks.sandbox.moments import seconds_since

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.kinds import Kind


def table(kind: Kind, objects: Iterable[Document], version: str) -> Document:
    """A meta.k8s.io/v1 Table with a row for each object."""
    names, cells = COLUMNS.get(kind, (("Name", "Age"), lambda document: [_name(document), _age(document)]))
    columns: list[JSON] = [_column(name) for name in names]
    rows: list[JSON] = [{"cells": cells(document), "object": _partial(document)} for document in objects]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": columns,
        "rows": rows,
    }


def _column(name: str) -> Document:
    form = "name" if name == "Name" else ""
    return {"name": name, "type": "string", "format": form, "description": name, "priority": 0}


def _partial(document: Document) -> Document:
    metadata = mapping(document, "metadata")
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}


def _name(document: Document) -> str:
    return text(document, "metadata", "name")


def _age(document: Document) -> str:
    seconds = int(seconds_since(text(document, "metadata", "creationTimestamp")))
    for size, letter in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{letter}"
    return f"{max(seconds, 0)}s"


def _deployment(document: Document) -> list[JSON]:
    status = mapping(document, "status")
    ready = f"{number(status, 'readyReplicas')}/{number(document, 'spec', 'replicas')}"
    updated, available = number(status, "updatedReplicas"), number(status, "availableReplicas")
    return [_name(document), ready, updated, available, _age(document)]


def _replica_set(document: Document) -> list[JSON]:
    status = mapping(document, "status")
    counts: list[JSON] = [number(document, "spec", "replicas"), number(status, "replicas")]
    return [_name(document), *counts, number(status, "readyReplicas"), _age(document)]


def _pod(document: Document) -> list[JSON]:
    containers = items(document, "status", "containerStatuses")
    ready = sum(container.get("ready") is True for container in containers)
    restarts = sum(number(container, "restartCount") for container in containers)
    count = f"{ready}/{len(items(document, 'spec', 'containers'))}"
    return [_name(document), count, _pod_state(document, containers), restarts, _age(document)]


def _pod_state(document: Document, containers: list[Document]) -> str:
    if "deletionTimestamp" in mapping(document, "metadata"):
        return "Terminating"
    waiting = [text(container, "state", "waiting", "reason") for container in containers]
    return next((reason for reason in waiting if reason), text(document, "status", "phase") or "Pending")


def _service(document: Document) -> list[JSON]:
    spec = mapping(document, "spec")
    ports = [
        f"{port.get('port')}{':' + str(port['nodePort']) if 'nodePort' in port else ''}/{port.get('protocol')}"
        for port in items(spec, "ports")
    ]
    addresses = [text(entry, "ip") for entry in items(document, "status", "loadBalancer", "ingress")]
    outside = ",".join(addresses) or ("<pending>" if spec.get("type") == "LoadBalancer" else "<none>")
    listed = ",".join(ports) or "<none>"
    return [_name(document), spec.get("type"), spec.get("clusterIP") or "<none>", outside, listed, _age(document)]


def _node(document: Document) -> list[JSON]:
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in items(document, "status", "conditions"))
    version = text(document, "status", "nodeInfo", "kubeletVersion")
    return [_name(document), "Ready" if ready else "NotReady", "<none>", _age(document), version]


def _event(document: Document) -> list[JSON]:
    about = f"{text(document, 'involvedObject', 'kind').lower()}/{text(document, 'involvedObject', 'name')}"
    words = [text(document, name) for name in ("type", "reason")]
    return [_age(document), *words, about, text(document, "message")]


def _job(document: Document) -> list[JSON]:
    done = f"{number(document, 'status', 'succeeded')}/{number(document, 'spec', 'completions', default=1)}"
    complete = any(c.get("type") == "Complete" for c in items(document, "status", "conditions"))
    return [_name(document), "Complete" if complete else "Running", done, _age(document)]


COLUMNS: dict[Kind, tuple[tuple[str, ...], Callable[[Document], list[JSON]]]] = {
    kinds.DEPLOYMENT: (("Name", "Ready", "Up-to-date", "Available", "Age"), _deployment),
    kinds.REPLICA_SET: (("Name", "Desired", "Current", "Ready", "Age"), _replica_set),
    kinds.POD: (("Name", "Ready", "Status", "Restarts", "Age"), _pod),
    kinds.SERVICE: (("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"), _service),
    kinds.NODE: (("Name", "Status", "Roles", "Age", "Version"), _node),
    kinds.EVENT: (("Last Seen", "Type", "Reason", "Object", "Message"), _event),
    kinds.JOB: (("Name", "Status", "Completions", "Age"), _job),
    kinds.NAMESPACE: (("Name", "Status", "Age"), lambda d: [_name(d), text(d, "status", "phase"), _age(d)]),
    kinds.CONFIG_MAP: (("Name", "Data", "Age"), lambda d: [_name(d), len(mapping(d, "data")), _age(d)]),
    kinds.SECRET: (
        ("Name", "Type", "Data", "Age"),
        lambda d: [_name(d), text(d, "type"), len(strings(d, "data")), _age(d)],
    ),
    kinds.RUNTIME_CLASS: (("Name", "Handler", "Age"), lambda d: [_name(d), text(d, "handler"), _age(d)]),
}
