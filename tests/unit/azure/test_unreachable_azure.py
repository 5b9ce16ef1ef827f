"""What people read when no answer comes, with real connections that fail."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests
from testbed import certificates
from testbed.azure_answers import Hurried, Signed

from spin_aks.azure import groups
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.credential import Credential
from spin_aks.azure.problems import AzureUnreachableError
from spin_aks.azure.session import Cloud, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GROUP = ResourceId("00000000-0000-0000-0000-000000000000", "team")
OFFLINE = "are you online, and does HTTPS_PROXY name the proxy that your network needs?"


def failure(address: str, proxy: str = "") -> AzureUnreachableError:
    with requests.Session() as http:
        http.trust_env = False
        if proxy:
            http.proxies = {"https": proxy}
        transport = Hurried(http)
        session = Session(Credential(Signed()), cloud=Cloud("test", f"https://{address}", "x"), transport=transport)
        with pytest.raises(AzureUnreachableError) as error:
            groups.get(session, GROUP)
    return error.value


def said(error: AzureUnreachableError) -> tuple[str, str, str]:
    return error.problems[0].what, error.why, error.problems[0].hint


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    try:
                        answer(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_host_that_nobody_knows() -> None:
    assert (
        "can't look up resource group `team`: the host `management.invalid` is not known here",
        "",
        OFFLINE,
    ) == said(failure("management.invalid"))


def test_a_port_where_nobody_listens(closed_port: int) -> None:
    assert (
        "can't look up resource group `team`: can't connect to `127.0.0.1`",
        "connection refused",
        OFFLINE,
    ) == said(failure(f"127.0.0.1:{closed_port}"))


def test_a_proxy_that_is_not_there(closed_port: int) -> None:
    what, _, hint = said(failure("management.azure.com", f"http://127.0.0.1:{closed_port}"))

    assert "can't look up resource group `team`: the proxy gives no way to `management.azure.com`" == what
    assert "check HTTPS_PROXY and NO_PROXY" == hint


def close(connection: socket.socket) -> None:
    connection.recv(1 << 16)


def reset(connection: socket.socket) -> None:
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("ends", "why"), [(close, "eof occurred in violation of protocol"), (reset, "connection reset by peer")]
)
def test_a_connection_that_breaks_off(ends: Callable[[socket.socket], None], why: str) -> None:
    with serving(ends) as port:
        error = failure(f"127.0.0.1:{port}")

    assert (
        "can't look up resource group `team`: the connection to `127.0.0.1` broke",
        why,
        "run the same command again: it takes up where it was",
    ) == said(error)


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    made = certificates.self_signed(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)

    def greet(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True):
            return

    with serving(greet) as port:
        error = failure(f"127.0.0.1:{port}")

    what, why, hint = said(error)
    assert "can't look up resource group `team`: TLS with `127.0.0.1` fails" == what
    assert why.startswith("certificate verify failed: ")
    assert "a proxy that opens TLS needs its authority in the file that REQUESTS_CA_BUNDLE names" == hint
