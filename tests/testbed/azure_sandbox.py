"""The sandbox's Azure without its proxy: the SDKs' requests go straight to its services, in this process."""

from __future__ import annotations

import io
import time
from contextlib import contextmanager
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from azure.core.credentials import AccessToken
from requests.adapters import BaseAdapter
from testbed.azure_recordings import SUBSCRIPTION, Clients

from spin_aks.sandbox.azure import directory, identifiers
from spin_aks.sandbox.azure.call import Caller
from spin_aks.sandbox.azure.world import Surroundings, World
from spin_aks.sandbox.web import Answer, Body, ClientGoneError, FileSlice, Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOMEBODY = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"
KUBECONFIG = "apiVersion: v1\nkind: Config\n"


class Direct(BaseAdapter):
    """Hands each request to `world`."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        parts = urlsplit(request.url or "")
        if not self._world.has_host(parts.hostname or ""):
            raise requests.exceptions.ConnectionError("Name or service not known")
        headers = Message()
        for name, value in request.headers.items():
            headers[name] = value if isinstance(value, str) else value.decode()
        sent = _content(request.body)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = Body(io.BufferedReader(io.BytesIO(sent)), len(sent), chunked=False)
        try:
            answer = self._world(Request(request.method or "", parts.path, query, headers, body), parts.hostname or "")
        except ClientGoneError:
            raise requests.exceptions.ConnectionError("the connection was cut") from None
        return _response(request, answer)

    def close(self) -> None:
        """Nothing is open."""


def _content(body: Any) -> bytes:
    if hasattr(body, "read"):
        return bytes(body.read())
    return b"" if body is None else body.encode() if isinstance(body, str) else bytes(body)


def _bytes(answer: Answer) -> bytes:
    if isinstance(answer.content, FileSlice):
        part = answer.content
        return part.path.read_bytes()[part.offset : part.offset + part.length]
    return answer.content if isinstance(answer.content, bytes) else b"".join(answer.content)


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    content = _bytes(answer)
    found = requests.Response()
    found.status_code, found.reason, found.url, found.request = answer.status, "", request.url or "", request
    found.headers.update({**dict(answer.headers), "content-length": str(len(content))})
    found.raw = io.BytesIO(b"" if request.method == "HEAD" else content)
    return found


class SignedIn:
    """A credential of the sandbox's own; its tokens are for the audience, and in the tenant, that is asked for."""

    def __init__(self, world: World, object_id: str = SOMEBODY) -> None:
        self._world = world
        self._object_id = object_id

    def get_token(self, *scopes: str, tenant_id: str | None = None, **options: object) -> AccessToken:
        tenant = tenant_id or identifiers.TENANT  # a vault names its own
        caller = Caller(self._object_id, tenant, self._object_id, scopes[0].removesuffix("/.default"))
        return AccessToken(self._world.tokens.issue(caller), int(time.time()) + 3600)


def connected(world: World, object_id: str = SOMEBODY) -> Clients:
    """The SDKs' clients, signed in as whoever has that object id."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", Direct(world))
    return Clients(session, SignedIn(world, object_id), object_id, world)


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    """An Azure with a second subscription, which has the number that the recordings have."""
    around = Surroundings(registry=lambda _: Answer(200, b"{}"), cluster=lambda: KUBECONFIG)
    world = World(folder, around)
    directory.add_subscription(world.state, SUBSCRIPTION, "Recorded")
    try:
        yield world
    finally:
        world.close()
