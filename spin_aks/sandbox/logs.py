"""A pod's log: what the sandbox has to say, for nothing of the application runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox import failures
from spin_aks.sandbox.documents import at, items, mapping, text
from spin_aks.sandbox.status import bad_request
from spin_aks.sandbox.web import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.sandbox.api import Api
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.objects import Key

PLAIN = (("Content-Type", "text/plain"),)


def answer(api: Api, key: Key, query: Mapping[str, str]) -> Answer:
    """Raises ApiError as the real server does for a pod or container that is not there or has not started."""
    pod = api.read(key)
    names = [text(container, "name") for container in items(pod, "spec", "containers")]
    name = query.get("container", "") or names[0]
    if name not in names:
        raise bad_request(f"container {name} is not valid for pod {key.name}")
    state = _state(pod, name)
    previous = query.get("previous", "") in ("1", "true")
    if previous and not mapping(state, "lastState"):
        raise bad_request(f'previous terminated container "{name}" in pod "{key.name}" not found')
    if not previous and not _has_started(state):
        reason = text(state, "state", "waiting", "reason") or "ContainerCreating"
        raise bad_request(f'container "{name}" in pod "{key.name}" is waiting to start: {reason}')
    lines = failures.log_of(pod, name)
    tail = query.get("tailLines", "")
    kept = lines[max(0, len(lines) - int(tail)) :] if tail.isdigit() else lines
    return Answer(200, "".join(f"{line}\n" for line in kept).encode(), PLAIN)


def _state(pod: Document, name: str) -> Document:
    states = items(pod, "status", "containerStatuses")
    return next((state for state in states if text(state, "name") == name), {})


def _has_started(state: Document) -> bool:
    return (
        bool(mapping(state, "lastState"))
        or at(state, "state", "running") is not None
        or "terminated" in mapping(state, "state")
    )
