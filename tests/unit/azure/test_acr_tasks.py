from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import requests
from testbed.azure_answers import Reply, Script, refused, scripted
from testbed.azure_recordings import load

from spin_aks.azure import acr, acr_tasks
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.problems import AzureRefusalError, AzureUnreachableError, Kind
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.azure.acr_tasks import Order
    from spin_aks.json_types import JSONObject

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
REGISTRY = ResourceId.of(SUBSCRIPTION, "rg", acr.KIND, "shop")
DIGEST = "sha256:" + "5" * 64
CANARY = "c4n4ry%2Bsignature%3D"
SIGNED = f"sv=2023-01-03&se=2030-01-01T00%3A00%3A00Z&sr=b&sp=cw&sig={CANARY}"
UPLOAD = f"https://store.blob.core.windows.net/x/source/1.tar.gz?{SIGNED}"
LOG = f"https://store.blob.core.windows.net/x/logs/ca1/rawtext.log?{SIGNED}"
LINES = "2024/04/18 03:11:13 Downloading source code...\r\nStep 1/2 : FROM scratch\n"
LAST = "\r\nRun ID: ca1 was successful after 51s\r\n"


def order(**more: Any) -> Order:
    given = {"registry": REGISTRY, "abac": False, "repository": "team/shop", "tag": "v1"}
    return acr_tasks.Order(**{**given, "dockerfile": "Dockerfile", "platform": "linux/amd64", **more})


def run(status: str, **more: object) -> JSONObject:
    return {"properties": {"runId": "ca1", "status": status, **more}}


def pushed(tag: str = "v1", digest: str = DIGEST) -> list[dict[str, str]]:
    other = {"registry": "shop.azurecr.io", "repository": "team/shop", "tag": "other", "digest": "sha256:" + "6" * 64}
    return [other, {"registry": "shop.azurecr.io", "repository": "team/shop", "tag": tag, "digest": digest}]


def piece(text: str, begin: int, size: int, *, complete: str = "") -> Reply:
    done = {acr_tasks.COMPLETE: complete} if complete else {}
    return Reply(206, text, {"content-range": f"bytes {begin}-{begin + len(text) - 1}/{size}", **done})


def building(ended: JSONObject | None = None) -> Script:
    """A registry that builds, unless a later rule says otherwise."""
    script = Script()
    script.answer("POST", "/listBuildSourceUploadUrl$", Reply(200, {"uploadUrl": UPLOAD, "relativePath": "source/1"}))
    script.answer("PUT", "/source/1.tar.gz$", Reply(201))
    script.answer("POST", "/scheduleRun$", Reply(200, run("Queued")))
    script.answer("POST", "/runs/ca1/listLogSasUrl$", Reply(200, {"logLink": LOG}))
    whole = LINES + LAST
    begun = piece(LINES, 0, len(LINES))
    script.answer("GET", "/rawtext.log$", begun, piece(LAST, len(LINES), len(whole), complete="successful"))
    script.answer("GET", "/runs/ca1$", Reply(200, ended or run("Succeeded", outputImages=pushed())))
    return script


def built(script: Script, **more: Any) -> tuple[str, list[str]]:
    said: list[str] = []
    digest = acr_tasks.build(scripted(script), order(**more), io.BytesIO(b"context"), said.append)
    return digest, said


def failure(script: Script, **more: Any) -> AzureError:
    with pytest.raises(AzureError) as error:
        built(script, **more)
    return error.value


def test_a_context_is_sent_built_and_its_log_heard_line_by_line_as_it_grows() -> None:
    script = building()

    digest, said = built(script)

    assert DIGEST == digest
    assert [
        "run `ca1` builds in registry `shop`, and goes on there if this run is cut short",
        "2024/04/18 03:11:13 Downloading source code...",
        "Step 1/2 : FROM scratch",
        "Run ID: ca1 was successful after 51s",
    ] == said
    (put,) = script.sent("PUT")
    assert ("context", "BlockBlob") == (put.body, put.headers["x-ms-blob-type"])
    ranges = [one.headers["x-ms-range"] for one in script.sent("GET", "/rawtext.log$")]
    assert [f"bytes=0-{(1 << 20) - 1}", f"bytes={len(LINES)}-{len(LINES) + (1 << 20) - 1}"] == ranges


def test_no_token_of_azures_is_sent_to_a_blob() -> None:
    script = building()

    built(script)

    blobs = [one for one in script.asked if "blob.core.windows.net" in one.url]
    assert 3 == len(blobs)
    assert [] == [one.url for one in blobs if "authorization" in {name.lower() for name in one.headers}]


