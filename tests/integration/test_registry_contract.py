"""What a registry promises its clients, held by Docker's own (needs docker-registry) and by the sandbox's."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
import urllib3

from spin_aks.sandbox.blobs import Blobs
from spin_aks.sandbox.registry import Registry
from spin_aks.sandbox.web import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module", params=["docker-registry", "sandbox"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "docker-registry":
        yield request.getfixturevalue("registry").host
        return
    server = Server(Registry(Blobs(tmp_path_factory.mktemp("registry"))))
    yield server.host
    server.stop()


@dataclass(frozen=True, slots=True)
class Client:
    """Talks to one repository."""

    http: urllib3.PoolManager
    host: str
    repository: str

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> urllib3.BaseHTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        address = path if path.startswith("http") else f"http://{self.host}/v2/{self.repository}/{path}"
        return self.http.request(method, address, body=body, headers=named, retries=False)

    def start(self) -> str:
        """The address of a new upload."""
        answer = self.ask("POST", "blobs/uploads/")
        assert answer.status == HTTPStatus.ACCEPTED
        return self.location(answer)

    def location(self, answer: urllib3.BaseHTTPResponse) -> str:
        found = answer.headers["Location"]
        return found if found.startswith("http") else f"http://{self.host}{found}"

    def push(self, content: bytes) -> str:
        """Sends the bytes as one blob; its digest."""
        digest = digest_of(content)
        answer = self.ask("PUT", with_digest(self.start(), digest), content, **OCTETS)
        assert answer.status == HTTPStatus.CREATED
        return digest

    def push_image(self, content: bytes, tag: str) -> tuple[bytes, str]:
        """A manifest of one layer, and its digest."""
        self.push(b"{}")
        self.push(content)
        manifest = manifest_of(content)
        answer = self.ask("PUT", f"manifests/{tag}", manifest, Content_Type=MANIFEST_TYPE)
        assert answer.status == HTTPStatus.CREATED
        return manifest, digest_of(manifest)


@pytest.fixture
def client(host: str, request: pytest.FixtureRequest) -> Iterator[Client]:
    with urllib3.PoolManager() as http:
        name = request.node.originalname.replace("_", "-")
        yield Client(http, host, f"contract/{name}")


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def with_digest(location: str, digest: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}digest={digest}"


def descriptor(content: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def manifest_of(content: bytes) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(b"{}", "application/vnd.oci.empty.v1+json"),
        "layers": [descriptor(content, "application/vnd.oci.image.layer.v1.tar")],
    }
    return json.dumps(document).encode()


def code_of(answer: urllib3.BaseHTTPResponse) -> str:
    """The code of the only error in the answer's body."""
    (error,) = json.loads(answer.data)["errors"]
    assert isinstance(error["message"], str)
    return str(error["code"])


def test_the_root_says_that_this_is_a_registry(client: Client) -> None:
    answer = client.ask("GET", f"http://{client.host}/v2/")

    assert (answer.status, answer.headers["Docker-Distribution-Api-Version"]) == (200, "registry/2.0")


def test_an_endpoint_that_no_registry_has_is_not_found(client: Client) -> None:
    assert client.ask("GET", f"http://{client.host}/v2/contract/x/nothing/here").status == HTTPStatus.NOT_FOUND


def test_a_blob_is_unknown_until_it_is_pushed(client: Client) -> None:
    content = os.urandom(32)
    before = client.ask("HEAD", f"blobs/{digest_of(content)}").status
    digest = client.push(content)
    after = client.ask("HEAD", f"blobs/{digest}")

    assert (before, after.status, after.headers["Content-Length"]) == (404, 200, "32")
    assert after.headers["Docker-Content-Digest"] == digest


def test_a_blob_comes_back_as_it_was_sent(client: Client) -> None:
    content = os.urandom(3_000_000)
    answer = client.ask("GET", f"blobs/{client.push(content)}")

    assert answer.data == content


