"""Pods on simulated nodes: placed at once, running a moment later, unless something is in their way.

Only the reports of scheduler and kubelet are played. No process is started, and a pod's log says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from spin_aks.sandbox import documents, events, failures, kinds, moments
from spin_aks.sandbox.api import Write
from spin_aks.sandbox.deployments import key_of
from spin_aks.sandbox.documents import child, items, mapping, strings, text
from spin_aks.sandbox.objects import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spin_aks.sandbox.api import Api
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.failures import Failure

    ImageProblem: TypeAlias = Callable[[str], str]

STARTS_AFTER_S = 0.1
SCHEDULER, KUBELET = Write("kube-scheduler"), Write("kubelet", "status")
OVER = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class _Container:
    """What is told of a container: its state, the one before, and whether it is ready."""

    state: Document
    last: Document
    ready: bool
    restarts: int


class Pods:
    """Keeps in mind since when a pod has been placed, so that it can be seen starting.

    `image_problem` is the registry's answer for an image that can't be pulled, and empty for one that can.
    """

    def __init__(self, api: Api, image_problem: ImageProblem) -> None:
        self._api = api
        self._image_problem = image_problem
        self._placed: dict[str, float] = {}

    def reconcile(self, pod: Document) -> None:
        """One step: placed, then started, or kept from it for a reason that is looked at again each time."""
        if not text(pod, "spec", "nodeName"):
            self._place(pod)
            return
        uid = text(pod, "metadata", "uid")
        if time.monotonic() - self._placed.setdefault(uid, time.monotonic()) < STARTS_AFTER_S:
            return
        failure = failures.asked_for(pod) or next(self._obstacles(pod), None)
        self._report(pod, failure)

    def forget(self, alive: set[str]) -> None:
        self._placed = {uid: since for uid, since in self._placed.items() if uid in alive}

    def _place(self, pod: Document) -> None:
        nodes = self._api.store.all_of(kinds.NODE)
        selector = strings(pod, "spec", "nodeSelector").items()
        fitting = [node for node in nodes if selector <= strings(node, "metadata", "labels").items()]
        failure = failures.asked_for(pod)
        if not fitting:
            failure = failures.unschedulable(len(nodes))
        if failure is not None and failure.unschedulable:
            events.record(self._api, "default-scheduler", pod, "FailedScheduling", failure.message, warning=True)
            self._write(pod, {"phase": "Pending", "conditions": [_unschedulable(pod, failure.message)]})
            return
        node = text(fitting[hash(text(pod, "metadata", "uid")) % len(fitting)], "metadata", "name")
        key = key_of(pod, kinds.POD)
        placed = self._api.change(key, SCHEDULER, lambda document: child(document, "spec").update({"nodeName": node}))
        self._placed[text(pod, "metadata", "uid")] = time.monotonic()
        message = f"Successfully assigned {key.namespace}/{key.name} to {node}"
        events.record(self._api, "default-scheduler", placed, "Scheduled", message)

    def _obstacles(self, pod: Document) -> Iterator[Failure]:
        """What really is in the pod's way, the first one first."""
        yield from self._missing_handler(pod)
        yield from self._missing_volumes(pod)
        for container in items(pod, "spec", "containers"):
            image = text(container, "image")
            if problem := self._image_problem(image):
                yield failures.no_image(image, problem)
        yield from self._missing_sources(pod)

    def _missing_handler(self, pod: Document) -> Iterator[Failure]:
        runtime = self._api.store.get(Key(kinds.RUNTIME_CLASS, "", text(pod, "spec", "runtimeClassName")))
        node = self._api.store.get(Key(kinds.NODE, "", text(pod, "spec", "nodeName")))
        handlers = {text(handler, "name") for handler in items(node, "status", "runtimeHandlers")}
        if runtime is not None and text(runtime, "handler") not in handlers:
            yield failures.no_handler(text(runtime, "handler"))

    def _missing_volumes(self, pod: Document) -> Iterator[Failure]:
        for volume in items(pod, "spec", "volumes"):
            named = (
                (kinds.CONFIG_MAP, "configmap", mapping(volume, "configMap"), "name"),
                (kinds.SECRET, "secret", mapping(volume, "secret"), "secretName"),
            )
            for kind, word, source, field in named:
                if source and source.get("optional") is not True and self._lacks(pod, kind, text(source, field)):
                    reason = f'{word} "{text(source, field)}" not found'
                    volume_name = text(volume, "name")
                    yield failures.not_mounted(f'MountVolume.SetUp failed for volume "{volume_name}" : {reason}')

    def _missing_sources(self, pod: Document) -> Iterator[Failure]:
        for container in items(pod, "spec", "containers"):
            for variable in items(container, "env"):
                for kind, word, field in (
                    (kinds.SECRET, "secret", "secretKeyRef"),
                    (kinds.CONFIG_MAP, "configmap", "configMapKeyRef"),
                ):
                    source = mapping(variable, "valueFrom", field)
                    if source and source.get("optional") is not True and self._lacks(pod, kind, text(source, "name")):
                        yield failures.not_configured(f'{word} "{text(source, "name")}" not found')

    def _lacks(self, pod: Document, kind: kinds.Kind, name: str) -> bool:
        return self._api.store.get(Key(kind, text(pod, "metadata", "namespace"), name)) is None

    def _report(self, pod: Document, failure: Failure | None) -> None:
        for reason, message in failure.events if failure else ():
            events.record(self._api, "kubelet", pod, reason, message, warning=True)
        is_task = text(pod, "spec", "restartPolicy") != "Always"
        told = _told(failure, pod, is_task)
        phase = _phase(failure, is_task)
        if failure is None:
            for reason, verb in (("Created", "created"), ("Started", "started")):
                events.record(self._api, "kubelet", pod, reason, f"Container {verb}")
        self._write(
            pod,
            {
                "phase": phase,
                "conditions": _conditions(pod, ready=told.ready, done=phase == "Succeeded"),
                "containerStatuses": [_container(container, told) for container in items(pod, "spec", "containers")],
                "hostIP": "127.0.0.1",
                "hostIPs": [{"ip": "127.0.0.1"}],
                "podIP": _address(pod),
                "podIPs": [{"ip": _address(pod)}],
                "startTime": text(pod, "status", "startTime") or moments.now(),
                "qosClass": text(pod, "status", "qosClass") or "BestEffort",
            },
        )

    def _write(self, pod: Document, status: Document) -> None:
        if {**mapping(pod, "status"), **status} == mapping(pod, "status"):
            return
        self._api.change(key_of(pod, kinds.POD), KUBELET, lambda document: child(document, "status").update(status))


