"""Ends that a pod can be told to come to, by the annotation `spin-aks.dev/sandbox-fail` on it (or on its template).

What a kubelet with containerd reports in each case, so that a tool which explains failures has something to explain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.sandbox.documents import items, mapping, number, strings, text

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import Document

ANNOTATION = "spin-aks.dev/sandbox-fail"
KILLED = 137
SIMULATED = "spin-aks sandbox: this pod is simulated. It counts as {state}, but nothing of the application runs."


@dataclass(frozen=True, slots=True)
class Failure:
    """`reason` and `message` are the waiting container's; `exit_code` tells of one that started and ended.

    `events` are the warnings about the pod: reason and message. `never_ready` runs, but fails its probe.
    """

    reason: str
    message: str = ""
    events: tuple[tuple[str, str], ...] = ()
    exit_code: int | None = None
    ended: str = "Error"
    never_ready: bool = False
    unschedulable: bool = False


NAMES = (
    *("CrashLoopBackOff<exit code>", "OOMKilled", "ImagePullBackOff", "CreateContainerError"),
    *("FailedCreatePodSandBox", "FailedMount", "NotReady", "Unschedulable"),
)


def asked_for(pod: Document) -> Failure | None:
    """The failure that the pod's annotation names."""
    name = strings(pod, "metadata", "annotations").get(ANNOTATION, "")
    containers = items(pod, "spec", "containers")
    image = text(containers[0], "image") if containers else ""
    return _named(name, text(pod, "metadata", "name"), image) if name else None


def _named(name: str, pod: str, image: str) -> Failure:
    if crash := re.fullmatch(r"CrashLoopBackOff(\d{0,3})", name):
        return crashed(pod, int(crash[1] or 1), "Error")
    if name == "OOMKilled":
        return crashed(pod, KILLED, "OOMKilled")
    if name == "ImagePullBackOff":
        return no_image(image, f"{image}: not found")
    if name == "FailedCreatePodSandBox":
        return no_handler("spin")
    if name == "FailedMount":
        return not_mounted('MountVolume.SetUp failed for volume "sandbox" : the sandbox was told to fail')
    if name in FIXED:
        return FIXED[name]
    known = ", ".join(NAMES)
    return Failure("UnknownSandboxFailure", f"the annotation {ANNOTATION} says `{name}`; known are {known}")


FIXED = {
    "CreateContainerError": Failure(
        "CreateContainerError",
        "failed to generate container spec: failed to generate spec: no command specified",
        (("Failed", "Error: failed to generate container spec: failed to generate spec: no command specified"),),
    ),
    "NotReady": Failure(
        "",
        events=(("Unhealthy", "Startup probe failed: the sandbox was told that this pod never gets ready"),),
        never_ready=True,
    ),
    "Unschedulable": Failure("Unschedulable", "0/2 nodes are available: 2 Insufficient memory.", unschedulable=True),
}


def crashed(pod: str, exit_code: int, ended: str) -> Failure:
    message = f"back-off 10s restarting failed container of pod {pod}"
    events = (("BackOff", f"Back-off restarting failed container in pod {pod}"),)
    return Failure("CrashLoopBackOff", message, events, exit_code, ended)


def no_image(image: str, why: str) -> Failure:
    """`why` is the registry's answer."""
    error = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {why}'
    pulling = f'Failed to pull image "{image}": rpc error: code = NotFound desc = {error}'
    events = ("Failed", pulling), ("Failed", "Error: ErrImagePull"), ("Failed", "Error: ImagePullBackOff")
    return Failure("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {error}', events)


def no_handler(handler: str) -> Failure:
    error = f'failed to get sandbox runtime: no runtime for "{handler}" is configured'
    message = f"Failed to create pod sandbox: rpc error: code = Unknown desc = {error}"
    return Failure("ContainerCreating", "", (("FailedCreatePodSandBox", message),))


def not_mounted(message: str) -> Failure:
    return Failure("ContainerCreating", "", (("FailedMount", message),))


def not_configured(message: str) -> Failure:
    """A variable's source is missing."""
    return Failure("CreateContainerConfigError", message, (("Failed", f"Error: {message}"),))


def unschedulable(nodes: int) -> Failure:
    message = f"0/{nodes} nodes are available: {nodes} node(s) didn't match Pod's node affinity/selector."
    return Failure("Unschedulable", message, unschedulable=True)


def log_of(pod: Document, container: str) -> list[str]:
    """The lines that the container has written; one that is killed (137) has written none, as on a real node."""
    state = next((s for s in items(pod, "status", "containerStatuses") if text(s, "name") == container), {})
    ends = [mapping(state, place, "terminated") for place in ("lastState", "state")]
    ended = [number(end, "exitCode") for end in ends if end]
    if KILLED in ended:
        return []
    codes = [code for code in ended if code]
    how = f"ended with exit code {codes[0]}" if codes else "succeeded" if ended else "running"
    return [SIMULATED.format(state=how)]
