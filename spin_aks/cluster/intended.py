"""What is to be applied, with everything said that the files left open: where it lives, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.cluster import fields
from spin_aks.cluster.inventory import APPLICATION_LABEL, MANAGED_BY, MANAGED_BY_LABEL, Entry
from spin_aks.cluster.resources import Resource, known, root
from spin_aks.errors import ClusterError, Problem
from spin_aks.kubernetes_object import ObjectKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spin_aks.cluster.connection import Cluster
    from spin_aks.json_types import JSONObject
    from spin_aks.kubernetes_object import KubernetesObject

FIRST = ("Namespace", "CustomResourceDefinition")
_COMES_WITH = {
    "core.spinkube.dev": "install the Spin operator (https://www.spinkube.dev)",
    "runtime.spinkube.dev": "install runtime-class-manager (https://www.spinkube.dev)",
    "secrets-store.csi.x-k8s.io": "`az aks enable-addons --addons azure-keyvault-secrets-provider` brings it",
    "keda.sh": "`az aks update --enable-keda` brings it",
    "cert-manager.io": "install cert-manager (https://cert-manager.io)",
    "gateway.networking.k8s.io": "install the Gateway API's definitions, or enable an add-on that brings them",
}


@dataclass(frozen=True, slots=True)
class Intended:
    """`key` has the namespace it will be in; `defined_here`: its kind comes with the CustomResourceDefinitions
    that are applied along with it.
    """

    key: ObjectKey
    resource: Resource
    body: JSONObject
    defined_here: bool = False

    @property
    def path(self) -> str:
        return self.resource.path(self.key.namespace, self.key.name)

    @property
    def entry(self) -> Entry:
        key = self.key
        return Entry(key.api_version, key.kind, key.namespace, key.name, self.resource.plural)

    @property
    def comes_first(self) -> bool:
        return self.key.kind in FIRST


def intend(
    cluster: Cluster, objects: Sequence[KubernetesObject], *, application: str, namespace: str
) -> tuple[Intended, ...]:
    """Namespaces first, then definitions of kinds, then the rest in its order.

    Asks the cluster only for kinds that neither we nor a definition among `objects` know: once for each group version.
    Raises ClusterError naming every kind that does not exist.
    """
    defined = dict(_definitions(objects))
    asked: dict[str, JSONObject | None] = {}
    found: list[Intended] = []
    problems: list[Problem] = []
    for item in objects:
        kind = (item.key.api_version, item.key.kind)
        resource = known(*kind) or defined.get(kind) or _discovered(cluster, asked, *kind)
        if resource is None:
            problems.append(_unknown_kind(item.key))
        else:
            found.append(_complete(item, resource, application, namespace, defined_here=kind in defined))
    if problems:
        raise ClusterError.of(problems)
    rank = {kind: place for place, kind in enumerate(FIRST)}
    return tuple(sorted(found, key=lambda intended: rank.get(intended.key.kind, len(FIRST))))


def _complete(
    item: KubernetesObject, resource: Resource, application: str, namespace: str, *, defined_here: bool
) -> Intended:
    place = (item.key.namespace or namespace) if resource.namespaced else ""
    metadata = dict(fields.mapping(item.body, "metadata"))
    if place:
        metadata["namespace"] = place
    else:
        metadata.pop("namespace", None)
    labels = fields.mapping(metadata, "labels")
    own: JSONObject = {APPLICATION_LABEL: application} if place == namespace else {}
    # Shared objects are no application's own, so that two applications do not take turns in changing them.
    shared: JSONObject = {} if place == namespace else {MANAGED_BY_LABEL: MANAGED_BY}
    metadata["labels"] = {**shared, **labels, **own}
    key = ObjectKey(item.key.api_version, item.key.kind, place, item.key.name)
    return Intended(key, resource, {**item.body, "metadata": metadata}, defined_here)


def _definitions(objects: Iterable[KubernetesObject]) -> Iterable[tuple[tuple[str, str], Resource]]:
    for item in objects:
        if item.key.kind != "CustomResourceDefinition":
            continue
        group, kind = fields.text(item.body, "spec", "group"), fields.text(item.body, "spec", "names", "kind")
        plural = fields.text(item.body, "spec", "names", "plural")
        namespaced = fields.text(item.body, "spec", "scope") == "Namespaced"
        for version in fields.objects(item.body, "spec", "versions"):
            api_version = f"{group}/{fields.text(version, 'name')}"
            yield (api_version, kind), Resource(api_version, kind, plural, namespaced)


def _discovered(cluster: Cluster, asked: dict[str, JSONObject | None], api_version: str, kind: str) -> Resource | None:
    if api_version not in asked:
        answer = cluster.send("GET", root(api_version))
        if answer.code != 404:
            cluster.expect(answer, "GET", root(api_version))
        asked[api_version] = answer.document if answer.ok else None
    for item in fields.objects(asked[api_version], "resources"):
        plural = fields.text(item, "name")
        if fields.text(item, "kind") == kind and "/" not in plural:
            return Resource(api_version, kind, plural, fields.flag(item, "namespaced"))
    return None


def _unknown_kind(key: ObjectKey) -> Problem:
    group = key.api_version.partition("/")[0]
    hint = _COMES_WITH.get(group, f"`kubectl api-resources` lists those it has; is `{key.api_version}` spelled right?")
    return Problem(f"the cluster has no kind {key.kind} in {key.api_version}", where=str(key), hint=hint)
