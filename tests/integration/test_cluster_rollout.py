"""Waiting for a rollout on a real API server, whose simulated nodes end pods as a test chooses (needs the test bed's
Kubernetes).
"""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import pytest
from integration.cluster_contract import deployment, put, service
from integration.cluster_proxy import way_to

from spin_aks.cluster import fields, rollout
from spin_aks.cluster.address import reach
from spin_aks.cluster.apply import apply
from spin_aks.cluster.connection import Cluster, connect
from spin_aks.cluster.explain import Background
from spin_aks.cluster.refusals import UnreachableError
from spin_aks.cluster.resources import DEPLOYMENTS, NAMESPACES, SERVICES
from spin_aks.errors import RolloutError
from spin_aks.kubernetes_object import KubernetesObject, ObjectKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from testbed.cluster import Kubernetes

    from spin_aks.cluster.applied import Applied
    from spin_aks.json_types import JSONObject

KNOWN = Background(("a wasm file missing in the image",), "rootfs", "368Mi")


def quiet(line: str) -> None:
    del line


@pytest.fixture
def cluster(kubernetes: Kubernetes) -> Cluster:
    return connect(str(kubernetes.kubeconfig), "")


def applied(cluster: Cluster, namespace: str, *bodies: JSONObject) -> Applied:
    objects = [KubernetesObject.of(body) for body in bodies]
    return apply(cluster, objects, application="web", namespace=namespace, previous=None, progress=quiet)


def limited(image: str = "example/app:1") -> JSONObject:
    body = deployment("web", image=image)
    (container,) = fields.objects(body, "spec", "template", "spec", "containers")
    container["resources"] = {"limits": {"memory": "64Mi"}}
    return body


def failure(
    cluster: Cluster, namespace: str, *, timeout_s: float = 20, progress: Callable[[str], None] = quiet
) -> RolloutError:
    done = applied(cluster, namespace, limited())
    with pytest.raises(RolloutError) as caught:
        rollout.wait(cluster, done, timeout_s=timeout_s, progress=progress, background=KNOWN)
    return caught.value


def test_a_healthy_rollout_tells_its_progress_and_its_revision(cluster: Cluster, namespace: str) -> None:
    said: list[str] = []
    first = rollout.wait(cluster, applied(cluster, namespace, limited()), timeout_s=20, progress=said.append)
    again = applied(cluster, namespace, limited("example/app:2"))

    second = rollout.wait(cluster, again, timeout_s=20, progress=said.append)

    assert (first.revision, second.revision) == ("1", "2")
    assert said[-1] == f"Deployment {namespace}/web: 1 of 1 pods ready"
    assert len(said) > 2
    assert all(one != other for one, other in itertools.pairwise(said))


def test_a_rollout_that_is_over_is_told_in_one_line(cluster: Cluster, namespace: str) -> None:
    done = applied(cluster, namespace, limited())
    rollout.wait(cluster, done, timeout_s=20, progress=quiet)
    said: list[str] = []

    rollout.wait(cluster, done, timeout_s=20, progress=said.append)

    assert said == [f"Deployment {namespace}/web: 1 of 1 pods ready"]


def test_without_a_deployment_there_is_nothing_to_wait_for(cluster: Cluster, namespace: str) -> None:
    done = applied(cluster, namespace, service("web"))

    assert rollout.wait(cluster, done, timeout_s=1, progress=quiet) == done


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ("crash-loop", "ends with exit code 137 and no word, on node aks-nodepool1-12345678-vmss000000"),
        ("oom-killed", "needs more memory than its limit of 64Mi: the kernel ended it (OOMKilled)"),
        ("create-container", "has a container `web` without a command"),
        ("create-container-config", "must not run as root, and no other user is named"),
    ],
)
def test_what_can_not_heal_ends_the_waiting_early(
    kubernetes: Kubernetes, cluster: Cluster, state: str, what: str
) -> None:
    namespace = kubernetes.new_namespace(state)

    assert str(failure(cluster, namespace, timeout_s=200)) == f"Deployment {namespace}/web {what}"


