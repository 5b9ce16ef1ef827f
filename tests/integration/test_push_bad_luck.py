"""What can go wrong between us and a registry, with real registries and real broken connections."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from testbed.certificates import self_signed
from testbed.cutting_proxy import cutting_proxy
from testbed.daemon import free_port, listens, needs, running

from spin_aks.errors import RegistryError
from spin_aks.oci.image import CONFIG_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, Blob, FilePart, Image
from spin_aks.oci.patience import Patience
from spin_aks.oci.push import exists, push
from spin_aks.oci.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.registries import Registry

QUICK = Patience(attempts=3, first_s=0.01, most_s=0.02)
WASM = "application/vnd.wasm.content.layer.v1+wasm"
MEBIBYTE = 1 << 20


@pytest.fixture(autouse=True)
def _no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def image_of(*layers: Blob) -> Image:
    config = Blob.of(CONFIG_MEDIA_TYPE, [b'{"made": "by a test"}'])
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_MEDIA_TYPE,
        "config": config.descriptor,
        "layers": [layer.descriptor for layer in layers],
    }
    return Image("artifact", json.dumps(manifest).encode(), config, layers)


def image_of_size(path: Path, size_bytes: int) -> Image:
    path.write_bytes(os.urandom(size_bytes))
    return image_of(Blob.of(WASM, [FilePart(path, size_bytes)]))


def refusal_of(image: Image, reference: Reference) -> RegistryError:
    with pytest.raises(RegistryError) as refused:
        push(image, reference, progress=lambda _line: None, patience=QUICK)
    return refused.value


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that says the same to everything."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            self._answer()

        def do_HEAD(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_where_nothing_listens_the_connection_is_refused(tmp_path: Path) -> None:
    host = f"127.0.0.1:{free_port()}"

    refused = refusal_of(image_of_size(tmp_path / "a", 10), Reference(host, "team/app", "v1"))

    assert str(refused) == f"no registry listens at `{host}`: the connection is refused"
    assert refused.problems[0].hint == "start it, or name another one: `--registry HOST[:PORT][/PREFIX]`"


def test_a_host_that_does_not_exist_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")

    refused = refusal_of(image_of_size(tmp_path / "a", 10), Reference("registry.invalid", "team/app", "v1"))

    assert str(refused) == "there is no host `registry.invalid`"


def test_a_connection_that_breaks_once_half_way_through_a_layer_costs_nothing_but_time(
    registry: Registry, tmp_path: Path
) -> None:
    image = image_of_size(tmp_path / "a", 12 * MEBIBYTE)
    lines: list[str] = []
    with cutting_proxy(registry.host, cut_after_bytes=6 * MEBIBYTE, cuts=1) as proxy:
        pushed = push(image, Reference(proxy.host, "luck/once", "v1"), progress=lines.append, patience=QUICK)

    assert proxy.cuts == 1
    assert registry.blob(image.layers[0].digest).read_bytes() == (tmp_path / "a").read_bytes()
    assert [layer.sent for layer in pushed.layers] == [True]
    assert any(f"broke half way through layer {image.layers[0].digest[:19]}" in line for line in lines)


def test_a_connection_that_always_breaks_is_given_up_and_leaves_no_image(registry: Registry, tmp_path: Path) -> None:
    image = image_of_size(tmp_path / "a", 12 * MEBIBYTE)
    with cutting_proxy(registry.host, cut_after_bytes=6 * MEBIBYTE, cuts=1000) as proxy:
        refused = refusal_of(image, Reference(proxy.host, "luck/never", "v1"))

    layer = f"layer {image.layers[0].digest[:19]} (12.6 MB)"
    assert str(refused).startswith(
        f"http://{proxy.host}/v2/luck/never: the connection to `{proxy.host}` broke half way through {layer} ("
    )
    assert str(refused).endswith("), 3 times")
    assert refused.problems[0].hint == (
        "run the same command again later: what the registry has by then is not sent again"
    )
    assert not exists(Reference(registry.host, "luck/never", "v1"))


def test_a_push_that_was_given_up_goes_on_where_it_was(registry: Registry, tmp_path: Path) -> None:
    small, large = (tmp_path / name for name in ("small", "large"))
    image = image_of(*image_of_size(small, 1000).layers, *image_of_size(large, 12 * MEBIBYTE).layers)
    with cutting_proxy(registry.host, cut_after_bytes=6 * MEBIBYTE, cuts=1000) as proxy:
        refusal_of(image, Reference(proxy.host, "luck/later", "v1"))

    pushed = push(image, Reference(registry.host, "luck/later", "v1"), progress=lambda _line: None)

    assert [layer.sent for layer in pushed.layers] == [False, True]


def test_a_registry_whose_disk_is_full_is_quoted(tmp_path: Path) -> None:
    with registry_on_a_small_disk(tmp_path / "disk") as host:
        refused = refusal_of(image_of_size(tmp_path / "a", 12 * MEBIBYTE), Reference(host, "luck/full", "v1"))

    assert f"`{host}` answered 500 Internal Server Error" in str(refused)
    assert str(refused).endswith(", 3 times")
    assert refused.why.startswith("UNKNOWN: unknown error (")
    assert refused.problems[0].hint == "the registry's disk is full: make room there, then run the same command again"


@contextmanager
def registry_on_a_small_disk(folder: Path) -> Iterator[str]:
    mount = needs("mount", "mount")
    folder.mkdir()
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"needs the right to mount a file system of 4 MB: {mounted.stderr.decode().strip()}")
    try:
        with registry_serving(folder, {}) as host:
            yield host
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def registry_serving(storage: Path, http: dict[str, object]) -> Iterator[str]:
    program, port = needs("docker-registry", "docker-registry"), free_port()
    configuration = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(storage)}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "a secret of a test", **http},
    }
    own = storage.with_suffix(".yaml")
    own.write_text(json.dumps(configuration))
    with running("registry", [program, "serve", str(own)], storage.with_suffix(".log"), lambda: listens(port)):
        yield f"127.0.0.1:{port}"


def test_a_registry_that_denies_says_whom_and_what(tmp_path: Path) -> None:
    body = json.dumps({"errors": [{"code": "DENIED", "message": "requested access is denied"}]}).encode()
    with answering(403, body) as host:
        refused = refusal_of(image_of_size(tmp_path / "a", 10), Reference(host, "team/app", "v1"))

    assert str(refused) == f"`{host}` denies somebody without credentials the right to push to `team/app`"
    assert refused.problems[0].hint == (f"ask for that right, or log in as somebody who has it: `docker login {host}`")


def test_a_repository_that_must_be_made_first_is_named(tmp_path: Path) -> None:
    body = json.dumps({"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known"}]}).encode()
    with answering(404, body) as host:
        refused = refusal_of(image_of_size(tmp_path / "a", 10), Reference(host, "team/app", "v1"))

    assert str(refused) == f"http://{host}/v2/team/app/blobs/uploads/: `{host}` knows no repository `team/app`"
    assert refused.why == "NAME_UNKNOWN: repository name not known"


def test_a_registry_that_speaks_https_on_loopback_is_told_apart(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "registry")
    tls = {"certificate": str(made.certificate), "key": str(made.key)}
    with registry_serving(tmp_path / "storage", {"tls": tls}) as host:
        refused = refusal_of(image_of_size(tmp_path / "a", 10), Reference(host, "team/app", "v1"))

    assert str(refused) == f"`{host}` speaks https, but a loopback registry is spoken to over http"


def test_ctrl_c_ends_a_push_at_once(registry: Registry, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as stream:
        stream.truncate(1 << 30)
    with pushing(tmp_path / "big", registry.host, "luck/interrupted") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"made\n"
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        started = time.monotonic()
        child.wait(30)

    assert child.returncode == 130
    assert time.monotonic() - started < 5
    assert not exists(Reference(registry.host, "luck/interrupted", "v1"))


def test_a_layer_of_one_gibibyte_is_streamed(registry: Registry, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as stream:
        stream.truncate(1 << 30)
    with pushing(tmp_path / "big", registry.host, "luck/big") as child:
        out, _ = child.communicate(timeout=240)

    assert child.returncode == 0
    peak_kib = int(out.splitlines()[-1])
    assert peak_kib < 100 * 1024
    assert exists(Reference(registry.host, "luck/big", "v1"))


@contextmanager
def pushing(path: Path, host: str, repository: str) -> Iterator[subprocess.Popen[bytes]]:
    """Pushes the file as a layer in a process of its own, which prints its peak memory in KiB at the end."""
    argv = [sys.executable, "-c", CHILD, str(path), host, repository]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()


CHILD = f"""
import json, re, sys
from pathlib import Path
from spin_aks.oci.image import Blob, FilePart, Image
from spin_aks.oci.push import push
from spin_aks.oci.reference import Reference

path, host, repository = sys.argv[1:]
try:
    layer = Blob.of("{WASM}", [FilePart(Path(path), Path(path).stat().st_size)])
    config = Blob.of("{CONFIG_MEDIA_TYPE}", [b"{{}}"])
    manifest = {{"schemaVersion": 2, "mediaType": "{MANIFEST_MEDIA_TYPE}"}}
    manifest |= {{"config": config.descriptor, "layers": [layer.descriptor]}}
    image = Image("artifact", json.dumps(manifest).encode(), config, (layer,))
    print("made", flush=True)
    push(image, Reference(host, repository, "v1"), progress=lambda line: None)
    # Not ru_maxrss: that of a child begins with what its parent had.
    print(re.search("VmHWM:\\\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
except KeyboardInterrupt:
    sys.exit(130)
"""
