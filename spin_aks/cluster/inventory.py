"""The list of what an application has in the cluster, kept in the cluster: who applies next, prunes by it.

A ConfigMap in the application's namespace. It names everything that was applied and has not been pruned: written before
an apply with what comes added, and after it without what is gone, so that it never lacks an object that is there. It
also names the environment whose it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.cluster import fields
from spin_aks.cluster.resources import CONFIG_MAPS, Resource
from spin_aks.errors import ClusterError
from spin_aks.kubernetes_object import ObjectKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spin_aks.cluster.connection import Cluster
    from spin_aks.json_types import JSONObject

APPLICATION_LABEL = "spin-aks.dev/application"
"""On every object in the application's namespace: its value is the application's Kubernetes name."""
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "spin-aks"
ATTEMPTS = 8


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One object by its address; `plural` spares asking for it."""

    api_version: str
    kind: str
    namespace: str
    name: str
    plural: str

    @property
    def key(self) -> ObjectKey:
        return ObjectKey(self.api_version, self.kind, self.namespace, self.name)

    @property
    def resource(self) -> Resource:
        return Resource(self.api_version, self.kind, self.plural, namespaced=bool(self.namespace))

    @property
    def path(self) -> str:
        return self.resource.path(self.namespace, self.name)

    def __str__(self) -> str:
        parts = (self.api_version, self.kind, self.namespace, self.name, self.plural)
        return json.dumps(parts)


def name_for(application: str) -> str:
    """The ConfigMap's name. A dot never stands in a generated name, so it is nobody else's."""
    return f"spin-aks.{application}"


def read(cluster: Cluster, namespace: str, application: str) -> frozenset[Entry]:
    """What the inventory names; empty where there is none. Lines that are no entries are passed over."""
    document = cluster.get(CONFIG_MAPS.path(namespace, name_for(application)))
    return _entries(document or {})


def refuse_another(cluster: Cluster, namespace: str, application: str, environment: str) -> None:
    """Raises ClusterError if what is there is another environment's: each would take the other's objects over."""
    document = cluster.get(CONFIG_MAPS.path(namespace, name_for(application))) or {}
    _refuse(fields.text(document, "data", "environment"), namespace, application, environment)


def _refuse(owner: str, namespace: str, application: str, environment: str) -> None:
    if owner and environment and owner != environment:
        raise ClusterError(
            f"the environment `{owner}` has `{application}` in the namespace {namespace} already",
            where=f"ConfigMap {namespace}/{name_for(application)}",
            hint=f"give `{environment}` a namespace of its own (`--namespace NAME`, or `kubernetes.namespace` in its "
            "configuration), or take over what is there with `--force-conflicts`",
        )


def add(
    cluster: Cluster,
    namespace: str,
    application: str,
    entries: Iterable[Entry],
    *,
    environment: str = "",
    take_over: bool = False,
) -> frozenset[Entry]:
    """Everything in the inventory, `entries` among it from now on; it is `environment`'s then, if one is given.

    Raises ClusterError if it is another environment's by now, unless that is to be taken over.
    """
    more = frozenset(entries)
    return _update(cluster, namespace, application, lambda known: known | more, environment, take_over=take_over)


def remove(cluster: Cluster, namespace: str, application: str, entries: Iterable[Entry]) -> frozenset[Entry]:
    """What is left in the inventory without `entries`."""
    gone = frozenset(entries)
    return _update(cluster, namespace, application, lambda known: known - gone)


def _update(
    cluster: Cluster,
    namespace: str,
    application: str,
    change: Callable[[frozenset[Entry]], frozenset[Entry]],
    environment: str = "",
    *,
    take_over: bool = False,
) -> frozenset[Entry]:
    """Reads, changes and writes, again if somebody else wrote meanwhile: two at once lose nothing of each other's."""
    path = CONFIG_MAPS.path(namespace, name_for(application))
    for _ in range(ATTEMPTS):
        document = cluster.get(path)
        known, before = _entries(document or {}), fields.text(document or {}, "data", "environment")
        if not take_over:
            _refuse(before, namespace, application, environment)
        wanted = change(known)
        if document is not None and wanted == known and environment in ("", before):
            return wanted
        body = _config_map(namespace, application, wanted, document, environment or before)
        if document is None:
            request, where = "POST", CONFIG_MAPS.collection(namespace)
            answer = cluster.create(where, body)
        else:
            request, where = "PUT", path
            answer = cluster.replace(where, body)
        if answer.code == 409 or (document is not None and answer.code == 404):
            continue
        cluster.expect(answer, request, where)
        return wanted
    raise ClusterError(
        f"the inventory is being written by others without a pause ({ATTEMPTS} attempts)",
        where=f"ConfigMap {namespace}/{name_for(application)}",
        hint="see who else deploys this application right now, and run the same command again",
    )


def _config_map(
    namespace: str, application: str, entries: frozenset[Entry], document: JSONObject | None, environment: str
) -> JSONObject:
    metadata: JSONObject = {
        "name": name_for(application),
        "namespace": namespace,
        "labels": {APPLICATION_LABEL: application, MANAGED_BY_LABEL: MANAGED_BY},
    }
    if document is not None:
        metadata["resourceVersion"] = fields.text(document, "metadata", "resourceVersion")
    lines = "".join(f"{entry}\n" for entry in sorted(entries))
    data: JSONObject = {"objects": lines}
    if environment:
        data["environment"] = environment
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _entries(document: JSONObject) -> frozenset[Entry]:
    lines = fields.text(document, "data", "objects").splitlines()
    return frozenset(entry for line in lines if (entry := _entry(line)) is not None)


def _entry(line: str) -> Entry | None:
    try:
        parts = json.loads(line)
    except ValueError:
        return None
    match parts:
        case [str(api_version), str(kind), str(namespace), str(name), str(plural)] if kind and name and plural:
            return Entry(api_version, kind, namespace, name, plural)
    return None
