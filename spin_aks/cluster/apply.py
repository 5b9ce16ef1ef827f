"""Brings a cluster to what was rendered: checks first, then writes in order, then prunes.

Killed at any moment, it leaves a cluster whose inventory names everything that is there: the next run takes up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.cluster import checks, fields, inventory, owned, places, prune
from spin_aks.cluster.applied import Applied, AppliedObject
from spin_aks.cluster.intended import Intended, intend
from spin_aks.cluster.resources import CONFIG_MAPS, NAMESPACES, root
from spin_aks.errors import ClusterError
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from spin_aks.cluster.connection import Answer, Cluster
    from spin_aks.json_types import JSONObject
    from spin_aks.kubernetes_object import KubernetesObject

KIND_WITHIN_S = 30.0
ASK_EVERY_S = 0.5


def apply(
    cluster: Cluster,
    objects: Sequence[KubernetesObject],
    *,
    application: str,
    namespace: str,
    previous: Applied | None,
    progress: Callable[[str], None],
    force: bool = False,
    environment: str = "",
) -> Applied:
    """Applies `objects` in their order (namespaces first), prunes what went out of them, and says what is there now.

    `application` is the Kubernetes name, `namespace` where objects without one go and where the inventory is kept;
    `previous` is what this machine applied last, if it knows. With `force`, fields that others changed are taken back;
    without, they are a ClusterError that names manager and field; so it is with what another `environment` has there.
    Nothing is written if anything that can be known
    beforehand is wrong; in a namespace that does not exist yet only the namespace is.
    """
    intended = intend(cluster, objects, application=application, namespace=namespace)
    cluster.look_ahead(_read_first(intended, application, namespace))
    checks.runtime_classes(cluster, intended)
    if not force:
        inventory.refuse_another(cluster, namespace, application, environment)
    there = places.existing(cluster, intended, namespace, progress)
    _tell_of_former_place(cluster, previous, application, namespace, progress)
    writer = _Writer(cluster, progress, force)
    writer.rehearse(item for item in intended if not item.key.namespace or item.key.namespace in there)
    done = writer.write(item for item in intended if item.comes_first)
    _await_kinds(cluster, intended)
    writer.rehearse(intended)

    rendered = frozenset(item.entry for item in intended)
    known = inventory.add(cluster, namespace, application, rendered, environment=environment, take_over=force)
    done |= writer.write(item for item in intended if not item.comes_first)
    leftover = (known | _remembered(previous, cluster, namespace, application)) - rendered
    if leftover:
        gone = prune.prune(cluster, leftover, prune.Scope(application, namespace), progress)
        inventory.remove(cluster, namespace, application, gone)
    return _applied(cluster, intended, done, application, namespace)


def _read_first(intended: Sequence[Intended], application: str, namespace: str) -> Iterator[str]:
    """What the checks read: each path as often as they do."""
    yield from dict.fromkeys(checks.runtime_class_paths(intended))
    yield CONFIG_MAPS.path(namespace, inventory.name_for(application))
    yield from (NAMESPACES.path("", name) for name in places.named(intended, namespace))
    yield from (item.path for item in intended if not item.defined_here)


class _Writer:
    """Sends what is to be applied, and tells what became of it by what was there before."""

    def __init__(self, cluster: Cluster, progress: Callable[[str], None], force: bool) -> None:
        self._cluster = cluster
        self._progress = progress
        self._force = force
        self._before: dict[str, Answer] = {}
        self._standing: frozenset[str] = frozenset()

    def rehearse(self, items: Iterable[Intended]) -> None:
        """Dry runs of those that had none yet; raises ClusterError with everything that would be refused."""
        fresh = [item for item in items if item.path not in self._before and not item.defined_here]
        self._standing |= checks.dry_run(self._cluster, fresh, force=self._force)
        there = side_by_side(lambda item: self._cluster.send("GET", item.path), fresh)
        self._before |= {item.path: answer for item, answer in zip(fresh, there, strict=True)}

    def write(self, items: Iterable[Intended]) -> dict[str, JSONObject]:
        """The live objects by path; those that stand already and are not ours to write are left out."""
        wanted = []
        for item in items:
            if item.path in self._standing:
                self._progress(f"{item.key} stands already; it is not ours to write")
            else:
                wanted.append(item)
        answers = self._cluster.apply_each(((item.path, item.body) for item in wanted), force=self._force)
        return {item.path: self._written(item, answer) for item, answer in zip(wanted, answers, strict=True)}

    def _written(self, item: Intended, answer: Answer) -> JSONObject:
        if not answer.ok:
            raise ClusterError.of(checks.refused(self._cluster, item, answer))
        for warning in answer.warnings:
            self._progress(f"{item.key}: warning: {warning}")
        self._progress(f"{item.key} {_became(answer, self._before.get(item.path))}")
        return answer.document


def _became(answer: Answer, before: Answer | None) -> str:
    if answer.code == 201 or (before is not None and before.code == 404 and not owned.others(answer.document)):
        return "created"
    if before is None or not before.ok:
        return "applied"
    return "unchanged" if _state(before.document) == _state(answer.document) else "changed"


def _state(document: JSONObject) -> tuple[int, dict[str, str]]:
    """What an apply can change. The resource version would tell too much: it changes with the status."""
    return fields.number(document, "metadata", "generation"), owned.owned(document)


def _await_kinds(cluster: Cluster, intended: Sequence[Intended]) -> None:
    """A definition takes a moment until objects of its kind are accepted."""
    deadline = clock.monotonic_s() + KIND_WITHIN_S
    for item in intended:
        path = root(item.key.api_version)
        while item.defined_here and not _serves(cluster, item):
            if clock.monotonic_s() > deadline:
                raise ClusterError(f"kind {item.key.kind} was defined, and is still not served", where=path)
            clock.sleep(ASK_EVERY_S)


def _serves(cluster: Cluster, item: Intended) -> bool:
    document = cluster.get(root(item.key.api_version)) or {}
    return any(fields.text(found, "name") == item.resource.plural for found in fields.objects(document, "resources"))


def _tell_of_former_place(
    cluster: Cluster, previous: Applied | None, application: str, namespace: str, progress: Callable[[str], None]
) -> None:
    """Another namespace, or another name, is another deployment: what is in the former one goes on running."""
    if previous is None or previous.target.identity != cluster.identity:
        return
    if (previous.namespace, previous.application) != (namespace, application):
        selector = f"{inventory.APPLICATION_LABEL}={previous.application}"
        remove = f"kubectl delete deployment,service,configmap --selector {selector}"
        progress(
            f"namespace {previous.namespace} keeps what was applied there before; "
            f"`{remove} --namespace {previous.namespace}` removes it"
        )


def _remembered(
    previous: Applied | None, cluster: Cluster, namespace: str, application: str
) -> frozenset[inventory.Entry]:
    """What this machine remembers of the same application in the same place, should the inventory be lost."""
    if previous is None:
        return frozenset()
    same = (previous.target.identity, previous.namespace, previous.application)
    if same != (cluster.identity, namespace, application):
        return frozenset()
    return frozenset(
        inventory.Entry(key.api_version, key.kind, key.namespace, key.name, item.plural)
        for item in previous.objects
        for key in (item.key,)
    )


def _applied(
    cluster: Cluster,
    intended: Sequence[Intended],
    done: dict[str, JSONObject],
    application: str,
    namespace: str,
) -> Applied:
    objects = tuple(
        AppliedObject(
            item.key,
            item.resource.plural,
            fields.text(done[item.path], "metadata", "uid"),
            tuple(sorted(owned.owned(done[item.path]).items())),
        )
        for item in intended
        if item.path in done
    )
    image = next((found for item in intended if (found := _image(item))), "")
    return Applied(application, namespace, cluster.target, objects, image, "", clock.rfc3339(clock.now()))


def _image(item: Intended) -> str:
    if item.key.kind != "Deployment":
        return ""
    containers = fields.objects(item.body, "spec", "template", "spec", "containers")
    return fields.text(containers[0], "image") if containers else ""