def test_what_is_asked_for_is_what_was_recorded(shared: Path) -> None:
    recording = load(shared / "azure-recorded", "acr-build-quickrun")
    sent = recording.sent(61)
    repository, _, tag = sent["imageNames"][0].partition(":")

    asked = acr_tasks.body(
        order(repository=repository, tag=tag, dockerfile=sent["dockerFilePath"]), sent["sourceLocation"]
    )

    assert {**sent, "arguments": []} == {**asked, "arguments": []}


def test_the_recorded_log_is_read_to_its_end(shared: Path) -> None:
    recording = load(shared / "azure-recorded", "acr-build-quickrun")
    script = building()
    replies = [Reply(one.status, one.body, one.headers) for one in (recording.exchanges[index] for index in (65, 104))]
    script.answer("GET", "/rawtext.log$", *replies)

    _, said = built(script)

    assert "Step 1/17 : FROM mcr.microsoft.com/dotnet/aspnet:6.0 AS base" in said
    assert "Sending build context to Docker daemon  35.33kB" in said
    assert "Run ID: ca1 was successful after 51s" == said[-1]


def test_a_run_is_read_as_the_specification_writes_it(shared: Path) -> None:
    example = json.loads((shared / "azure-spec/acr-tasks-2019-06-01-preview/RunsGet.json").read_text())
    document = example["responses"]["200"]["body"]

    found = acr_tasks.parse(document)

    (image,) = document["properties"]["outputImages"]
    assert ("succeeded", "") == (found.state, found.message)
    assert (acr_tasks.Image("myimage", "latest", image["digest"]),) == found.images


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux/amd64", {"os": "Linux", "architecture": "amd64"}),
        ("linux/arm64", {"os": "Linux", "architecture": "arm64"}),
    ],
)
def test_the_platform_is_the_nodes(platform: str, expected: JSONObject) -> None:
    assert expected == acr_tasks.body(order(platform=platform), "source/1")["platform"]


def test_a_registry_with_rights_by_repository_builds_in_the_name_of_whoever_signed_in() -> None:
    script = building()

    built(script, abac=True)

    (asked,) = script.sent("POST", "/scheduleRun$")
    assert {"sourceRegistry": {"identity": "[caller]"}} == asked.json["credentials"]


def test_a_registry_with_rights_by_repository_that_gave_none_is_explained() -> None:
    script = building(run("Failed"))
    script.answer("GET", "/rawtext.log$", piece("denied: no push\n", 0, 16, complete="failed"))

    error = failure(script, abac=True)

    assert "run `ca1` of registry `shop` failed" == error.problems[0].what
    assert (
        "the registry gives rights by repository, and its builds push as whoever signed in: that takes the role "
        "`Container Registry Repository Writer` there; or build here: `--builder docker`"
    ) == error.problems[0].hint


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("Failed", "run `ca1` of registry `shop` failed"),
        ("Canceled", "run `ca1` of registry `shop` was canceled"),
        ("Timeout", "run `ca1` of registry `shop` took longer than it may"),
        ("Error", "run `ca1` of registry `shop` broke off"),
    ],
)
def test_a_run_that_does_not_succeed_is_told_with_the_last_lines_of_its_log(status: str, what: str) -> None:
    script = building(run(status, runErrorMessage="exit status 1"))
    text = "".join(f"line {number}\n" for number in range(30))
    script.answer("GET", "/rawtext.log$", piece(text, 0, len(text), complete="failed"))

    error = failure(script)

    assert what == error.problems[0].what
    assert str(REGISTRY) == error.problems[0].where
    assert "the whole log: `az acr task logs --registry shop --run-id ca1`" == error.problems[0].hint
    assert [*(f"line {number}" for number in range(10, 30)), "exit status 1"] == error.why.splitlines()


def test_a_log_that_is_not_there_yet_is_waited_for() -> None:
    script = building()
    text = "only line"
    script.answer("GET", "/rawtext.log$", Reply(404), Reply(416), piece(text, 0, len(text), complete="successful"))
    script.answer("HEAD", "/rawtext.log$", Reply(200))

    assert "only line" == built(script)[1][-1]


def test_a_log_that_was_ended_after_its_last_line_was_read_is_over() -> None:
    script = building()
    script.answer("GET", "/rawtext.log$", piece(LINES, 0, len(LINES)), Reply(416))
    script.answer("HEAD", "/rawtext.log$", Reply(200), Reply(200, None, {acr_tasks.COMPLETE: "successful"}))

    assert "Step 1/2 : FROM scratch" == built(script)[1][-1]
    assert 2 == len(script.sent("HEAD"))


