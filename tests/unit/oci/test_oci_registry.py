from __future__ import annotations

import hashlib
import json

import pytest
from testbed.odd_registry import OddRegistry, odd_registry

from spin_aks.errors import RegistryError
from spin_aks.oci.image import MANIFEST_MEDIA_TYPE
from spin_aks.oci.patience import Patience
from spin_aks.oci.reference import Reference
from spin_aks.oci.registry import Registry

QUICK = Patience(attempts=3, first_s=0.001, most_s=0.002)
MANIFEST = json.dumps({"mediaType": MANIFEST_MEDIA_TYPE}).encode()
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"


def client(host: str) -> Registry:
    return Registry(Reference(host, "team/app"), "pull,push", patience=QUICK)


@pytest.mark.parametrize("says_digest", [True, False])
def test_a_manifests_digest_is_found_whether_the_registry_says_it_or_not(says_digest: bool) -> None:
    with odd_registry(OddRegistry(says_digest=says_digest)) as registry, client(registry.host) as asked:
        asked.put_manifest("v1", MANIFEST, MANIFEST_MEDIA_TYPE)

        assert asked.manifest_digest("v1") == DIGEST
        assert asked.manifest("v1") == (MANIFEST_MEDIA_TYPE, MANIFEST)
        assert asked.manifest_digest("v2") is None
        assert asked.manifest("v2") is None


def test_a_manifest_that_was_stored_as_another_is_reported() -> None:
    wrong = f"sha256:{'0' * 64}"
    with (
        odd_registry(OddRegistry(wrong_digest=wrong)) as registry,
        client(registry.host) as asked,
        pytest.raises(RegistryError, match="stored another manifest than was sent"),
    ):
        asked.put_manifest("v1", MANIFEST, MANIFEST_MEDIA_TYPE)


def test_a_manifest_that_only_a_proxys_page_took_is_not_taken_for_stored() -> None:
    page = (200, {"Content-Type": "text/html"})
    with (
        odd_registry(OddRegistry(instead=[page])) as registry,
        client(registry.host) as asked,
        pytest.raises(RegistryError) as refused,
    ):
        asked.put_manifest("v1", MANIFEST, MANIFEST_MEDIA_TYPE)

    problem = refused.value.problems[0]
    assert f"`{registry.host}` answered 200 OK to the manifest, and has none" == problem.what
    assert f"http://{registry.host}/v2/team/app/manifests/v1" == problem.where
    assert "is a proxy in between? check HTTPS_PROXY" == problem.hint


def test_a_redirect_is_followed_to_where_the_blob_is() -> None:
    with odd_registry(OddRegistry()) as storage, odd_registry(OddRegistry()) as registry:
        storage.blobs["sha256:there"] = b""
        with client(registry.host) as asked:
            for name in ("there", "absent"):
                registry.instead.append((307, {"Location": f"http://{storage.host}/sha256:{name}"}))

            assert [asked.has_blob("sha256:there"), asked.has_blob("sha256:absent")] == [True, False]


def test_a_registry_that_is_out_of_order_is_given_up_in_its_own_words() -> None:
    with (
        odd_registry(OddRegistry(instead=[(502, {})] * 9)) as registry,
        client(registry.host) as asked,
        pytest.raises(RegistryError) as refused,
    ):
        asked.has_blob(DIGEST)

    assert str(refused.value) == (
        f"http://{registry.host}/v2/team/app/blobs/{DIGEST}: `{registry.host}` answered 502 Bad Gateway, 3 times"
    )
    assert len(registry.requests) == 3


@pytest.mark.parametrize(
    ("host", "root"),
    [
        ("127.0.0.1:5000", "http://127.0.0.1:5000/v2/team/app"),
        ("localhost:5000", "http://localhost:5000/v2/team/app"),
        ("[::1]:5000", "http://[::1]:5000/v2/team/app"),
        ("x.azurecr.io", "https://x.azurecr.io/v2/team/app"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000/v2/team/app"),
        ("docker.io", "https://registry-1.docker.io/v2/team/app"),
    ],
)
def test_only_loopback_is_spoken_to_over_http(host: str, root: str) -> None:
    assert client(host).root == root


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("https://x.azurecr.io/v2/", True),
        ("https://x.azurecr.io:443/v2/", True),
        ("https://X.azurecr.io/v2/", True),
        ("http://x.azurecr.io/v2/", False),
        ("https://x.azurecr.io:444/v2/", False),
        ("https://x.blob.core.windows.net/", False),
    ],
)
def test_who_we_are_is_told_to_the_registry_alone(url: str, is_ours: bool) -> None:
    assert client("x.azurecr.io").is_ours(url) == is_ours
