"""A real registry in the place of the sandbox's own: requests go on to it as they are, bodies streamed."""

from __future__ import annotations

import http.client
import os
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from spin_aks.sandbox import documents
from spin_aks.sandbox.web import Answer, FileSlice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.sandbox.web import Content, Request

TIMEOUT_S = 300.0
CHUNK_BYTES = 1 << 18
AT_ONCE_BYTES = 8 << 20
# Of one connection, not of what goes over it; the token is of the sandbox's own making.
OWN = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "authorization", "date", "server"})


class Forward:
    """Asks the registry at `host` (HOST:PORT) by plain HTTP, under the name that the client knows."""

    def __init__(self, host: str) -> None:
        self._host = host

    def __call__(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)
        try:
            response = _asked(connection, request)
        except OSError as error:
            connection.close()
            message = f"spin-aks sandbox: the registry {self._host} behind it: {error.strerror or error}"
            body = documents.dump({"errors": [{"code": "UNAVAILABLE", "message": message, "detail": None}]})
            return Answer(HTTPStatus.BAD_GATEWAY, body, (("Content-Type", "application/json"),))
        headers = tuple((name, value) for name, value in response.getheaders() if name.lower() not in OWN)
        return Answer(response.status, _content(connection, response, request.method), headers)


def _asked(connection: http.client.HTTPConnection, request: Request) -> http.client.HTTPResponse:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in OWN}
    length = request.headers.get("Content-Length")
    if length is not None:
        headers["Content-Length"] = length
    query = f"?{urlencode(dict(request.query))}" if request.query else ""
    pieces = iter(lambda: request.body.read(CHUNK_BYTES), b"")
    has_body = length not in (None, "0") or "Transfer-Encoding" in request.headers
    connection.request(request.method, request.path + query, pieces if has_body else None, headers)
    return connection.getresponse()


def _content(connection: http.client.HTTPConnection, response: http.client.HTTPResponse, method: str) -> Content:
    length = response.getheader("Content-Length", "")
    if method == "HEAD":
        connection.close()
        return FileSlice(Path(os.devnull), 0, int(length or 0))
    if length.isdigit() and int(length) <= AT_ONCE_BYTES:
        content = response.read()
        connection.close()
        return content
    return _streamed(connection, response)


def _streamed(connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := response.read(CHUNK_BYTES):
            yield piece
    finally:
        connection.close()
