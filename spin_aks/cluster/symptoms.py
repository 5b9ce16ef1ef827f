"""What can be seen of a Deployment's newest pods: their states, what Kubernetes said of them, what they logged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.cluster import fields, health
from spin_aks.cluster.resources import EVENTS, PODS, REPLICA_SETS

if TYPE_CHECKING:
    from spin_aks.cluster.connection import Cluster
    from spin_aks.cluster.health import Progress
    from spin_aks.json_types import JSONObject

LOG_LINES = 20
LAST_EVENTS = 10


@dataclass(frozen=True, slots=True)
class Container:
    """`waiting` and `ended` are Kubernetes' reasons (`CrashLoopBackOff`, `OOMKilled`), empty where it is in no such
    state; `exit_code` is how its last run ended, None if none has.
    """

    name: str
    image: str
    ready: bool
    running: bool
    restarts: int
    waiting: str
    message: str
    ended: str
    exit_code: int | None
    memory_limit: str


@dataclass(frozen=True, slots=True)
class Pod:
    """`unschedulable` is the scheduler's message, empty if the pod has a node or still waits for its turn."""

    name: str
    namespace: str
    node: str
    phase: str
    containers: tuple[Container, ...]
    unschedulable: str

    @property
    def ready(self) -> bool:
        return bool(self.containers) and all(container.ready for container in self.containers)


@dataclass(frozen=True, slots=True)
class Event:
    about: str
    reason: str
    message: str
    warning: bool
    count: int
    when: str

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.reason}{times}: {self.message}"


@dataclass(frozen=True, slots=True)
class Symptoms:
    """`pod` is the one that is worst off, None if all are well or none was made; `events` and `log` are about it."""

    progress: Progress
    pods: tuple[Pod, ...]
    pod: Pod | None = None
    events: tuple[Event, ...] = ()
    log: tuple[str, ...] = ()

    @property
    def container(self) -> Container | None:
        """The container that keeps `pod` from being ready."""
        if self.pod is None:
            return None
        return next((container for container in self.pod.containers if not container.ready), None)


def gather(cluster: Cluster, deployment: JSONObject) -> Symptoms:
    """Asks for the replica sets, the newest one's pods, and events and log of the pod that is worst off."""
    progress = health.progress(deployment)
    namespace = fields.text(deployment, "metadata", "namespace")
    selector = _selector(deployment)
    newest = _newest(cluster, deployment, namespace, selector, progress.revision)
    if newest is None:
        return Symptoms(progress, ())
    owner = fields.text(newest, "metadata", "uid")
    documents = cluster.list(PODS.collection(namespace), label_selector=selector).items
    pods = tuple(pod(document) for document in documents if owner in _owners(document))
    worst = next(iter(sorted((p for p in pods if not p.ready), key=_restarts, reverse=True)), None)
    if worst is None:
        return Symptoms(progress, pods)
    seen = Symptoms(progress, pods, worst, _events(cluster, namespace, worst.name))
    container = seen.container
    log = () if container is None else _log(cluster, worst, container)
    return Symptoms(progress, pods, worst, seen.events, log)


def _newest(
    cluster: Cluster, deployment: JSONObject, namespace: str, selector: str, revision: str
) -> JSONObject | None:
    owner = fields.text(deployment, "metadata", "uid")
    for document in cluster.list(REPLICA_SETS.collection(namespace), label_selector=selector).items:
        if owner in _owners(document) and fields.text(document, "metadata", "annotations", health.REVISION) == revision:
            return document
    return None


def _selector(deployment: JSONObject) -> str:
    labels = fields.mapping(deployment, "spec", "selector", "matchLabels")
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()) if isinstance(value, str))


def _owners(document: JSONObject) -> tuple[str, ...]:
    return tuple(fields.text(o, "uid") for o in fields.objects(document, "metadata", "ownerReferences"))


def _restarts(worst: Pod) -> int:
    return max((container.restarts for container in worst.containers), default=0)


def _events(cluster: Cluster, namespace: str, name: str) -> tuple[Event, ...]:
    found = cluster.list(EVENTS.collection(namespace), field_selector=f"involvedObject.name={name}").items
    return tuple(sorted((event(document) for document in found), key=lambda e: e.when)[-LAST_EVENTS:])


def _log(cluster: Cluster, worst: Pod, container: Container) -> tuple[str, ...]:
    if container.exit_code is None and not container.running:
        return ()
    now = cluster.log(worst.namespace, worst.name, container.name, tail_lines=LOG_LINES)
    if not now and container.restarts:
        now = cluster.log(worst.namespace, worst.name, container.name, tail_lines=LOG_LINES, previous=True)
    return tuple(line.rstrip() for line in now.splitlines() if line.strip())


def pod(document: JSONObject) -> Pod:
    """A live Pod, as far as its start is concerned."""
    status = fields.mapping(document, "status")
    specified = {fields.text(c, "name"): c for c in fields.objects(document, "spec", "containers")}
    statuses = (*fields.objects(status, "initContainerStatuses"), *fields.objects(status, "containerStatuses"))
    scheduled = next((c for c in fields.objects(status, "conditions") if c.get("type") == "PodScheduled"), {})
    return Pod(
        name=fields.text(document, "metadata", "name"),
        namespace=fields.text(document, "metadata", "namespace"),
        node=fields.text(document, "spec", "nodeName"),
        phase=fields.text(status, "phase"),
        containers=tuple(_container(found, specified.get(fields.text(found, "name"), {})) for found in statuses),
        unschedulable=fields.text(scheduled, "message") if scheduled.get("reason") == "Unschedulable" else "",
    )


def _container(status: JSONObject, specified: JSONObject) -> Container:
    waiting = fields.mapping(status, "state", "waiting")
    ended = fields.mapping(status, "state", "terminated") or fields.mapping(status, "lastState", "terminated")
    return Container(
        name=fields.text(status, "name"),
        image=fields.text(status, "image") or fields.text(specified, "image"),
        ready=fields.flag(status, "ready") or fields.text(status, "state", "terminated", "reason") == "Completed",
        running=bool(fields.mapping(status, "state").get("running") is not None),
        restarts=fields.number(status, "restartCount"),
        waiting=fields.text(waiting, "reason"),
        message=fields.text(waiting, "message") or fields.text(ended, "message"),
        ended=fields.text(ended, "reason"),
        exit_code=fields.number(ended, "exitCode") if ended else None,
        memory_limit=fields.text(specified, "resources", "limits", "memory"),
    )


def event(document: JSONObject) -> Event:
    """A live Event (core/v1); a repeated one counts how often."""
    when = fields.text(document, "lastTimestamp") or fields.text(document, "eventTime")
    return Event(
        about=f"{fields.text(document, 'involvedObject', 'kind')} {fields.text(document, 'involvedObject', 'name')}",
        reason=fields.text(document, "reason"),
        message=" ".join(fields.text(document, "message").split()),
        warning=fields.text(document, "type") == "Warning",
        count=fields.number(document, "count") or fields.number(document, "series", "count", default=1),
        when=when or fields.text(document, "metadata", "creationTimestamp"),
    )
