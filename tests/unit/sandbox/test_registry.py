"""What the sandbox's registry keeps of the specification where Docker's registry 2.8 does not, and its store."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from typing import TYPE_CHECKING

import pytest
import urllib3

from spin_aks.sandbox.blobs import Blobs
from spin_aks.sandbox.registry import Registry
from spin_aks.sandbox.web import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(Registry(Blobs(tmp_path)))
    yield started
    started.stop()


@pytest.fixture
def ask() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False) as http:
        yield http


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def start(ask: urllib3.PoolManager, server: Server) -> str:
    return ask.request("POST", f"http://{server.host}/v2/app/blobs/uploads/").headers["Location"]


def push(ask: urllib3.PoolManager, server: Server, content: bytes) -> str:
    ask.request("PUT", f"{start(ask, server)}?digest={digest_of(content)}", body=content, headers=OCTETS)
    return digest_of(content)


def test_a_part_behind_the_end_of_a_blob_is_refused(server: Server, ask: urllib3.PoolManager) -> None:
    digest = push(ask, server, b"0123456789")
    answer = ask.request("GET", f"http://{server.host}/v2/app/blobs/{digest}", headers={"Range": "bytes=10-"})

    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */10")


def test_a_piece_that_leaves_a_gap_is_refused(server: Server, ask: urllib3.PoolManager) -> None:
    address = start(ask, server)
    ask.request("PATCH", address, body=b"0123456789", headers={**OCTETS, "Content-Range": "0-9"})
    answer = ask.request("PATCH", address, body=b"x", headers={**OCTETS, "Content-Range": "11-11"})

    assert answer.status == 416
    assert "the upload holds 10 bytes, the chunk begins at 11" in answer.data.decode()


def test_what_came_before_the_connection_broke_is_kept(server: Server, ask: urllib3.PoolManager) -> None:
    address = start(ask, server)
    path = address.removeprefix(f"http://{server.host}")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"PATCH {path} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 100000\r\n\r\n"
        connection.sendall(head.encode() + bytes(60_000))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    held = int(ask.request("GET", address).headers["Range"].partition("-")[2]) + 1
    rest = {**OCTETS, "Content-Range": f"{held}-99999"}
    ask.request("PATCH", address, body=bytes(100_000 - held), headers=rest)

    assert held == 60_000
    assert ask.request("PUT", f"{address}?digest={digest_of(bytes(100_000))}").status == 201


def test_an_upload_goes_on_after_the_registry_was_started_again(tmp_path: Path, ask: urllib3.PoolManager) -> None:
    content = os.urandom(50_000)
    first = Server(Registry(Blobs(tmp_path)))
    address = start(ask, first)
    ask.request("PATCH", address, body=content[:20_000], headers=OCTETS)
    first.stop()
    second = Server(Registry(Blobs(tmp_path)))
    address = address.replace(first.host, second.host)
    state = ask.request("GET", address).headers["Range"]
    done = ask.request("PUT", f"{address}?digest={digest_of(content)}", body=content[20_000:], headers=OCTETS)
    second.stop()

    assert (state, done.status) == ("0-19999", 201)


def test_tags_are_listed_in_order_and_by_the_page(server: Server, ask: urllib3.PoolManager) -> None:
    push(ask, server, b"{}")
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": digest_of(b"{}")}, "layers": []})
    for tag in ("b", "a", "c"):
        ask.request("PUT", f"http://{server.host}/v2/app/manifests/{tag}", body=manifest)
    page = ask.request("GET", f"http://{server.host}/v2/app/tags/list?n=2")
    rest = ask.request("GET", f"http://{server.host}/v2/app/tags/list?n=2&last=b")

    assert (page.json()["tags"], rest.json()["tags"]) == (["a", "b"], ["c"])
    assert page.headers["Link"] == '</v2/app/tags/list?last=b&n=2>; rel="next"'


def test_a_blob_is_kept_under_its_digest_and_nothing_is_left_of_the_upload(
    server: Server, ask: urllib3.PoolManager, tmp_path: Path
) -> None:
    digest = push(ask, server, b"kept")

    assert (tmp_path / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes() == b"kept"
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_blob_of_512_bits_is_checked_too(server: Server, ask: urllib3.PoolManager) -> None:
    right = f"sha512:{hashlib.sha512(b'x').hexdigest()}"
    wrong = f"sha512:{hashlib.sha512(b'y').hexdigest()}"

    assert ask.request("PUT", f"{start(ask, server)}?digest={right}", body=b"x", headers=OCTETS).status == 201
    assert ask.request("PUT", f"{start(ask, server)}?digest={wrong}", body=b"x", headers=OCTETS).status == 400


def test_a_name_that_leaves_the_folder_is_no_repository(server: Server, ask: urllib3.PoolManager) -> None:
    for path in ("/v2/../../etc/manifests/passwd", "/v2/%2e%2e/tags/list", "/v2/app/manifests/..%2f..%2fx"):
        assert ask.urlopen("GET", f"http://{server.host}{path}").status == 404


def test_a_page_that_calls_loopback_by_another_name_gets_nothing(server: Server, ask: urllib3.PoolManager) -> None:
    answer = ask.request("GET", f"http://{server.host}/v2/", headers={"Host": "attacker.example"})

    assert answer.status == 421


def test_a_broken_chunk_ends_the_connection_and_nothing_else(server: Server, ask: urllib3.PoolManager) -> None:
    path = start(ask, server).removeprefix(f"http://{server.host}")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"PATCH {path} HTTP/1.1\r\nHost: {server.host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"no number\r\n")
        answer = connection.recv(100)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert ask.request("GET", f"http://{server.host}/v2/").status == 200
