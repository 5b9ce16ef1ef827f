"""Quick runs in the registries of the sandbox's Azure: sources up, a build, its log, the image in the registry."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from testbed import azure_sandbox
from testbed.azure_requests import BELOW, ask, error, group, registry_path

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import acr, blobs, role_definitions, roles
from spin_aks.sandbox.azure.world import Surroundings, World
from spin_aks.sandbox.blobs import Blobs
from spin_aks.sandbox.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.azure_recordings import Clients

DOCKERFILE = '# a comment\nFROM scratch\nLABEL a=b\nCOPY . /\nENTRYPOINT ["/"]\n'


@pytest.fixture
def images(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "registry")


@pytest.fixture
def world(tmp_path: Path, images: Blobs) -> Iterator[World]:
    opened = World(tmp_path / "azure", Surroundings(Registry(images), lambda: azure_sandbox.KUBECONFIG))
    yield opened
    opened.close()


@pytest.fixture
def azure(world: World) -> Clients:
    clients = azure_sandbox.connected(world)
    group(clients)
    body = {"location": "eastus", "sku": {"name": "Basic"}}
    assert 201 == ask(clients, "PUT", registry_path(), body).status_code
    return clients


def sources(**files: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


def upload(azure: Clients, content: bytes) -> str:
    where = ask(azure, "POST", registry_path() + "/listBuildSourceUploadUrl").json()
    answer = azure.session.put(where["uploadUrl"], data=content, headers={"x-ms-blob-type": "BlockBlob"}, timeout=9)
    assert 201 == answer.status_code
    relative: str = where["relativePath"]
    return relative


def schedule(azure: Clients, dockerfile: str = DOCKERFILE, **more: Any) -> str:
    """The run's path."""
    source = upload(azure, sources(**{"Dockerfile": dockerfile, "spin.toml": "one", "a/b.wasm": "two"}))
    body = {"type": "DockerBuildRequest", "imageNames": ["team/app:one"], "dockerFilePath": "Dockerfile"}
    run = ask(azure, "POST", registry_path() + "/scheduleRun", {**body, "sourceLocation": source, **more})
    assert (200, "Queued") == (run.status_code, run.json()["properties"]["status"])
    return f"{registry_path()}/runs/{run.json()['name']}"


def statuses(azure: Clients, run: str) -> list[str]:
    return [ask(azure, "GET", run).json()["properties"]["status"] for _ in range(3)]


def log(azure: Clients, run: str) -> tuple[str, str]:
    """Text, and whether it is complete, once it is."""
    url = ask(azure, "POST", run + "/listLogSasUrl").json()["logLink"]
    for _ in range(3):
        answer = azure.session.get(url, timeout=9)
        if complete := answer.headers.get("x-ms-meta-complete", ""):
            return answer.text, complete
    raise AssertionError("the log does not end")


def test_a_run_is_queued_then_running_then_done_and_its_image_is_in_the_registry(azure: Clients, images: Blobs) -> None:
    run = schedule(azure)

    assert ["Running", "Succeeded", "Succeeded"] == statuses(azure, run)
    manifest = images.manifest("team/app", "one")
    assert manifest is not None
    (output,) = ask(azure, "GET", run).json()["properties"]["outputImages"]
    assert {
        "registry": "registry1.azurecr.io",
        "repository": "team/app",
        "tag": "one",
        "digest": manifest.digest,
    } == output
    document = json.loads(manifest.content)
    config = images.blob("team/app", document["config"]["digest"])
    layer = images.blob("team/app", document["layers"][0]["digest"])
    assert config is not None
    assert layer is not None
    assert {"Labels": {"a": "b"}, "Entrypoint": ["/"]} == json.loads(config.read_bytes())["config"]
    with tarfile.open(layer) as archive:
        assert ["Dockerfile", "a/b.wasm", "spin.toml"] == archive.getnames()


def test_a_log_grows_and_says_when_it_is_complete(azure: Clients) -> None:
    run = schedule(azure)
    url = ask(azure, "POST", run + "/listLogSasUrl").json()["logLink"]

    first = azure.session.head(url, timeout=9)
    second = azure.session.head(url, timeout=9)
    part = azure.session.get(url, headers={"x-ms-range": "bytes=0-10"}, timeout=9)
    beyond = azure.session.get(url, headers={"x-ms-range": "bytes=99999-"}, timeout=9)

    assert [None, "successful"] == [answer.headers.get("x-ms-meta-complete") for answer in (first, second)]
    assert (206, "Downloading") == (part.status_code, part.text)
    assert part.headers["Content-Range"].startswith("bytes 0-10/")
    assert 416 == beyond.status_code