def is_settled(pod: Document) -> bool:
    """Whether the pod runs or is over, so that nobody needs to look at it again."""
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in items(pod, "status", "conditions"))
    return ready or text(pod, "status", "phase") in OVER


def _phase(failure: Failure | None, is_task: bool) -> str:
    if failure is None:
        return "Succeeded" if is_task else "Running"
    if failure.exit_code is not None:
        return "Failed" if is_task else "Running"
    return "Running" if failure.never_ready else "Pending"


def _told(failure: Failure | None, pod: Document, is_task: bool) -> _Container:
    began = text(pod, "status", "startTime") or moments.now()
    times: Document = {"startedAt": began, "finishedAt": began}
    if failure is None and is_task:
        return _Container({"terminated": {"exitCode": 0, "reason": "Completed", **times}}, {}, False, 0)
    if failure is None or failure.never_ready:
        return _Container({"running": {"startedAt": began}}, {}, failure is None, 0)
    waiting: Document = {"reason": failure.reason, **({"message": failure.message} if failure.message else {})}
    if failure.exit_code is None:
        return _Container({"waiting": waiting}, {}, False, 0)
    ended: Document = {"terminated": {"exitCode": failure.exit_code, "reason": failure.ended, **times}}
    return _Container(ended, {}, False, 0) if is_task else _Container({"waiting": waiting}, ended, False, 2)


def _container(container: Document, told: _Container) -> Document:
    image = text(container, "image")
    return {
        "name": text(container, "name"),
        "image": image,
        "imageID": image if "@" in image and ("waiting" not in told.state or told.last) else "",
        "ready": told.ready,
        "started": told.ready,
        "restartCount": told.restarts,
        "state": documents.copied(told.state),
        "lastState": documents.copied(told.last),
    }


def _conditions(pod: Document, *, ready: bool, done: bool) -> list[JSON]:
    reason = {} if ready else {"reason": "PodCompleted" if done else "ContainersNotReady"}
    states = (("PodReadyToStartContainers", True), ("Initialized", True), ("Ready", ready), ("ContainersReady", ready))
    found = [
        {"type": name, "status": str(holds), **({} if holds else reason)}
        for name, holds in (*states, ("PodScheduled", True))
    ]
    before = {text(c, "type"): c for c in items(pod, "status", "conditions")}
    return [_dated({**c}, before.get(str(c["type"]), {})) for c in found]


def _unschedulable(pod: Document, message: str) -> JSON:
    found: Document = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return _dated(found, next(iter(items(pod, "status", "conditions")), {}))


def _dated(new: Document, old: Document) -> Document:
    kept = text(old, "lastTransitionTime") if old.get("status") == new.get("status") else ""
    return {**new, "lastTransitionTime": kept or moments.now()}


def _address(pod: Document) -> str:
    number = int(text(pod, "metadata", "uid").partition("-")[0] or "0", 16)
    return f"10.244.{number // 254 % 254}.{number % 254 + 1}"
