"""The namespaces that an apply goes to: there, still to be made, missing, or on their way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.cluster import fields
from spin_aks.cluster.resources import NAMESPACES
from spin_aks.errors import ClusterError
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spin_aks.cluster.connection import Cluster
    from spin_aks.cluster.intended import Intended
    from spin_aks.json_types import JSONObject

GONE_WITHIN_S = 120.0
ASK_EVERY_S = 0.5


def named(intended: Sequence[Intended], namespace: str) -> tuple[str, ...]:
    """Every namespace that this is about, once."""
    made = (item.key.name for item in intended if item.key.kind == "Namespace")
    return tuple(dict.fromkeys(name for name in (namespace, *made, *(i.key.namespace for i in intended)) if name))


def existing(
    cluster: Cluster, intended: Sequence[Intended], namespace: str, progress: Callable[[str], None]
) -> frozenset[str]:
    """Which of the namespaces of `intended`, and `namespace`, exist; waits for the end of one that is being deleted.

    Raises ClusterError for one that neither exists nor is among `intended`.
    """
    made = tuple(item.key.name for item in intended if item.key.kind == "Namespace")
    names = named(intended, namespace)
    found = dict(zip(names, side_by_side(lambda name: _look(cluster, name), names), strict=True))
    missing = [name for name, document in found.items() if document is None and name not in made]
    if missing:
        raise ClusterError(
            f"there is no namespace {', '.join(f'`{name}`' for name in missing)}",
            where=cluster.server,
            hint=f"`kubectl create namespace {missing[0]}`, or add a Namespace to the manifests",
        )
    leaving = [name for name, document in found.items() if fields.text(document, "status", "phase") == "Terminating"]
    for name in leaving:
        progress(f"namespace {name} is being deleted: waiting until it is gone")
        _await_end(cluster, name)
    return frozenset(name for name, document in found.items() if document is not None) - frozenset(leaving)


def _look(cluster: Cluster, name: str) -> JSONObject | None:
    path = NAMESPACES.path("", name)
    answer = cluster.send("GET", path)
    if answer.code == 403:
        # Who may work in a namespace often may not look at it: the dry runs of its objects tell whether it is there.
        return {"metadata": {"name": name}}
    return None if answer.code == 404 else cluster.expect(answer, "GET", path).document


def _await_end(cluster: Cluster, name: str) -> None:
    deadline = clock.monotonic_s() + GONE_WITHIN_S
    while cluster.get(NAMESPACES.path("", name)) is not None:
        if clock.monotonic_s() > deadline:
            raise ClusterError(
                f"namespace `{name}` is being deleted, and still there after {GONE_WITHIN_S:g} s",
                where=cluster.server,
                hint=f"`kubectl get namespace {name} -o yaml` says under `conditions` what holds it",
            )
        clock.sleep(ASK_EVERY_S)
