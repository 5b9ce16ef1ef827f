"""The registries of the sandbox's Azure can lead to a real one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import urllib3

from spin_aks.sandbox.azure.forward import Forward
from spin_aks.sandbox.web import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.registries import Registry


@pytest.fixture
def forwarded(registry: Registry) -> Iterator[str]:
    server = Server(Forward(registry.host))
    yield f"http://{server.host}"
    server.stop()


@pytest.mark.parametrize("size", [0, 10, 20_000_000])
def test_a_blob_goes_through_both_ways(forwarded: str, registry: Registry, size: int) -> None:
    content = b"x" * size
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    with urllib3.PoolManager() as pool:
        begun = pool.request("POST", f"{forwarded}/v2/forwarded/blobs/uploads/", body=b"")
        put = pool.request("PUT", f"{begun.headers['Location']}&digest={digest}", body=content)
        head = pool.request("HEAD", f"{forwarded}/v2/forwarded/blobs/{digest}")
        got = pool.request("GET", f"{forwarded}/v2/forwarded/blobs/{digest}")
        real = pool.request("HEAD", f"http://{registry.host}/v2/forwarded/blobs/{digest}")

    assert [202, 201, 200, 200, 200] == [answer.status for answer in (begun, put, head, got, real)]
    assert str(size) == head.headers["Content-Length"]
    assert content == got.data
    assert begun.headers["Location"].startswith(forwarded)


def test_a_chunked_upload_goes_through(forwarded: str) -> None:
    with urllib3.PoolManager() as pool:
        begun = pool.request("POST", f"{forwarded}/v2/forwarded/blobs/uploads/", body=b"")
        patched = pool.request("PATCH", begun.headers["Location"], body=iter([b"one", b"two"]), chunked=True)

    assert (202, "0-5") == (patched.status, patched.headers["Range"])


def test_what_is_not_there_is_the_registrys_own_answer(forwarded: str) -> None:
    with urllib3.PoolManager() as pool:
        answer = pool.request("GET", f"{forwarded}/v2/forwarded/manifests/none")

    assert 404 == answer.status
    assert answer.json()["errors"][0]["code"] in ("MANIFEST_UNKNOWN", "NAME_UNKNOWN")


def test_a_registry_that_is_not_there_is_a_bad_gateway() -> None:
    server = Server(Forward("127.0.0.1:1"))
    try:
        with urllib3.PoolManager() as pool:
            answer = pool.request("GET", f"http://{server.host}/v2/")
    finally:
        server.stop()

    assert 502 == answer.status
    message = "spin-aks sandbox: the registry 127.0.0.1:1 behind it: Connection refused"
    assert message == answer.json()["errors"][0]["message"]
