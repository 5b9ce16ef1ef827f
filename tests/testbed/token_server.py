"""Hands out a registry's bearer tokens (source: distribution's docs/spec/auth/token.md, jwt.md and oauth.md)."""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.certificates import Certificate


@dataclass(frozen=True, slots=True)
class Granted:
    """One token that was asked for and given: by which HTTP method, and for which scopes."""

    method: str
    scopes: tuple[str, ...]


@dataclass(slots=True)
class TokenServer:
    """Gives what `scope` asks for to whoever knows the password, by GET (basic) or by POST (OAuth2 `password` grant,
    or `refresh_token` with `refresh_token`); 401 otherwise. `granted` and `refused` tell a test what happened.
    """

    certificate: Certificate
    username: str
    password: str
    url: str = ""
    service: str = "registry of a test"
    issuer: str = "token server of a test"
    refresh_token: str = field(default_factory=lambda: uuid.uuid4().hex)
    lifetime_s: int = 300
    granted: list[Granted] = field(default_factory=list)
    refused: int = 0

    @classmethod
    @contextmanager
    def running(cls, certificate: Certificate, username: str, password: str) -> Iterator[TokenServer]:
        tokens = cls(certificate, username, password)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(tokens))
        server.daemon_threads = True
        tokens.url = f"http://127.0.0.1:{server.server_port}/token"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield tokens
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def knows(self, username: str, password: str) -> bool:
        return (username, password) == (self.username, self.password)

    def token(self, scopes: tuple[str, ...]) -> str:
        """The JWT that the registry checks: its signer is named by the certificate in `x5c`."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.username,
            "aud": self.service,
            "exp": now + self.lifetime_s,
            "nbf": now - 10,
            "iat": now,
            "jti": uuid.uuid4().hex,
            "access": [_access(scope) for scope in scopes],
        }
        chain = x509.load_pem_x509_certificate(self.certificate.certificate.read_bytes()).public_bytes(Encoding.DER)
        headers = {"x5c": [base64.b64encode(chain).decode()]}
        return jwt.encode(claims, self.certificate.key.read_text(), algorithm="ES256", headers=headers)


def _access(scope: str) -> dict[str, object]:
    """`repository:team/hello:pull,push`; a name may hold colons itself (a port)."""
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return {"type": kind, "name": name, "actions": actions.split(",")}


def _handler(tokens: TokenServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            self._answer(tokens.knows(*self._basic()), query, "token")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = parse_qs(self.rfile.read(length).decode())
            given = {name: values[0] for name, values in form.items()}
            by_password = tokens.knows(given.get("username", ""), given.get("password", ""))
            by_refresh = given.get("refresh_token") == tokens.refresh_token
            known = by_refresh if given.get("grant_type") == "refresh_token" else by_password
            self._answer(known, form, "access_token")

        def _basic(self) -> tuple[str, str]:
            scheme, _, value = (self.headers.get("Authorization") or "").partition(" ")
            text = base64.b64decode(value).decode() if scheme.lower() == "basic" else ""
            username, _, password = text.partition(":")
            return username, password

        def _answer(self, known: bool, query: dict[str, list[str]], name: str) -> None:
            scopes = tuple(scope for value in query.get("scope", []) for scope in value.split())
            if known:
                tokens.granted.append(Granted(self.command, scopes))
                self._send(200, {name: tokens.token(scopes), "expires_in": tokens.lifetime_s})
            else:
                tokens.refused += 1
                self._send(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong username or password"}]})

        def _send(self, status: int, document: dict[str, object]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            return

    return Handler
