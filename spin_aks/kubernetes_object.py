"""One Kubernetes object on its way to a cluster: its address, and its body as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.errors import SpinAksError

if TYPE_CHECKING:
    from spin_aks.json_types import JSONObject

# Kubernetes' own, as its discovery lists them; then those of cert-manager, External Secrets, KEDA, Kyverno, Gateway API
# and runtime-class-manager.
CLUSTER_SCOPED = frozenset(
    {"APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding",
     "ClusterTrustBundle", "ComponentStatus", "CustomResourceDefinition", "DeviceClass", "DeviceTaintRule",
     "FlowSchema", "IPAddress", "IngressClass", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
     "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass",
     "PriorityLevelConfiguration", "ResourceSlice", "RuntimeClass", "SelfSubjectAccessReview", "SelfSubjectReview",
     "SelfSubjectRulesReview", "ServiceCIDR", "StorageClass", "StorageVersion", "StorageVersionMigration",
     "SubjectAccessReview", "TokenReview", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
     "ValidatingWebhookConfiguration", "VolumeAttachment", "VolumeAttributesClass",
     "ClusterExternalSecret", "ClusterIssuer", "ClusterPolicy", "ClusterSecretStore", "ClusterTriggerAuthentication",
     "GatewayClass", "Shim"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """Where an object lives: `namespace` is empty for a cluster-scoped kind."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


@dataclass(frozen=True, slots=True)
class KubernetesObject:
    """`body` is the whole object: apiVersion, kind, metadata and the rest."""

    key: ObjectKey
    body: JSONObject

    @classmethod
    def of(cls, body: JSONObject, *, where: str = "") -> KubernetesObject:
        """The object with this body; raises SpinAksError (naming `where`) if it has no apiVersion, kind or name."""
        match body:
            case {"apiVersion": str(api_version), "kind": str(kind), "metadata": {"name": str(name), **metadata}}:
                namespace = metadata.get("namespace", "")
                key = ObjectKey(api_version, kind, namespace if isinstance(namespace, str) else "", name)
                return cls(key, body)
        raise SpinAksError("not a Kubernetes object: apiVersion, kind or metadata.name is missing", where=where)
