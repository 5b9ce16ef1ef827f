from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from testbed.odd_registry import OddRegistry, odd_registry

from spin_aks.errors import RegistryError
from spin_aks.oci.image import MANIFEST_MEDIA_TYPE
from spin_aks.oci.pushed import PushedLayer
from spin_aks.oci.read_back import read_back
from spin_aks.oci.reference import Reference
from spin_aks.oci.registry import INDEX_MEDIA_TYPES

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.json_types import JSON, JSONObject

LAYER = {"mediaType": "x/y", "digest": f"sha256:{'1' * 64}", "size": 7}


@pytest.fixture(autouse=True)
def _no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def stored(registry: OddRegistry, document: JSONObject) -> str:
    text = json.dumps(document).encode()
    digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
    registry.manifests[digest] = text
    return digest


def manifest_of(*layers: JSON) -> JSONObject:
    return {"mediaType": MANIFEST_MEDIA_TYPE, "layers": list(layers)}


def index_of(*images: JSON) -> JSONObject:
    return {"mediaType": INDEX_MEDIA_TYPES[0], "manifests": list(images)}


def image(digest: str, system: str = "linux") -> JSONObject:
    return {"digest": digest, "platform": {"os": system, "architecture": "amd64"}}


def test_the_layers_are_read_back_from_the_registry() -> None:
    with odd_registry(OddRegistry()) as registry:
        target = Reference(registry.host, "team/app", "v1", stored(registry, manifest_of(LAYER)))

        pushed = read_back(target, [False], print, None)

    assert pushed.layers == (PushedLayer(f"sha256:{'1' * 64}", "x/y", 7, False),)


def test_of_an_index_with_one_image_that_image_is_deployed() -> None:
    with odd_registry(OddRegistry()) as registry:
        manifest = stored(registry, manifest_of(LAYER))
        index = stored(registry, index_of(image(manifest), image(f"sha256:{'2' * 64}", "unknown")))

        pushed = read_back(Reference(registry.host, "team/app", "v1", index), [True], print, None)

    assert pushed.digest == manifest
    assert pushed.reference.digest == manifest


def test_an_index_of_several_images_is_refused() -> None:
    with odd_registry(OddRegistry()) as registry:
        index = stored(registry, index_of(image(f"sha256:{'2' * 64}"), image(f"sha256:{'3' * 64}")))

        with pytest.raises(RegistryError, match="is an index of 2 images, and only one image can be deployed"):
            read_back(Reference(registry.host, "team/app", "v1", index), [], print, None)


def test_a_registry_that_only_the_daemon_reaches_leaves_the_layers_unknown() -> None:
    lines: list[str] = []
    target = Reference("127.0.0.1:9", "team/app", "v1", f"sha256:{'1' * 64}")

    pushed = read_back(target, [True], lines.append, None)

    assert pushed.layers == ()
    assert lines == [
        "what was pushed can't be read back from here: no registry listens at `127.0.0.1:9`: the connection is refused"
    ]
