"""The proxy that brings unchanged SDKs to the sandbox's Azure: CONNECT to a host that it plays stays here."""

from __future__ import annotations

import os
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox.azure import login
from spin_aks.sandbox.azure.authority import Authority, plays
from spin_aks.sandbox.azure.subscriptions import SUBSCRIPTION, TENANT
from spin_aks.sandbox.azure.tunnel import UnreachableError, Upstream, carry
from spin_aks.sandbox.web import Answer, Connection, Listener, Request, Server

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from spin_aks.sandbox.azure.world import World

TLS_WITHIN_S = 30.0


class Proxy:
    """Serves on loopback from construction until `stop`; its certificates are in the world's folder.

    Raises OSError if `port` is taken or the folder can't be used.
    """

    def __init__(self, world: World, port: int = 0) -> None:
        self.world = world
        self.upstream = Upstream.of(os.environ)
        self._authority = Authority(world.folder)
        self.context = self._authority.server_context()
        self._server = Server(_connect_only, port, connection=partial(ProxyConnection, self))
        self.port = self._server.port

    @property
    def bundle(self) -> Path:
        """The certificates that a client of this proxy has to trust."""
        return self._authority.bundle

    @property
    def environment(self) -> dict[str, str]:
        """What makes a command's SDKs use this proxy, and sign in as the sandbox's own service principal."""
        address, bundle = f"http://{self._server.host}", str(self.bundle)
        return {
            "HTTPS_PROXY": address,
            "https_proxy": address,
            "REQUESTS_CA_BUNDLE": bundle,
            "SSL_CERT_FILE": bundle,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": login.CLIENT,
            "AZURE_CLIENT_SECRET": self.world.tokens.client_secret,
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
            "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
        }

    def stop(self) -> None:
        self._server.stop()


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
        if not self._proxy.world.has_host(host):
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
            PlayedConnection(self._proxy.world, host, encrypted, self.client_address, self.server)

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
        self, world: World, host: str, connection: socket.socket, client: tuple[str, int], server: Listener
    ) -> None:
        self._world = world
        self._host = host
        super().__init__(connection, client, server)

    def respond(self, request: Request) -> Answer:
        return self._world(request, self._host)

    def is_for_us(self) -> bool:
        # Who got this far has asked for that host, and trusts our certificate.
        return True
