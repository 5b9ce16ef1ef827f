"""The Dockerfile that we write, built by a real Docker daemon from a staged bundle."""

from __future__ import annotations

import tarfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from docker import DockerClient
from unit.generators.applications import PLAIN

from spin_aks.generators.dockerfile import dockerfile
from spin_aks.oci import docker

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.services import DockerDaemon


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "app" / "assets").mkdir(parents=True)
    (folder / "spin.toml").write_text("spin_manifest_version = 2\n")
    (folder / "app" / "app.wasm").write_bytes(b"\0asm\x01\0\0\0")
    (folder / "app" / "assets" / ".hidden").write_text("kept")
    return folder


def test_the_image_is_the_bundle_and_nothing_else(
    docker_daemon: DockerDaemon, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_daemon.docker_host)
    path = tmp_path / "Dockerfile"
    path.write_text(dockerfile(PLAIN))

    image_id = docker.build(path, bundle, output=lambda line: None)

    client = DockerClient(base_url=docker_daemon.docker_host)
    try:
        image = client.images.get(image_id)
        with tarfile.open(fileobj=BytesIO(b"".join(image.save()))) as saved:
            layers = [saved.extractfile(member).read() for member in saved if member.name.endswith("layer.tar")]
    finally:
        client.close()
    (layer,) = layers
    with tarfile.open(fileobj=BytesIO(layer)) as files:
        assert {"app", "app/app.wasm", "app/assets", "app/assets/.hidden", "spin.toml"} == set(files.getnames())
    assert ["/"] == image.attrs["Config"]["Entrypoint"]
    assert "" == image.attrs["Config"]["User"]
