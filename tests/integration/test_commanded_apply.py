"""Applying to a cluster that is reached by commands only: the same as over a connection, in few commands."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from integration.cluster_contract import config_map, deployment, service
from testbed.commanded import Pod, commanded

from spin_aks.cluster import fields, rollout
from spin_aks.cluster.apply import apply
from spin_aks.cluster.connection import connect
from spin_aks.cluster.observe import observe
from spin_aks.cluster.resources import CONFIG_MAPS
from spin_aks.errors import RolloutError
from spin_aks.kubernetes_object import KubernetesObject
from spin_aks.sandbox import Running, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spin_aks.cluster.applied import Applied
    from spin_aks.cluster.by_commands import CommandedCluster
    from spin_aks.json_types import JSONObject


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with start(tmp_path / "sandbox") as started:
        yield started


def applied(
    cluster: CommandedCluster, *bodies: JSONObject, said: list[str], previous: Applied | None = None
) -> Applied:
    return apply(
        cluster,
        [KubernetesObject.of(body) for body in bodies],
        application="web",
        namespace="shop",
        previous=previous,
        progress=said.append,
    )


NAMESPACE: JSONObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}


def counted(pod: Pod) -> int:
    commands, pod.commands = pod.commands, 0
    return commands


def test_the_first_apply_the_second_and_a_look_take_few_commands(running: Running) -> None:
    cluster, pod = commanded(running.kubeconfig)
    bodies = (NAMESPACE, config_map("a", {"x": "1"}), config_map("b", {"x": "1"}), service("web"), deployment("web"))
    first: list[str] = []
    second: list[str] = []

    done = applied(cluster, *bodies, said=first)
    firsts = counted(pod)
    done = applied(cluster, *bodies, said=second, previous=done)
    seconds = counted(pod)
    settled = rollout.wait(cluster, done, timeout_s=20, progress=first.append)
    counted(pod)
    seen = observe(cluster, settled)
    looks = counted(pod)

    assert ["created"] * 5 == [line.rpartition(" ")[2] for line in first[:5]]
    assert ["unchanged"] * 5 == [line.rpartition(" ")[2] for line in second]
    assert () == seen.drifted
    assert (8, 5, 1) == (firsts, seconds, looks)


def test_what_went_out_is_pruned_and_the_inventory_follows(running: Running) -> None:
    cluster, _ = commanded(running.kubeconfig)
    said: list[str] = []
    done = applied(cluster, NAMESPACE, config_map("a", {"x": "1"}), config_map("b", {"x": "1"}), said=said)

    applied(cluster, NAMESPACE, config_map("b", {"x": "2"}), said=said, previous=done)

    direct = connect(str(running.kubeconfig), "")
    assert "ConfigMap shop/a deleted: it is no longer in the manifests" == said[-1]
    assert "ConfigMap shop/b changed" in said
    assert direct.get(CONFIG_MAPS.path("shop", "a")) is None
    kept = direct.get(CONFIG_MAPS.path("shop", "spin-aks.web")) or {}
    assert 'shop", "b"' in str(kept["data"])
    assert 'shop", "a"' not in str(kept["data"])


def test_pods_that_do_not_start_are_explained_by_what_they_wrote(running: Running) -> None:
    cluster, _ = commanded(running.kubeconfig)
    body = copy.deepcopy(deployment("web"))
    template: Any = fields.mapping(body, "spec", "template")
    template["metadata"]["annotations"] = {"spin-aks.dev/sandbox-fail": "CrashLoopBackOff1"}
    done = applied(cluster, NAMESPACE, body, said=[])

    with pytest.raises(RolloutError) as caught:
        rollout.wait(cluster, done, timeout_s=60, progress=quiet)

    assert "Deployment shop/web" in caught.value.problems[0].what
    assert "CrashLoopBackOff" in caught.value.why
    assert "last events:" in caught.value.why


def quiet(line: str) -> None:
    del line
