"""Why pods don't get ready, from what can be seen of them: what it is, what to do, and how long it may still heal.

The texts looked for are those of Kubernetes 1.36, containerd 2 and containerd-shim-spin 0.24.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.cluster.symptoms import Container, Event, Pod, Symptoms

UNTIL_TIMED_OUT = math.inf
SHIM_FAILED = 137
_RESTARTS_THAT_TELL = 2

_NO_RUNTIME = re.compile(r'no runtime for "(?P<handler>[^"]*)" is configured')
_NO_RUNTIME_CLASS = re.compile(r'RuntimeClass "(?P<name>[^"]*)" not found')
_NOT_THERE = re.compile(r'(?P<kind>secret|configmap) "(?P<name>[^"]+)" not found', re.IGNORECASE)
_NO_RIGHT = re.compile(r"\b(401|403|unauthorized|denied|forbidden)\b", re.IGNORECASE)
_NO_KEY = re.compile(r"couldn't find key (?P<key>\S+) in (?P<kind>\S+) (?P<name>\S+)")


@dataclass(frozen=True, slots=True)
class Cause:
    """`what` is a sentence without its subject (the Deployment); `patience_s` is how long it may still heal by itself:
    0 is never, UNTIL_TIMED_OUT as long as anybody waits. `silent`: it ended with 137 and left no word.
    """

    what: str
    hint: str
    patience_s: float
    silent: bool = False


def find(symptoms: Symptoms) -> Cause | None:
    """The cause that these symptoms show most clearly; None as long as everything takes its course."""
    return next(_found(symptoms), None)


def _found(symptoms: Symptoms) -> Iterator[Cause]:
    if symptoms.progress.refused:
        yield _refused(symptoms.progress.refused)
    pod, container = symptoms.pod, symptoms.container
    if pod is not None and pod.unschedulable:
        yield _unschedulable(pod, symptoms.events)
    for event in reversed(symptoms.events):
        if pod is not None and not pod.ready and event.warning:
            yield from _of_event(event, pod)
    if pod is not None and container is not None:
        yield from _of_container(pod, container, symptoms)
    if symptoms.progress.overdue:
        hint = "`kubectl get events --sort-by=.lastTimestamp` tells what happened in its namespace"
        yield Cause("made no progress for so long that Kubernetes has given up", hint, 0)


def _refused(message: str) -> Cause:
    if missing := _NO_RUNTIME_CLASS.search(message):
        hint = "`kubectl get runtimeclass` lists those there are: is Spin's runtime installed in this cluster?"
        return Cause(f"gets no pods: RuntimeClass `{missing['name']}` is not there", hint, 5)
    if "violates PodSecurity" in message:
        hint = "`--form rootfs` makes pods that pass level `restricted`; or relax the namespace's label"
        return Cause(f"gets no pods, for the namespace's pod security forbids them: {message}", hint, 0)
    if "exceeded quota" in message:
        return Cause(f"gets no pods: {message}", "`kubectl describe quota` in its namespace says what is used up", 30)
    return Cause(f"gets no pods: {message}", "", 30)


def _unschedulable(pod: Pod, events: tuple[Event, ...]) -> Cause:
    what = f"has a pod that no node takes: {pod.unschedulable}"
    if any(event.reason == "TriggeredScaleUp" for event in events):
        return Cause(f"{what}; a node is being added", "", UNTIL_TIMED_OUT)
    patience = 20 if any(event.reason == "NotTriggerScaleUp" for event in events) else 90
    if "Insufficient" in pod.unschedulable:
        return Cause(what, "add a node (`az aks nodepool scale`), or ask for less (`resources.requests`)", patience)
    if "taint" in pod.unschedulable:
        return Cause(what, "`kubectl describe nodes` lists their taints: tolerate one, or add a node without", patience)
    if "affinity" in pod.unschedulable or "selector" in pod.unschedulable:
        hint = "`kubectl get nodes --show-labels`: no node has the labels that the pod or its RuntimeClass asks for"
        return Cause(what, hint, patience)
    return Cause(what, "`kubectl get nodes` lists the nodes and whether they are ready", patience)


def _of_event(event: Event, pod: Pod) -> Iterator[Cause]:
    if event.reason == "FailedCreatePodSandBox":
        yield _no_sandbox(event.message, pod)
    elif event.reason == "FailedMount":
        hint = "a Key Vault that says 403 needs `Key Vault Secrets User` for the add-on's identity"
        yield Cause(f"has a pod whose volume can't be mounted: {event.message}", hint, UNTIL_TIMED_OUT)


def _no_sandbox(message: str, pod: Pod) -> Cause:
    if missing := _NO_RUNTIME.search(message):
        what = f"has a pod on node {pod.node}, whose containerd has no runtime `{missing['handler']}`"
        hint = (
            f"is Spin's runtime installed on that node (`kubectl annotate node {pod.node} kwasm.sh/kwasm-node=true`)? "
            "An installer that writes containerd 1's table into containerd 2's file changes nothing, and says it did"
        )
        return Cause(what, hint, UNTIL_TIMED_OUT)
    if "invalid custom binary path" in message:
        what = f"has a pod on node {pod.node}, where the shim's program is missing: {message}"
        return Cause(what, "install Spin's runtime on that node again", UNTIL_TIMED_OUT)
    return Cause(f"has a pod for which node {pod.node} can't make a sandbox: {message}", "", UNTIL_TIMED_OUT)


def _of_container(pod: Pod, container: Container, symptoms: Symptoms) -> Iterator[Cause]:
    if container.waiting in {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}:
        yield _image(container)
    elif container.waiting in {"CreateContainerError", "CreateContainerConfigError", "RunContainerError"}:
        yield _not_created(container)
    elif container.running:
        yield from _not_ready(container, symptoms)
        if container.exit_code is not None:
            # It ended before, and this start may be the one that works.
            yield replace(_ended(pod, container, symptoms), patience_s=UNTIL_TIMED_OUT)
    elif container.exit_code is not None:
        yield _ended(pod, container, symptoms)


def _image(container: Container) -> Cause:
    message = container.message
    what = f"can't get its image `{container.image}`: {message}"
    if container.waiting == "InvalidImageName":
        return Cause(what, "the reference is not one: correct `image:`", 0)
    if "no match for platform" in message:
        return Cause(what, "the image is an index, or for another platform: refer to the manifest itself, by digest", 0)
    if _NO_RIGHT.search(message):
        hint = "give the cluster the right to pull: `az aks update --attach-acr REGISTRY` (it may take minutes to work)"
        return Cause(what, hint, UNTIL_TIMED_OUT)
    if "not found" in message or "manifest unknown" in message:
        return Cause(what, "`spin-aks push --refresh` puts it there; was it deleted, or is it in another registry?", 30)
    if "server gave HTTP response to HTTPS client" in message or "localhost" in message or "127.0.0.1" in message:
        return Cause(what, "the nodes can't reach that registry: push to one that they can (`--registry`)", 30)
    return Cause(what, "can the nodes reach the registry (firewall, private endpoint, name)?", UNTIL_TIMED_OUT)


def _not_created(container: Container) -> Cause:
    message = container.message
    if "no command specified" in message:
        hint = 'add `command: ["/"]` to it: Spin images have none, and the shim needs none'
        return Cause(f"has a container `{container.name}` without a command", hint, 0)
    if "runAsNonRoot" in message:
        hint = (
            "add `runAsUser: 65532` beside `runAsNonRoot: true` (the artifact form only runs as root: `--form rootfs`)"
        )
        return Cause("must not run as root, and no other user is named", hint, 0)
    if 'exec: "/": permission denied' in message:
        return _not_spin(container)
    if missing := _NOT_THERE.search(message):
        what = f"needs {missing['kind']} `{missing['name']}`, which is not there"
        return Cause(what, "add it to the manifests, or mount the volume that makes it", 60)
    if missing := _NO_KEY.search(message):
        what = f"needs key `{missing['key']}` of {missing['kind']} {missing['name']}, which has none of that name"
        return Cause(what, "add the key, or correct its name", 60)
    return Cause(f"has a container that can't be made ({container.waiting}): {message}", "", 30)


def _not_spin(container: Container) -> Cause:
    what = f"starts container `{container.name}` as an ordinary Linux container, which it is not"
    return Cause(what, "add `runtimeClassName: wasmtime-spin-v2` (your RuntimeClass for Spin) to the pod", 0)


def _ended(pod: Pod, container: Container, symptoms: Symptoms) -> Cause:
    if 'exec: "/": permission denied' in container.message:
        return _not_spin(container)
    if "failed to unix syscall" in container.message:
        what = f"starts container `{container.name}` in a folder (`workingDir`) that its image does not have"
        return Cause(what, "remove `workingDir`, or name a folder of the image", 0)
    patience = 0 if container.restarts >= _RESTARTS_THAT_TELL else UNTIL_TIMED_OUT
    if container.ended == "OOMKilled":
        what = f"needs more memory than its limit{_limit(container)}: the kernel ended it (OOMKilled)"
        return Cause(what, "raise `resources.limits.memory`", patience)
    if container.exit_code == SHIM_FAILED and not symptoms.log:
        what = f"ends with exit code 137 and no word, on node {pod.node}"
        return Cause(what, node_log_command(pod.node), patience, silent=True)
    if symptoms.log and all("Preparing Wasm modules" in line for line in symptoms.log):
        what = "stops right after preparing its modules: most likely its Redis trigger can't connect"
        return Cause(
            what, "can the pod reach the address of `[application.trigger.redis]`, with this password?", patience
        )
    what = f"has a container `{container.name}` that ends with exit code {container.exit_code}"
    return Cause(what, "its last lines say why" if symptoms.log else node_log_command(pod.node), patience)


def _limit(container: Container) -> str:
    return f" of {container.memory_limit}" if container.memory_limit else ""


def node_log_command(node: str) -> str:
    """The command that shows the reason, which only containerd's log on the node has."""
    return (
        f"`kubectl debug node/{node} -it --profile=sysadmin --image=mcr.microsoft.com/cbl-mariner/busybox:2.0 -- "
        "chroot /host journalctl --no-pager -u containerd --since -15min` and look for `run_wasi ERROR`"
    )


def _not_ready(container: Container, symptoms: Symptoms) -> Iterator[Cause]:
    probed = next((event for event in reversed(symptoms.events) if event.reason == "Unhealthy"), None)
    if any("Loading Wasm components" in line for line in symptoms.log[-1:]):
        what = "still loads its components: is there one with a url source that the pod can't reach?"
        yield Cause(what, "let the image hold it: `--form rootfs` fetches it when it is built", UNTIL_TIMED_OUT)
    if probed is not None and "exec" in probed.message:
        yield Cause(f"is never ready: {probed.message}", "Spin's shim has no exec: use an `httpGet` probe", 30)
    if probed is not None:
        what = f"runs, and does not get ready: {probed.message}"
        hint = "it may still compile (give it CPU, or `--form artifact`), or listen on another port than the probe's"
        yield Cause(what, hint, UNTIL_TIMED_OUT)
    if symptoms.progress.overdue:
        yield Cause(f"runs container `{container.name}`, which does not get ready", "", 0)
