from __future__ import annotations

import pytest

from spin_aks.cluster.resources import built_in, known, root
from spin_aks.kubernetes_object import CLUSTER_SCOPED


def test_a_namespaced_kind_has_its_namespace_in_its_path() -> None:
    deployments = built_in("apps/v1", "Deployment")

    assert deployments.path("hello", "web") == "/apis/apps/v1/namespaces/hello/deployments/web"
    assert deployments.collection("hello") == "/apis/apps/v1/namespaces/hello/deployments"
    assert deployments.collection() == "/apis/apps/v1/deployments"
    assert deployments.right == "deployments.apps"


def test_a_cluster_scoped_kind_has_none() -> None:
    assert (
        built_in("node.k8s.io/v1", "RuntimeClass").path("hello", "spin") == "/apis/node.k8s.io/v1/runtimeclasses/spin"
    )
    assert built_in("v1", "Namespace").right == "namespaces"


def test_a_name_can_not_leave_its_path() -> None:
    assert built_in("v1", "Secret").path("a/b", "../x?y") == "/api/v1/namespaces/a%2Fb/secrets/..%2Fx%3Fy"


def test_the_core_group_has_a_root_of_its_own() -> None:
    assert (root("v1"), root("apps/v1")) == ("/api/v1", "/apis/apps/v1")


def test_a_kind_of_another_version_is_not_known() -> None:
    assert known("apps/v1beta1", "Deployment") is None
    assert known("example.com/v1", "Gadget") is None
    with pytest.raises(KeyError, match="Gadget"):
        built_in("example.com/v1", "Gadget")


def test_what_the_ground_calls_cluster_scoped_is_so_here() -> None:
    versions = ["v1", "apps/v1", "batch/v1", "node.k8s.io/v1", "rbac.authorization.k8s.io/v1", "storage.k8s.io/v1"]
    versions += ["apiextensions.k8s.io/v1", "scheduling.k8s.io/v1", "networking.k8s.io/v1", "policy/v1"]
    found = [known(version, kind) for kind in CLUSTER_SCOPED for version in versions]

    scoped = {resource.kind for resource in found if resource is not None and not resource.namespaced}
    assert {"Namespace", "RuntimeClass", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"} <= scoped
    assert [resource for resource in found if resource is not None and resource.namespaced] == []
