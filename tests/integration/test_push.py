"""Pushing to real registries (Debian's docker-registry): open, behind a password, behind a token service."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from spin_aks.errors import RegistryError, SpinAksError
from spin_aks.oci.image import CONFIG_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, Blob, FilePart, Image
from spin_aks.oci.patience import Patience
from spin_aks.oci.push import exists, push
from spin_aks.oci.pushed import Pushed
from spin_aks.oci.reference import Destination, Reference
from spin_aks.oci.registry import Registry as Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from testbed.registries import BasicRegistry, Registry, TokenRegistry

QUICK = Patience(attempts=3, first_s=0.01, most_s=0.02)
WASM = "application/vnd.wasm.content.layer.v1+wasm"


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker" / "config.json"


def image_of(*layers: Blob) -> Image:
    config = Blob.of(CONFIG_MEDIA_TYPE, [b'{"made": "by a test"}'])
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_MEDIA_TYPE,
        "config": config.descriptor,
        "layers": [layer.descriptor for layer in layers],
    }
    return Image("artifact", json.dumps(manifest).encode(), config, layers)


def layer_of(path: Path, size_bytes: int) -> Blob:
    path.write_bytes(os.urandom(size_bytes))
    return Blob.of(WASM, [b"header", FilePart(path, size_bytes)])


def log_in(config: Path, host: str, username: str, password: str) -> None:
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    config.write_text(json.dumps({"auths": {host: {"auth": auth}}}))


def pushed_quietly(image: Image, reference: Reference) -> Pushed:
    return push(image, reference, progress=lambda _line: None, patience=QUICK)


def served(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": MANIFEST_MEDIA_TYPE})
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def test_an_image_is_stored_whole_and_its_digest_kept(registry: Registry, tmp_path: Path) -> None:
    small, large = layer_of(tmp_path / "small", 1000), layer_of(tmp_path / "large", 9_000_000)
    image = image_of(small, large)

    pushed = pushed_quietly(image, Destination.parse(f"{registry.host}/team").reference("whole", "v1"))

    assert served(f"{registry.url}/v2/team/whole/manifests/v1") == image.manifest
    assert registry.blob(large.digest).read_bytes() == b"header" + (tmp_path / "large").read_bytes()
    assert pushed.to_json() == {
        "reference": f"{registry.host}/team/whole:v1@{image.digest}",
        "digest": image.digest,
        "form": "artifact",
        "layers": [
            {"digest": small.digest, "media_type": WASM, "size_bytes": 1006, "sent": True},
            {"digest": large.digest, "media_type": WASM, "size_bytes": 9_000_006, "sent": True},
        ],
    }
    assert Pushed.from_json(pushed.to_json()) == pushed


def test_a_second_push_of_the_same_image_sends_nothing(registry: Registry, tmp_path: Path) -> None:
    reference = Reference(registry.host, "team/twice", "v1")
    image = image_of(layer_of(tmp_path / "a", 1000))
    pushed_quietly(image, reference)
    (tmp_path / "a").unlink()
    lines: list[str] = []

    pushed = push(image, reference, progress=lines.append)

    assert [layer.sent for layer in pushed.layers] == [False]
    assert lines == [f"`{reference.with_digest(image.digest)}` is there already"]


def test_of_a_changed_image_only_the_changed_layer_is_sent(registry: Registry, tmp_path: Path) -> None:
    reference = Reference(registry.host, "team/changed", "v1")
    kept = layer_of(tmp_path / "kept", 5_000_000)
    pushed_quietly(image_of(kept, layer_of(tmp_path / "old", 1000)), reference)

    changed = image_of(kept, layer_of(tmp_path / "new", 1000))
    pushed = pushed_quietly(changed, reference)

    assert [layer.sent for layer in pushed.layers] == [False, True]
    assert served(f"{registry.url}/v2/team/changed/manifests/v1") == changed.manifest


def test_a_layer_that_an_image_has_twice_is_sent_once(registry: Registry, tmp_path: Path) -> None:
    layer = layer_of(tmp_path / "a", 1000)

    pushed = pushed_quietly(image_of(layer, layer), Reference(registry.host, "team/two-of-a-kind", "v1"))

    assert [layer.sent for layer in pushed.layers] == [True, False]


def test_without_a_tag_an_image_is_stored_by_its_digest(registry: Registry, tmp_path: Path) -> None:
    image = image_of(layer_of(tmp_path / "a", 10))

    pushed = pushed_quietly(image, Reference(registry.host, "team/untagged"))

    assert str(pushed.reference) == f"{registry.host}/team/untagged@{image.digest}"
    assert exists(pushed.reference)


def test_whether_an_image_exists_is_asked_by_digest(registry: Registry, tmp_path: Path) -> None:
    reference = Reference(registry.host, "team/existing", "v1")
    pushed = pushed_quietly(image_of(layer_of(tmp_path / "a", 10)), reference)
    other = image_of(layer_of(tmp_path / "b", 10))

    found = [exists(pushed.reference), exists(reference), exists(reference.with_digest(other.digest))]

    assert found == [True, True, False]
    assert not exists(Reference(registry.host, "team/never-pushed", "v1"))


def test_a_user_with_a_password_may_push(basic_registry: BasicRegistry, tmp_path: Path, docker_config: Path) -> None:
    log_in(docker_config, basic_registry.host, basic_registry.username, basic_registry.password)
    image = image_of(layer_of(tmp_path / "a", 5_000_000))

    pushed = pushed_quietly(image, Reference(basic_registry.host, "team/app", "v1"))

    assert exists(pushed.reference)


def test_a_wrong_password_names_the_user_and_where_it_came_from(
    basic_registry: BasicRegistry, tmp_path: Path, docker_config: Path
) -> None:
    host = basic_registry.host
    log_in(docker_config, host, "ada", "hunter2")

    with pytest.raises(RegistryError) as refused:
        pushed_quietly(image_of(layer_of(tmp_path / "a", 10)), Reference(host, "team/app", "v2"))

    assert str(refused.value) == (
        f"`{host}` does not let user `ada` push to `team/app` (credentials from {docker_config})"
    )
    assert refused.value.problems[0].hint == f"`docker login {host}`"
    assert "hunter2" not in str(refused.value) + refused.value.why


def test_without_credentials_it_is_said_where_they_were_looked_for(
    basic_registry: BasicRegistry, tmp_path: Path, docker_config: Path
) -> None:
    host = basic_registry.host

    with pytest.raises(RegistryError) as refused:
        pushed_quietly(image_of(layer_of(tmp_path / "a", 10)), Reference(host, "team/app", "v3"))

    assert str(refused.value) == (
        f"`{host}` lets only known users push to `team/app`, and no credentials for it are in {docker_config}"
    )
    assert refused.value.problems[0].hint == f"`docker login {host}`"


def test_a_password_is_exchanged_for_a_token(
    token_registry: TokenRegistry, tmp_path: Path, docker_config: Path
) -> None:
    log_in(docker_config, token_registry.host, token_registry.username, token_registry.password)
    image = image_of(layer_of(tmp_path / "a", 5_000_000), layer_of(tmp_path / "b", 10))

    pushed = pushed_quietly(image, Reference(token_registry.host, "team/app", "v1"))

    assert exists(pushed.reference)
    granted = [(one.method, sorted(one.scopes)) for one in token_registry.tokens.granted]
    assert granted[0] == ("GET", ["repository:team/app:pull", "repository:team/app:pull,push"])
    assert len(granted) == 2  # one for the push, one for the question


def test_an_identity_token_is_exchanged_for_a_token(
    token_registry: TokenRegistry, tmp_path: Path, docker_config: Path
) -> None:
    entry = {"auth": base64.b64encode(b"00000000-0000-0000-0000-000000000000:").decode()}
    entry["identitytoken"] = token_registry.tokens.refresh_token
    docker_config.write_text(json.dumps({"auths": {token_registry.host: entry}}))

    pushed_quietly(image_of(layer_of(tmp_path / "a", 10)), Reference(token_registry.host, "team/app", "v1"))

    assert {one.method for one in token_registry.tokens.granted} == {"POST"}


def test_a_token_near_its_end_is_renewed_during_a_long_push(
    token_registry: TokenRegistry, tmp_path: Path, docker_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spin_aks import clock

    log_in(docker_config, token_registry.host, token_registry.username, token_registry.password)
    hours = iter(range(0, 3600 * 1000, 3600))
    monkeypatch.setattr(clock, "monotonic_s", lambda: float(next(hours)))

    pushed = pushed_quietly(image_of(layer_of(tmp_path / "a", 10)), Reference(token_registry.host, "team/app", "v1"))

    assert [layer.sent for layer in pushed.layers] == [True]
    assert len(token_registry.tokens.granted) > 5


def test_a_token_that_the_registry_no_longer_takes_is_renewed(
    token_registry: TokenRegistry, docker_config: Path
) -> None:
    log_in(docker_config, token_registry.host, token_registry.username, token_registry.password)
    # The registry takes a token for 60 s after its end (auth/token/token.go: Leeway), so this one for 3 s more.
    token_registry.tokens.lifetime_s = -57

    with Client(Reference(token_registry.host, "team/app"), "pull,push", patience=QUICK) as client:
        assert not client.has_blob(f"sha256:{'0' * 64}")
        time.sleep(3.5)
        assert not client.has_blob(f"sha256:{'0' * 64}")

    assert len(token_registry.tokens.granted) == 2


def test_wrong_credentials_at_the_token_service_are_named(
    token_registry: TokenRegistry, tmp_path: Path, docker_config: Path
) -> None:
    host = token_registry.host
    log_in(docker_config, host, "ada", "hunter2")

    with pytest.raises(RegistryError) as refused:
        pushed_quietly(image_of(layer_of(tmp_path / "a", 10)), Reference(host, "team/app", "v1"))

    assert str(refused.value) == (
        f"`{host}` does not let user `ada` push to `team/app` (credentials from {docker_config})"
    )
    assert refused.value.why == "UNAUTHORIZED: wrong username or password"


def test_a_file_that_changed_since_the_image_was_made_stops_the_push(registry: Registry, tmp_path: Path) -> None:
    reference = Reference(registry.host, "team/torn", "v1")
    image = image_of(layer_of(tmp_path / "small", 1000), layer_of(tmp_path / "large", 6_000_000))
    (tmp_path / "large").write_bytes(bytes(6_000_000))

    with pytest.raises(SpinAksError) as refused:
        pushed_quietly(image, reference)

    assert str(refused.value).startswith(f"`{tmp_path}/large` changed since the image was made: layer sha256:")
    assert refused.value.problems[0].hint == "run the same command again: the image is made anew first"
    assert not exists(reference)


def test_a_registry_that_is_empty_takes_a_layer_with_no_bytes(
    new_registry: Callable[[], Registry], tmp_path: Path
) -> None:
    empty = Blob.of(WASM, [])

    pushed_quietly(image_of(empty), Reference(new_registry().host, "team/empty", "v1"))

    assert empty.digest == f"sha256:{hashlib.sha256().hexdigest()}"
