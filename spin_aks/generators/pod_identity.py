"""The identity in Azure that an environment's pods have: what `render` puts into them, and what would defeat it.

AKS' webhook gives a pod with the label a token of its service account and, in variables, the identity that Azure takes
it for. The token has a volume of its own, which `automountServiceAccountToken: false` does not keep away, and variables
that a container has already stay as they are (pkg/webhook/webhook.go of Azure/azure-workload-identity;
https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html).

The variables are set when a pod is made, so pods bear the identity's client id: another identity makes new pods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.generators import placement
from spin_aks.generators.names import IDENTITY_ANNOTATION, NAME_LABEL, kubernetes_name
from spin_aks.generators.workloads import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spin_aks.generators.documents import Document, Pointer
    from spin_aks.generators.render import RenderValues
    from spin_aks.generators.workloads import Container
    from spin_aks.json_types import JSON, JSONObject

_PREFIX = "azure.workload.identity/"
USE_LABEL = f"{_PREFIX}use"
CLIENT_ID_ANNOTATION = f"{_PREFIX}client-id"
EXPIRATION_ANNOTATION = f"{_PREFIX}service-account-token-expiration"
SKIP_ANNOTATION = f"{_PREFIX}skip-containers"
PROXY_ANNOTATION = f"{_PREFIX}inject-proxy-sidecar"
CLIENT_ID_VARIABLE = "AZURE_CLIENT_ID"

# Spin reads the token once, as it starts (https://github.com/Azure/azure-sdk-for-rust/issues/1739): with the default of
# an hour, whoever first needs Azure later than that would never be let in. This is the longest that the webhook takes.
_SHORTEST_S, _LONGEST_S = 3600, 86400
_DEFAULT_ACCOUNT = "default"


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """`client_id` is the managed identity's; it lets in `service_account` of the environment's namespace.

    Where nobody knows the client id yet, it is empty, and what people wrote is taken for it.
    """

    service_account: str
    client_id: str


def problems(application: Iterable[Container], found: Sequence[Document], values: RenderValues) -> tuple[Problem, ...]:
    """What in the files keeps the application from having the environment's identity; nothing where it has none."""
    identity = values.identity
    if identity is None:
        return ()
    of_pods = (
        problem
        for container in application
        for problem in (
            *_elsewhere(container, values.namespace, identity),
            *_another_account(container, identity),
            *_left_out(container),
            *_another_identity(container, identity),
            *_refused_by_webhook(container),
        )
    )
    return (*of_pods, *_of_the_account(_service_account(found, values.namespace, identity), identity))


def give(application: Iterable[Container], found: Sequence[Document], values: RenderValues) -> None:
    """Changes the application's workloads, and its service account if the files have it, in place."""
    identity = values.identity
    if identity is None:
        return
    account = _service_account(found, values.namespace, identity)
    if account is not None:
        table(account, ("metadata", "annotations"))[CLIENT_ID_ANNOTATION] = identity.client_id
    expires = account is not None and bool(account.at("metadata", "annotations", EXPIRATION_ANNOTATION))
    for container in application:
        document, metadata = container.document, _metadata(container)
        table(document, (*metadata, "labels"))[USE_LABEL] = "true"
        annotations = table(document, (*metadata, "annotations"))
        annotations[IDENTITY_ANNOTATION] = identity.client_id
        if not expires and not annotations.get(EXPIRATION_ANNOTATION):
            annotations[EXPIRATION_ANNOTATION] = str(_LONGEST_S)
        _run_as(table(document, container.pod), identity.service_account)


def added(found: Sequence[Document], values: RenderValues) -> list[Document]:
    """The service account, if no file has it."""
    from spin_aks.generators.documents import Document

    identity = values.identity
    if identity is None or _service_account(found, values.namespace, identity) is not None:
        return []
    body: JSONObject = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": identity.service_account,
            "labels": {NAME_LABEL: kubernetes_name(values.application)},
            "annotations": {CLIENT_ID_ANNOTATION: identity.client_id},
        },
    }
    document = Document(identity.service_account, 1, body, {})
    placement.place(document, values.application, values.namespace)
    return [document]


def _elsewhere(container: Container, namespace: str, identity: PodIdentity) -> Iterator[Problem]:
    own = container.document.at("metadata", "namespace")
    if own != namespace:
        yield Problem(
            f"the pod of container `{container.name}` runs in the namespace `{own}`, and the identity lets in the"
            f" service account `{identity.service_account}` of `{namespace}`",
            container.document.where("metadata", "namespace"),
            "take the line out, or name no identity (`--identity`) for this environment",
        )


def _another_account(container: Container, identity: PodIdentity) -> Iterator[Problem]:
    field, account = _account(container)
    if account not in (None, "", _DEFAULT_ACCOUNT, identity.service_account):
        yield Problem(
            f"the pod of container `{container.name}` runs as service account `{account}`, and the identity lets in"
            f" `{identity.service_account}`",
            container.document.where(*container.pod, field),
            f"`--service-account {account}` lets that one in; or take the line out",
        )


