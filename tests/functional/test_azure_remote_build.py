"""Images that a registry in Azure builds itself: `--builder acr`, by the tool as a process."""

from __future__ import annotations

import io
import json
import signal
import tarfile
import time
from typing import TYPE_CHECKING, Any

import pytest
from testbed.azure_cloud import REGISTRIES, Cloud
from testbed.tiny import WASM

from spin_aks.sandbox.azure.identifiers import SUBSCRIPTION
from spin_aks.sandbox.blobs import Blobs

if TYPE_CHECKING:
    from testbed.application import App

NAMED = ("--cluster", "aks1", "--registry", "acme1")
PUSH = ("--registry", "acme1", "--registry-resource-group", "rg", "--builder", "acr")
SCHEDULE = 'method = "POST"\npath = "*/scheduleRun"\n'
REGISTRY_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/acme1"


@pytest.fixture
def images(cloud: Cloud) -> Blobs:
    """What the registry holds."""
    return Blobs(cloud.folder.parent / "registry")


@pytest.fixture
def builder(fresh: App, cloud: Cloud) -> App:
    """The smallest application, and a registry that is there already."""
    cloud.registry("rg", "acme1")
    return fresh


def builds(cloud: Cloud) -> int:
    """How many were begun."""
    return sum(name == "scheduleRun" for _, name in cloud.changes())


def pushed(app: App) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((app.root / ".spin-aks/default/push.json").read_text())
    return document


def files_in(images: Blobs, app: App) -> dict[str, bytes]:
    """What is in the image that was pushed, by path."""
    digest = pushed(app)["digest"]
    manifest = images.manifest("tiny", digest)
    assert manifest is not None
    found = {}
    for layer in json.loads(manifest.content)["layers"]:
        path = images.blob("tiny", layer["digest"])
        assert path is not None
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member) or io.BytesIO()
                found[member.name] = content.read()
    return found


def test_an_application_is_built_in_azure_deployed_and_then_fresh(fresh: App, cloud: Cloud, images: Blobs) -> None:
    first = fresh.ok("up", *NAMED, "--create", "--attach-acr", "--builder", "acr")
    asked = len(cloud.asked())
    second = fresh.ok("up", *NAMED, "--builder", "acr")
    third = fresh.ok("up", *NAMED, "--builder", "acr", "--refresh")

    digest = pushed(fresh)["digest"]
    assert "rootfs by acr: as asked" in first.err
    assert "run `ca1` builds in registry `acme1`, and goes on there if this run is cut short" in first.err
    assert "Step 2 : COPY . /" in first.err
    assert f"@{digest}" in (fresh.root / ".spin-aks/default/rendered.yaml").read_text()
    bundle = fresh.root / ".spin-aks/default/bundle"
    expected = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    assert WASM in expected.values()
    assert expected == files_in(images, fresh)
    assert ["push", "render"] == [name for name in first.stages("done") if name in ("push", "render")]
    assert ([], []) == (second.stages("run"), third.stages("run"))
    assert ([], 1) == (cloud.changes(asked), builds(cloud))


def test_an_edited_dockerfile_is_built_anew_and_an_edited_source_too(builder: App, cloud: Cloud) -> None:
    builder.ok("push", *PUSH)
    first = pushed(builder)
    builder.edit("Dockerfile", "COPY . /", "COPY . /\nLABEL mine=yes")
    builder.ok("push", *PUSH)
    second = pushed(builder)
    (builder.root / "a/a.src").write_bytes(WASM + b"\0\x02\x01a")
    builder.ok("push", *PUSH)
    third = pushed(builder)

    assert 3 == len({first["digest"], second["digest"], third["digest"]})
    assert 3 == len({first["reference"], second["reference"], third["reference"]})
    assert 3 == builds(cloud)


def test_the_image_is_for_the_nodes_platform(builder: App, images: Blobs) -> None:
    builder.ok("push", *PUSH, "--platform", "linux/arm64")

    manifest = images.manifest("tiny", pushed(builder)["digest"])
    assert manifest is not None
    config = images.blob("tiny", json.loads(manifest.content)["config"]["digest"])
    assert config is not None
    assert "arm64" == json.loads(config.read_bytes())["architecture"]


def test_a_build_that_fails_is_told_with_the_last_lines_of_its_log(builder: App, cloud: Cloud) -> None:
    builder.ok("run", "dockerfile", *PUSH)
    builder.edit("Dockerfile", "COPY . /", "COPY . /\nRUN make")
    done = builder.run("push", *PUSH)

    assert 1 == done.code
    assert f"error: {REGISTRY_ID}: run `ca1` of registry `acme1` failed" in done.err
    assert "Step 3 : RUN make" in done.err
    assert "the whole log: `az acr task logs --registry acme1 --run-id ca1`" in done.err
    assert not (builder.root / ".spin-aks/default/push.json").exists()

    builder.edit("Dockerfile", "RUN make", "LABEL made=yes")
    builder.ok("push", *PUSH)
    assert 2 == builds(cloud)


def test_a_build_that_azure_breaks_off_is_an_error(builder: App, cloud: Cloud) -> None:
    cloud.trouble(SCHEDULE + 'fail = { code = "Broken", message = "the agent is gone" }')

    done = builder.run("push", *PUSH)

    assert 1 == done.code
    assert "run `ca1` of registry `acme1` failed" in done.err
    assert "the agent is gone" in done.err