def test_a_silent_end_is_explained_by_what_was_ruled_out(kubernetes: Kubernetes, cluster: Cluster) -> None:
    error = failure(cluster, kubernetes.new_namespace("crash-loop"))

    lines = error.why.splitlines()
    assert lines[0].endswith("Running, CrashLoopBackOff, last exit code 137, restarted 2 times")
    assert "  BackOff: Back-off restarting failed container" in lines
    assert "its log is empty" in lines
    assert "  - a wasm file missing in the image" in lines
    assert "  - memory: the limit is 64Mi, and form `rootfs` of this size needs about 368Mi" in lines
    assert "kubectl debug node/aks-nodepool1-12345678-vmss000000" in error.problems[0].hint


def test_the_last_lines_of_the_log_are_shown(kubernetes: Kubernetes, cluster: Cluster) -> None:
    namespace = kubernetes.new_namespace("crash-loop")
    kubernetes.write_logs(namespace, [f"line {number}" for number in range(40)])

    error = failure(cluster, namespace)

    assert str(error) == f"Deployment {namespace}/web has a container `web` that ends with exit code 137"
    assert error.why.splitlines()[-20:] == [f"  line {number}" for number in range(20, 40)]


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ("never-ready", "runs, and does not get ready: Startup probe failed: Get "),
        ("image-pull", "can't get its image `example/app:1`: Back-off pulling image"),
        (
            "no-sandbox",
            "has a pod on node aks-nodepool1-12345678-vmss000000, whose containerd has no runtime `spin`",
        ),
        ("no-mount", 'has a pod whose volume can\'t be mounted: MountVolume.SetUp failed for volume "secrets"'),
    ],
)
def test_what_may_still_heal_is_waited_for_until_the_time_is_up(
    kubernetes: Kubernetes, cluster: Cluster, state: str, what: str
) -> None:
    namespace, said = kubernetes.new_namespace(state), list[str]()

    error = failure(cluster, namespace, timeout_s=3, progress=said.append)

    assert str(error) == f"Deployment {namespace}/web is not ready after 3 s: 0 of 1 pods ready"
    assert error.why.splitlines()[0].startswith(f"Deployment {namespace}/web {what}")
    assert any(line.startswith(f"Deployment {namespace}/web {what}") for line in said)


def test_pods_that_pod_security_forbids_are_explained_at_once(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str
) -> None:
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    kubernetes.api.merge(NAMESPACES.path("", namespace), label)

    error = failure(cluster, namespace, timeout_s=200)

    assert "gets no pods, for the namespace's pod security forbids them" in str(error)
    assert "`--form rootfs`" in error.problems[0].hint


def test_a_runtime_class_that_vanished_is_explained(cluster: Cluster, namespace: str) -> None:
    body = limited()
    fields.mapping(body, "spec", "template", "spec")["runtimeClassName"] = "nope"
    done = applied(cluster, namespace, {**limited(), "spec": {**fields.mapping(limited(), "spec"), "replicas": 0}})
    put(cluster, DEPLOYMENTS, namespace, body)

    with pytest.raises(RolloutError, match="gets no pods: RuntimeClass `nope` is not there"):
        rollout.wait(cluster, done, timeout_s=60, progress=quiet)


def test_a_pod_that_no_node_takes_is_explained_by_the_scheduler(cluster: Cluster, namespace: str) -> None:
    body = limited()
    fields.mapping(body, "spec", "template", "spec")["nodeSelector"] = {"no": "such-node"}
    done = applied(cluster, namespace, body)

    with pytest.raises(RolloutError, match="is not ready after 3 s") as caught:
        rollout.wait(cluster, done, timeout_s=3, progress=quiet)

    assert "has a pod that no node takes: 0/1 nodes are available" in caught.value.why
    assert "no node has the labels" in caught.value.problems[0].hint


def test_a_quota_that_leaves_no_room_is_quoted(kubernetes: Kubernetes, cluster: Cluster, namespace: str) -> None:
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "0"}}}
    kubernetes.api.create(f"/api/v1/namespaces/{namespace}/resourcequotas", quota)
    done = applied(cluster, namespace, limited())

    with pytest.raises(RolloutError) as caught:
        rollout.wait(cluster, done, timeout_s=4, progress=quiet)

    assert "exceeded quota: few" in caught.value.why