def _account(container: Container) -> tuple[str, JSON]:
    """The service account that holds, and the field that says so: `serviceAccount` is the old name of the other."""
    named = container.pod_at("serviceAccountName")
    return ("serviceAccountName", named) if named else ("serviceAccount", container.pod_at("serviceAccount"))


def _run_as(pod: JSONObject, account: str) -> None:
    """Under both names: the old one, which the API server fills in, would bring the other back where only that goes.

    Its pods would then ask for an account that is gone (https://github.com/kubernetes/kubernetes/issues/72519).
    """
    pod["serviceAccountName"] = pod["serviceAccount"] = account


def _left_out(container: Container) -> Iterator[Problem]:
    """Pods without the label, or containers that the webhook is told to leave alone, get nothing of it."""
    use = _pod_metadata(container, "labels", USE_LABEL)
    if use not in (None, "true"):
        yield Problem(
            f"the pod of container `{container.name}` has the label `{USE_LABEL}: {_shown(use)}`, with which it gets no"
            " identity",
            _where(container, "labels", USE_LABEL),
            "take the line out, or name no identity (`--identity`) for this environment",
        )
    skipped = _pod_metadata(container, "annotations", SKIP_ANNOTATION)
    if isinstance(skipped, str) and container.name in {name.strip() for name in skipped.split(";")}:
        yield Problem(
            f"the annotation `{SKIP_ANNOTATION}` keeps the identity from container `{container.name}`",
            _where(container, "annotations", SKIP_ANNOTATION),
            "take its name out of the list, or name no identity (`--identity`) for this environment",
        )


def _another_identity(container: Container, identity: PodIdentity) -> Iterator[Problem]:
    """The webhook leaves a variable that is there as it is."""
    entries = container.at("env")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if not isinstance(entry, dict) or entry.get("name") != CLIENT_ID_VARIABLE:
            continue
        if not _is(entry.get("value"), identity):
            yield Problem(
                f"container `{container.name}` sets `{CLIENT_ID_VARIABLE}` itself, and would sign in as another"
                " identity than the one that is named",
                container.where("env", index),
                "take the variable out: with the identity the pod gets it",
            )


def _refused_by_webhook(container: Container) -> Iterator[Problem]:
    """With these no pod is made at all, and only the events of its ReplicaSet would tell."""
    injects = _pod_metadata(container, "annotations", PROXY_ANNOTATION) is not None
    if injects and container.pod_at("hostNetwork") is True:
        yield Problem(
            f"the pod of container `{container.name}` has `hostNetwork` and the annotation `{PROXY_ANNOTATION}`, and"
            " Azure refuses pods with both",
            _where(container, "annotations", PROXY_ANNOTATION),
            "take one of them out: Spin needs no such sidecar",
        )
    seconds = _pod_metadata(container, "annotations", EXPIRATION_ANNOTATION)
    yield from _expiration(seconds, _where(container, "annotations", EXPIRATION_ANNOTATION))


def _expiration(seconds: JSON, where: str) -> Iterator[Problem]:
    if seconds in (None, ""):
        return
    given = int(seconds) if isinstance(seconds, str) and seconds.isascii() and seconds.isdecimal() else 0
    if not _SHORTEST_S <= given <= _LONGEST_S:
        what = f"`{EXPIRATION_ANNOTATION}: {_shown(seconds)}` is no time that Azure takes, and refuses the pod for"
        yield Problem(what, where, f'write whole seconds in quotes, "{_SHORTEST_S}" to "{_LONGEST_S}"')


def _of_the_account(account: Document | None, identity: PodIdentity) -> Iterator[Problem]:
    if account is None:
        return
    annotations = ("metadata", "annotations")
    client_id = account.at(*annotations, CLIENT_ID_ANNOTATION)
    if client_id not in (None, "") and not _is(client_id, identity):
        yield Problem(
            f"the service account `{identity.service_account}` is for the identity with the client id"
            f" `{_shown(client_id)}`, and the one that is named has `{identity.client_id}`",
            account.where(*annotations, CLIENT_ID_ANNOTATION),
            "take the line out to have the named one, or name that other one with `--identity`",
        )
    seconds = account.at(*annotations, EXPIRATION_ANNOTATION)
    yield from _expiration(seconds, account.where(*annotations, EXPIRATION_ANNOTATION))


def _is(client_id: JSON, identity: PodIdentity) -> bool:
    known = identity.client_id.lower()
    return isinstance(client_id, str) and (not known or client_id.lower() == known)


def _service_account(found: Iterable[Document], namespace: str, identity: PodIdentity) -> Document | None:
    return placement.placed(found, "ServiceAccount", identity.service_account, namespace)


def _metadata(container: Container) -> Pointer:
    return (*container.pod[:-1], "metadata")


def _pod_metadata(container: Container, *pointer: str) -> JSON:
    return container.document.at(*_metadata(container), *pointer)


def _where(container: Container, *pointer: str) -> str:
    return container.document.where(*_metadata(container), *pointer)


def _shown(value: JSON) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
