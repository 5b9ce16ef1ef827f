"""Waits until what was applied runs; gives up as soon as it can't, and says why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.cluster import causes, fields, health, symptoms
from spin_aks.cluster.explain import Background, explain
from spin_aks.cluster.refusals import UnreachableError
from spin_aks.errors import RolloutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.cluster.applied import Applied, AppliedObject
    from spin_aks.cluster.causes import Cause
    from spin_aks.cluster.connection import Cluster
    from spin_aks.cluster.symptoms import Symptoms
    from spin_aks.json_types import JSONObject

TIMEOUT_S = 300.0
LOOK_EVERY_S = 2.0
SHORTEST_ROUND_S = 0.5
SETTLED_S = 1.0
"""A pod's events and log come a moment after its state: nothing is given up before they are there."""
LOST_CONNECTIONS = 4
_STILL_APPLIED = "what was applied stays applied: run the same command again to go on waiting"


def wait(
    cluster: Cluster,
    applied: Applied,
    *,
    timeout_s: float = TIMEOUT_S,
    progress: Callable[[str], None],
    background: Background | None = None,
) -> Applied:
    """`applied` with its revision, once every Deployment in it is healthy (as `kubectl rollout status` sees it).

    Raises RolloutError with the pod's reason, last events and last log lines: after `timeout_s` for all together, or
    sooner where the cause can't heal by itself. Raises ClusterError where the cluster stays silent for some time. Tells
    `progress` what changed, and only that.
    """
    deadline = clock.monotonic_s() + timeout_s
    known = background or Background()
    revision = applied.revision
    for item in (item for item in applied.objects if item.key.kind == "Deployment"):
        watched = _Watched(cluster, item, deadline, timeout_s, progress, known)
        reached = watched.until_healthy()
        if item.key.namespace == applied.namespace:
            revision = reached.revision
    return replace(applied, revision=revision)


class _Watched:
    """One Deployment on its way. Holds the newest state seen, and since when its cause of trouble has been there."""

    def __init__(
        self,
        cluster: Cluster,
        item: AppliedObject,
        deadline: float,
        timeout_s: float,
        progress: Callable[[str], None],
        background: Background,
    ) -> None:
        self._cluster = cluster
        self._item = item
        self._deadline = deadline
        self._timeout_s = timeout_s
        self._progress = progress
        self._background = background
        self._said = ""
        self._trouble: tuple[str, float] = ("", 0.0)

    def until_healthy(self) -> health.Progress:
        lost = 0
        while True:
            try:
                document, version = self._list()
                reached = self._follow(document, version)
                lost = 0
            except UnreachableError as error:
                lost += 1
                if lost == LOST_CONNECTIONS or self._left_s() <= 0:
                    raise _silent(error) from error
                clock.sleep(min(float(lost), max(0.0, self._left_s())))
            else:
                if reached is not None:
                    return reached

    def _list(self) -> tuple[JSONObject, str]:
        key = self._item.key
        collection = self._item.resource.collection(key.namespace)
        listing = self._cluster.list(collection, field_selector=f"metadata.name={key.name}")
        if not listing.items:
            raise RolloutError(f"{key} was deleted while its rollout was waited for", hint="run the same command again")
        return listing.items[0], listing.resource_version

    def _follow(self, document: JSONObject, version: str) -> health.Progress | None:
        """Watches from `version` on until it is healthy; None when the watch has to begin anew from a list."""
        if (reached := self._tell(document)).healthy:
            return reached
        while True:
            self._look(document)
            began = clock.monotonic_s()
            for event in self._cluster.watch(
                self._item.resource.collection(self._item.key.namespace),
                resource_version=version,
                timeout_s=min(LOOK_EVERY_S, max(1.0, self._left_s())),
                field_selector=f"metadata.name={self._item.key.name}",
            ):
                if event.kind in {"ERROR", "DELETED"}:
                    return None
                version = fields.text(event.document, "metadata", "resourceVersion")
                if event.kind != "BOOKMARK":
                    document = event.document
                    if (reached := self._tell(document)).healthy:
                        return reached
            # A proxy may end a watch at once: that is no reason to ask without a pause.
            clock.sleep(max(0.0, SHORTEST_ROUND_S - (clock.monotonic_s() - began)))

    def _tell(self, document: JSONObject) -> health.Progress:
        reached = health.progress(document)
        line = f"{self._item.key}: {reached}"
        if line != self._said:
            self._said = line
            self._progress(line)
        return reached

    def _look(self, document: JSONObject) -> None:
        """Raises RolloutError if the time is up, or if what is wrong has been so for too long to heal."""
        seen = symptoms.gather(self._cluster, document)
        cause = causes.find(seen)
        if self._left_s() <= 0:
            raise self._timed_out(seen)
        if cause is None:
            self._trouble = ("", 0.0)
        elif self._for_s(cause) >= max(cause.patience_s, SETTLED_S):
            found = explain(self._item.key, seen, self._background)
            raise RolloutError(found.what, why="\n".join(found.why), hint=found.hint)

    def _for_s(self, cause: Cause) -> float:
        """How long this cause has been there; tells of one that is new."""
        kind, since = self._trouble
        if kind != (cause.hint or cause.what):
            since = clock.monotonic_s()
            self._trouble = (cause.hint or cause.what, since)
            if cause.patience_s > SETTLED_S:
                self._progress(f"{self._item.key} {cause.what}")
        return clock.monotonic_s() - since

    def _left_s(self) -> float:
        return self._deadline - clock.monotonic_s()

    def _timed_out(self, seen: Symptoms) -> RolloutError:
        found = explain(self._item.key, seen, self._background)
        what = f"{self._item.key} is not ready after {self._timeout_s:g} s: {seen.progress}"
        return RolloutError(what, why="\n".join((found.what, *found.why)), hint=found.hint)


def _silent(error: UnreachableError) -> UnreachableError:
    problem = error.problems[0]
    return UnreachableError(
        f"the cluster was lost while waiting for the rollout: {problem.what}", where=problem.where, hint=_STILL_APPLIED
    )
