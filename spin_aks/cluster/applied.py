"""What a run applied, as a value: kept in `T/applied.json`, compared with the cluster by the next run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.cluster import fields
from spin_aks.cluster.kubeconfig import Target
from spin_aks.cluster.resources import Resource
from spin_aks.kubernetes_object import ObjectKey

if TYPE_CHECKING:
    from spin_aks.json_types import JSON, JSONObject


@dataclass(frozen=True, slots=True)
class AppliedObject:
    """`uid` is Kubernetes' own for this very object; `owned` is each field we own with a digest of its value."""

    key: ObjectKey
    plural: str
    uid: str
    owned: tuple[tuple[str, str], ...]

    @property
    def resource(self) -> Resource:
        return Resource(self.key.api_version, self.key.kind, self.plural, namespaced=bool(self.key.namespace))

    @property
    def path(self) -> str:
        return self.resource.path(self.key.namespace, self.key.name)

    def to_json(self) -> JSONObject:
        return {
            "apiVersion": self.key.api_version,
            "kind": self.key.kind,
            "namespace": self.key.namespace,
            "name": self.key.name,
            "plural": self.plural,
            "uid": self.uid,
            "owned": dict(self.owned),
        }

    @classmethod
    def from_json(cls, document: JSONObject) -> AppliedObject:
        api_version, kind, namespace, name = (
            fields.text(document, member) for member in ("apiVersion", "kind", "namespace", "name")
        )
        owned = fields.mapping(document, "owned")
        return cls(
            ObjectKey(api_version, kind, namespace, name),
            fields.text(document, "plural"),
            fields.text(document, "uid"),
            tuple((path, digest) for path, digest in sorted(owned.items()) if isinstance(digest, str)),
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """One application in one namespace of one cluster.

    `image` is what its (first) Deployment runs, `revision` Kubernetes' number of that Deployment's state (empty until
    the rollout was watched), `when` RFC 3339 in UTC.
    """

    application: str
    namespace: str
    target: Target
    objects: tuple[AppliedObject, ...]
    image: str
    revision: str
    when: str

    def to_json(self) -> JSONObject:
        listed: list[JSON] = [item.to_json() for item in self.objects]
        return {
            "application": self.application,
            "namespace": self.namespace,
            "cluster": {"identity": self.target.identity, "source": self.target.source},
            "objects": listed,
            "image": self.image,
            "revision": self.revision,
            "when": self.when,
        }

    @classmethod
    def from_json(cls, document: JSONObject) -> Applied | None:
        """What `to_json` wrote; None for any other document, which is then as good as none."""
        objects = tuple(AppliedObject.from_json(item) for item in fields.objects(document, "objects"))
        application, namespace = fields.text(document, "application"), fields.text(document, "namespace")
        if not (application and namespace and all(item.key.name and item.plural for item in objects)):
            return None
        cluster = fields.mapping(document, "cluster")
        return cls(
            application,
            namespace,
            Target(fields.text(cluster, "source"), fields.text(cluster, "identity")),
            objects,
            fields.text(document, "image"),
            fields.text(document, "revision"),
            fields.text(document, "when"),
        )
