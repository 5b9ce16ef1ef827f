"""What to tell a person whose pods don't get ready. Words only: what is seen and known goes in, text comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.cluster import causes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.cluster.symptoms import Container, Symptoms
    from spin_aks.kubernetes_object import ObjectKey

SHOWN_EVENTS = 5


@dataclass(frozen=True, slots=True)
class Background:
    """What the stages before know of the application.

    `ruled_out`: causes of a silent end that were checked and are not it, each a phrase (`a wasm file missing in the
    image`); `form` is `artifact` or `rootfs`; `memory_needed` what a start takes at most (`368Mi`).
    """

    ruled_out: tuple[str, ...] = ()
    form: str = ""
    memory_needed: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`what` in one sentence, `why` in any number of lines, `hint` the next command."""

    what: str
    why: tuple[str, ...]
    hint: str


def explain(key: ObjectKey, symptoms: Symptoms, background: Background) -> Explanation:
    """Why the Deployment `key` is not where it should be, as far as Kubernetes knows; honest where it does not."""
    cause = causes.find(symptoms)
    if cause is None:
        hint = f"`kubectl describe deployment {key.name} --namespace {key.namespace}`"
        return Explanation(f"{key} is not ready: {symptoms.progress}", tuple(_seen(symptoms)), hint)
    lines = (*_seen(symptoms), *(_silence(symptoms, background) if cause.silent else ()))
    return Explanation(f"{key} {cause.what}", lines, cause.hint)


def _seen(symptoms: Symptoms) -> Iterator[str]:
    pod, container = symptoms.pod, symptoms.container
    if pod is not None:
        where = f" on node {pod.node}" if pod.node else ""
        yield f"pod {pod.name}{where}: {', '.join((pod.phase or 'no phase', *_state(container)))}"
    shown = [event for event in symptoms.events if event.warning][-SHOWN_EVENTS:]
    if shown:
        yield "last events:"
        yield from (f"  {event}" for event in shown)
    if symptoms.log:
        yield "last lines of its log:"
        yield from (f"  {line}" for line in symptoms.log)
    elif container is not None and container.exit_code is not None:
        yield "its log is empty"


def _state(container: Container | None) -> Iterator[str]:
    if container is None:
        return
    if reason := container.waiting or container.ended:
        yield reason
    if container.exit_code is not None:
        yield f"last exit code {container.exit_code}"
    if container.restarts:
        yield f"restarted {container.restarts} time{'s' if container.restarts > 1 else ''}"


def _silence(symptoms: Symptoms, background: Background) -> Iterator[str]:
    yield "Kubernetes is told nothing more: whatever keeps Spin's shim from starting looks like this, and so does a"
    yield "memory limit that is too small."
    if background.ruled_out:
        yield "ruled out, because it was checked before:"
        yield from (f"  - {cause}" for cause in background.ruled_out)
    yield "left:"
    yield f"  - memory: {_memory(symptoms, background)}"
    yield "  - what only shows on the node: an address that can't be reached from there, a shim older than was assumed"
    yield "the reason stands in containerd's log on the node, in a line with `run_wasi ERROR`"


def _memory(symptoms: Symptoms, background: Background) -> str:
    container = symptoms.container
    limit = f"the limit is {container.memory_limit}" if container and container.memory_limit else "there is no limit"
    form = f"form `{background.form}`" if background.form else "an application"
    needs = f", and {form} of this size needs about {background.memory_needed}" if background.memory_needed else ""
    return f"{limit}{needs}"
