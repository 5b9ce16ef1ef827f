from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from testbed.certificates import self_signed

from spin_aks.errors import RegistryError
from spin_aks.oci.transport import ConnectionLost, Transport, proxy_for, trusted_authorities

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/silent":
            self.connection.close()
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        return


class Server(ThreadingHTTPServer):
    def handle_error(self, *args: object) -> None:
        return  # a client that hangs up is no error of the server's


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serving_tls(folder: Path) -> Iterator[str]:
    made = self_signed(folder, "server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made.certificate, made.key)
    with serving(tls) as host:
        yield host


def get(url: str) -> bytes:
    transport = Transport()
    try:
        return transport.ask("GET", url, {}).body
    finally:
        transport.close()


def test_a_certificate_that_nobody_vouches_for_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with serving_tls(tmp_path) as host, pytest.raises(RegistryError) as refused:
        get(f"https://{host}/")

    assert str(refused.value).startswith(f"the certificate of `{host}` is not trusted: self-signed certificate")
    assert "`REQUESTS_CA_BUNDLE`" in refused.value.problems[0].hint


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_certificate_that_the_environment_vouches_for_is_taken(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "server.crt"))

    with serving_tls(tmp_path) as host:
        assert get(f"https://{host}/") == b"ok"


def test_a_bundle_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent"))

    with pytest.raises(RegistryError) as refused:
        trusted_authorities()

    assert str(refused.value) == (
        f"{tmp_path}/absent: $REQUESTS_CA_BUNDLE names no file of certificates: No such file or directory"
    )


def test_https_to_a_server_of_plain_http_is_told_apart() -> None:
    with serving() as host, pytest.raises(RegistryError) as refused:
        get(f"https://{host}/")

    assert str(refused.value) == (f"`{host}` speaks plain http, and only a loopback registry is spoken to over http")


def test_a_server_that_hangs_up_may_be_asked_again() -> None:
    with serving() as host, pytest.raises(ConnectionLost):
        get(f"http://{host}/silent")


def test_a_server_that_vanishes_after_it_answered_may_be_asked_again() -> None:
    transport = Transport()
    with serving() as host:
        transport.ask("GET", f"http://{host}/", {})
    transport.close()

    with pytest.raises(ConnectionLost):
        transport.ask("GET", f"http://{host}/", {})


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https://ghcr.io/v2/", {}, ""),
        ("https://ghcr.io/v2/", {"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://ghcr.io/v2/", {"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ("https://ghcr.io/v2/", {"HTTP_PROXY": "http://proxy:3128"}, ""),
        ("https://ghcr.io/v2/", {"ALL_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://ghcr.io/v2/", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "ghcr.io"}, ""),
        ("http://127.0.0.1:5000/v2/", {"HTTP_PROXY": "http://proxy:3128"}, ""),
        ("https://localhost:5000/v2/", {"HTTPS_PROXY": "http://proxy:3128"}, ""),
    ],
)
def test_the_proxy_is_the_one_that_the_environment_names(
    url: str, environment: dict[str, str], proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert proxy_for(url) == proxy


def test_a_proxy_that_does_not_answer_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://ada:hunter2@127.0.0.1:9")

    with pytest.raises(RegistryError) as refused:
        get("https://registry.example/v2/")

    assert str(refused.value) == ("can't reach `registry.example` through the proxy `127.0.0.1:9`: Connection refused")


def test_a_socks_proxy_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")

    with pytest.raises(RegistryError, match="a proxy of the kind `socks5` is not supported"):
        get("https://registry.example/v2/")
