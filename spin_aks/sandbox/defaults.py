"""The defaults that the real API server writes into an object, for the fields that people and tools look at.

Sources: pkg/apis/{core,apps,batch}/v1/defaults.go of Kubernetes 1.36.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox import documents, kinds
from spin_aks.sandbox.documents import child, items, mapping, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.kinds import Kind

POD_SPEC: Mapping[str, JSON] = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
}
CONTAINER: Mapping[str, JSON] = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
PROBE: Mapping[str, JSON] = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
VOLUME_MODES = ("configMap", "secret", "projected", "downwardAPI")
DEFAULT_FILE_MODE = 0o644


def complete(kind: Kind, document: Document) -> None:
    """Writes the defaults of its kind into `document`, which is the caller's own."""
    if kind == kinds.DEPLOYMENT:
        _deployment(child(document, "spec"))
    elif kind == kinds.REPLICA_SET:
        _set(child(document, "spec"), {"replicas": 1})
        _pod_spec(child(document, "spec", "template", "spec"))
    elif kind == kinds.JOB:
        _job(child(document, "spec"))
    elif kind == kinds.POD:
        _pod(document)
    elif kind == kinds.SERVICE:
        _service(child(document, "spec"))
    elif kind == kinds.SECRET:
        _secret(document)
    elif kind == kinds.NAMESPACE:
        _namespace(document)
    elif kind in (kinds.ROLE_BINDING, kinds.CLUSTER_ROLE_BINDING):
        _binding(document)


def _set(target: Document, values: Mapping[str, JSON]) -> None:
    for name, value in values.items():
        if target.get(name) is None:
            target[name] = documents.copy(value)


def _deployment(spec: Document) -> None:
    _set(spec, {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
    strategy = child(spec, "strategy")
    _set(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        _set(child(strategy, "rollingUpdate"), {"maxUnavailable": "25%", "maxSurge": "25%"})
    _pod_spec(child(spec, "template", "spec"))


def _job(spec: Document) -> None:
    _set(
        spec, {"completions": 1, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False}
    )
    _pod_spec(child(spec, "template", "spec"))


def _pod(document: Document) -> None:
    spec = child(document, "spec")
    _pod_spec(spec)
    for container in items(spec, "initContainers") + items(spec, "containers"):
        resources = mapping(container, "resources")
        if limits := mapping(resources, "limits"):
            _set(child(resources, "requests"), limits)
    _set(spec, {"serviceAccountName": "default", "serviceAccount": "default", "enableServiceLinks": True})
    _set(child(document, "status"), {"phase": "Pending", "qosClass": "BestEffort"})


def _pod_spec(spec: Document) -> None:
    _set(spec, POD_SPEC)
    _set(spec, {"securityContext": {}})
    if account := text(spec, "serviceAccountName"):
        _set(spec, {"serviceAccount": account})
    for container in items(spec, "initContainers") + items(spec, "containers"):
        _container(container)
    for volume in items(spec, "volumes"):
        for source in VOLUME_MODES:
            if isinstance(inner := volume.get(source), dict):
                _set(inner, {"defaultMode": DEFAULT_FILE_MODE})


def _container(container: Document) -> None:
    _set(container, CONTAINER)
    _set(container, {"resources": {}, "imagePullPolicy": pull_policy(text(container, "image"))})
    for port in items(container, "ports"):
        _set(port, {"protocol": "TCP"})
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe := mapping(container, name):
            _set(probe, PROBE)
        if request := mapping(probe, "httpGet"):
            _set(request, {"path": "/", "scheme": "HTTP"})
    for variable in items(container, "env"):
        if field := mapping(variable, "valueFrom", "fieldRef"):
            _set(field, {"apiVersion": "v1"})


def pull_policy(image: str) -> str:
    """Always for the tag `latest`, given or meant; a digest counts like any other tag."""
    name = image.rpartition("/")[2]
    if "@" in name:
        return "IfNotPresent"
    return "Always" if name.partition(":")[2] in ("", "latest") else "IfNotPresent"


def _service(spec: Document) -> None:
    _set(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    if spec["type"] != "ExternalName":
        _set(spec, {"internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"})
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _set(spec, {"externalTrafficPolicy": "Cluster"})
    if spec["type"] == "LoadBalancer":
        _set(spec, {"allocateLoadBalancerNodePorts": True})
    for port in items(spec, "ports"):
        _set(port, {"protocol": "TCP"})
        _set(port, {"targetPort": port.get("port", 0)})


def _secret(document: Document) -> None:
    _set(document, {"type": "Opaque"})
    plain = document.pop("stringData", None)
    if isinstance(plain, dict):
        import base64

        data = child(document, "data")
        data.update({name: base64.b64encode(str(value).encode()).decode() for name, value in plain.items()})


def _namespace(document: Document) -> None:
    _set(child(document, "spec"), {"finalizers": ["kubernetes"]})
    _set(child(document, "status"), {"phase": "Active"})
    name = text(document, "metadata", "name")
    _set(child(document, "metadata", "labels"), {"kubernetes.io/metadata.name": name})


def _binding(document: Document) -> None:
    _set(child(document, "roleRef"), {"apiGroup": kinds.RBAC})
    for subject in items(document, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            _set(subject, {"apiGroup": kinds.RBAC})
