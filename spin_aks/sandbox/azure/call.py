"""One request to a service that the sandbox plays, and what such a service answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from spin_aks.sandbox import documents
from spin_aks.sandbox.web import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.web import Request

BODY_LIMIT_BYTES = 64 << 20
JSON_TYPE = ("Content-Type", "application/json; charset=utf-8")


class RefusedError(Exception):
    """What the service answers instead; `extra` are further members of the error object (details, innererror)."""

    def __init__(
        self, status: int, code: str, message: str, *headers: tuple[str, str], extra: Document | None = None
    ) -> None:
        super().__init__(message)
        self.status = int(status)
        self.code = code
        self.headers = headers
        self.extra = extra or {}

    @property
    def answer(self) -> Answer:
        error: Document = {"code": self.code, "message": str(self), **self.extra}
        return answer({"error": error}, *self.headers, status=self.status)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed the request's token, as the token says."""

    object_id: str
    tenant_id: str
    app_id: str
    audience: str


@dataclass(frozen=True, slots=True)
class Call:
    """`values` is what the route's braces stand for, as the client spelled it.

    `caller` is None where no token was sent; a management handler is called with one only.
    """

    request: Request
    host: str
    values: Mapping[str, str]
    caller: Caller | None
    world: World

    @property
    def who(self) -> Caller:
        """The caller of a request that can't be here without one."""
        if self.caller is None:
            raise RefusedError(401, "AuthenticationFailed", "Authentication failed. The request has no caller.")
        return self.caller

    @property
    def api_version(self) -> str:
        return query(self.request, "api-version")

    def query(self, name: str) -> str:
        return query(self.request, name)

    def header(self, name: str) -> str:
        return self.request.headers.get(name, "")

    def fill(self, pattern: str, **more: str) -> str:
        """The path that a route's pattern stands for here: `~/resourceGroups/{group}/providers/...` -> an id."""
        return filled(pattern, {**self.values, **more})

    def url(self, path: str, **parameters: str) -> str:
        """`path` at this host, with the request's api-version unless another one is given."""
        asked = {"api-version": self.api_version, **{name.replace("_", "-"): text for name, text in parameters.items()}}
        return f"https://{self.host}{path}?{urlencode(asked)}"

    def raw(self) -> bytes:
        return self.request.body.read_all(BODY_LIMIT_BYTES)

    def document(self) -> Document:
        """The body; RefusedError (InvalidRequestContent) for what is no JSON object. To be called once."""
        try:
            found = documents.load(self.raw())
        except ValueError as error:
            message = f"The request content was invalid and could not be deserialized: '{error}'."
            raise RefusedError(400, "InvalidRequestContent", message) from error
        if not isinstance(found, dict):
            message = "The request content was invalid and could not be deserialized: 'it is no JSON object'."
            raise RefusedError(400, "InvalidRequestContent", message)
        return found


def filled(pattern: str, values: Mapping[str, str]) -> str:
    return pattern.replace("~", "/subscriptions/{subscription}", 1).replace("+}", "}").format_map(values)


def query(request: Request, name: str) -> str:
    """A query parameter, whatever case its name is in, or nothing."""
    return next((text for key, text in request.query.items() if key.lower() == name.lower()), "")


def answer(document: JSON, *headers: tuple[str, str], status: int = HTTPStatus.OK) -> Answer:
    return Answer(status, json.dumps(document, separators=(",", ":")).encode(), (JSON_TYPE, *headers))


def empty(status: int, *headers: tuple[str, str]) -> Answer:
    return Answer(status, b"", headers)


def page(call: Call, found: Sequence[Document]) -> Answer:
    """A list as ARM answers it: `value`, and a `nextLink` where that is not all."""
    skip = call.query("$skiptoken")
    begin = int(skip) if skip.isdigit() else 0
    size = call.world.trouble.page_size
    body: Document = {"value": [*found[begin : begin + size]]}
    if begin + size < len(found):
        kept = {name: text for name, text in call.request.query.items() if name.lower() != "$skiptoken"}
        body["nextLink"] = f"https://{call.host}{call.request.path}?{urlencode({**kept, '$skiptoken': begin + size})}"
    return answer(body)


def located(asked: Document, before: Document | None) -> str:
    """Where a resource is to be, as Azure spells regions. RefusedError if nowhere, or elsewhere than it is."""
    location = documents.text(asked, "location").replace(" ", "").lower()
    if not location:
        message = "The location property is required for this definition."
        raise RefusedError(400, "LocationRequired", message)
    if before is not None and documents.text(before, "location") != location:
        there, parts = documents.text(before, "location"), documents.text(before, "id").split("/")
        message = (
            f"The resource '{parts[-1]}' already exists in location '{there}' in resource group '{parts[4]}'. A "
            f"resource with the same name cannot be created in location '{location}'. Please select a new "
            "resource name."
        )
        raise RefusedError(409, "InvalidResourceLocation", message)
    return location


def not_found(kind: str, name: str, group: str) -> RefusedError:
    """ARM's own answer for a resource that is not there; `kind` is `Microsoft.Cache/redis`."""
    message = (
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return RefusedError(404, "ResourceNotFound", message, ("x-ms-failure-cause", "gateway"))
