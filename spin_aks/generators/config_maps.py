"""The ConfigMaps that `render` adds to the files: what the pods want of them, unless a file has it already.

A ConfigMap that is mounted as a single file (`subPath`) is not updated in pods that run, so pods that are given a
runtime-config.toml bear its digest, and new text makes new pods
(https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.generators import placement
from spin_aks.generators.deployment import CA_CERTIFICATES_KEY, RUNTIME_CONFIG_KEY, RUNTIME_CONFIG_PATH
from spin_aks.generators.names import (
    NAME_LABEL,
    RUNTIME_CONFIG_ANNOTATION,
    ca_certificates,
    kubernetes_name,
    runtime_config,
)
from spin_aks.generators.workloads import table, template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spin_aks.generators.documents import Document
    from spin_aks.generators.render import RenderValues
    from spin_aks.generators.workloads import Container
    from spin_aks.json_types import JSON, JSONObject


def added(found: Sequence[Document], values: RenderValues) -> list[Document]:
    """The ConfigMaps that the pods of `found` mount, that we can make and that no file has."""
    made = []
    for name, key, text in (
        (ca_certificates(values.application), CA_CERTIFICATES_KEY, values.ca_certificates),
        (runtime_config(values.application), RUNTIME_CONFIG_KEY, values.configuration.text),
    ):
        if text and any(_mounts(document, name) for document in found) and not _config_map(found, name, values):
            made.append(_made(name, {key: text}, values))
    return made


def note_digest(documents: Sequence[Document], values: RenderValues) -> None:
    """Writes the digest of the runtime-config.toml, ours or one of the files', into the pods that mount it."""
    name = runtime_config(values.application)
    config_map = _config_map(documents, name, values)
    if config_map is None:
        return
    content = json.dumps([config_map.at("data"), config_map.at("binaryData")], sort_keys=True)
    digest = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
    for document in documents:
        pods = template(document)
        if pods is not None and _mounts(document, name):
            table(document, (*pods, "metadata", "annotations"))[RUNTIME_CONFIG_ANNOTATION] = digest


def problems(application: Iterable[Container], found: Sequence[Document], values: RenderValues) -> tuple[Problem, ...]:
    """What would keep the configuration from reaching the application, or from working there."""
    return tuple(
        problem
        for container in application
        for problem in (
            *_not_given(container, values),
            *_nowhere(container, found, values),
            *_out_of_reach(container, values),
        )
    )


def _not_given(container: Container, values: RenderValues) -> Iterator[Problem]:
    if values.configuration.text and RUNTIME_CONFIG_PATH not in _mount_paths(container):
        name = runtime_config(values.application)
        yield Problem(
            f"container `{container.name}` mounts nothing at `{RUNTIME_CONFIG_PATH}`, so the application would run"
            " without its runtime-config.toml",
            container.where("volumeMounts"),
            f"mount the ConfigMap `{name}` there with `subPath: {RUNTIME_CONFIG_KEY}`,"
            " or have the file written anew with `--override`",
        )


def _nowhere(container: Container, found: Sequence[Document], values: RenderValues) -> Iterator[Problem]:
    name = runtime_config(values.application)
    if values.configuration.text or _config_map(found, name, values):
        return
    volumes = container.pod_at("volumes")
    for index, volume in enumerate(volumes if isinstance(volumes, list) else []):
        if _is_config_map(volume, name) and container.pod_at("volumes", index, "configMap", "optional") is not True:
            yield Problem(
                f"the pod of container `{container.name}` mounts the ConfigMap `{name}`, and there is no"
                " runtime-config.toml to make it of",
                container.document.where(*container.pod, "volumes", index),
                "take the volume and its mount out, or have the file written anew with `--override`",
            )


def _out_of_reach(container: Container, values: RenderValues) -> Iterator[Problem]:
    read_only = container.at("securityContext", "readOnlyRootFilesystem") is True
    mounts = [path for path in _mount_paths(container) if path != RUNTIME_CONFIG_PATH]
    for path in values.configuration.paths:
        if any(path.path == mount or path.path.startswith(f"{mount}/") for mount in mounts):
            continue
        if path.written and read_only:
            what = f"Spin can't write to `{path.path}` in the pod: the container's root is read-only"
            yield Problem(what, path.where, "put it below `/.spin`, or mount a volume there")
        elif not path.written:
            what = f"there is no `{path.path}` in the pod, without which Spin does not start"
            yield Problem(what, path.where, "mount a volume that has it (a Secret for a private key)")


def _made(name: str, content: dict[str, str], values: RenderValues) -> Document:
    from spin_aks.generators.documents import Document

    body: JSONObject = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {NAME_LABEL: kubernetes_name(values.application)}},
        "data": {**content},
    }
    document = Document(name, 1, body, {})
    placement.place(document, values.application, values.namespace)
    return document


def _config_map(found: Iterable[Document], name: str, values: RenderValues) -> Document | None:
    return placement.placed(found, "ConfigMap", name, values.namespace)


def _mounts(document: Document, name: str) -> bool:
    start = template(document)
    volumes = document.at(*start, "spec", "volumes") if start is not None else None
    return isinstance(volumes, list) and any(_is_config_map(volume, name) for volume in volumes)


def _is_config_map(volume: JSON, name: str) -> bool:
    match volume:
        case {"configMap": {"name": found}}:
            return found == name
    return False


def _mount_paths(container: Container) -> list[str]:
    mounts = container.at("volumeMounts")
    return [
        str(mount.get("mountPath")).rstrip("/")
        for mount in (mounts if isinstance(mounts, list) else [])
        if isinstance(mount, dict)
    ]
