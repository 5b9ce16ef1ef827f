"""Every file here is one of ours after an edit that people may well make."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from unit.generators.applications import LISTENER, PLAIN, TALKATIVE

from spin_aks.generators.kube import KubeSettings, files
from spin_aks.generators.resources import Payload
from spin_aks.generators.start_failures import start_failures
from spin_aks.spin.versions import NEWEST_RUNTIME

if TYPE_CHECKING:
    from spin_aks.generators.resources import Form
    from spin_aks.spin.model import Application

ARTIFACT = Payload("artifact", {"app": 37_000_000})
ROOTFS = Payload("rootfs", {"app": 37_000_000})
CONTAINER = "          image: hello\n"
SECURITY = "          securityContext:\n"


def deployment(form: Form, old: str = "", new: str = "") -> str:
    text = files(PLAIN, KubeSettings(NEWEST_RUNTIME, form))["deployment.yaml"]
    assert old in text
    return text.replace(old, new, 1)


def said(text: str, payload: Payload) -> list[tuple[str, str]]:
    return [(str(problem), problem.hint) for problem in start_failures({"d.yaml": text}, "hello", payload)]


def line(text: str, part: str) -> int:
    return 1 + text[: text.index(part)].count("\n")


@pytest.mark.parametrize("payload", [ARTIFACT, ROOTFS], ids=lambda payload: payload.form)
@pytest.mark.parametrize("application", [PLAIN, TALKATIVE, LISTENER], ids=lambda application: application.name)
def test_our_own_files_start(application: Application, payload: Payload) -> None:
    made = files(application, KubeSettings(NEWEST_RUNTIME, payload.form))

    assert () == start_failures(made, application.name, payload)


def test_a_rootfs_image_has_a_command_of_its_own() -> None:
    assert [] == said(deployment("rootfs", '          command: ["/"]\n'), ROOTFS)


def test_an_artifact_without_command_does_not() -> None:
    text = deployment("artifact", '          command: ["/"]\n')

    where = f"d.yaml:{line(text, '- name: hello')}"
    hint = 'add `command: ["/"]`, which leaves the container to Spin\'s shim'
    assert [(f"{where}: container `hello` has no command, and nor has an artifact", hint)] == said(text, ARTIFACT)


def test_a_pod_that_runc_would_run_does_not() -> None:
    text = deployment("rootfs", "      runtimeClassName: wasmtime-spin-v2\n")

    where = f"d.yaml:{line(text, '    spec:')}"
    what = f"{where}: the pod of container `hello` names no runtimeClassName: runc would run it, and can't"
    assert [(what, "add `runtimeClassName: wasmtime-spin-v2` to the pod's spec")] == said(text, ROOTFS)


def test_a_working_directory_that_is_not_there_does_not() -> None:
    text = deployment("rootfs", CONTAINER, f"{CONTAINER}          workingDir: /app\n")

    where = f"d.yaml:{line(text, 'workingDir')}"
    what = f"{where}: container `hello` has a workingDir that its image doesn't have"
    assert [(what, "take the line out: Spin works in `/`")] == said(text, ROOTFS)


@pytest.mark.parametrize("setting", ["runAsNonRoot: true", "runAsUser: 1000"])
def test_an_artifact_as_another_user_than_root_does_not(setting: str) -> None:
    text = deployment("artifact", SECURITY, f"{SECURITY}            {setting}\n")

    where = f"d.yaml:{line(text, setting)}"
    what = f"{where}: container `hello` can't run as non-root: the shim unpacks an artifact into the root folder"
    hint = "take runAsNonRoot and runAsUser out, or make an image that can: `--form rootfs`"
    assert [(what, hint)] == said(text, ARTIFACT)


def test_an_artifact_in_files_made_for_a_rootfs_image_does_not() -> None:
    text = deployment("rootfs")

    user, root = line(text, "runAsNonRoot"), line(text, "readOnlyRootFilesystem")
    expected = [
        f"d.yaml:{user}: container `hello` can't run as non-root: the shim unpacks an artifact into the root folder",
        f"d.yaml:{root}: container `hello` can't have a read-only root: the shim unpacks an artifact into it",
    ]
    assert expected == [what for what, _ in said(text, ARTIFACT)]


def test_non_root_without_a_user_does_not() -> None:
    text = deployment("rootfs", "        runAsUser: 65532\n")

    where = f"d.yaml:{line(text, 'runAsNonRoot')}"
    what = f"{where}: container `hello` has runAsNonRoot, but no runAsUser other than root"
    assert [(what, "add `runAsUser: 65532` beside it")] == said(text, ROOTFS)


def test_the_container_s_own_user_counts_before_its_pod_s() -> None:
    text = deployment("rootfs", SECURITY, f"{SECURITY}            runAsUser: 0\n")

    what = f"d.yaml:{line(text, 'runAsNonRoot')}: container `hello` has runAsNonRoot, but no runAsUser other than root"
    assert [what] == [found for found, _ in said(text, ROOTFS)]


def test_a_read_only_root_without_a_place_for_spin_to_write_does_not() -> None:
    text = deployment("rootfs", "mountPath: /.spin", "mountPath: /elsewhere")

    where = f"d.yaml:{line(text, 'readOnlyRootFilesystem')}"
    what = f"{where}: container `hello` has a read-only root and no volume at `/.spin`, where Spin writes"
    assert [(what, "mount an emptyDir at `/.spin`")] == said(text, ROOTFS)


def test_a_volume_with_a_slash_at_its_end_is_the_same_place() -> None:
    assert [] == said(deployment("rootfs", "mountPath: /.spin", "mountPath: /.spin/"), ROOTFS)


def test_a_rootfs_image_in_files_made_for_an_artifact_starts() -> None:
    assert [] == said(deployment("artifact"), ROOTFS)


@pytest.mark.parametrize("hook", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_a_probe_that_executes_something_does_not(hook: str) -> None:
    kept = "httpGet:\n              path: /.well-known/spin/health\n              port: http\n"
    text = deployment("artifact", f"{hook}:\n            {kept}", f'{hook}:\n            exec: {{command: ["true"]}}\n')

    where = f"d.yaml:{line(text, 'exec: {')}"
    what = f"{where}: the {hook} of container `hello` is an exec, and Spin's shim has no exec"
    assert [(what, "use httpGet, tcpSocket or sleep")] == said(text, ARTIFACT)


def test_a_hook_that_executes_something_does_not() -> None:
    hook = '            postStart: {exec: {command: ["a"]}}\n'
    text = deployment("artifact", "            preStop:\n", f"{hook}            preStop:\n")

    what = (
        f"d.yaml:{line(text, 'postStart')}: the postStart of container `hello` is an exec, and Spin's shim has no exec"
    )
    assert [what] == [found for found, _ in said(text, ARTIFACT)]


@pytest.mark.parametrize("value", ["8080", "true", "0400", "1.5"])
def test_a_value_that_is_no_text_is_refused_by_kubernetes(value: str) -> None:
    text = deployment("artifact", CONTAINER, f"{CONTAINER}          env: [{{name: PORT, value: {value}}}]\n")

    where = f"d.yaml:{line(text, 'name: PORT')}"
    assert [(f"{where}: the value of `PORT` is no text to Kubernetes", "put it in quotes")] == said(text, ARTIFACT)


@pytest.mark.parametrize(
    ("payload", "limit", "starts"),
    [
        (ROOTFS, "256Mi", False),
        (ROOTFS, "384Mi", True),
        (Payload("rootfs", {"a": 2_700_000}), "64Mi", False),
        (Payload("rootfs", {"a": 2_700_000}), "96Mi", True),
        (ARTIFACT, "64Mi", True),
        (replace(ARTIFACT, compiles_ahead=False), "256Mi", False),
        (ROOTFS, "no amount", True),
    ],
)
def test_a_memory_limit_that_is_known_to_be_too_small_does_not(payload: Payload, limit: str, starts: bool) -> None:
    resources = f"          resources:\n            limits:\n              memory: {limit}\n"
    text = deployment("artifact", CONTAINER, CONTAINER + resources)

    assert starts == (not said(text, payload))


def test_a_memory_limit_is_refused_with_one_that_works() -> None:
    resources = "          resources:\n            limits:\n              memory: 128Mi\n"
    text = deployment("rootfs", CONTAINER, CONTAINER + resources)

    where = f"d.yaml:{line(text, 'memory: 128Mi')}"
    what = (
        f"{where}: container `hello` has a memory limit of 128Mi, with which 37.0 MB of components don't start:"
        " they fail with 256 MiB"
    )
    assert [(what, "give it `480Mi`, or take the limit out and have one chosen")] == said(text, ROOTFS)


def test_another_container_beside_the_application_is_its_owner_s_business() -> None:
    sidecar = "        - {name: proxy, image: envoy, workingDir: /x, livenessProbe: {exec: {command: [a]}}}\n"

    assert [] == said(deployment("artifact", "      containers:\n", f"      containers:\n{sidecar}"), ARTIFACT)
