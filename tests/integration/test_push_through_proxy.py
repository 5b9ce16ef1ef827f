"""A registry that is reached by name, over TLS, through a proxy: as in a company's network, and as in the sandbox."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from testbed.certificates import self_signed
from testbed.daemon import free_port, listens, needs, running

from spin_aks.errors import RegistryError
from spin_aks.oci.image import CONFIG_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, Blob, Image
from spin_aks.oci.patience import Patience
from spin_aks.oci.push import exists, push
from spin_aks.oci.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "registry.example"
QUICK = Patience(attempts=2, first_s=0.01)


@pytest.fixture
def tunnels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The targets of each tunnel through a proxy behind which the registry is, whose authority is in `ca.pem`."""
    made = self_signed(tmp_path, "registry", HOST)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    program, port = needs("docker-registry", "docker-registry"), free_port()
    tls = {"certificate": str(made.certificate), "key": str(made.key)}
    configuration = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "storage")}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "a secret of a test", "tls": tls},
    }
    (tmp_path / "registry.yaml").write_text(json.dumps(configuration))
    argv = [program, "serve", str(tmp_path / "registry.yaml")]
    with running("registry", argv, tmp_path / "registry.log", lambda: listens(port)), proxy(port) as (url, targets):
        for name in ("ALL_PROXY", "NO_PROXY", "HTTPS_PROXY", "REQUESTS_CA_BUNDLE"):
            monkeypatch.delenv(name.lower(), raising=False)
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.certificate))
        yield targets


@contextmanager
def proxy(port: int) -> Iterator[tuple[str, list[str]]]:
    """Leads every tunnel to the same loopback port."""
    targets: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            targets.append(self.path)
            with socket.create_connection(("127.0.0.1", port)) as server:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=carry, args=(server, self.connection), daemon=True)
                back.start()
                carry(self.connection, server)
                back.join()

        def log_message(self, *args: object) -> None:
            return

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}", targets
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def carry(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(64 << 10):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def image() -> Image:
    config, layer = Blob.of(CONFIG_MEDIA_TYPE, [b"{}"]), Blob.of("x/y", [bytes(6_000_000)])
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_MEDIA_TYPE}
    manifest |= {"config": config.descriptor, "layers": [layer.descriptor]}
    return Image("artifact", json.dumps(manifest).encode(), config, (layer,))


def test_an_image_goes_over_tls_through_the_proxy(tunnels: list[str]) -> None:
    pushed = push(image(), Reference(HOST, "team/app", "v1"), progress=lambda _line: None, patience=QUICK)

    assert [layer.sent for layer in pushed.layers] == [True]
    assert exists(pushed.reference)
    assert set(tunnels) == {f"{HOST}:443"}


def test_behind_the_proxy_too_a_strange_certificate_is_refused(
    tunnels: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = self_signed(tmp_path, "other", HOST)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.certificate))

    with pytest.raises(RegistryError, match=f"the certificate of `{HOST}` is not trusted"):
        exists(Reference(HOST, "team/app", "v1"), patience=QUICK)

    assert tunnels == [f"{HOST}:443"]
