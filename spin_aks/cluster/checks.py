"""Everything about an apply that can be decided before the first write: asked side by side, reported all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.cluster import fields
from spin_aks.cluster.resources import RUNTIME_CLASSES
from spin_aks.cluster.verdicts import in_words
from spin_aks.errors import ClusterError, Problem
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spin_aks.cluster.connection import Answer, Cluster
    from spin_aks.cluster.intended import Intended
    from spin_aks.json_types import JSONObject

_KNOWN_HANDLERS = {
    "spin": "the one that KWASM's installer configures on nodes",
    "spin-v2": "the one that runtime-class-manager configures on nodes",
}


def runtime_classes(cluster: Cluster, intended: Sequence[Intended]) -> None:
    """Raises ClusterError for each RuntimeClass that is there with another handler than is wanted, and for each that
    pods name and nobody has.
    """
    wanted = {item.key.name: item for item in intended if item.key.kind == "RuntimeClass"}
    named: dict[str, Intended] = {}
    for item in intended:
        for name in _named_runtime_classes(item.body):
            named.setdefault(name, item)
    names = tuple(dict.fromkeys((*wanted, *named)))
    answers = side_by_side(lambda name: cluster.send("GET", RUNTIME_CLASSES.path("", name)), names)
    problems: list[Problem] = []
    for name, answer in zip(names, answers, strict=True):
        if name in wanted and answer.ok:
            problems.extend(_other_handler(wanted[name], answer.document))
        elif name not in wanted and answer.code == 404:
            hint = "`kubectl get runtimeclass` lists those there are"
            problems.append(
                Problem(f"its pods want RuntimeClass `{name}`, which is not there", str(named[name].key), hint)
            )
    if problems:
        raise ClusterError.of(problems)


def runtime_class_paths(intended: Sequence[Intended]) -> Iterator[str]:
    """Where those are that `runtime_classes` looks at."""
    for item in intended:
        if item.key.kind == "RuntimeClass":
            yield item.path
        yield from (RUNTIME_CLASSES.path("", name) for name in _named_runtime_classes(item.body))


def _named_runtime_classes(body: JSONObject) -> Iterator[str]:
    for path in (("spec", "template", "spec"), ("spec",)):
        if name := fields.text(body, *path, "runtimeClassName"):
            yield name


def _other_handler(wanted: Intended, live: JSONObject) -> Iterator[Problem]:
    there, ours = fields.text(live, "handler"), fields.text(wanted.body, "handler")
    if there == ours:
        return
    owners = [f"{fields.text(o, 'kind')} {fields.text(o, 'name')}" for o in _owners(live)] or [
        f"`{manager}`" for entry in _managed(live) if (manager := fields.text(entry, "manager"))
    ]
    made = f"; it was made by {', '.join(dict.fromkeys(owners))}" if owners else ""
    what = f"it is there with handler `{there}`{_known(there)}, and the manifests want `{ours}`{_known(ours)}{made}"
    hint = (
        f"set `handler: {there}` in the manifests if the nodes run Spin by that one; else "
        f"`kubectl delete runtimeclass {wanted.key.name}` once no pod needs it, and run the same command again"
    )
    yield Problem(what, where=str(wanted.key), hint=hint)


def _owners(live: JSONObject) -> tuple[JSONObject, ...]:
    return fields.objects(live, "metadata", "ownerReferences")


def _managed(live: JSONObject) -> tuple[JSONObject, ...]:
    return fields.objects(live, "metadata", "managedFields")


def _known(handler: str) -> str:
    return f" ({_KNOWN_HANDLERS[handler]})" if handler in _KNOWN_HANDLERS else ""


def dry_run(cluster: Cluster, intended: Sequence[Intended], *, force: bool) -> frozenset[str]:
    """The paths of those that stand already and are not ours to write; raises ClusterError with everything that the
    server would refuse.

    A webhook that can't be asked without effect is not asked: its object is refused later or not at all.
    """
    answers = side_by_side(lambda item: cluster.apply(item.path, item.body, force=force, dry_run=True), intended)
    problems: list[Problem] = []
    standing: set[str] = set()
    for item, answer in zip(intended, answers, strict=True):
        if answer.ok or "does not support dry run" in answer.status.message:
            continue
        if answer.code == 403 and stands_already(cluster, item):
            standing.add(item.path)
        else:
            problems.extend(refused(cluster, item, answer))
    if problems:
        raise ClusterError.of(problems)
    return frozenset(standing)


def refused(cluster: Cluster, item: Intended, answer: Answer) -> tuple[Problem, ...]:
    """The problems in an answer to a server-side apply; raises the error of one that is about us, not the object."""
    if answer.code in {403, 401, 429, 503, 504} or not answer.status.genuine:
        try:
            cluster.expect(answer, "PATCH", item.path)
        except ClusterError as error:
            if answer.code != 403:
                raise
            return tuple(Problem(problem.what, str(item.key), problem.hint) for problem in error.problems)
    return in_words(item.key, answer.status)


def stands_already(cluster: Cluster, item: Intended) -> bool:
    """Whether a cluster-scoped object that we may not write is there as it is wanted: then nothing needs writing."""
    if item.resource.namespaced:
        return False
    answer = cluster.send("GET", item.path)
    if not answer.ok:
        return False
    return item.key.kind == "Namespace" or all(
        answer.document.get(member) == value for member, value in item.body.items() if member != "metadata"
    )
