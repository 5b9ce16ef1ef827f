"""A registry in memory that can be as odd as those that can't be had here: ACR, ECR, ghcr.io, distribution 3.

Each oddity names where it was seen. What is common to all follows OCI distribution specification 1.1.
"""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE_BYTES = 64 << 10


@dataclass(slots=True)
class OddRegistry:
    """`requests` holds each request's method, path and body size; `blobs` and `manifests` what was stored."""

    # distribution 3: GET on a broken upload tells how far it came; 2.8 and ACR answer 404.
    tells_offset: bool = False
    # ECR (aws/containers-roadmap#2831): 201 to a PATCH, and the body of a second one is dropped.
    drops_later_patches: bool = False
    # ACR (harbor#23015): 413; ghcr.io (oras-project/rust-oci-client#35): 416.
    most_bytes_a_request: int = 1 << 40
    too_large_status: int = 413
    # What a network does: the connection is closed after so many bytes of a PATCH, this many times.
    breaks_after_bytes: int = 0
    breaks_left: int = 0
    # Told instead of an answer to the next requests: status and headers.
    instead: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    has_relative_locations: bool = True
    # A proxy that ends TLS before it: it believes that it is spoken to over the other scheme.
    names_itself: str = ""
    says_digest: bool = True
    wrong_digest: str = ""
    index: bytes = b""

    host: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    patches: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def methods(self) -> list[str]:
        return [method for method, _, _ in self.requests]

    def location(self, path: str) -> str:
        if self.names_itself:
            return f"{self.names_itself}{path}"
        return path if self.has_relative_locations else f"http://{self.host}{path}"


class _Server(ThreadingHTTPServer):
    registry: OddRegistry


@contextmanager
def odd_registry(registry: OddRegistry) -> Iterator[OddRegistry]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.registry = registry
    server.daemon_threads = True
    registry.host = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def registry(self) -> OddRegistry:
        assert isinstance(self.server, _Server)
        return self.server.registry

    def do_HEAD(self) -> None:
        self._get()

    def do_GET(self) -> None:
        self._get()

    def do_POST(self) -> None:
        if self._is_taken():
            upload = f"{urlsplit(self.path).path}{len(self.registry.uploads)}"
            self.registry.uploads[upload] = bytearray()
            self._say(202, {"Location": self.registry.location(f"{upload}?_state=0"), "Range": "0-0"})

    def do_PATCH(self) -> None:
        if not self._is_taken():
            return
        path = urlsplit(self.path).path
        upload = self.registry.uploads[path]
        self.registry.patches[path] = self.registry.patches.get(path, 0) + 1
        if self.registry.drops_later_patches and self.registry.patches[path] > 1:
            self._read(bytearray())
        elif not self._read(upload):
            return
        end = {"Range": f"0-{len(upload) - 1}", "Location": self.registry.location(f"{path}?_state={len(upload)}")}
        self._say(201 if self.registry.drops_later_patches else 202, end)

    def do_PUT(self) -> None:
        if not self._is_taken():
            return
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        body = self.registry.uploads.pop(path, bytearray())
        self._read(body)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if "/manifests/" in path:
            self.registry.manifests[path.rpartition("/")[2]] = self.registry.manifests[digest] = bytes(body)
        elif query["digest"] != [digest]:
            self._refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            return
        else:
            self.registry.blobs[digest] = bytes(body)
        said = self.registry.wrong_digest or digest
        self._say(201, {"Docker-Content-Digest": said} if self.registry.says_digest else {})

    def _get(self) -> None:
        if not self._is_taken():
            return
        path = urlsplit(self.path).path
        name = path.rpartition("/")[2]
        if "/manifests/" in path and name in self.registry.manifests:
            self._manifest(self.registry.manifests[name])
        elif path in self.registry.uploads and self.registry.tells_offset:
            size = len(self.registry.uploads[path])
            where = self.registry.location(f"{path}?_state={size}")
            self._say(204, {"Range": f"0-{max(0, size - 1)}", "Location": where})
        elif name in self.registry.blobs:
            self._say(200, {})
        else:
            self._refuse(404, "BLOB_UPLOAD_INVALID" if "uploads" in path else "UNKNOWN", "there is none")

    def _manifest(self, body: bytes) -> None:
        headers = {"Content-Type": json.loads(body)["mediaType"]}
        if self.registry.says_digest:
            headers["Docker-Content-Digest"] = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self._say(200, headers, body)

    def _is_taken(self) -> bool:
        """False if this request was answered with something else."""
        length = int(self.headers.get("Content-Length") or 0)
        with self.registry.lock:
            self.registry.requests.append((self.command, urlsplit(self.path).path, length))
            instead = self.registry.instead.pop(0) if self.registry.instead else None
        if instead is not None:
            self._read(bytearray())
            self._say(*instead)
        elif length > self.registry.most_bytes_a_request:
            self.close_connection = True
            self._refuse(self.registry.too_large_status, "REQUESTED_RANGE_NOT_SATISFIABLE", "the body is too large")
        else:
            return True
        return False

    def _read(self, into: bytearray) -> bool:
        """Reads the body; false if the connection was broken on the way."""
        left = int(self.headers.get("Content-Length") or 0)
        room = self.registry.breaks_after_bytes if self.registry.breaks_left and self.command == "PATCH" else left
        while left and room:
            piece = self.rfile.read(min(PIECE_BYTES, left, room))
            into += piece
            left, room = left - len(piece), room - len(piece)
        if left:
            self.registry.breaks_left -= 1
            self.close_connection = True
        return not left

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._say(status, {}, json.dumps({"errors": [{"code": code, "message": message}]}).encode())

    def _say(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        return
