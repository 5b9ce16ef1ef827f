"""The builder `docker`, with a real daemon and real registries."""

from __future__ import annotations

import base64
import gc
import json
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from testbed.daemon import free_port

from spin_aks.errors import RegistryError, SpinAksError
from spin_aks.oci import docker
from spin_aks.oci.push import exists
from spin_aks.oci.reference import Reference, tag_of

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.registries import BasicRegistry, Registry
    from testbed.services import DockerDaemon


@pytest.fixture(autouse=True)
def docker_config(docker_daemon: DockerDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_HOST", docker_daemon.docker_host)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker" / "config.json"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "hello").mkdir(parents=True)
    (folder / "spin.toml").write_text("spin_manifest_version = 2\n")
    (folder / "hello" / "hello.wasm").write_bytes(b"\0asm" + bytes(2000))
    return folder


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "Dockerfile"
    path.parent.mkdir()
    path.write_text('FROM scratch\nCOPY spin.toml /spin.toml\nCOPY hello /hello\nENTRYPOINT ["/"]\n')
    return path


def quiet(_line: str) -> None:
    return


def test_a_dockerfile_outside_its_context_is_built_and_pushed(
    registry: Registry, dockerfile: Path, bundle: Path
) -> None:
    lines: list[str] = []

    image_id = docker.build(dockerfile, bundle, output=lines.append)
    pushed = docker.push(image_id, Reference(registry.host, "docker/app", "v1"), progress=quiet)

    assert lines[0] == "Step 1/4 : FROM scratch"
    assert lines[-1].startswith("Successfully built ")
    assert str(pushed.reference) == f"{registry.host}/docker/app:v1@{pushed.digest}"
    assert pushed.form == "rootfs"
    assert [layer.sent for layer in pushed.layers] == [True, True]
    assert all(registry.blob(layer.digest).stat().st_size == layer.size_bytes for layer in pushed.layers)
    assert json.loads(registry.blob(pushed.digest).read_bytes())["layers"][1]["digest"] == pushed.layers[1].digest
    assert exists(pushed.reference)


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
def test_the_image_is_one_for_the_nodes_platform_or_there_is_none(
    registry: Registry, dockerfile: Path, bundle: Path, platform: str
) -> None:
    """Which of the two it is for a platform that is not the daemon's own depends on the daemon's version."""
    try:
        image_id = docker.build(dockerfile, bundle, output=quiet, platform=platform)
    except SpinAksError as error:
        made, hint = str(error), error.problems[0].hint
        assert f"which nodes of `{platform}` don't take for theirs" in made
        assert hint.endswith("or build without Docker: `--builder oci`")
        return
    pushed = docker.push(image_id, Reference(registry.host, "docker/platform", platform[-5:]), progress=quiet)

    config = json.loads(registry.blob(pushed.digest).read_bytes())["config"]
    described = json.loads(registry.blob(config["digest"]).read_bytes())
    assert platform == f"{described['os']}/{described['architecture']}"


def test_a_layer_that_did_not_change_is_not_sent_again(registry: Registry, dockerfile: Path, bundle: Path) -> None:
    reference = Reference(registry.host, "docker/changed", "v1")
    first = docker.push(docker.build(dockerfile, bundle, output=quiet), reference, progress=quiet)
    (bundle / "hello" / "hello.wasm").write_bytes(b"\0asm" + bytes(3000))

    second = docker.push(docker.build(dockerfile, bundle, output=quiet), reference, progress=quiet)

    assert [layer.sent for layer in second.layers] == [False, True]
    assert first.layers[0].digest == second.layers[0].digest
    assert first.digest != second.digest


def test_without_a_tag_the_image_gets_one_made_of_its_id(registry: Registry, dockerfile: Path, bundle: Path) -> None:
    image_id = docker.build(dockerfile, bundle, output=quiet)

    pushed = docker.push(image_id, Reference(registry.host, "docker/untagged"), progress=quiet)

    assert pushed.reference.tag == tag_of(image_id)


def test_copying_the_whole_context_copies_the_bundle_and_no_more(dockerfile: Path, bundle: Path) -> None:
    dockerfile.write_text("FROM scratch\nCOPY . /\n")
    image_id = docker.build(dockerfile, bundle, output=quiet)

    assert files_of(image_id) == ["hello", "hello/hello.wasm", "spin.toml"]