@pytest.mark.parametrize(
    ("dockerfile", "why"),
    [
        ("FROM scratch\nRUN make", "spin-aks sandbox: it can't do `RUN`: nothing of a Dockerfile is run here"),
        ("FROM rust:1", "spin-aks sandbox: it can't build on `rust:1`, only on `scratch`, in one stage"),
        ("COPY a /", "COPY failed: file not found in build context: nothere"),
        ("", "no build stage in the Dockerfile: it has no FROM"),
    ],
)
def test_what_can_not_be_built_fails_with_the_reason(azure: Clients, dockerfile: str, why: str, images: Blobs) -> None:
    run = schedule(azure, dockerfile.replace("COPY a /", "FROM scratch\nCOPY nothere /"))

    text, complete = log(azure, run)

    assert "failed" == complete
    assert f"failed to run step ID: build: {why}" == text.splitlines()[-1]
    assert "Failed" == ask(azure, "GET", run).json()["properties"]["status"]
    assert images.manifest("team/app", "one") is None


def test_single_files_and_folders_are_copied_to_where_they_are_wanted(azure: Clients, images: Blobs) -> None:
    statuses(azure, schedule(azure, 'FROM scratch\nCOPY spin.toml /s.toml\nCOPY ["a", "/x"]\nCOPY spin.toml /y/'))

    manifest = images.manifest("team/app", "one")
    assert manifest is not None
    names = []
    for layer in json.loads(manifest.content)["layers"]:
        path = images.blob("team/app", layer["digest"])
        assert path is not None
        with tarfile.open(path) as archive:
            names += archive.getnames()
    assert ["s.toml", "x/b.wasm", "y/spin.toml"] == names


def test_without_a_push_nothing_is_in_the_registry(azure: Clients, images: Blobs) -> None:
    run = schedule(azure, isPushEnabled=False)

    assert ["Running", "Succeeded", "Succeeded"] == statuses(azure, run)
    assert images.manifest("team/app", "one") is None


def test_a_run_can_be_told_to_fail(azure: Clients, tmp_path: Path) -> None:
    rule = '[[rule]]\npath = "*/scheduleRun"\nfail = { code = "Broken", message = "no agent" }'
    (tmp_path / "azure" / "trouble.toml").write_text(rule, encoding="utf-8")

    run = schedule(azure)

    assert ["Running", "Failed", "Failed"] == statuses(azure, run)
    assert log(azure, run)[0].endswith("failed to run step ID: build: no agent\n")


def test_a_canceled_run_builds_nothing(azure: Clients, images: Blobs) -> None:
    run = schedule(azure)

    assert 200 == ask(azure, "POST", run + "/cancel").status_code

    assert ["Canceled"] * 3 == statuses(azure, run)
    assert images.manifest("team/app", "one") is None


def test_runs_are_numbered_and_listed(azure: Clients) -> None:
    runs = [schedule(azure).rsplit("/", 1)[-1] for _ in range(2)]

    assert ["ca1", "ca2"] == runs
    assert runs == [run["name"] for run in ask(azure, "GET", registry_path() + "/runs").json()["value"]]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "TaskRunRequest"}, "InvalidRunRequest"),
        ({"sourceLocation": "source/x.tar.gz"}, "InvalidSourceLocation"),
    ],
)
def test_what_can_not_be_run_is_refused(azure: Clients, change: dict[str, str], code: str) -> None:
    body = {"type": "DockerBuildRequest", "sourceLocation": upload(azure, b""), "imageNames": [], **change}

    assert (400, code) == error(ask(azure, "POST", registry_path() + "/scheduleRun", body))[:2]


def test_sources_that_are_no_archive_fail_the_run(azure: Clients) -> None:
    body = {"type": "DockerBuildRequest", "sourceLocation": upload(azure, b"no tar"), "imageNames": ["a"]}
    name = ask(azure, "POST", registry_path() + "/scheduleRun", body).json()["name"]

    text, complete = log(azure, f"{registry_path()}/runs/{name}")

    assert ("failed", True) == (complete, "failed to run step ID: build: " in text)


