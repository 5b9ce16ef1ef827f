"""Where the objects of a kind live in the API: known for the kinds we render, asked for (once) for all others.

Paths as in https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

_NAMESPACED = {
    "v1": {
        "ConfigMap": "configmaps",
        "Event": "events",
        "LimitRange": "limitranges",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "Pod": "pods",
        "ResourceQuota": "resourcequotas",
        "Secret": "secrets",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    },
    "apps/v1": {
        "DaemonSet": "daemonsets",
        "Deployment": "deployments",
        "ReplicaSet": "replicasets",
        "StatefulSet": "statefulsets",
    },
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "batch/v1": {"CronJob": "cronjobs", "Job": "jobs"},
    "networking.k8s.io/v1": {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "rbac.authorization.k8s.io/v1": {"Role": "roles", "RoleBinding": "rolebindings"},
}
_CLUSTER_SCOPED = {
    "v1": {"Namespace": "namespaces", "PersistentVolume": "persistentvolumes"},
    "apiextensions.k8s.io/v1": {"CustomResourceDefinition": "customresourcedefinitions"},
    "networking.k8s.io/v1": {"IngressClass": "ingressclasses"},
    "node.k8s.io/v1": {"RuntimeClass": "runtimeclasses"},
    "rbac.authorization.k8s.io/v1": {"ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"},
    "scheduling.k8s.io/v1": {"PriorityClass": "priorityclasses"},
    "storage.k8s.io/v1": {"StorageClass": "storageclasses"},
}


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of one group version; `plural` is its name in paths and in RBAC."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def group(self) -> str:
        """`apps`; empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def right(self) -> str:
        """As `kubectl auth can-i` names it: `deployments.apps`, `services`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def collection(self, namespace: str = "") -> str:
        """The path that lists objects of this kind: of one namespace, or of all for an empty one."""
        place = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{root(self.api_version)}{place}/{self.plural}"

    def path(self, namespace: str, name: str) -> str:
        """The path of one object; `namespace` is not looked at for a cluster-scoped kind."""
        return f"{self.collection(namespace)}/{quote(name, safe='')}"


def root(api_version: str) -> str:
    """The path of a group version, which is also where its discovery document is."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def known(api_version: str, kind: str) -> Resource | None:
    """The resource of a kind that every cluster has, without asking it; None for any other."""
    for table, namespaced in ((_NAMESPACED, True), (_CLUSTER_SCOPED, False)):
        plural = table.get(api_version, {}).get(kind)
        if plural:
            return Resource(api_version, kind, plural, namespaced)
    return None


def built_in(api_version: str, kind: str) -> Resource:
    """As `known`, for kinds that are in the table for certain."""
    resource = known(api_version, kind)
    if resource is None:
        raise KeyError(f"{api_version} {kind}")
    return resource


CONFIG_MAPS = built_in("v1", "ConfigMap")
DEPLOYMENTS = built_in("apps/v1", "Deployment")
EVENTS = built_in("v1", "Event")
NAMESPACES = built_in("v1", "Namespace")
PODS = built_in("v1", "Pod")
REPLICA_SETS = built_in("apps/v1", "ReplicaSet")
RUNTIME_CLASSES = built_in("node.k8s.io/v1", "RuntimeClass")
SERVICES = built_in("v1", "Service")
