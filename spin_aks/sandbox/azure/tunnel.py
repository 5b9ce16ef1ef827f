"""The way out for hosts that the sandbox does not play: bytes both ways, through the proxy that was there before us."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_WITHIN_S = 30.0
CHUNK_BYTES = 1 << 16
ANSWER_LIMIT_BYTES = 1 << 16


class UnreachableError(Exception):
    """The host, or the proxy before it, can't be reached."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The user's own proxy, and what it is not for; an empty host means that there is none."""

    host: str = ""
    port: int = 0
    credential: str = ""
    direct: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Upstream:
        """As the environment of the sandbox itself names it; a proxy that is reached by TLS is not supported."""
        names = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        named = next((environment[name] for name in names if environment.get(name)), "")
        direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
        parts = urlsplit(named if "://" in named else f"http://{named}")
        if not named or parts.scheme != "http" or not parts.hostname:
            return cls()
        credential = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
        return cls(parts.hostname, parts.port or 80, credential, direct)

    def connect(self, host: str, port: int) -> socket.socket:
        """An open connection on which `host` is the other end. Raises UnreachableError."""
        try:
            if not self.host or _is_direct(host, self.direct):
                return _opened(host, port)
            connection = _opened(self.host, self.port)
            self._ask(connection, f"{host}:{port}")
        except OSError as error:
            raise UnreachableError(f"{host}:{port}: {error.strerror or error}") from error
        return connection

    def _ask(self, connection: socket.socket, address: str) -> None:
        lines = [f"CONNECT {address} HTTP/1.1", f"Host: {address}"]
        if self.credential:
            lines.append(f"Proxy-Authorization: Basic {base64.b64encode(self.credential.encode()).decode()}")
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer and len(answer) < ANSWER_LIMIT_BYTES:
            piece = connection.recv(1)
            if not piece:
                break
            answer += piece
        status = answer.split(b"\r\n", 1)[0].split(b" ")
        if len(status) < 2 or status[1] != b"200":
            connection.close()
            raise UnreachableError(
                f"{address}: the proxy {self.host}:{self.port} says {b' '.join(status[1:]).decode()}"
            )


def _is_direct(host: str, direct: str) -> bool:
    """Whether NO_PROXY, a list of names and domains, says to go without the proxy."""
    name = host.lower()
    for entry in (item.strip().lower().lstrip(".") for item in direct.split(",")):
        if entry == "*" or (entry and (name == entry or name.endswith(f".{entry}"))):
            return True
    return False


def _opened(host: str, port: int) -> socket.socket:
    connection = socket.create_connection((host, port), CONNECT_WITHIN_S)
    connection.settimeout(None)
    return connection


def carry(one: socket.socket, other: socket.socket) -> None:
    """Until both ends have said all they have to say, or one of them is gone."""
    open_ends = {one: other, other: one}
    with contextlib.suppress(OSError):
        while open_ends:
            readable, _, _ = select.select([*open_ends], [], [])
            for source in readable:
                piece = source.recv(CHUNK_BYTES)
                if piece:
                    open_ends[source].sendall(piece)
                else:
                    open_ends.pop(source).shutdown(socket.SHUT_WR)
