"""From the files that people keep to exactly what is applied to one environment.

The files win wherever they say something; what they leave open is filled in. What is given for the environment
(variables, replicas, CPU and memory) wins over the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spin_aks.errors import RefusedError, SpinAksError, UsageError
from spin_aks.generators import config_maps, filling, placement, pod_identity, start_failures
from spin_aks.generators.names import image_placeholder
from spin_aks.generators.resources import MIB, NO_WISH, quantity, quantity_bytes
from spin_aks.generators.workloads import containers
from spin_aks.spin.runtime_config import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spin_aks.generators.documents import Document
    from spin_aks.generators.pod_identity import PodIdentity
    from spin_aks.generators.resources import Payload, WantedResources
    from spin_aks.generators.workloads import Container
    from spin_aks.kubernetes_object import KubernetesObject
    from spin_aks.spin.runtime_config import RuntimeConfig

RESOURCES = "kubernetes.resources"
_BY_DIGEST = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class RenderValues:
    """One environment. `application` is the name in spin.toml; `image` is `host/repository:tag@sha256:...`.

    `variables` are the values given by flag, by the name in spin.toml; `required` names the variables without default:
    an entry for one of them needs a value by now. `variable_prefix` is the target runtime's, empty if it takes none.
    `ca_certificates` (PEM) becomes a ConfigMap if a pod wants it and no file has it; so does the text of
    `configuration`, which is what the target runtime reads of the application's runtime-config.toml. With an `identity`
    the application's pods are let in to Azure as that. `given_at` says where somebody gave the value of a full key,
    such as `kubernetes.resources.cpu_limit`.
    """

    application: str
    namespace: str
    image: str
    payload: Payload
    variable_prefix: str = "SPIN_VARIABLE_"
    variables: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    replicas: int | None = None
    resources: WantedResources = NO_WISH
    ca_certificates: str | None = None
    configuration: RuntimeConfig = NOTHING
    identity: PodIdentity | None = None
    given_at: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Rendered:
    """`objects` in the order to apply them in; `yaml` is the same as text."""

    yaml: str
    objects: tuple[KubernetesObject, ...]


def render(texts: Mapping[str, str], values: RenderValues) -> Rendered:
    """What the files (path -> text as found on disk) are for this environment; of its own result it makes the same.

    Raises SpinAksError for what is no YAML or no object, for objects that are there twice and where no container runs
    the application; RefusedError for what its pods couldn't start with, all of it at once; each with `PATH:LINE`.
    """
    from spin_aks.generators import documents

    _refuse_values(values)
    found = [document for path in sorted(texts) for document in documents.parse(texts[path], path)]
    application = containers(found, frozenset({image_placeholder(values.application), values.image}))
    if not application:
        raise _no_container(texts, values)
    cluster_scoped = placement.cluster_scoped(found)
    for document in found:
        placement.place(document, values.application, values.namespace, cluster_scoped)
    placement.refuse_stray_namespace(found, values.namespace)
    for container in application:
        filling.fill(container, values)
    _refuse(application, found, values)
    pod_identity.give(application, found, values)
    found += [*config_maps.added(found, values), *pod_identity.added(found, values)]
    config_maps.note_digest(found, values)
    objects = placement.ordered(found)
    return Rendered(_head(values) + documents.dump(item.body for item in objects), objects)


def _head(values: RenderValues) -> str:
    return (
        f"# Exactly what is applied for the namespace `{values.namespace}`. Don't edit it:\n"
        "# `spin-aks run render` makes it anew each time, from the files that people keep.\n"
    )


def _refuse_values(values: RenderValues) -> None:
    if not _BY_DIGEST.fullmatch(values.image):
        raise SpinAksError(f"the image `{values.image}` has no digest", hint="push it first: `spin-aks push`")
    _refuse_memory_limit(values)
    _refuse_above(values, "cpu", values.resources.cpu_request, values.resources.cpu_limit)
    _refuse_above(values, "memory", values.resources.memory_request, values.resources.memory_limit)
    if values.variables and not values.variable_prefix:
        named = ", ".join(f"`{name}`" for name in sorted(values.variables))
        raise RefusedError(
            f"the target runtime takes no variables from a pod, so not {named}", hint="target a newer shim"
        )
    if values.identity and not values.variable_prefix:
        what = "the target runtime takes no variables from a pod, and so no identity in Azure"
        raise RefusedError(what, where=values.given_at("identity.name"), hint="target shim 0.9.0 or later")


def _refuse_memory_limit(values: RenderValues) -> None:
    """What it can't be; a limit that the files set is judged where it stands."""
    wanted = values.resources.memory_limit
    if not wanted:
        return
    given, where = quantity_bytes(wanted), values.given_at(f"{RESOURCES}.memory_limit")
    if not given:
        what = f"`{wanted}` is no amount of memory"
        raise UsageError(what, where=where, hint="write it as Kubernetes does, such as `256Mi`")
    if given <= values.payload.fails_below:
        raise RefusedError(
            f"with {wanted} the application doesn't start: its components fail with "
            f"{values.payload.fails_below // MIB} MiB",
            where=where,
            hint=f"give it `{values.payload.resources.memory_limit}`, or none, and have one chosen",
        )


def _refuse_above(values: RenderValues, what: str, request: str, limit: str) -> None:
    """Kubernetes refuses a request above the limit; of one that a file sets, what was asked for is what counts."""
    asked, allowed = quantity(request), quantity(limit)
    if asked is not None and allowed is not None and asked > allowed:
        at = values.given_at(f"{RESOURCES}.{what}_limit")
        raise UsageError(
            f"the {what} that a pod asks for is {request}, above its limit of {limit}" + (f" ({at})" if at else ""),
            where=values.given_at(f"{RESOURCES}.{what}_request"),
            hint="raise the limit, lower the request, or give only one of them",
        )


def _no_container(texts: Mapping[str, str], values: RenderValues) -> SpinAksError:
    image = image_placeholder(values.application)
    if not texts:
        return SpinAksError("there are no Kubernetes files to render", hint="write them with `spin-aks scaffold k8s`")
    return SpinAksError(
        f"no container has `image: {image}`, which stands for the application's image",
        where=", ".join(sorted(texts)),
        hint="give it to the application's container, or start over with `spin-aks scaffold k8s --override`",
    )


def _refuse(application: Sequence[Container], documents: Sequence[Document], values: RenderValues) -> None:
    found = [*start_failures.problems(application, values.payload)]
    found += (problem for container in application for problem in filling.without_value(container, values))
    found += config_maps.problems(application, documents, values)
    found += pod_identity.problems(application, documents, values)
    if found:
        raise RefusedError.of(found)