@pytest.mark.parametrize(
    ("asked", "status", "begin", "end"),
    [("bytes=0-0", 206, 0, 1), ("bytes=2-5", 206, 2, 6), ("bytes=7-", 206, 7, 10), ("bytes=-3", 206, 7, 10)],
)
def test_a_part_of_a_blob_can_be_asked_for(client: Client, asked: str, status: int, begin: int, end: int) -> None:
    digest = client.push(b"0123456789")
    answer = client.ask("GET", f"blobs/{digest}", Range=asked)

    assert (answer.status, answer.data) == (status, b"0123456789"[begin:end])
    assert answer.headers["Content-Range"] == f"bytes {begin}-{end - 1}/10"


def test_an_unknown_blob_is_named_by_its_code(client: Client) -> None:
    answer = client.ask("GET", f"blobs/{digest_of(b'never pushed')}")

    assert (answer.status, code_of(answer)) == (404, "BLOB_UNKNOWN")


def test_a_blob_of_one_repository_is_not_seen_in_another(client: Client) -> None:
    digest = client.push(b"only here")

    assert client.ask("HEAD", f"http://{client.host}/v2/contract/elsewhere/blobs/{digest}").status == 404


def test_an_empty_blob_is_a_blob(client: Client) -> None:
    digest = client.push(b"")
    answer = client.ask("GET", f"blobs/{digest}")

    assert (answer.status, answer.data) == (200, b"")


def test_bytes_that_are_not_their_digest_are_refused(client: Client) -> None:
    answer = client.ask("PUT", with_digest(client.start(), digest_of(b"right")), b"wrong", **OCTETS)

    assert (answer.status, code_of(answer)) == (400, "DIGEST_INVALID")
    assert client.ask("HEAD", f"blobs/{digest_of(b'wrong')}").status == 404


def test_a_digest_that_is_none_is_refused(client: Client) -> None:
    answer = client.ask("PUT", with_digest(client.start(), "sha256:short"), b"x", **OCTETS)

    assert (answer.status, code_of(answer)) == (400, "DIGEST_INVALID")


def test_a_blob_may_come_in_pieces(client: Client) -> None:
    first, second, third = os.urandom(100_000), os.urandom(70_000), os.urandom(5)
    one = client.ask("PATCH", client.start(), first, Content_Range="0-99999", **OCTETS)
    two = client.ask("PATCH", client.location(one), second, Content_Range="100000-169999", **OCTETS)
    whole = first + second + third
    done = client.ask("PUT", with_digest(client.location(two), digest_of(whole)), third, **OCTETS)

    assert (one.status, one.headers["Range"]) == (202, "0-99999")
    assert (two.status, two.headers["Range"]) == (202, "0-169999")
    assert (done.status, done.headers["Docker-Content-Digest"]) == (201, digest_of(whole))
    assert client.ask("GET", f"blobs/{digest_of(whole)}").data == whole


def test_a_chunked_request_body_is_read_to_its_end(client: Client) -> None:
    pieces = [os.urandom(1000), os.urandom(200_000), b"x"]
    answer = client.http.request("PATCH", client.start(), body=iter(pieces), headers=OCTETS, retries=False)
    whole = b"".join(pieces)
    done = client.ask("PUT", with_digest(client.location(answer), digest_of(whole)))

    assert (answer.status, done.status) == (202, 201)


def test_an_upload_says_how_much_it_holds_and_goes_on_from_there(client: Client) -> None:
    content = os.urandom(50_000)
    one = client.ask("PATCH", client.start(), content[:20_000], Content_Range="0-19999", **OCTETS)
    state = client.ask("GET", client.location(one))
    two = client.ask("PATCH", client.location(state), content[20_000:], Content_Range="20000-49999", **OCTETS)
    done = client.ask("PUT", with_digest(client.location(two), digest_of(content)))

    assert (state.status, state.headers["Range"]) == (204, "0-19999")
    assert done.status == 201


