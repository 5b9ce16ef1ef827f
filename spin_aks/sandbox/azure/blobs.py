"""The one storage account of the sandbox's Azure: the blobs that registries' tasks read and write, by signed addresses.

https://learn.microsoft.com/rest/api/storageservices/put-blob, get-blob; whoever has an address needs no token.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from datetime import UTC, datetime
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from spin_aks.sandbox import disk, documents
from spin_aks.sandbox.azure.call import Call, empty
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.web import Answer, FileSlice

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document

HOST = "spinakssandbox.blob.core.windows.net"
KIND = "blobs"
VERSION = "2023-01-03"
VALID_S = 3600
RANGE = re.compile(r"bytes=(\d+)-(\d*)")
XML = ("Content-Type", "application/xml")


def signed_url(world: World, path: str, permissions: str) -> str:
    """An address that is good for an hour; `permissions` are letters: r(ead), c(reate), w(rite)."""
    until = datetime.fromtimestamp(int(time.time()) + VALID_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = {"sv": VERSION, "se": until, "sr": "b", "sp": permissions}
    return f"https://{HOST}{path}?{urlencode({**query, 'sig': _signature(world, path, until, permissions)})}"


def _signature(world: World, path: str, until: str, permissions: str) -> str:
    return base64.b64encode(world.tokens.digest(f"blob\n{path}\n{until}\n{permissions}")).decode()


def file_of(world: World, path: str) -> Path:
    """Where the bytes are kept, if there are any."""
    return world.folder / "blobs" / hashlib.sha256(path.encode()).hexdigest()


def write(world: World, path: str, content: bytes, metadata: dict[str, str] | None = None) -> None:
    """Makes it an append blob, as logs are."""
    disk.replace(file_of(world, path), content)
    kept: Document = {"type": "AppendBlob", "metadata": dict(metadata or {}), "changed": time.time()}
    world.state.put(KIND, path, kept)


def put(call: Call) -> Answer:
    path = call.request.path
    if refusal := _refused(call, path, "w"):
        return refusal
    if call.header("x-ms-blob-type") != "BlockBlob":
        return _error(HTTPStatus.BAD_REQUEST, "InvalidHeaderValue", "x-ms-blob-type has to be BlockBlob.")
    digest = _receive(call, file_of(call.world, path))
    call.world.state.put(KIND, path, {"type": "BlockBlob", "metadata": {}, "changed": time.time()})
    return empty(
        HTTPStatus.CREATED,
        ("Content-MD5", base64.b64encode(digest).decode()),
        *_told(call, path),
        ("x-ms-request-server-encrypted", "true"),
    )


def _receive(call: Call, path: Path) -> bytes:
    """Writes the body beside, then in its place; its MD5 digest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    digest = hashlib.md5(usedforsecurity=False)
    with beside.open("wb") as stream:
        while piece := call.request.body.read():
            digest.update(piece)
            stream.write(piece)
    beside.replace(path)
    return digest.digest()


def get(call: Call) -> Answer:
    path = call.request.path
    if refusal := _refused(call, path, "r"):
        return refusal
    file = file_of(call.world, path)
    blob = call.world.state.get(KIND, path)
    if blob is None or not file.exists():
        return _error(HTTPStatus.NOT_FOUND, "BlobNotFound", "The specified blob does not exist.")
    size = file.stat().st_size
    metadata = tuple((f"x-ms-meta-{name}", text) for name, text in documents.strings(blob, "metadata").items())
    headers = (("Content-Type", "text/plain; charset=utf-8"), *_properties(blob), *metadata, *_told(call, path))
    wanted = RANGE.fullmatch(call.header("x-ms-range") or call.header("Range"))
    if call.request.method == "HEAD" or wanted is None:
        return Answer(HTTPStatus.OK, FileSlice(file, 0, size), headers)
    begin = int(wanted[1])
    end = min(int(wanted[2]) + 1, size) if wanted[2] else size
    if begin >= size:
        message = "The range specified is invalid for the current size of the resource."
        return _error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange", message)
    span = ("Content-Range", f"bytes {begin}-{end - 1}/{size}")
    return Answer(HTTPStatus.PARTIAL_CONTENT, FileSlice(file, begin, end - begin), (*headers, span))


def _properties(blob: Document) -> tuple[tuple[str, str], ...]:
    """Of a log, as one was recorded: in an encoding that is none of HTTP's, for whoever reads it to pass over."""
    return (
        ("Accept-Ranges", "bytes"),
        ("Content-Encoding", "utf-8"),
        ("Content-Disposition", ""),
        ("x-ms-blob-type", documents.text(blob, "type")),
        ("x-ms-blob-committed-block-count", "1"),
        ("x-ms-creation-time", formatdate(_changed(blob), usegmt=True)),
        ("x-ms-lease-state", "available"),
        ("x-ms-lease-status", "unlocked"),
        ("x-ms-server-encrypted", "true"),
    )


def _told(call: Call, path: str) -> tuple[tuple[str, str], ...]:
    moment = _changed(call.world.state.get(KIND, path))
    modified = ("Last-Modified", formatdate(moment, usegmt=True))
    return ("ETag", f'"0x{int(moment * 1e6):X}"'), modified, ("x-ms-version", call.header("x-ms-version") or VERSION)


def _changed(blob: Document | None) -> float:
    changed = documents.at(blob, "changed")
    return float(changed) if isinstance(changed, int | float) else 0.0


def _refused(call: Call, path: str, permission: str) -> Answer | None:
    until, permissions = call.query("se"), call.query("sp")
    right = _signature(call.world, path, until, permissions)
    expired = until < datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if call.query("sig") == right and not expired and permission in permissions:
        return None
    message = (
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
        "including the signature."
    )
    return _error(HTTPStatus.FORBIDDEN, "AuthenticationFailed", message)


def _error(status: int, code: str, message: str) -> Answer:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, body.encode(), (XML, ("x-ms-error-code", code)))


ROUTES = (Route("PUT", "/{path+}", put, host=HOST), Route("GET", "/{path+}", get, host=HOST))
FINISHES: dict[str, Finish] = {}
