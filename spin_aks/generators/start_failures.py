"""What in the files would keep the application's pods from starting, found before anything is applied.

Of a start that fails in Spin's shim Kubernetes learns nothing but exit code 137, so what can be known beforehand is
refused beforehand. All of it was seen with containerd-shim-spin 0.24.0 on containerd 2.4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.generators.deployment import STATE_FOLDER, USER
from spin_aks.generators.names import RUNTIME_CLASS, image_placeholder
from spin_aks.generators.resources import MIB, quantity_bytes
from spin_aks.generators.workloads import containers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from spin_aks.generators.resources import Payload
    from spin_aks.generators.workloads import Container

_HOOKS = (
    ("startupProbe",),
    ("readinessProbe",),
    ("livenessProbe",),
    ("lifecycle", "postStart"),
    ("lifecycle", "preStop"),
)


def start_failures(texts: Mapping[str, str], application: str, payload: Payload) -> tuple[Problem, ...]:
    """The problems of the files at these paths, each at its `PATH:LINE`; raises SpinAksError for what is no YAML."""
    from spin_aks.generators.documents import parse

    documents = [document for path in sorted(texts) for document in parse(texts[path], path)]
    return problems(containers(documents, frozenset({image_placeholder(application)})), payload)


def problems(application: Iterable[Container], payload: Payload) -> tuple[Problem, ...]:
    """The same for the application's containers, in the files' order."""
    return tuple(
        problem
        for container in application
        for check in (_started, _user, _state, _hooks, _environment, _memory)
        for problem in check(container, payload)
    )


def _started(container: Container, payload: Payload) -> Iterator[Problem]:
    if payload.form == "artifact" and not container.at("command"):
        hint = 'add `command: ["/"]`, which leaves the container to Spin\'s shim'
        yield Problem(f"container `{container.name}` has no command, and nor has an artifact", container.where(), hint)
    if not container.pod_at("runtimeClassName"):
        what = f"the pod of container `{container.name}` names no runtimeClassName: runc would run it, and can't"
        hint = f"add `runtimeClassName: {RUNTIME_CLASS}` to the pod's spec"
        yield Problem(what, container.document.where(*container.pod), hint)
    if container.at("workingDir") not in (None, "/"):
        what = f"container `{container.name}` has a workingDir that its image doesn't have"
        yield Problem(what, container.where("workingDir"), "take the line out: Spin works in `/`")


def _user(container: Container, payload: Payload) -> Iterator[Problem]:
    non_root, where = _security(container, "runAsNonRoot")
    user, user_where = _security(container, "runAsUser")
    if payload.form == "artifact" and (non_root is True or user not in (None, 0)):
        what = f"container `{container.name}` can't run as non-root: the shim unpacks an artifact into the root folder"
        hint = "take runAsNonRoot and runAsUser out, or make an image that can: `--form rootfs`"
        yield Problem(what, where if non_root is True else user_where, hint)
    elif non_root is True and user in (None, 0):
        what = f"container `{container.name}` has runAsNonRoot, but no runAsUser other than root"
        yield Problem(what, where, f"add `runAsUser: {USER}` beside it")


def _state(container: Container, payload: Payload) -> Iterator[Problem]:
    if container.at("securityContext", "readOnlyRootFilesystem") is not True:
        return
    where = container.where("securityContext", "readOnlyRootFilesystem")
    if payload.form == "artifact":
        what = f"container `{container.name}` can't have a read-only root: the shim unpacks an artifact into it"
        yield Problem(what, where, "take the line out, or make an image that can: `--form rootfs`")
    elif STATE_FOLDER not in _mounts(container):
        what = f"container `{container.name}` has a read-only root and no volume at `{STATE_FOLDER}`, where Spin writes"
        yield Problem(what, where, f"mount an emptyDir at `{STATE_FOLDER}`")


def _hooks(container: Container, payload: Payload) -> Iterator[Problem]:  # noqa: ARG001
    for hook in _HOOKS:
        if container.at(*hook, "exec") is not None:
            what = f"the {hook[-1]} of container `{container.name}` is an exec, and Spin's shim has no exec"
            yield Problem(what, container.where(*hook, "exec"), "use httpGet, tcpSocket or sleep")


def _environment(container: Container, payload: Payload) -> Iterator[Problem]:  # noqa: ARG001
    entries = container.at("env")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        value = entry.get("value") if isinstance(entry, dict) else None
        if value is not None and not isinstance(value, str):
            what = f"the value of `{container.at('env', index, 'name')}` is no text to Kubernetes"
            yield Problem(what, container.where("env", index, "value"), "put it in quotes")


def _memory(container: Container, payload: Payload) -> Iterator[Problem]:
    limit = container.at("resources", "limits", "memory")
    given = quantity_bytes(str(limit)) if limit is not None else None
    if given is None or given > payload.fails_below:
        return
    megabytes = sum(payload.wasm_bytes.values()) / 1e6
    what = (
        f"container `{container.name}` has a memory limit of {limit}, with which {megabytes:.1f} MB of components don't"
        f" start: they fail with {payload.fails_below // MIB} MiB"
    )
    hint = f"give it `{payload.resources.memory_limit}`, or take the limit out and have one chosen"
    yield Problem(what, container.where("resources", "limits", "memory"), hint)


def _security(container: Container, field: str) -> tuple[object, str]:
    """The setting that holds, the container's own before its pod's, and where it stands."""
    own = container.at("securityContext", field)
    if own is not None:
        return own, container.where("securityContext", field)
    pointer = (*container.pod, "securityContext", field)
    return container.document.at(*pointer), container.document.where(*pointer)


def _mounts(container: Container) -> set[object]:
    mounts = container.at("volumeMounts")
    return {
        str(mount.get("mountPath")).rstrip("/")
        for mount in (mounts if isinstance(mounts, list) else [])
        if isinstance(mount, dict)
    }