def test_an_upload_that_nobody_started_is_unknown(client: Client) -> None:
    answer = client.ask("PUT", "blobs/uploads/6c2b2e2c-0000-4000-8000-000000000000?digest=" + digest_of(b"x"), b"x")

    assert (answer.status, code_of(answer).startswith("BLOB_UPLOAD_")) == (404, True)


def test_an_upload_can_be_given_up(client: Client) -> None:
    address = client.start()

    assert client.ask("DELETE", address).status == 204
    assert client.ask("GET", address).status == 404


def test_a_blob_sent_with_the_first_request_needs_at_most_a_second_one(client: Client) -> None:
    content = os.urandom(64)
    answer = client.ask("POST", f"blobs/uploads/?digest={digest_of(content)}", content, **OCTETS)
    if answer.status == HTTPStatus.ACCEPTED:
        answer = client.ask("PUT", with_digest(client.location(answer), digest_of(content)), content, **OCTETS)

    assert answer.status == 201
    assert client.ask("HEAD", f"blobs/{digest_of(content)}").status == 200


def test_a_blob_of_another_repository_is_mounted_without_its_bytes(client: Client) -> None:
    digest = client.push(os.urandom(64))
    other = f"http://{client.host}/v2/contract/mounted-to"
    answer = client.ask("POST", f"{other}/blobs/uploads/?mount={digest}&from={client.repository}")

    assert (answer.status, answer.headers["Docker-Content-Digest"]) == (201, digest)
    assert client.ask("HEAD", f"{other}/blobs/{digest}").status == 200


def test_mounting_an_unknown_blob_starts_an_upload(client: Client) -> None:
    digest = digest_of(os.urandom(64))
    answer = client.ask("POST", f"blobs/uploads/?mount={digest}&from=contract/nowhere")

    assert answer.status == 202
    assert "Location" in answer.headers


def test_an_image_is_found_by_its_tag_and_by_its_digest(client: Client) -> None:
    manifest, digest = client.push_image(b"a layer", "latest")
    by_tag = client.ask("GET", "manifests/latest", Accept=MANIFEST_TYPE)
    by_digest = client.ask("GET", f"manifests/{digest}", Accept=MANIFEST_TYPE)
    head = client.ask("HEAD", "manifests/latest", Accept=MANIFEST_TYPE)

    assert [answer.data for answer in (by_tag, by_digest)] == [manifest, manifest]
    assert {answer.headers["Docker-Content-Digest"] for answer in (by_tag, by_digest, head)} == {digest}
    assert {answer.headers["Content-Type"] for answer in (by_tag, by_digest, head)} == {MANIFEST_TYPE}
    assert head.headers["Content-Length"] == str(len(manifest))


def test_a_manifest_may_be_pushed_by_its_digest_alone(client: Client) -> None:
    client.push(b"{}")
    client.push(b"untagged")
    manifest = manifest_of(b"untagged")
    answer = client.ask("PUT", f"manifests/{digest_of(manifest)}", manifest, Content_Type=MANIFEST_TYPE)

    assert (answer.status, answer.headers["Docker-Content-Digest"]) == (201, digest_of(manifest))
    assert client.ask("HEAD", f"manifests/{digest_of(manifest)}", Accept=MANIFEST_TYPE).status == 200


def test_a_manifest_that_is_not_its_digest_is_refused(client: Client) -> None:
    client.push(b"{}")
    client.push(b"layer")
    answer = client.ask("PUT", f"manifests/{digest_of(b'else')}", manifest_of(b"layer"), Content_Type=MANIFEST_TYPE)

    assert (answer.status, code_of(answer)) == (400, "DIGEST_INVALID")


def test_a_manifest_whose_layer_is_missing_is_refused(client: Client) -> None:
    client.push(b"{}")
    answer = client.ask("PUT", "manifests/latest", manifest_of(b"never pushed"), Content_Type=MANIFEST_TYPE)

    assert code_of(answer) == "MANIFEST_BLOB_UNKNOWN"
    assert answer.status in (400, 404)
    assert client.ask("HEAD", "manifests/latest", Accept=MANIFEST_TYPE).status == 404


