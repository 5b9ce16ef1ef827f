"""The kinds that the sandbox's cluster serves: where they live, what may be asked of them, what they are called."""

from __future__ import annotations

from dataclasses import dataclass

VERBS = ("create", "delete", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """`plural` is the kind's name in paths; `selectable` are the fields that a field selector may name."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    in_all: bool = False
    has_status: bool = False
    has_scale: bool = False
    has_generation: bool = False
    selectable: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """`apps/v1`, and `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """The path of its group and version: `/apis/apps/v1`, `/api/v1`."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    @property
    def resource(self) -> str:
        """As messages name it: `deployments.apps`, `services`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified(self) -> str:
        """As messages about an invalid object name it: `Deployment.apps`, `Service`."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


RBAC = "rbac.authorization.k8s.io"
EVENT_FIELDS = (
    *(f"involvedObject.{name}" for name in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath")),
    *("reason", "reportingComponent", "source", "type"),
)
POD_FIELDS = ("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase", "status.podIP")

NAMESPACE = Kind(
    "", "v1", "Namespace", "namespaces", namespaced=False, short_names=("ns",), has_status=True,
    selectable=("status.phase",),
)  # fmt: skip
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", short_names=("cm",))
SECRET = Kind("", "v1", "Secret", "secrets", selectable=("type",))
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts", short_names=("sa",))
SERVICE = Kind("", "v1", "Service", "services", short_names=("svc",), in_all=True, has_status=True)
POD = Kind(
    "", "v1", "Pod", "pods", short_names=("po",), in_all=True, has_status=True, has_generation=True,
    selectable=POD_FIELDS,
)  # fmt: skip
EVENT = Kind("", "v1", "Event", "events", short_names=("ev",), selectable=EVENT_FIELDS)
NODE = Kind("", "v1", "Node", "nodes", namespaced=False, short_names=("no",), has_status=True)
DEPLOYMENT = Kind(
    "apps", "v1", "Deployment", "deployments", short_names=("deploy",), in_all=True, has_status=True, has_scale=True,
    has_generation=True,
)  # fmt: skip
REPLICA_SET = Kind(
    "apps", "v1", "ReplicaSet", "replicasets", short_names=("rs",), in_all=True, has_status=True, has_scale=True,
    has_generation=True,
)  # fmt: skip
JOB = Kind("batch", "v1", "Job", "jobs", in_all=True, has_status=True, has_generation=True)
RUNTIME_CLASS = Kind("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", namespaced=False)
ROLE = Kind(RBAC, "v1", "Role", "roles")
ROLE_BINDING = Kind(RBAC, "v1", "RoleBinding", "rolebindings")
CLUSTER_ROLE = Kind(RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = Kind(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)

KINDS: tuple[Kind, ...] = (
    NAMESPACE, CONFIG_MAP, SECRET, SERVICE_ACCOUNT, SERVICE, POD, EVENT, NODE,
    DEPLOYMENT, REPLICA_SET, JOB, RUNTIME_CLASS, ROLE, ROLE_BINDING, CLUSTER_ROLE, CLUSTER_ROLE_BINDING,
)  # fmt: skip


def find(root: str, plural: str) -> Kind | None:
    """The kind of the paths below `root` (`/apis/apps/v1`) with that plural name."""
    return next((kind for kind in KINDS if (kind.root, kind.plural) == (root, plural)), None)
