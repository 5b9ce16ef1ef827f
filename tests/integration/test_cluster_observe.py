"""Noticing what became of applied objects, on a real API server (needs the test bed's Kubernetes)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from integration.cluster_contract import config_map, deployment, eventually, live, put_as, runtime_class, service

from spin_aks.cluster import fields, rollout
from spin_aks.cluster.apply import apply
from spin_aks.cluster.connection import Answer, Cluster, connect
from spin_aks.cluster.observe import observe
from spin_aks.cluster.resources import CONFIG_MAPS, DEPLOYMENTS, PODS, RUNTIME_CLASSES, SERVICES, built_in
from spin_aks.errors import ClusterError
from spin_aks.kubernetes_object import KubernetesObject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from testbed.cluster import Kubernetes

    from spin_aks.cluster.applied import Applied
    from spin_aks.json_types import JSONObject


def applied(cluster: Cluster, namespace: str, *bodies: JSONObject) -> Applied:
    objects = [KubernetesObject.of(body) for body in bodies]
    done = apply(cluster, objects, application="web", namespace=namespace, previous=None, progress=lambda line: None)
    return rollout.wait(cluster, done, timeout_s=20, progress=lambda line: None)


@pytest.fixture
def cluster(kubernetes: Kubernetes) -> Cluster:
    return connect(str(kubernetes.kubeconfig), "")


@pytest.fixture
def spin(cluster: Cluster) -> Iterator[str]:
    name = f"spin-{uuid.uuid4().hex[:8]}"
    yield name
    cluster.delete(RUNTIME_CLASSES.path("", name))


def test_one_get_an_applied_kind_is_all_it_takes(
    cluster: Cluster, namespace: str, spin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = [config_map(name, {"x": "1"}) for name in "abc"]
    result = applied(cluster, namespace, runtime_class(spin, "spin"), deployment("web"), service("web"), *maps)
    sent: list[tuple[str, str]] = []
    send = Cluster.send

    def counted(self: Cluster, method: str, path: str, *more: Any, **others: Any) -> Answer:
        sent.append((method, path))
        return send(self, method, path, *more, **others)

    monkeypatch.setattr(Cluster, "send", counted)

    assert observe(cluster, result).sentences == ()
    assert sorted(sent) == [
        ("GET", f"/api/v1/namespaces/{namespace}/configmaps"),
        ("GET", f"/api/v1/namespaces/{namespace}/services/web"),
        ("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/web"),
        ("GET", f"/apis/node.k8s.io/v1/runtimeclasses/{spin}"),
    ]


def test_a_deleted_deployment_is_noticed(cluster: Cluster, namespace: str) -> None:
    result = applied(cluster, namespace, deployment("web"), service("web"))
    cluster.delete(DEPLOYMENTS.path(namespace, "web"))

    assert observe(cluster, result).sentences == (f"Deployment {namespace}/web is gone",)


def test_one_of_several_of_a_kind_that_is_deleted_is_noticed(cluster: Cluster, namespace: str) -> None:
    result = applied(cluster, namespace, *(config_map(name, {"x": "1"}) for name in "abc"))
    cluster.delete(CONFIG_MAPS.path(namespace, "b"))

    assert observe(cluster, result).sentences == (f"ConfigMap {namespace}/b is gone",)


def test_a_field_that_somebody_edited_is_noticed_with_who_it_was(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str
) -> None:
    result = applied(cluster, namespace, service("web"))
    body = live(cluster, SERVICES, namespace, "web")
    fields.mapping(body, "spec")["type"] = "NodePort"
    assert cluster.send("PUT", SERVICES.path(namespace, "web"), {"fieldManager": "kubectl-edit"}, body).ok

    assert observe(cluster, result).sentences == (
        f"Service {namespace}/web was changed by `kubectl-edit`: `spec.type`",
    )


def test_a_field_that_is_not_ours_may_change(kubernetes: Kubernetes, cluster: Cluster, namespace: str) -> None:
    result = applied(cluster, namespace, deployment("web"), service("web", "LoadBalancer"))
    kubernetes.api.merge(SERVICES.path(namespace, "web"), {"metadata": {"annotations": {"note": "by somebody"}}})
    kubernetes.give_address(namespace, "web")

    assert observe(cluster, result).sentences == ()


def test_a_scaled_deployment_is_noticed(cluster: Cluster, namespace: str) -> None:
    result = applied(cluster, namespace, deployment("web"))
    path = f"{DEPLOYMENTS.path(namespace, 'web')}/scale"
    scale = cluster.get(path) or {}
    scale["spec"] = {"replicas": 0}
    assert cluster.replace(path, scale).ok

    assert (
        observe(cluster, result)
        .sentences[0]
        .startswith(f"Deployment {namespace}/web was changed by somebody: `spec.replicas`")
    )


def test_another_run_of_ours_with_another_image_is_noticed(cluster: Cluster, namespace: str) -> None:
    result = applied(cluster, namespace, deployment("web"))
    applied(cluster, namespace, deployment("web", image="example/app:2"))

    assert observe(cluster, result).sentences == (
        f"Deployment {namespace}/web was changed by another run of `spin-aks`: "
        "`spec.template.spec.containers[name=web].image`",
    )


def test_another_run_of_ours_with_the_same_files_is_no_drift(cluster: Cluster, namespace: str) -> None:
    bodies = (deployment("web"), service("web"), config_map("a", {"x": "1"}))
    result = applied(cluster, namespace, *bodies)
    applied(cluster, namespace, *bodies)

    assert observe(cluster, result).sentences == ()


def test_another_application_that_shares_a_runtime_class_is_no_drift(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str, spin: str
) -> None:
    result = applied(cluster, namespace, runtime_class(spin, "spin"), config_map("a", {"x": "1"}))
    objects = [KubernetesObject.of(runtime_class(spin, "spin"))]
    elsewhere = kubernetes.new_namespace()

    apply(cluster, objects, application="other", namespace=elsewhere, previous=None, progress=lambda line: None)

    assert observe(cluster, result).sentences == ()


def test_an_object_that_only_lost_its_label_is_not_called_gone(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str
) -> None:
    result = applied(cluster, namespace, config_map("a", {"x": "1"}), config_map("b", {"x": "1"}))
    label = {"metadata": {"labels": {"spin-aks.dev/application": None}}}
    kubernetes.api.merge(CONFIG_MAPS.path(namespace, "a"), label)

    assert observe(cluster, result).sentences == (
        f"ConfigMap {namespace}/a was changed by somebody: `metadata.labels[spin-aks.dev/application]`",
    )


def test_an_object_made_anew_is_noticed(cluster: Cluster, namespace: str) -> None:
    result = applied(cluster, namespace, config_map("a", {"x": "1"}))
    cluster.delete(CONFIG_MAPS.path(namespace, "a"))
    assert put_as("spin-aks", cluster, CONFIG_MAPS, namespace, config_map("a", {"x": "1"})).ok

    assert observe(cluster, result).sentences == (f"ConfigMap {namespace}/a was deleted and made anew",)


def test_a_secret_that_somebody_changed_is_noticed_without_its_value_being_kept(
    cluster: Cluster, namespace: str
) -> None:
    secret: JSONObject = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"password": "hunter2"},
    }
    result = applied(cluster, namespace, secret)
    again = applied(cluster, namespace, secret)
    assert observe(cluster, result).sentences == ()
    assert again.objects == result.objects

    body = live(cluster, built_in("v1", "Secret"), namespace, "s")
    fields.mapping(body, "data")["password"] = "b3RoZXI="
    assert cluster.send("PUT", f"/api/v1/namespaces/{namespace}/secrets/s", {"fieldManager": "jane"}, body).ok

    assert observe(cluster, result).sentences[0].startswith(f"Secret {namespace}/s was changed by")


def test_a_deployment_that_lost_its_pods_readiness_is_noticed(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str
) -> None:
    result = applied(cluster, namespace, deployment("web"))
    (pod,) = kubernetes.pods(namespace)
    conditions = [{"type": kind, "status": "False"} for kind in ("Ready", "ContainersReady")]
    path = f"{PODS.path(namespace, pod['metadata']['name'])}/status"
    kubernetes.api.merge(path, {"status": {"conditions": conditions}})

    eventually("drift", lambda: observe(cluster, result).sentences != ())

    assert (f"Deployment {namespace}/web is not healthy: 0 of 1 pods ready",) == observe(cluster, result).sentences


def test_a_cluster_that_refuses_to_be_asked_is_an_error(
    kubernetes: Kubernetes, cluster: Cluster, namespace: str
) -> None:
    result = applied(cluster, namespace, config_map("a", {"x": "1"}), service("web"))

    with pytest.raises(ClusterError, match="user `stranger` may not get"):
        observe(connect(str(kubernetes.kubeconfig_without_rights), ""), result)