def test_a_subscription_without_tasks_is_told_the_ways_out(builder: App, cloud: Cloud) -> None:
    message = "ACR Tasks requests for the registry acme1 and it are not permitted."
    cloud.trouble(SCHEDULE + f'status = 400\ncode = "TasksOperationsNotAllowed"\nmessage = "{message}"')

    done = builder.run("push", *PUSH)

    assert 1 == done.code
    assert "this subscription may not use ACR Tasks (a free or trial one may not)" in done.err
    assert "`--builder docker` or `--builder oci`" in done.err


def test_whoever_may_not_begin_a_build_is_told_the_missing_right(builder: App, cloud: Cloud) -> None:
    cloud.trouble(SCHEDULE + 'known = "AuthorizationFailed"')

    done = builder.run("push", *PUSH)

    assert 1 == done.code
    assert "may not do `Microsoft.ContainerRegistry/registries/scheduleRun/action`" in done.err


@pytest.mark.parametrize("tag", ["content", "v1"])
def test_a_registry_with_rights_by_repository_that_gave_none_is_explained(fresh: App, cloud: Cloud, tag: str) -> None:
    body = {"sku": {"name": "Basic"}, "properties": {"roleAssignmentMode": "AbacRepositoryPermissions"}}
    cloud.made(REGISTRIES, "rg", "acme1", body)

    done = fresh.run("push", *PUSH, "--tag", tag)

    assert 1 == done.code
    assert "run `ca1` of registry `acme1` failed" in done.err
    assert "that takes the role `Container Registry Repository Writer` there" in done.err


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_build_goes_on_when_its_run_is_cut_short_and_the_next_takes_its_image(
    builder: App, cloud: Cloud, sent: signal.Signals
) -> None:
    cloud.trouble(SCHEDULE + "slow_s = 6")
    process = builder.start("push", *PUSH, *builder.flags)
    assert process.stderr is not None
    err = next(line for line in process.stderr if "and goes on there if this run is cut short" in line)
    give_up = time.monotonic() + 60
    while not builds(cloud) and time.monotonic() < give_up:
        time.sleep(0.05)
    begun = time.monotonic()
    time.sleep(0.5)
    process.send_signal(sent)
    process.communicate(timeout=60)
    time.sleep(max(0.0, 7 - (time.monotonic() - begun)))
    again = builder.ok("push", *PUSH)

    assert {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[sent] == process.returncode
    assert "and goes on there if this run is cut short" in err
    assert "is there already" in again.err
    assert 1 == builds(cloud)
    assert [False] == [layer["sent"] for layer in pushed(builder)["layers"]]


def test_a_tag_of_ones_own_says_nothing_of_the_content_so_it_is_built_again(builder: App, cloud: Cloud) -> None:
    builder.ok("push", *PUSH, "--tag", "v1")
    (builder.root / "a/a.src").write_bytes(WASM + b"\0\x02\x01a")
    builder.ok("push", *PUSH, "--tag", "v1")

    assert 2 == builds(cloud)


def test_an_upload_that_breaks_begins_no_build(builder: App, cloud: Cloud) -> None:
    cloud.trouble('method = "PUT"\nhost = "*.blob.core.windows.net"\ndrop = true')

    done = builder.run("push", *PUSH)

    assert 1 == done.code
    assert "can't send the build context to registry `acme1`" in done.err
    assert 0 == builds(cloud)


def test_a_log_that_can_not_be_read_stops_no_build(builder: App, cloud: Cloud) -> None:
    cloud.trouble('method = "GET HEAD"\nhost = "*.blob.core.windows.net"\nstatus = 403\ncode = "AuthenticationFailed"')

    done = builder.ok("push", *PUSH)

    assert "the log can't be read further, but the build goes on" in done.err
    assert pushed(builder)["digest"].startswith("sha256:")


@pytest.mark.parametrize(
    ("registry", "hint"),
    [
        ("acme1.azurecr.io", "`--registry acme1`, or build here: `--builder oci`"),
        ("127.0.0.1:5000", "`--registry NAME`, or build here: `--builder oci`"),
    ],
)
def test_a_registry_that_is_not_named_as_azure_does_is_refused(
    fresh: App, cloud: Cloud, registry: str, hint: str
) -> None:
    done = fresh.run("push", "--registry", registry, "--builder", "acr")

    assert 3 == done.code
    assert f"and `{registry}` is a registry's host" in done.err
    assert hint in done.err
    assert [] == cloud.asked()


def test_no_registry_at_all_is_an_input_that_is_missing(fresh: App) -> None:
    done = fresh.run("push", "--builder", "acr", "--no-input")

    assert 3 == done.code
    assert "no registry is named" in done.err


def test_an_artifact_is_not_for_registries_to_build(fresh: App) -> None:
    done = fresh.run("push", *PUSH, "--form", "artifact")

    assert 3 == done.code
    assert "the builder `acr` makes no `artifact`" in done.err


@pytest.mark.parametrize(("broken", "code"), [("", 0), ("PUT", 1), ("GET HEAD", 0)])
def test_no_signed_address_and_no_token_is_shown_or_kept(builder: App, cloud: Cloud, broken: str, code: int) -> None:
    if broken:
        cloud.trouble(f'method = "{broken}"\nhost = "*.blob.core.windows.net"\ndrop = true')

    done = builder.run("push", *PUSH)

    folders = (builder.root, builder.cache, builder.state_home)
    kept = [path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()]
    said = [done.out.encode(), done.err.encode(), *kept]
    secret = cloud.environment["AZURE_CLIENT_SECRET"].encode()
    assert code == done.code
    assert [] == [text for text in said if b"sig=" in text or b"&se=" in text or secret in text or b"eyJ" in text]
