"""The main job on real parts: a real registry and a real API server with its controllers."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from testbed.application import SHOP_VARIABLES, App, copy_of

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.cluster import Kubernetes
    from testbed.registries import Registry


@pytest.fixture
def shop(tmp_path: Path, registry: Registry, kubernetes: Kubernetes, namespace: str) -> App:
    flags = (
        *SHOP_VARIABLES,
        *("--registry", registry.host),
        *("--repository", namespace),
        *("--namespace", namespace),
        *("--kubeconfig", str(kubernetes.kubeconfig)),
        *("--service", "clusterip"),
    )
    return App(copy_of("shop", tmp_path), {}, flags)


def kubectl(kubernetes: Kubernetes, *argv: str) -> str:
    done = subprocess.run(
        ["kubectl", "--kubeconfig", str(kubernetes.kubeconfig), *argv], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_application_runs_by_digest_and_a_second_up_does_nothing(
    shop: App, kubernetes: Kubernetes, namespace: str
) -> None:
    first = shop.ok("up")
    second = shop.ok("up")

    image = kubectl(kubernetes, "-n", namespace, "get", "deployment", "shop", "-o", "jsonpath={..containers[0].image}")
    pushed = shop.ok("push", "--output", "json").json
    assert pushed["reference"] == image
    assert "apply" in first.stages("done")
    assert [] == second.stages("run")


def test_a_deployment_deleted_behind_our_back_comes_back(shop: App, kubernetes: Kubernetes, namespace: str) -> None:
    shop.ok("up")
    kubectl(kubernetes, "-n", namespace, "delete", "deployment", "shop")

    local = shop.ok("list", "--output", "json").json["stages"]
    refreshed = shop.ok("list", "--refresh", "--output", "json").json["stages"]
    offline = shop.ok("up", "--offline")
    again = shop.ok("up")

    assert {"fresh"} == {stage["state"] for stage in local}
    assert [("apply", "stale"), ("up", "stale")] == [
        (s["name"], s["state"]) for s in refreshed if s["state"] != "fresh"
    ]
    assert [f"Deployment {namespace}/shop is gone"] == next(s["reasons"] for s in refreshed if s["name"] == "apply")
    assert [] == offline.stages("run")
    assert ["apply"] == again.stages("run")
    assert "shop" in kubectl(kubernetes, "-n", namespace, "get", "deployments")


def test_what_went_out_of_the_files_is_pruned_from_any_machine(
    shop: App, kubernetes: Kubernetes, namespace: str, tmp_path: Path
) -> None:
    shop.ok("up")
    other = App(copy_of("shop", tmp_path / "other"), {}, shop.flags)
    other.ok("scaffold")
    (other.root / "manifests/service.yaml").unlink()

    other.ok("up")

    assert "" == kubectl(kubernetes, "-n", namespace, "get", "services", "-o", "name")