def test_what_is_no_manifest_is_refused(client: Client) -> None:
    answer = client.ask("PUT", "manifests/latest", b"not json", Content_Type=MANIFEST_TYPE)

    assert (answer.status, code_of(answer)) == (400, "MANIFEST_INVALID")


def test_an_unknown_manifest_is_named_by_its_code(client: Client) -> None:
    answer = client.ask("GET", "manifests/never", Accept=MANIFEST_TYPE)

    assert (answer.status, code_of(answer)) == (404, "MANIFEST_UNKNOWN")


def test_an_index_takes_manifests_of_its_repository(client: Client) -> None:
    manifest, digest = client.push_image(b"a layer of a platform", "platform")
    document = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [descriptor(manifest, MANIFEST_TYPE)]}
    answer = client.ask("PUT", "manifests/all", json.dumps(document).encode(), Content_Type=INDEX_TYPE)
    found = client.ask("GET", "manifests/all", Accept=INDEX_TYPE)

    assert (answer.status, found.status, found.headers["Content-Type"]) == (201, 200, INDEX_TYPE)
    assert json.loads(found.data)["manifests"][0]["digest"] == digest


def test_an_index_of_a_manifest_that_is_missing_is_refused(client: Client) -> None:
    document = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [descriptor(b"{}", MANIFEST_TYPE)]}
    answer = client.ask("PUT", "manifests/all", json.dumps(document).encode(), Content_Type=INDEX_TYPE)

    assert (answer.status, code_of(answer)) == (400, "MANIFEST_BLOB_UNKNOWN")


def test_a_tag_moves_and_the_old_manifest_stays(client: Client) -> None:
    _, old = client.push_image(b"old", "moving")
    _, new = client.push_image(b"new", "moving")
    found = client.ask("HEAD", "manifests/moving", Accept=MANIFEST_TYPE).headers["Docker-Content-Digest"]

    assert found == new
    assert client.ask("HEAD", f"manifests/{old}", Accept=MANIFEST_TYPE).status == 200


def test_every_tag_of_a_repository_is_listed(client: Client) -> None:
    for tag in ("b", "a", "c"):
        client.push_image(b"tagged", tag)
    answer = json.loads(client.ask("GET", "tags/list").data)

    assert (answer["name"], sorted(answer["tags"])) == (client.repository, ["a", "b", "c"])


def test_the_tags_of_an_unknown_repository_are_not_found(client: Client) -> None:
    answer = client.ask("GET", "tags/list")

    assert (answer.status, code_of(answer)) == (404, "NAME_UNKNOWN")


def test_a_deleted_manifest_and_a_deleted_blob_are_gone(client: Client) -> None:
    _, digest = client.push_image(b"short-lived", "gone")
    layer = digest_of(b"short-lived")
    statuses = [client.ask("DELETE", f"manifests/{digest}").status, client.ask("DELETE", f"blobs/{layer}").status]

    assert statuses == [202, 202]
    assert client.ask("HEAD", "manifests/gone", Accept=MANIFEST_TYPE).status == 404
    assert client.ask("HEAD", f"blobs/{layer}").status == 404


def test_one_connection_carries_one_request_after_the_other(client: Client) -> None:
    connection = http.client.HTTPConnection(client.host)
    connection.connect()
    first = connection.sock
    statuses = []
    for path in ("/v2/", f"/v2/{client.repository}/manifests/none", "/v2/"):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    same = connection.sock is first
    connection.close()

    assert (statuses, same) == ([200, 404, 200], True)


def test_several_blobs_may_be_pushed_side_by_side(client: Client) -> None:
    contents = [os.urandom(200_000) for _ in range(8)]
    threads = [threading.Thread(target=client.push, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [client.ask("HEAD", f"blobs/{digest_of(content)}").status for content in contents] == [200] * 8
