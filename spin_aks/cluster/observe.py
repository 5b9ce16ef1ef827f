"""What became of the objects that were applied: gone, made anew, changed by somebody, or not healthy.

Exactly one GET a kind and namespace where all is well, side by side, and no discovery.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.cluster import fields, health, owned
from spin_aks.cluster.connection import FIELD_MANAGER
from spin_aks.cluster.inventory import APPLICATION_LABEL, MANAGED_BY, MANAGED_BY_LABEL
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from spin_aks.cluster.applied import Applied, AppliedObject
    from spin_aks.cluster.connection import Cluster
    from spin_aks.json_types import JSONObject
    from spin_aks.kubernetes_object import ObjectKey

SHOWN_FIELDS = 4


@dataclass(frozen=True, slots=True)
class Drift:
    """One object that is not as it was applied; `what` continues the sentence that `key` begins."""

    key: ObjectKey
    what: str

    def __str__(self) -> str:
        return f"{self.key} {self.what}"


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that drifted, in the order of application; nothing where the cluster is as it was left."""

    drifted: tuple[Drift, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """`Service hello/hello was changed by `kubectl-edit`: `spec.type``."""
        return tuple(str(drift) for drift in self.drifted)


@dataclass(frozen=True, slots=True)
class _Group:
    """The applied objects of one kind in one namespace: one GET finds them all."""

    objects: tuple[AppliedObject, ...]
    selector: str


def observe(cluster: Cluster, applied: Applied) -> Observation:
    """Compares the cluster with what was applied to it. Raises ClusterError where it can't be asked."""
    groups = _groups(applied)
    found: dict[str, JSONObject] = {}
    for documents in side_by_side(lambda group: _ask(cluster, group), groups):
        found |= documents
    drifted = ((item, what(item, found.get(item.path))) for item in applied.objects)
    return Observation(tuple(Drift(item.key, words) for item, words in drifted if words))


def _groups(applied: Applied) -> tuple[_Group, ...]:
    grouped: dict[str, list[AppliedObject]] = {}
    for item in applied.objects:
        grouped.setdefault(item.resource.collection(item.key.namespace), []).append(item)
    own = f"{APPLICATION_LABEL}={applied.application}"
    shared = f"{MANAGED_BY_LABEL}={MANAGED_BY}"
    return tuple(
        _Group(tuple(items), own if items[0].key.namespace == applied.namespace else shared)
        for items in grouped.values()
    )


def _ask(cluster: Cluster, group: _Group) -> dict[str, JSONObject]:
    """The live objects of a group by path. One that the selector misses may only have lost its label: asked by name."""
    if len(group.objects) == 1:
        return _ask_each(cluster, group.objects)
    key = group.objects[0].key
    resource = group.objects[0].resource
    found = {
        resource.path(key.namespace, fields.text(document, "metadata", "name")): {"kind": key.kind, **document}
        for document in cluster.list(resource.collection(key.namespace), label_selector=group.selector).items
    }
    return found | _ask_each(cluster, tuple(item for item in group.objects if item.path not in found))


def _ask_each(cluster: Cluster, objects: tuple[AppliedObject, ...]) -> dict[str, JSONObject]:
    answers = ((item.path, cluster.get(item.path)) for item in objects)
    return {path: document for path, document in answers if document is not None}


def what(item: AppliedObject, live: JSONObject | None) -> str:
    """How `live` differs from what was applied, as the rest of a sentence; empty if it does not."""
    if live is None:
        return "is gone"
    if fields.text(live, "metadata", "deletionTimestamp"):
        return "is being deleted"
    if fields.text(live, "metadata", "uid") != item.uid:
        return "was deleted and made anew"
    now = owned.owned(live)
    if not now and item.owned:
        return f"was taken over by {_named(sorted(set(owned.others(live).values())))}"
    return _changes(dict(item.owned), now, owned.others(live)) or _health(item, live)


def _changes(before: dict[str, str], now: dict[str, str], others: dict[str, str]) -> str:
    changed: dict[str, list[str]] = {}
    for path in sorted(before.keys() | now.keys()):
        if before.get(path) != now.get(path):
            manager = FIELD_MANAGER if path in now else _owner(path, others)
            changed.setdefault(manager, []).append(path)
    return ", and ".join(_changed(manager, paths) for manager, paths in changed.items())


def _changed(manager: str, paths: list[str]) -> str:
    more = len(paths) - SHOWN_FIELDS
    listed = ", ".join(f"`{path}`" for path in paths[:SHOWN_FIELDS]) + (f" and {more} more" if more > 0 else "")
    # A removal, and a scaling to 0, leave no trace of who did it.
    by = f"`{manager}`" if manager else "somebody"
    return f"was changed by {'another run of ' if manager == FIELD_MANAGER else ''}{by}: {listed}"


def _owner(path: str, others: dict[str, str]) -> str:
    """Who owns the field, or the list or mapping that it is in; empty if nobody does."""
    if path in others:
        return others[path]
    around = [owner for owner in others if path.startswith((f"{owner}.", f"{owner}["))]
    return others[max(around, key=len)] if around else ""


def _named(managers: list[str]) -> str:
    return ", ".join(f"`{manager}`" for manager in managers) if managers else "nobody: no field in it is ours now"


def _health(item: AppliedObject, live: JSONObject) -> str:
    if item.key.kind != "Deployment":
        return ""
    reached = health.progress(live)
    return "" if reached.healthy else f"is not healthy: {reached}"
