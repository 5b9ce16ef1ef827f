"""Both forms of image and packages of wasm in Debian's docker-registry; the rootfs form in a Docker daemon."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spin_aks.oci import artifact, rootfs, sources
from spin_aks.oci.image import CONFIG_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, Blob, FilePart, Image
from spin_aks.oci.push import push
from spin_aks.oci.reference import Destination
from spin_aks.spin.manifest import read
from spin_aks.spin.model import PackageSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from testbed.registries import Registry
    from testbed.services import DockerDaemon

MODULE = b"\0asm\x01\x00\x00\x00"
MANIFEST = """spin_manifest_version = 2
application = { name = "shop" }
trigger.http = [{ route = "/...", component = "web" }, { route = "/api", component = "api" }]
[component.web]
source = "web.wasm"
files = ["pages/**/*", { source = "one.txt", destination = "/legal/one.txt" }]
[component.api]
source = "api.wasm"
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    Path("pages/deep").mkdir(parents=True)
    for path, content in {
        "spin.toml": MANIFEST.encode(),
        "web.wasm": MODULE + b"\x00\x04\x03web",
        "api.wasm": MODULE,
        "pages/index.html": b"x" * 3000,
        "pages/deep/\u00e9.html": b"y" * 200,
        "one.txt": b"1",
    }.items():
        Path(path).write_bytes(content)


def rootfs_image() -> Image:
    app = read(Path("spin.toml"))
    wasm = sources.gather(app, Path("cache"))
    return rootfs.build(rootfs.stage(app, wasm, Path("T/bundle"), record=Path("T/bundle.json"), ca_bundle=False))


def artifact_image() -> Image:
    app = read(Path("spin.toml"))
    return artifact.build(app, sources.gather(app, Path("cache")))


def nobody(_text: str) -> None:
    pass


@pytest.mark.parametrize("make", [rootfs_image, artifact_image])
def test_a_registry_takes_it_and_a_second_push_sends_nothing(registry: Registry, make: Callable[[], Image]) -> None:
    target = Destination.parse(registry.host).reference(f"images/twice-{make.__name__.replace('_', '-')}", "v1")

    first = push(make(), target, progress=nobody)
    second = push(make(), target, progress=nobody)

    assert (first.digest, make().digest) == (second.digest, first.digest)
    assert [{True}, {False}] == [{layer.sent for layer in pushed.layers} for pushed in (first, second)]


@pytest.mark.parametrize(("make", "expected"), [(rootfs_image, 1), (artifact_image, 2)])
def test_one_changed_component_uploads_its_layer_and_for_an_artifact_the_locked_application(
    registry: Registry, make: Callable[[], Image], expected: int
) -> None:
    target = Destination.parse(registry.host).reference(f"images/changed-{make.__name__.replace('_', '-')}", "v1")
    push(make(), target, progress=nobody)
    Path("api.wasm").write_bytes(MODULE + b"\x00\x04\x03new")

    pushed = push(make(), target, progress=nobody)

    assert expected == sum(layer.sent for layer in pushed.layers)


def test_a_docker_daemon_pulls_the_rootfs_image_and_holds_the_bundle(
    registry: Registry, docker_daemon: DockerDaemon
) -> None:
    import docker

    image = rootfs_image()
    target = Destination.parse(registry.host).reference("images/pulled", "v1")
    pushed = push(image, target, progress=nobody)
    client = docker.DockerClient(base_url=docker_daemon.docker_host)
    try:
        pulled = client.images.pull(f"{target.host}/{target.repository}@{pushed.digest}")
        container = client.containers.create(pulled)
        exported = io.BytesIO(b"".join(container.export()))
        container.remove()
    finally:
        client.close()

    with tarfile.open(fileobj=exported) as members:
        held = {
            member.name: members.extractfile(member).read()  # type: ignore[union-attr]
            for member in members
            if member.isfile() and member.name.startswith(("components/", "spin.toml"))
        }
    bundle = Path("T/bundle")
    assert {
        path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()
    } == held
    assert [["/"], "amd64", "linux"] == [
        pulled.attrs["Config"]["Entrypoint"],
        pulled.attrs["Architecture"],
        pulled.attrs["Os"],
    ]


def test_a_package_is_fetched_from_a_real_registry(registry: Registry, tmp_path: Path) -> None:
    wasm = Path("big.wasm")
    wasm.write_bytes(MODULE + b"\x00" * (9 << 20))
    layer = Blob.of("application/wasm", [FilePart(wasm, wasm.stat().st_size)])
    config = Blob.of(CONFIG_MEDIA_TYPE, [b"{}"])
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_MEDIA_TYPE,
        "config": config.descriptor,
        "layers": [layer.descriptor],
    }
    package = Image("artifact", json.dumps(manifest).encode(), config, (layer,))
    push(package, Destination.parse(registry.host).reference("me/hello", "1.2.3"), progress=nobody)

    found = sources.fetch(PackageSource("me:hello", "1.2.3", registry.host), tmp_path / "cache")

    assert layer.digest == f"sha256:{hashlib.sha256(found.read_bytes()).hexdigest()}"
