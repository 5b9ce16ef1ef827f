"""What an API server's refusal, or its silence, means in words: who, what, where, and the next command to type.

The answer's form is Kubernetes' `Status`
(https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.cluster import fields
from spin_aks.errors import ClusterError

if TYPE_CHECKING:
    from spin_aks.json_types import JSONObject

_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
LOG_IN_AGAIN = "log in again: `az aks get-credentials --resource-group GROUP --name CLUSTER` (and `kubelogin`)"


@dataclass(frozen=True, slots=True)
class Cause:
    """One detail of a refusal: `reason` as `FieldManagerConflict` or `FieldValueInvalid`, `field` as `.spec.type`."""

    reason: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Status:
    """An answer that is no success. `reason` is Kubernetes' own word (`Conflict`, `Invalid`), often empty;
    `genuine` tells an API server from a proxy or another server in its place.
    """

    code: int
    reason: str
    message: str
    causes: tuple[Cause, ...] = ()
    genuine: bool = True


class ApiStatusError(ClusterError):
    """The API server answered, and said no: `status` has its own words."""

    def __init__(self, status: Status, what: str, *, where: str, hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status


class UnreachableError(ClusterError):
    """No answer, or half of one: what was asked for may or may not have been done."""


def status_of(code: int, document: JSONObject, text: str) -> Status:
    """The status in an answer's document, or in its `text` where something else than an API server answered."""
    if document.get("kind") != "Status":
        return Status(code, "", " ".join(text.split())[:300], genuine=False)
    causes = tuple(
        Cause(fields.text(cause, "reason"), fields.text(cause, "field"), fields.text(cause, "message"))
        for cause in fields.objects(document, "details", "causes")
    )
    return Status(code, fields.text(document, "reason"), fields.text(document, "message"), causes)


def refusal(status: Status, *, url: str, request: str, user: str) -> ApiStatusError:
    """The error for an answer that nobody expected; `request` is verb and path, `user` the kubeconfig's name for it."""
    if status.code == 401:
        what = f"the cluster does not know user `{user}`: the login is missing, wrong or out of date"
        return ApiStatusError(status, what, where=url, hint=LOG_IN_AGAIN)
    if status.code == 403:
        return _forbidden(status, url)
    if not status.genuine:
        what = f"something that is no API server answered {status.code} to `{request}`: {status.message or 'nothing'}"
        return ApiStatusError(status, what, where=url, hint="check the server's URL in the kubeconfig, and HTTPS_PROXY")
    if status.code in {429, 503, 504}:
        what = f"the API server is too busy for `{request}`: {status.message}"
        return ApiStatusError(
            status, what, where=url, hint="run the same command again in a moment: it takes up where it was"
        )
    return ApiStatusError(status, f"the API server answered {status.code} to `{request}`: {status.message}", where=url)


def _forbidden(status: Status, url: str) -> ApiStatusError:
    found = _FORBIDDEN.search(status.message)
    if found is None:
        return ApiStatusError(status, f"the cluster forbids it: {status.message}", where=url)
    right = f"{found['resource']}.{found['group']}" if found["group"] else found["resource"]
    place = f"in namespace `{found['namespace']}`" if found["namespace"] else "in the whole cluster"
    option = f" --namespace {found['namespace']}" if found["namespace"] else ""
    what = f"user `{found['user']}` may not {found['verb']} {right} {place}"
    hint = f"ask for that right; `kubectl auth can-i {found['verb']} {right}{option}` says when it is there"
    return ApiStatusError(status, what, where=url, hint=hint)