def test_a_log_that_never_ends_is_left_when_its_run_has_ended() -> None:
    script = building()
    script.answer("GET", "/rawtext.log$", piece(LINES, 0, len(LINES)), Reply(416))
    script.answer("HEAD", "/rawtext.log$", Reply(200))

    assert DIGEST == built(script)[0]


def test_a_link_that_holds_no_longer_is_asked_for_anew() -> None:
    script = building()
    text = "the rest\n"
    begun, rest = piece(LINES, 0, len(LINES)), piece(text, len(LINES), len(LINES + text), complete="successful")
    script.answer("GET", "/rawtext.log$", begun, Reply(403), rest)

    assert "the rest" == built(script)[1][-1]
    assert 2 == len(script.sent("POST", "/listLogSasUrl$"))


def test_a_log_that_can_not_be_read_stops_no_build() -> None:
    script = building()
    script.answer("GET", "/rawtext.log$", Reply(403, "<Error/>"))

    digest, said = built(script)

    assert DIGEST == digest
    assert said[-1].startswith("the log can't be read further, but the build goes on: ")


def test_a_run_that_is_not_over_with_its_log_is_waited_for() -> None:
    script = building()
    script.answer("GET", "/runs/ca1$", Reply(200, run("Running")), Reply(200, run("Succeeded", outputImages=pushed())))

    assert DIGEST == built(script)[0]


@pytest.mark.parametrize("images", [None, [], pushed(tag="v2"), pushed(digest="")])
def test_a_run_that_does_not_tell_what_it_pushed_is_no_success(images: object) -> None:
    error = failure(building(run("Succeeded", outputImages=images)))

    assert "run `ca1` of registry `shop` did not say what it pushed as `team/shop:v1`" == error.problems[0].what


def test_a_subscription_that_may_not_use_tasks_is_told_the_ways_out() -> None:
    script = building()
    message = "ACR Tasks requests for the registry shop and sub are not permitted."
    script.answer("POST", "/scheduleRun$", refused(400, "TasksOperationsNotAllowed", message))

    error = failure(script)

    assert (
        "can't begin a build in registry `shop`: this subscription may not use ACR Tasks (a free or trial one may not)"
        == error.problems[0].what
    )
    assert "a paid subscription has them; else build without them: `--builder docker` or `--builder oci`" == (
        error.problems[0].hint
    )


def test_whoever_may_not_schedule_runs_is_told_which_right_is_missing() -> None:
    script = building()
    action = "Microsoft.ContainerRegistry/registries/scheduleRun/action"
    message = (
        f"The client 'me' with object id '1' does not have authorization to perform action '{action}' over scope "
        f"'{REGISTRY}' or the scope is invalid."
    )
    script.answer("POST", "/scheduleRun$", refused(403, "AuthorizationFailed", message))

    error = failure(script)

    assert isinstance(error, AzureRefusalError)
    assert Kind.DENIED is error.kind
    assert f"can't begin a build in registry `shop`: `me` may not do `{action}`" == error.problems[0].what


LEAKING = [
    ("PUT", "/source/1.tar.gz$"),
    ("GET", "/rawtext.log$"),
]


@pytest.mark.parametrize(("method", "path"), LEAKING)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(403, f"<Error><Message>signature {UPLOAD} is wrong</Message></Error>"),
        Reply(500, f"see {LOG}"),
        Reply(raises=requests.ConnectionError(f"Max retries exceeded with url: {UPLOAD}")),
        Reply(raises=requests.ReadTimeout(f"read of {LOG}")),
        Reply(raises=requests.exceptions.SSLError(f"no TLS with {UPLOAD}")),
    ],
)
def test_no_signature_of_an_address_is_ever_shown_or_logged(
    method: str, path: str, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    script = building(run("Failed"))
    script.answer(method, path, reply)
    said: list[str] = []

    with caplog.at_level(logging.DEBUG), pytest.raises(AzureError) as error:
        acr_tasks.build(scripted(script), order(), io.BytesIO(b"context"), said.append)

    shown = [*said, str(error.value), error.value.why, *(one.hint for one in error.value.problems), caplog.text]
    assert [] == [text for text in shown if CANARY in text or "c4n4ry" in text]
    assert CANARY in script.sent(method, path)[0].url


def test_an_upload_that_breaks_begins_no_run() -> None:
    script = building()
    script.answer("PUT", "/source/1.tar.gz$", Reply(raises=requests.ConnectionError("cut")))

    error = failure(script)

    assert isinstance(error, AzureUnreachableError)
    assert "can't send the build context to registry `shop`" in error.problems[0].what
    assert [] == script.sent("POST", "/scheduleRun$")
