from __future__ import annotations

import hashlib
import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spin_aks import clock
from spin_aks.errors import SpinAksError
from spin_aks.oci import sources
from spin_aks.oci.download import shown
from spin_aks.spin.manifest import parse
from spin_aks.spin.model import PackageSource, RemoteSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spin_aks.spin.model import Application

WASM = b"\0asm\x01\x00\x00\x00" + b"\x00" * 3_000_000
DIGEST = f"sha256:{hashlib.sha256(WASM).hexdigest()}"


class Server:
    """Serves `answers` (path -> handler) on loopback and remembers what was asked for."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.asked: list[tuple[str, str | None]] = []
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@contextmanager
def serving() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append((self.path, self.headers.get("Authorization")))
            known.answers.get(self.path, answer(404, b"no"))(self)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        known = Server(httpd.server_address[1])
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield known
        finally:
            httpd.shutdown()
            thread.join()


def answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> Callable[[BaseHTTPRequestHandler], None]:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    answer(200, WASM[:1_500_000], {"Content-Length": str(len(WASM))})(handler)


def refusal(source: RemoteSource | PackageSource, cache: Path) -> SpinAksError:
    with pytest.raises(SpinAksError) as caught:
        sources.fetch(source, cache)
    return caught.value


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "sleep", lambda _duration_s: None)


def test_a_file_is_fetched_once_and_kept_under_its_digest(server: Server, tmp_path: Path) -> None:
    server.answers["/a.wasm"] = answer(200, WASM)
    source = RemoteSource(server.url("/a.wasm"), DIGEST)
    heard: list[str] = []

    paths = [sources.fetch(source, tmp_path / "cache", notice=heard.append) for _ in range(2)]

    assert [tmp_path / "cache" / f"{DIGEST[7:]}.wasm"] * 2 == paths
    assert [WASM, [f"fetching {server.url('/a.wasm')}"]] == [paths[0].read_bytes(), heard]
    assert [("/a.wasm", None)] == server.asked


def test_a_kept_file_that_was_damaged_is_fetched_again(server: Server, tmp_path: Path) -> None:
    server.answers["/a.wasm"] = answer(200, WASM)
    source = RemoteSource(server.url("/a.wasm"), DIGEST)
    sources.fetch(source, tmp_path).write_bytes(WASM[:-1])

    assert WASM == sources.fetch(source, tmp_path).read_bytes()


def test_redirects_are_followed_and_a_user_in_the_address_is_sent_and_never_shown(
    server: Server, tmp_path: Path
) -> None:
    server.answers["/latest"] = answer(302, b"", {"Location": "/a.wasm"})
    server.answers["/a.wasm"] = answer(200, WASM)
    url = f"http://me:se%40cret@{server.host}/latest?sig=abc"
    server.answers["/latest?sig=abc"] = server.answers["/latest"]

    assert WASM == sources.fetch(RemoteSource(url, DIGEST), tmp_path).read_bytes()
    assert ("/latest?sig=abc", "Basic bWU6c2VAY3JldA==") == server.asked[0]
    assert f"http://{server.host}/latest" == shown(url)


def test_a_wrong_digest_names_both_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.answers["/a.wasm"] = answer(200, WASM)
    wanted = f"sha256:{'0' * 64}"

    error = refusal(RemoteSource(server.url("/a.wasm"), wanted), tmp_path)

    assert f"`{server.url('/a.wasm')}` has the digest {DIGEST}, but spin.toml wants {wanted}" == str(error)
    assert "if you trust what is there now, write its digest into spin.toml" == error.problems[0].hint
    assert [] == left_in(tmp_path)


def test_what_is_not_there_is_said_with_the_servers_words(server: Server, tmp_path: Path) -> None:
    error = refusal(RemoteSource(server.url("/gone"), DIGEST), tmp_path)

    assert f"can't fetch `{server.url('/gone')}`: the server answers 404 Not Found" == str(error)
    assert [] == left_in(tmp_path)


def test_a_connection_that_breaks_half_way_is_tried_again(server: Server, tmp_path: Path) -> None:
    left = [cut_short, cut_short, answer(200, WASM)]
    server.answers["/a.wasm"] = lambda handler: left.pop(0)(handler)

    assert WASM == sources.fetch(RemoteSource(server.url("/a.wasm"), DIGEST), tmp_path).read_bytes()
    assert [f"{DIGEST[7:]}.wasm"] == left_in(tmp_path)


def test_a_connection_that_breaks_each_time_is_given_up_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.answers["/a.wasm"] = cut_short

    error = refusal(RemoteSource(server.url("/a.wasm"), DIGEST), tmp_path)

    assert str(error).startswith(f"can't fetch `{server.url('/a.wasm')}`: the connection broke (")
    assert str(error).endswith("), 3 times")
    assert [] == left_in(tmp_path)


def test_a_server_that_nobody_runs_is_named_with_the_reason(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.wasm"

    error = refusal(RemoteSource(url, DIGEST), tmp_path)

    assert (f"can't fetch `{url}`: Connection refused", "check `url` in spin.toml and your network") == (
        str(error),
        error.problems[0].hint,
    )


@pytest.mark.parametrize(
    ("url", "digest", "what"),
    [
        ("file:///etc/hosts", DIGEST, "can't fetch `file:///etc/hosts`: only http and https addresses can be fetched"),
        ("nonsense", DIGEST, "can't fetch `nonsense`: only http and https addresses can be fetched"),
        ("http://127.0.0.1/", "sha256:ABC", "`sha256:ABC` is no digest"),
        ("http://127.0.0.1/", "md5:0", "`md5:0` is no digest"),
    ],
)
def test_what_can_not_be_fetched_is_refused(tmp_path: Path, url: str, digest: str, what: str) -> None:
    assert what == str(refusal(RemoteSource(url, digest), tmp_path))


def test_every_component_gets_its_file_and_each_source_is_fetched_once(server: Server, tmp_path: Path) -> None:
    server.answers["/a.wasm"] = answer(200, WASM)
    app = manifest(server, DIGEST)

    found = sources.gather(app_of(app), tmp_path)

    fetched = tmp_path / f"{DIGEST[7:]}.wasm"
    assert {"here": Path("here.wasm"), "one": fetched, "two": fetched} == found
    assert 1 == len(server.asked)


def test_every_source_that_can_not_be_had_is_named_at_its_line(server: Server, tmp_path: Path) -> None:
    with pytest.raises(SpinAksError) as caught:
        sources.gather(app_of(manifest(server, DIGEST)), tmp_path)

    assert [
        f"spin.toml:{line}: component `{name}`: can't fetch `{server.url('/a.wasm')}`: the server answers 404 Not Found"
        for line, name in ((7, "one"), (9, "two"))
    ] == [str(problem) for problem in caught.value.problems]


def manifest(server: Server, digest: str) -> str:
    source = f'source = {{ url = "{server.url("/a.wasm")}", digest = "{digest}" }}'
    return (
        'spin_manifest_version = 2\napplication = { name = "x" }\ntrigger.http = []\n[component.here]\n'
        f'source = "here.wasm"\n[component.one]\n{source}\n[component.two]\n{source}\n'
    )


def app_of(text: str) -> Application:
    return parse(text, Path("spin.toml"))


# Packages


def package_of(server: Server, version: str = "1.2.3", package: str = "me:hello") -> PackageSource:
    return PackageSource(package, version, server.host)


def pieces(content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def send(handler: BaseHTTPRequestHandler) -> None:
        first, _, last = handler.headers["Range"].removeprefix("bytes=").partition("-")
        answer(206, content[int(first) : int(last) + 1])(handler)

    return send


def serve_package(server: Server, *, prefix: str = "", held: bytes = WASM) -> None:
    described = {"layers": [{"mediaType": "application/wasm", "digest": DIGEST, "size": len(WASM)}]}
    server.answers[f"/v2/{prefix}me/hello/manifests/1.2.3"] = answer(200, json.dumps(described).encode())
    server.answers[f"/v2/{prefix}me/hello/blobs/{DIGEST}"] = pieces(held)


def well_known(server: Server, document: object) -> None:
    server.answers["/.well-known/wasm-pkg/registry.json"] = answer(200, json.dumps(document).encode())


def test_a_package_is_the_first_layer_of_the_image_that_the_registry_names(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spin_aks.oci.packages.PIECE_BYTES", 1 << 20)
    well_known(server, {"preferredProtocol": "oci", "oci": {"registry": server.host, "namespacePrefix": "pkgs/"}})
    serve_package(server, prefix="pkgs/")

    paths = [sources.fetch(package_of(server), tmp_path) for _ in range(2)]

    assert [tmp_path / f"{DIGEST[7:]}.wasm"] * 2 == paths
    assert WASM == paths[0].read_bytes()
    assert 3 == sum(path.endswith(DIGEST) for path, _ in server.asked)


def test_a_registry_that_says_nothing_of_itself_is_taken_for_the_one_that_keeps_the_package(
    server: Server, tmp_path: Path
) -> None:
    serve_package(server)

    assert WASM == sources.fetch(package_of(server), tmp_path).read_bytes()


def test_another_protocol_is_refused_by_name(server: Server, tmp_path: Path) -> None:
    well_known(server, {"warg": {"url": "https://warg.example.com"}})

    error = refusal(package_of(server), tmp_path)

    assert (
        f"the registry `{server.host}` of the package `me:hello` speaks `warg`, and only `oci` is spoken here"
        == str(error)
    )


def test_a_namespace_without_a_registry_is_refused(tmp_path: Path) -> None:
    error = refusal(PackageSource("me:hello", "1.0.0"), tmp_path)

    assert ("no registry is known for the package `me:hello`", 'name it in spin.toml: `registry = "HOST"`') == (
        str(error),
        error.problems[0].hint,
    )


def test_a_version_that_is_not_there_is_named(server: Server, tmp_path: Path) -> None:
    error = refusal(package_of(server, "9.9.9"), tmp_path)

    assert f"there is no `me:hello` 9.9.9 in `{server.host}/me/hello`" == str(error)


def test_a_package_whose_bytes_are_others_is_refused_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    serve_package(server, held=b"\1" + WASM[1:])

    error = refusal(package_of(server), tmp_path)

    assert str(error).endswith(f"but its manifest says {DIGEST}")
    assert [] == left_in(tmp_path)


@pytest.mark.parametrize("content", [b"[]", b"no json", b'{"layers": []}'])
def test_what_is_no_package_is_refused(server: Server, tmp_path: Path, content: bytes) -> None:
    server.answers["/v2/me/hello/manifests/1.2.3"] = answer(200, content)

    error = refusal(package_of(server), tmp_path)

    assert f"`{server.host}/me/hello:1.2.3` is no package: its manifest names no wasm" == str(error)
