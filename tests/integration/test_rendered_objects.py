"""What the generators make, put before a real API server: nothing is kept but the namespaces and the RuntimeClass."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from kubernetes import config
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from unit.generators.applications import LISTENER, PLAIN, TALKATIVE

from spin_aks.generators.kube import KubeSettings, ServiceType, files
from spin_aks.generators.render import RenderValues, render
from spin_aks.generators.resources import Payload
from spin_aks.kubernetes_object import CLUSTER_SCOPED, KubernetesObject
from spin_aks.spin.versions import NEWEST_RUNTIME

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.cluster import Kubernetes

    from spin_aks.generators.resources import Form
    from spin_aks.spin.model import Application

IMAGE = "127.0.0.1:5000/team/hello:2f1c@sha256:" + "0123456789abcdef" * 4
SHARED_KINDS = frozenset({"Namespace", "RuntimeClass"})


@dataclass(frozen=True)
class Server:
    client: DynamicClient

    def apply(self, item: KubernetesObject, *, keep: bool) -> dict:
        """Server-side apply as the API server answers it; raises ApiException if it refuses."""
        resource = self.client.resources.get(api_version=item.key.api_version, kind=item.key.kind)
        return self.client.server_side_apply(
            resource,
            body=item.body,
            name=item.key.name,
            namespace=item.key.namespace or None,
            field_manager="spin-aks",
            field_validation="Strict",
            **({} if keep else {"dry_run": "All"}),
        ).to_dict()

    def put_down(self, objects: tuple[KubernetesObject, ...]) -> None:
        """What others are refused without: pods without their RuntimeClass, anything without its namespace."""
        for item in objects:
            if item.key.kind in SHARED_KINDS:
                self.apply(item, keep=True)


@pytest.fixture(scope="module")
def server(kubernetes: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> Server:
    client = config.new_client_from_config(str(kubernetes.kubeconfig))
    cache: Path = tmp_path_factory.mktemp("discovery") / "cache.json"
    return Server(DynamicClient(client, cache_file=str(cache)))


def objects(application: Application, form: Form, namespace: str, labels: str = "") -> tuple[KubernetesObject, ...]:
    settings = KubeSettings(NEWEST_RUNTIME, form, service=ServiceType.CLUSTER_IP)
    texts = files(application, settings)
    texts["namespace.yaml"] += labels
    values = RenderValues(
        application.name,
        namespace,
        IMAGE,
        Payload(form, {"app": 2_700_000}),
        variables={"region": "eu"} if application is TALKATIVE else {},
        replicas=2,
        ca_certificates="-----BEGIN CERTIFICATE-----\n",
    )
    return render(texts, values).objects


def new_name() -> str:
    return f"rendered-{uuid.uuid4().hex[:8]}"


@pytest.mark.parametrize("form", ["artifact", "rootfs"])
@pytest.mark.parametrize("application", [PLAIN, TALKATIVE, LISTENER], ids=lambda application: application.name)
def test_a_real_api_server_accepts_every_object_and_every_field(
    server: Server, application: Application, form: Form
) -> None:
    rendered = objects(application, form, new_name())
    server.put_down(rendered)

    answers = [server.apply(item, keep=False) for item in rendered]

    assert [(item.key.kind, item.key.name) for item in rendered] == [
        (answer["kind"], answer["metadata"]["name"]) for answer in answers
    ]


def pod(item: KubernetesObject) -> KubernetesObject:
    """The pod that the Deployment `item` makes."""
    template = item.body["spec"]["template"]  # type: ignore[index, call-overload]
    metadata = {"name": "one", "namespace": item.key.namespace, "labels": template["metadata"]["labels"]}
    return KubernetesObject.of({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})


def in_a_restricted_namespace(server: Server, application: Application, form: Form) -> KubernetesObject:
    rendered = objects(application, form, new_name(), "    pod-security.kubernetes.io/enforce: restricted\n")
    server.put_down(rendered)
    name = "order-desk" if application is TALKATIVE else application.name
    (deployment,) = [item for item in rendered if (item.key.kind, item.key.name) == ("Deployment", name)]
    return pod(deployment)


@pytest.mark.parametrize("application", [PLAIN, TALKATIVE, LISTENER], ids=lambda application: application.name)
def test_pods_of_the_rootfs_form_pass_the_restricted_pod_security_standard(
    server: Server, application: Application
) -> None:
    answer = server.apply(in_a_restricted_namespace(server, application, "rootfs"), keep=False)

    assert "wasmtime-spin-v2" == answer["spec"]["runtimeClassName"]


def test_pods_of_the_artifact_form_can_not_pass_it(server: Server) -> None:
    with pytest.raises(ApiException) as refused:
        server.apply(in_a_restricted_namespace(server, PLAIN, "artifact"), keep=False)

    assert 403 == refused.value.status
    assert "runAsNonRoot" in str(refused.value.body)


def test_the_kinds_without_a_namespace_are_those_of_the_api_server(kubernetes: Kubernetes) -> None:
    groups = [group for group in kubernetes.api.get("/apis")["groups"] if is_kubernetes_own(group["name"])]
    versions = [f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"]]
    resources = [
        resource
        for version in ["/api/v1", *versions]
        for resource in kubernetes.api.get(version)["resources"]
        if "/" not in resource["name"]
    ]
    cluster_scoped = {resource["kind"] for resource in resources if not resource["namespaced"]}
    namespaced = {resource["kind"] for resource in resources if resource["namespaced"]}

    assert set() == cluster_scoped - CLUSTER_SCOPED
    assert set() == namespaced & CLUSTER_SCOPED


def is_kubernetes_own(group: str) -> bool:
    return "." not in group or (group.endswith(".k8s.io") and not group.endswith(".x-k8s.io"))