def test_a_failing_update_leaves_the_former_pods_running_and_explains_the_new_one(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str
) -> None:
    rollout.wait(cluster, applied(cluster, namespace, limited()), timeout_s=20, progress=quiet)
    failing = limited("example/app:2")
    template = fields.mapping(failing, "spec", "template", "metadata")
    template["annotations"] = {"spin-aks.test/state": "crash-loop"}
    done = applied(cluster, namespace, failing)

    with pytest.raises(RolloutError, match="ends with exit code 137 and no word"):
        rollout.wait(cluster, done, timeout_s=60, progress=quiet)

    images = [pod["spec"]["containers"][0]["image"] for pod in kubernetes.pods(namespace)]
    assert "example/app:1" in images


def test_a_deployment_that_is_deleted_meanwhile_ends_the_waiting(kubernetes: Kubernetes, cluster: Cluster) -> None:
    namespace = kubernetes.new_namespace("never-ready")
    done = applied(cluster, namespace, limited())
    deleted = threading.Timer(0.5, lambda: cluster.delete(DEPLOYMENTS.path(namespace, "web")))
    deleted.start()

    with pytest.raises(RolloutError, match="was deleted while its rollout was waited for"):
        rollout.wait(cluster, done, timeout_s=60, progress=quiet)
    deleted.join()


def test_a_connection_that_breaks_while_waiting_is_made_anew(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    body = limited()
    fields.mapping(body, "spec", "template", "metadata")["annotations"] = {"spin-aks.test/delay": "3s"}
    done = applied(cluster, namespace, body)
    with way_to(kubernetes.kubeconfig, tmp_path) as (way, path):
        waiting = connect(str(path), "")
        timers = [threading.Timer(0.5, way.cut), threading.Timer(1.5, way.mend)]
        for timer in timers:
            timer.start()

        assert rollout.wait(waiting, done, timeout_s=60, progress=quiet).revision == "1"
        for timer in timers:
            timer.join()


def test_a_cluster_that_stays_away_is_an_error_that_says_what_stays(
    kubernetes: Kubernetes, cluster: Cluster, tmp_path: Path
) -> None:
    done = applied(cluster, kubernetes.new_namespace("never-ready"), limited())
    with way_to(kubernetes.kubeconfig, tmp_path) as (way, path):
        waiting = connect(str(path), "")

        with pytest.raises(UnreachableError, match="the cluster was lost while waiting for the rollout") as caught:
            rollout.wait(waiting, done, timeout_s=60, progress=lambda line: way.cut())

    assert caught.value.problems[0].hint == (
        "what was applied stays applied: run the same command again to go on waiting"
    )


# Addresses


def test_a_load_balancers_address_is_waited_for(kubernetes: Kubernetes, cluster: Cluster, namespace: str) -> None:
    put(cluster, SERVICES, namespace, service("web", "LoadBalancer"))
    key, said = ObjectKey("v1", "Service", namespace, "web"), list[str]()
    given = threading.Timer(0.5, lambda: kubernetes.give_address(namespace, "web"))
    given.start()

    found = reach(cluster, key, timeout_s=30, progress=said.append)

    given.join()
    assert (found.url, found.note) == ("http://203.0.113.10", "")
    assert said == [f"Service {namespace}/web: waiting for its address"]


def test_a_load_balancer_without_an_address_is_explained(cluster: Cluster, namespace: str) -> None:
    put(cluster, SERVICES, namespace, service("web", "LoadBalancer"))
    key = ObjectKey("v1", "Service", namespace, "web")

    found = reach(cluster, key, timeout_s=0, progress=quiet)

    assert found.url == ""
    assert found.note.startswith(f"Service {namespace}/web has no address yet")


def test_a_missing_service_has_no_address(cluster: Cluster, namespace: str) -> None:
    key = ObjectKey("v1", "Service", namespace, "nope")

    assert reach(cluster, key, timeout_s=0, progress=quiet).note == f"Service {namespace}/nope is not there"
