"""The pods and containers inside Kubernetes objects, and which of them run the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.errors import SpinAksError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spin_aks.generators.documents import Document, Pointer
    from spin_aks.json_types import JSON, JSONObject

_TEMPLATES: dict[str, Pointer] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
WORKLOADS = frozenset(_TEMPLATES) | {"SpinApp"}
SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet"})


@dataclass(frozen=True, slots=True)
class Container:
    """A container of `document`: `pod` leads to the pod's spec, `pointer` to the container."""

    document: Document
    pod: Pointer
    pointer: Pointer
    body: JSONObject

    @property
    def name(self) -> str:
        return str(self.body.get("name", ""))

    def at(self, *pointer: str | int) -> JSON:
        """The value there below the container, or None."""
        return self.document.at(*self.pointer, *pointer)

    def pod_at(self, *pointer: str | int) -> JSON:
        """The value there below its pod's spec, or None."""
        return self.document.at(*self.pod, *pointer)

    def where(self, *pointer: str | int) -> str:
        """`PATH:LINE` of that part of the container."""
        return self.document.where(*self.pointer, *pointer)


def template(document: Document) -> Pointer | None:
    """Where the pod of a workload is described: what has `metadata` and `spec`; None for an object without pods."""
    kind = document.at("kind")
    return _TEMPLATES.get(kind) if isinstance(kind, str) else None


def containers(documents: Iterable[Document], images: frozenset[str]) -> tuple[Container, ...]:
    """The containers whose image is one of `images`, init containers too, in the documents' order."""
    return tuple(
        Container(document, pod, pointer, body)
        for document in documents
        if (start := template(document)) is not None
        for pod in [(*start, "spec")]
        for field in ("initContainers", "containers")
        for pointer, body in _items(document, (*pod, field))
        if body.get("image") in images
    )


def _items(document: Document, pointer: Pointer) -> list[tuple[Pointer, JSONObject]]:
    found = document.at(*pointer)
    items = found if isinstance(found, list) else []
    return [((*pointer, index), item) for index, item in enumerate(items) if isinstance(item, dict)]


def table(document: Document, pointer: Pointer) -> JSONObject:
    """The mapping there, made where there is none; raises SpinAksError if something else is in its place."""
    value: JSON = document.body
    for depth, step in enumerate(pointer, start=1):
        if isinstance(value, dict) and isinstance(step, str):
            if value.get(step) is None:
                value[step] = {}
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
        else:
            raise _no_table(document, pointer[: depth - 1])
    if not isinstance(value, dict):
        raise _no_table(document, pointer)
    return value


def _no_table(document: Document, pointer: Pointer) -> SpinAksError:
    name = ".".join(map(str, pointer))
    return SpinAksError(f"`{name}` has to hold keys and values", where=document.where(*pointer))
