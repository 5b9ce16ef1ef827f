"""Where each object goes and in which order: its namespace, our labels, what has to be there before what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import SpinAksError
from spin_aks.generators.names import APPLICATION_LABEL, MANAGED_BY, MANAGED_BY_LABEL, kubernetes_name
from spin_aks.generators.workloads import WORKLOADS, table, template
from spin_aks.kubernetes_object import CLUSTER_SCOPED, KubernetesObject, ObjectKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spin_aks.generators.documents import Document

_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})
_LAST = frozenset({"Service", "Ingress", "HTTPRoute", "APIService"})


def cluster_scoped(documents: Iterable[Document]) -> frozenset[str]:
    """The kinds without a namespace: those known, and those of CustomResourceDefinitions among the documents."""
    own = (
        document.at("spec", "names", "kind")
        for document in documents
        if document.at("kind") == "CustomResourceDefinition" and document.at("spec", "scope") == "Cluster"
    )
    return CLUSTER_SCOPED | {kind for kind in own if isinstance(kind, str)}


def place(
    document: Document, application: str, namespace: str, without_namespace: frozenset[str] = CLUSTER_SCOPED
) -> None:
    """Gives the object its namespace and our labels; what names the application's default namespace follows too.

    Objects of another namespace and those of the whole cluster serve other applications as well: they are not labelled
    as this one's.
    """
    kind, default = document.at("kind"), kubernetes_name(application)
    metadata = table(document, ("metadata",))
    if kind == "Namespace":
        metadata["name"] = namespace if metadata["name"] == default else metadata["name"]
    if kind in without_namespace:
        metadata.pop("namespace", None)
    elif metadata.get("namespace") in (None, "", default):
        metadata["namespace"] = namespace
    if kind in _BINDINGS:
        _bind(document, default, namespace)
    labels = table(document, ("metadata", "labels"))
    labels.setdefault(MANAGED_BY_LABEL, MANAGED_BY)
    if metadata.get("namespace") == namespace:
        labels[APPLICATION_LABEL] = default
        pods = template(document)
        if pods:
            table(document, (*pods, "metadata", "labels"))[APPLICATION_LABEL] = default


def placed(documents: Iterable[Document], kind: str, name: str, namespace: str) -> Document | None:
    """The object of that kind and name that goes to that namespace, if it is among the documents."""
    for document in documents:
        metadata = (document.at("metadata", "name"), document.at("metadata", "namespace"))
        if document.at("kind") == kind and metadata == (name, namespace):
            return document
    return None


def _bind(document: Document, default: str, namespace: str) -> None:
    subjects = document.at("subjects")
    for subject in subjects if isinstance(subjects, list) else []:
        if not isinstance(subject, dict) or subject.get("kind") != "ServiceAccount":
            continue
        if subject.get("namespace") in (None, "", default):
            subject["namespace"] = namespace


def refuse_stray_namespace(documents: Sequence[Document], namespace: str) -> None:
    """Refuses a Namespace that nothing is in while the environment's has none: it was renamed in its file."""
    used = {document.at("metadata", "namespace") for document in documents}
    named = {document.at("metadata", "name"): document for document in documents if document.at("kind") == "Namespace"}
    stray = [name for name in named if name not in used]
    if namespace in named or not stray:
        return
    raise SpinAksError(
        f"the Namespace `{stray[0]}` is there for nothing: this environment's namespace is `{namespace}`",
        where=named[stray[0]].where("metadata", "name"),
        hint=f"name it with `--namespace {stray[0]}`; in the file its name may stay the application's",
    )


def ordered(documents: Iterable[Document]) -> tuple[KubernetesObject, ...]:
    """The objects, whatever others need before those; raises SpinAksError if two of them are the same one."""
    found: dict[tuple[str, str, str, str], Document] = {}
    objects = []
    for document in documents:
        item = KubernetesObject.of(document.body, where=document.where())
        group = item.key.api_version.rpartition("/")[0]
        first = found.setdefault((group, item.key.kind, item.key.namespace, item.key.name), document)
        if first is not document:
            what = f"{item.key} is there twice: in {first.where()} too"
            raise SpinAksError(what, where=document.where(), hint="take one of them out")
        objects.append(item)
    return tuple(sorted(objects, key=lambda item: (_rank(item.key), item.key.namespace, item.key.kind, item.key.name)))


def _rank(key: ObjectKey) -> int:
    if key.kind in {"Namespace", "CustomResourceDefinition"}:
        return 0 if key.kind == "Namespace" else 1
    if key.kind in _LAST:
        return 5
    if key.kind in WORKLOADS:
        return 4
    return 2 if not key.namespace else 3
