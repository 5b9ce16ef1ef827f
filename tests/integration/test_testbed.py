"""The test bed is what it says it is: needs docker-registry, htpasswd, dockerd and redis-server."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import docker
import pytest
import urllib3
from testbed.services import redis_says
from testbed.token_server import Granted

if TYPE_CHECKING:
    from collections.abc import Callable

    from testbed.registries import BasicRegistry, Registry, TokenRegistry
    from testbed.services import DockerDaemon, Redis

BLOB = b"a blob of a test"
DIGEST = f"sha256:{hashlib.sha256(BLOB).hexdigest()}"


def upload(registry: Registry, repository: str, headers: dict[str, str]) -> int:
    """The status that sending BLOB to `repository` ends with."""
    http = urllib3.PoolManager(headers=headers)
    started = http.request("POST", f"{registry.url}/v2/{repository}/blobs/uploads/", retries=False)
    if started.status != 202:
        return started.status
    address = f"{started.headers['Location']}&digest={DIGEST}"
    headers = {**headers, "Content-Type": "application/octet-stream"}
    return http.request("PUT", address, body=BLOB, headers=headers).status


def test_a_registry_takes_a_blob_and_shows_its_file(registry: Registry) -> None:
    status = upload(registry, "testbed/anonymous", {})

    assert (status, registry.blob(DIGEST).read_bytes()) == (201, BLOB)


def test_a_new_registry_shares_nothing_with_another(new_registry: Callable[[], Registry]) -> None:
    one, other = new_registry(), new_registry()

    upload(one, "testbed/anonymous", {})

    assert (one.blob(DIGEST).exists(), other.blob(DIGEST).exists()) == (True, False)


@pytest.mark.parametrize(("password", "status"), [("", 202), ("wrong", 401)])
def test_a_basic_registry_asks_for_its_password(basic_registry: BasicRegistry, password: str, status: int) -> None:
    headers = urllib3.make_headers(basic_auth=f"{basic_registry.username}:{password or basic_registry.password}")

    answer = urllib3.request(
        "POST", f"{basic_registry.url}/v2/testbed/basic/blobs/uploads/", headers=headers, retries=False
    )

    assert answer.status == status


def test_a_token_registry_names_its_token_server(token_registry: TokenRegistry) -> None:
    answer = urllib3.request("GET", f"{token_registry.url}/v2/testbed/token/tags/list", retries=False)

    expected = (
        f'Bearer realm="{token_registry.tokens.url}",service="{token_registry.tokens.service}",'
        'scope="repository:testbed/token:pull"'
    )
    assert answer.headers["WWW-Authenticate"] == expected


def test_a_token_registry_takes_a_token_of_its_server(token_registry: TokenRegistry) -> None:
    tokens = token_registry.tokens
    scope = "repository:testbed/token:pull,push"
    headers = urllib3.make_headers(basic_auth=f"{tokens.username}:{tokens.password}")
    fields = {"service": tokens.service, "scope": scope}

    token = urllib3.request("GET", tokens.url, fields=fields, headers=headers).json()["token"]

    assert upload(token_registry, "testbed/token", {"Authorization": f"Bearer {token}"}) == 201
    assert upload(token_registry, "testbed/other", {"Authorization": f"Bearer {token}"}) == 401
    assert tokens.granted == [Granted("GET", (scope,))]


def test_a_token_server_refuses_a_wrong_password(token_registry: TokenRegistry) -> None:
    form = {"grant_type": "password", "username": token_registry.username, "password": "wrong"}

    answer = urllib3.request("POST", token_registry.tokens.url, body=urlencode(form))

    assert (answer.status, token_registry.tokens.refused) == (401, 1)


def build_context(files: dict[str, bytes]) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    packed.seek(0)
    return packed


def test_a_docker_daemon_builds_an_image_and_pushes_it(docker_daemon: DockerDaemon, registry: Registry) -> None:
    client = docker.DockerClient(base_url=docker_daemon.docker_host)
    context = build_context({"Dockerfile": b"FROM scratch\nCOPY hello /hello\n", "hello": BLOB})
    tag = f"{registry.host}/testbed/docker:1"

    try:
        client.images.build(fileobj=context, custom_context=True, tag=tag)
        pushed = client.images.push(tag, stream=True, decode=True)
        digests = [line["aux"]["Digest"] for line in pushed if "aux" in line]
    finally:
        client.close()

    assert [registry.blob(digest).is_file() for digest in digests] == [True]


def test_redis_answers_over_tls_after_the_password(redis_server: Redis) -> None:
    assert redis_says(redis_server, "ECHO hello") == "$5"
