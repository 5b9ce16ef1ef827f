"""The proxy that brings unchanged SDKs to the sandbox's Azure: CONNECT to a host that it plays stays here."""

from __future__ import annotations

import os
import sqlite3
import threading
from functools import cached_property, partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox.azure.authority import BUNDLE, Authority, plays
from spin_aks.sandbox.azure.identifiers import CLIENT, SUBSCRIPTION, TENANT
from spin_aks.sandbox.azure.request_log import RequestLog
from spin_aks.sandbox.azure.tokens import TOKEN_KEY, Tokens
from spin_aks.sandbox.azure.tunnel import UnreachableError, Upstream, carry
from spin_aks.sandbox.web import LOOPBACK, Answer, ClientGoneError, Connection, Listener, Request, Server

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from spin_aks.sandbox.azure.world import World

TLS_WITHIN_S = 30.0


class Proxy:
    """Serves on loopback from construction until `stop`; its certificates are in `folder`.

    `open_world` is called when a host that the sandbox plays is first asked for something. Raises OSError if `port` is
    taken or the folder can't be used.
    """

    def __init__(self, folder: Path, open_world: Callable[[], World], port: int = 0) -> None:
        self._folder = folder
        self._open_world = open_world
        self._opened: World | None = None
        self._guard = threading.Lock()
        self.upstream = Upstream.of(os.environ)
        self._authority = Authority(folder)
        # Made by who serves, before anybody else can want it.
        Tokens(folder / TOKEN_KEY)
        self.log = RequestLog(folder)
        self._server = Server(_connect_only, port, connection=partial(ProxyConnection, self))
        self.port = self._server.port

    @property
    def environment(self) -> dict[str, str]:
        return environment(self._folder, self.port)

    @property
    def host(self) -> str:
        return self._server.host

    @property
    def world(self) -> World:
        with self._guard:
            if self._opened is None:
                self._opened = self._open_world()
            return self._opened

    @cached_property
    def context(self) -> ssl.SSLContext:
        return self._authority.server_context()

    def stop(self) -> None:
        """Closes the world, too, if there came to be one."""
        self._server.stop()
        with self._guard:
            if self._opened is not None:
                self._opened.close()


def environment(folder: Path, port: int) -> dict[str, str]:
    """What makes a command's SDKs use the proxy at that port, and sign in as the sandbox's own service principal."""
    address, bundle = f"http://{LOOPBACK}:{port}", str(folder / BUNDLE)
    return {
        "HTTPS_PROXY": address,
        "https_proxy": address,
        "REQUESTS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_CLIENT_SECRET": Tokens(folder / TOKEN_KEY).client_secret,
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
    }


def _connect_only(_request: Request) -> Answer:
    return Answer(HTTPStatus.NOT_IMPLEMENTED, b"the sandbox's proxy takes CONNECT only\n")


class ProxyConnection(Connection):
    """A client that wants to get to some host."""

    def __init__(self, proxy: Proxy, connection: socket.socket, client: tuple[str, int], server: Listener) -> None:
        self._proxy = proxy
        super().__init__(connection, client, server)

    def do_CONNECT(self) -> None:  # noqa: N802 (the base class's way to name it)
        self.close_connection = True
        host, _, port = self.path.rpartition(":")
        if not port.isdigit():
            self.send_error(HTTPStatus.BAD_REQUEST)
        elif plays(host.lower()):
            self._play(host.lower())
        else:
            self._tunnel(host.strip("[]"), int(port))

    def _play(self, host: str) -> None:
        try:
            known = self._proxy.world.has_host(host)
        except (OSError, sqlite3.Error) as error:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, f"the sandbox's Azure can't start: {error}")
            return
        if not known:
            self.send_error(HTTPStatus.BAD_GATEWAY, f"the sandbox's Azure has no host {host}")
            return
        self._established()
        try:
            self.connection.settimeout(TLS_WITHIN_S)
            encrypted = self._proxy.context.wrap_socket(self.connection, server_side=True)
            encrypted.settimeout(None)
        except OSError:
            return
        with encrypted:
            PlayedConnection(self._proxy, host, encrypted, self.client_address, self.server)

    def _tunnel(self, host: str, port: int) -> None:
        try:
            outside = self._proxy.upstream.connect(host, port)
        except UnreachableError as error:
            self.send_error(HTTPStatus.BAD_GATEWAY, str(error))
            return
        with outside:
            self.server.opened(outside)
            self._established()
            carry(self.connection, outside)
            self.server.closed(outside)

    def _established(self) -> None:
        self.send_response(HTTPStatus.OK, "Connection established")
        self.end_headers()
        self.wfile.flush()


class PlayedConnection(Connection):
    """A client that believes to talk to `host`."""

    def __init__(
        self, proxy: Proxy, host: str, connection: socket.socket, client: tuple[str, int], server: Listener
    ) -> None:
        self._proxy = proxy
        self._host = host
        super().__init__(connection, client, server)

    def respond(self, request: Request) -> Answer:
        try:
            answer = self._proxy.world(request, self._host)
        except ClientGoneError:
            self._proxy.log.note(request.method, self._host, request.path)
            raise
        self._proxy.log.note(request.method, self._host, request.path, str(answer.status))
        return answer

    def is_for_us(self) -> bool:
        # Who got this far has asked for that host, and trusts our certificate.
        return True