def test_an_address_is_good_for_its_blob_and_its_permission_alone(azure: Clients, world: World) -> None:
    readable, writable = (blobs.signed_url(world, "/c/one", right) for right in ("r", "cw"))
    headers = {"x-ms-blob-type": "BlockBlob"}

    answers = [
        azure.session.put(readable, data=b"x", headers=headers, timeout=9),
        azure.session.put(writable.replace("/c/one", "/c/two"), data=b"x", headers=headers, timeout=9),
        azure.session.put(writable.replace("sp=cw", "sp=rcw"), data=b"x", headers=headers, timeout=9),
        azure.session.put(writable, data=b"x", timeout=9),
        azure.session.put(writable, data=b"x", headers=headers, timeout=9),
        azure.session.get(writable, timeout=9),
        azure.session.get(readable, timeout=9),
        azure.session.get(f"https://{blobs.HOST}/c/one", timeout=9),
    ]

    assert [403, 403, 403, 400, 201, 403, 200, 403] == [answer.status_code for answer in answers]
    assert b"x" == answers[6].content


def layered(images: Blobs) -> tuple[list[str], dict[str, Any]]:
    """What is in the one image: names in all of its layers, and its configuration."""
    manifest = images.manifest("team/app", "one")
    assert manifest is not None
    document = json.loads(manifest.content)
    names = []
    for layer in document["layers"]:
        path = images.blob("team/app", layer["digest"])
        assert path is not None
        with tarfile.open(path) as archive:
            names += archive.getnames()
    config = images.blob("team/app", document["config"]["digest"])
    assert config is not None
    return names, json.loads(config.read_bytes())


def test_what_dockerignore_names_is_not_copied(azure: Clients, images: Blobs) -> None:
    files = {".dockerignore": "# ours\nDockerfile\n.dockerignore\na\n*.log\n", "Dockerfile": DOCKERFILE}
    source = upload(azure, sources(**files, **{"spin.toml": "one", "a/b.wasm": "two", "x.log": "three"}))

    statuses(azure, schedule(azure, sourceLocation=source))

    assert ["spin.toml"] == layered(images)[0]


def test_an_image_is_for_the_platform_that_was_asked_for(azure: Clients, images: Blobs) -> None:
    statuses(azure, schedule(azure, platform={"os": "Linux", "architecture": "arm64"}))

    assert "arm64" == layered(images)[1]["architecture"]


def test_a_build_that_nobody_looks_at_ends_before_its_registry_is_asked(azure: Clients, world: World) -> None:
    schedule(azure)

    azure.session.get("https://registry1.azurecr.io/v2/team/app/manifests/one", timeout=9)

    (run,) = world.state.all_of(acr.RUN_KIND)
    assert "Succeeded" == documents.text(run, "properties", "status")


@pytest.mark.parametrize(
    ("identity", "role", "expected"),
    [
        ("", role_definitions.REPOSITORY_WRITER, "Failed"),
        ("[caller]", role_definitions.REPOSITORY_READER, "Failed"),
        ("[caller]", role_definitions.ACR_PUSH, "Failed"),
        ("[caller]", role_definitions.REPOSITORY_WRITER, "Succeeded"),
    ],
)
def test_a_registry_with_rights_by_repository_lets_only_a_caller_that_has_them_push(
    azure: Clients, world: World, identity: str, role: str, expected: str
) -> None:
    by_repository = {"properties": {"roleAssignmentMode": "AbacRepositoryPermissions"}}
    assert 200 == ask(azure, "PATCH", registry_path(), by_repository).status_code
    assign(world, azure.object_id, role)

    run = schedule(azure, credentials={"sourceRegistry": {"identity": identity}})

    assert expected == statuses(azure, run)[-1]
    assert ("denied" in log(azure, run)[0]) == (expected == "Failed")


def assign(world: World, person: str, role: str) -> None:
    """Somebody has a role at the registry, long since."""
    scope = registry_path().replace("~", BELOW, 1)
    properties: documents.Document = {
        "scope": scope,
        "principalId": person,
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "createdOn": "2024-01-01T00:00:00.0000000Z",
    }
    name = f"{scope}/providers/Microsoft.Authorization/roleAssignments/one"
    world.state.put(roles.KIND, name, {"id": name, "properties": properties})
