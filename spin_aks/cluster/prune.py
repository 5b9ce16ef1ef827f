"""Deletes what the inventory names and the manifests no longer do, if it is ours to delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.cluster import fields, owned
from spin_aks.cluster.inventory import APPLICATION_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spin_aks.cluster.connection import Cluster
    from spin_aks.cluster.inventory import Entry
    from spin_aks.json_types import JSONObject


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose objects may be pruned, and where: an application never deletes outside its own namespace."""

    application: str
    namespace: str


def prune(
    cluster: Cluster, entries: Iterable[Entry], scope: Scope, progress: Callable[[str], None]
) -> tuple[Entry, ...]:
    """The entries that are dealt with: deleted, or left for good with a notice that says why.

    Cluster-scoped objects and those of other namespaces are shared with other applications, and a claim's volume holds
    what people stored: none of them is ever deleted.
    """
    done: list[Entry] = []
    for entry in sorted(entries):
        document = cluster.get(entry.path)
        if document is not None:
            _prune_one(cluster, entry, document, scope, progress)
        done.append(entry)
    return tuple(done)


def _prune_one(
    cluster: Cluster, entry: Entry, document: JSONObject, scope: Scope, progress: Callable[[str], None]
) -> None:
    reason = why_left(entry, document, scope)
    if reason:
        progress(f"{entry.key} is no longer in the manifests, and left there: {reason}")
    elif cluster.delete(entry.path, uid=fields.text(document, "metadata", "uid")):
        progress(f"{entry.key} deleted: it is no longer in the manifests")


def why_left(entry: Entry, document: JSONObject, scope: Scope) -> str:
    """Why this live object is not to be deleted; empty if it is."""
    if not entry.namespace or entry.kind in {"Namespace", "CustomResourceDefinition"}:
        return "it belongs to the whole cluster"
    if entry.namespace != scope.namespace:
        return "it is outside the application's namespace"
    if entry.kind == "PersistentVolumeClaim":
        return "its volume holds data"
    label = fields.text(document, "metadata", "labels", APPLICATION_LABEL)
    if label != scope.application:
        return f"its label says application `{label}`" if label else "somebody took our label off it"
    if not owned.is_ours(document):
        return "somebody else has taken it over"
    if appliers := owned.appliers(document):
        return f"`{appliers[0]}` applies it too"
    if owners := fields.objects(document, "metadata", "ownerReferences"):
        return f"{fields.text(owners[0], 'kind')} {fields.text(owners[0], 'name')} owns it"
    return ""