def files_of(image_id: str) -> list[str]:
    from docker import from_env

    client = from_env()
    saved = BytesIO(b"".join(client.images.get(image_id).save()))
    client.close()
    with tarfile.open(fileobj=saved) as image:
        layer = json.loads(contents(image, "manifest.json"))[0]["Layers"][0]
        with tarfile.open(fileobj=BytesIO(contents(image, layer))) as files:
            return sorted(name.strip("/") for name in files.getnames())


def contents(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    assert stream is not None
    return stream.read()


def test_the_daemon_pushes_with_the_credentials_that_docker_keeps(
    basic_registry: BasicRegistry, dockerfile: Path, bundle: Path, docker_config: Path
) -> None:
    auth = base64.b64encode(f"{basic_registry.username}:{basic_registry.password}".encode()).decode()
    docker_config.write_text(json.dumps({"auths": {basic_registry.host: {"auth": auth}}}))
    image_id = docker.build(dockerfile, bundle, output=quiet)

    pushed = docker.push(image_id, Reference(basic_registry.host, "docker/app", "v1"), progress=quiet)

    assert len(pushed.layers) == 2


def test_wrong_credentials_name_the_user_and_where_they_came_from(
    basic_registry: BasicRegistry, dockerfile: Path, bundle: Path, docker_config: Path
) -> None:
    host = basic_registry.host
    auth = base64.b64encode(b"ada:hunter2").decode()
    docker_config.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    image_id = docker.build(dockerfile, bundle, output=quiet)

    with pytest.raises(RegistryError) as refused:
        docker.push(image_id, Reference(host, "docker/app", "v2"), progress=quiet)

    assert str(refused.value) == (
        f"`{host}` does not let user `ada` push to `docker/app` (credentials from {docker_config})"
    )
    assert refused.value.problems[0].hint == f"`docker login {host}`"


def test_a_registry_that_does_not_listen_is_named(dockerfile: Path, bundle: Path) -> None:
    host = f"127.0.0.1:{free_port()}"
    image_id = docker.build(dockerfile, bundle, output=quiet)

    with pytest.raises(RegistryError, match=f"the Docker daemon could not push to `{host}`") as refused:
        docker.push(image_id, Reference(host, "docker/app", "v1"), progress=quiet)

    assert "connection refused" in refused.value.why


def test_a_build_that_fails_shows_its_step_and_its_output(dockerfile: Path, bundle: Path) -> None:
    dockerfile.write_text("FROM scratch\nCOPY absent /absent\n")

    with pytest.raises(SpinAksError) as failed:
        docker.build(dockerfile, bundle, output=quiet)

    assert str(failed.value) == f"{dockerfile}: `docker build` failed at step 2/2 : COPY absent /absent"
    assert failed.value.why.splitlines()[0] == "Step 1/2 : FROM scratch"
    assert "file does not exist" in failed.value.why.splitlines()[-1]


def test_a_dockerfile_that_is_none_is_refused_in_the_daemons_words(dockerfile: Path, bundle: Path) -> None:
    dockerfile.write_text("FORM scratch\n")

    with pytest.raises(SpinAksError, match="the Docker daemon refuses") as failed:
        docker.build(dockerfile, bundle, output=quiet)

    assert "unknown instruction: FORM" in failed.value.why


def test_a_dockerfile_that_is_not_there_is_named(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(SpinAksError) as failed:
        docker.build(tmp_path / "absent", bundle, output=quiet)

    assert str(failed.value) == f"{tmp_path}/absent: can't read the Dockerfile: No such file or directory"


# The `docker` package leaves the socket open that could not connect.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_without_a_daemon_its_address_and_the_way_without_it_are_named(
    dockerfile: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")

    with pytest.raises(SpinAksError) as failed:
        docker.build(dockerfile, bundle, output=quiet)
    message, hint = str(failed.value), failed.value.problems[0].hint
    del failed
    gc.collect()

    assert message == f"no Docker daemon answers at `unix://{tmp_path}/nobody.sock` (from $DOCKER_HOST)"
    assert hint == "start Docker, or build without it: `--builder oci`"
