"""Pods with an identity in Azure, on a real API server; only Azure's webhook is played (needs the test bed's one)."""

from __future__ import annotations

import base64
import json
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from integration.cluster_contract import runtime_class
from testbed.api import wait_for
from unit.generators.applications import LISTENER, PLAIN, TALKATIVE

from spin_aks.azure.identities import AUDIENCE, service_account
from spin_aks.cluster import rollout
from spin_aks.cluster.apply import apply
from spin_aks.cluster.connection import Cluster, connect
from spin_aks.cluster.observe import observe
from spin_aks.cluster.resources import RUNTIME_CLASSES
from spin_aks.generators.kube import Installer, KubeSettings, ServiceType, files
from spin_aks.generators.pod_identity import CLIENT_ID_ANNOTATION, EXPIRATION_ANNOTATION, USE_LABEL, PodIdentity
from spin_aks.generators.render import RenderValues, render
from spin_aks.generators.resources import Payload
from spin_aks.spin.versions import NEWEST_RUNTIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.cluster import Kubernetes

    from spin_aks.cluster.applied import Applied
    from spin_aks.generators.render import Rendered
    from spin_aks.generators.resources import Form
    from spin_aks.spin.model import Application

IMAGE = "127.0.0.1:5000/team/hello:2f1c@sha256:" + "0123456789abcdef" * 4
FIRST, SECOND = (PodIdentity("storefront", f"{digit * 8}-aaaa-4444-8888-000000000001") for digit in "12")


@pytest.fixture
def cluster(kubernetes: Kubernetes) -> Cluster:
    return connect(str(kubernetes.kubeconfig), "")


@pytest.fixture
def spin(cluster: Cluster) -> Iterator[str]:
    """The name of a RuntimeClass."""
    name = f"spin-{uuid.uuid4().hex[:8]}"
    cluster.apply(RUNTIME_CLASSES.path("", name), runtime_class(name, "spin"))
    yield name
    cluster.delete(RUNTIME_CLASSES.path("", name))


def restarter(name: str) -> str:
    """The user guide's manifest that restarts the pods of an application of that name."""
    guide = (Path(__file__).parents[2] / "docs/user-guide.md").read_text(encoding="utf-8")
    head = "apiVersion: batch/v1\nkind: CronJob\n"
    return head + guide.split(head)[1].partition("```")[0].replace("shop", name)


def rendered(
    namespace: str,
    spin: str,
    identity: PodIdentity | None,
    application: Application = PLAIN,
    form: Form = "rootfs",
    more: str = "",
) -> Rendered:
    settings = KubeSettings(NEWEST_RUNTIME, form, Installer.PREINSTALLED, ServiceType.CLUSTER_IP, spin)
    given = {"region": "eu"} if application is TALKATIVE else {}
    payload = Payload(form, {"app": 2_700_000})
    values = RenderValues(
        application.name, namespace, IMAGE, payload, variables=given, ca_certificates="PEM\n", identity=identity
    )
    own = {"own.yaml": more} if more else {}
    return render(files(application, settings) | own, values)


def brought_up(cluster: Cluster, namespace: str, of: Rendered, name: str = "hello") -> tuple[Applied, list[str]]:
    """What was applied, and what was said of it; its pods are healthy."""
    said: list[str] = []
    done = apply(cluster, of.objects, application=name, namespace=namespace, previous=None, progress=said.append)
    return rollout.wait(cluster, done, timeout_s=30, progress=lambda line: None), said


def pods(kubernetes: Kubernetes, namespace: str) -> list[dict[str, Any]]:
    return [one for one in kubernetes.pods(namespace) if "deletionTimestamp" not in one["metadata"]]


def the_pod(kubernetes: Kubernetes, namespace: str) -> dict[str, Any]:
    """The one that is left once the last rollout is over."""
    (pod,) = wait_for(
        lambda: found if len(found := pods(kubernetes, namespace)) == 1 else None, f"one pod in {namespace}"
    )
    return pod


def account(kubernetes: Kubernetes, namespace: str) -> dict[str, Any]:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{FIRST.service_account}"
    found: dict[str, Any] = kubernetes.api.get(path)
    return found


@pytest.mark.parametrize("form", ["artifact", "rootfs"])
@pytest.mark.parametrize(
    ("application", "name"),
    [(PLAIN, "hello"), (TALKATIVE, "order-desk"), (LISTENER, "listener")],
    ids=["hello", "order-desk", "listener"],
)
def test_all_of_it_is_accepted_and_the_second_time_nothing_changes(
    cluster: Cluster, namespace: str, spin: str, application: Application, name: str, form: Form
) -> None:
    objects = rendered(namespace, spin, FIRST, application, form)

    _, first = brought_up(cluster, namespace, objects, name)
    done, second = brought_up(cluster, namespace, objects, name)

    assert f"ServiceAccount {namespace}/storefront created" in first
    assert {"unchanged"} == {line.rpartition(" ")[2] for line in second}
    assert () == observe(cluster, done).sentences


def test_the_pods_run_as_the_account_with_the_label_and_without_a_token_for_kubernetes(
    cluster: Cluster, kubernetes: Kubernetes, namespace: str, spin: str
) -> None:
    brought_up(cluster, namespace, rendered(namespace, spin, FIRST))

    pod = the_pod(kubernetes, namespace)
    assert "storefront" == pod["spec"]["serviceAccountName"]
    assert "true" == pod["metadata"]["labels"][USE_LABEL]
    assert "86400" == pod["metadata"]["annotations"][EXPIRATION_ANNOTATION]
    assert ["spin-state"] == [volume["name"] for volume in pod["spec"]["volumes"]]
    assert FIRST.client_id == account(kubernetes, namespace)["metadata"]["annotations"][CLIENT_ID_ANNOTATION]


def test_another_identity_makes_new_pods_and_without_one_all_of_it_goes(
    cluster: Cluster, kubernetes: Kubernetes, namespace: str, spin: str
) -> None:
    names = []
    for identity in (FIRST, SECOND):
        brought_up(cluster, namespace, rendered(namespace, spin, identity))
        names.append(the_pod(kubernetes, namespace)["metadata"]["name"])
    there = account(kubernetes, namespace)["metadata"]["annotations"][CLIENT_ID_ANNOTATION]
    done, said = brought_up(cluster, namespace, rendered(namespace, spin, None))

    assert SECOND.client_id == there
    assert 2 == len(set(names))
    assert "default" == the_pod(kubernetes, namespace)["spec"]["serviceAccountName"]
    assert () == observe(cluster, done).sentences
    assert f"ServiceAccount {namespace}/storefront deleted: it is no longer in the manifests" in said


def test_the_account_s_token_says_who_it_is_as_azure_is_told_and_holds_for_a_day(
    cluster: Cluster, kubernetes: Kubernetes, namespace: str, spin: str
) -> None:
    brought_up(cluster, namespace, rendered(namespace, spin, FIRST))
    wanted = service_account("any", "https://issuer", namespace, FIRST.service_account)
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [AUDIENCE], "expirationSeconds": 86400},
    }

    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{FIRST.service_account}/token"
    token = kubernetes.api.create(path, request)["status"]["token"]

    middle = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert (wanted.subject, list(wanted.audiences)) == (claims["sub"], claims["aud"])
    assert 86400 == claims["exp"] - claims["iat"]


def test_the_guide_s_restarter_may_replace_the_pods_and_that_is_no_drift(
    cluster: Cluster, kubernetes: Kubernetes, namespace: str, spin: str
) -> None:
    objects = rendered(namespace, spin, FIRST, more=restarter("hello"))
    done, _ = brought_up(cluster, namespace, objects)
    before = the_pod(kubernetes, namespace)
    (job,) = [item.body for item in objects.objects if item.key.kind == "CronJob"]
    pod: Any = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]  # type: ignore[index, call-overload]
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{pod['serviceAccountName']}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = kubernetes.api.create(path, request)["status"]["token"]

    server = ("--server", kubernetes.server, "--certificate-authority", str(kubernetes.ca), "--token", token)
    argv = ["kubectl", "--kubeconfig", "/dev/null", *server, "--namespace", namespace, *pod["containers"][0]["args"]]
    subprocess.run(argv, check=True, capture_output=True)

    wait_for(
        lambda: the_pod(kubernetes, namespace)["metadata"]["uid"] != before["metadata"]["uid"] or None, "another pod"
    )
    _, said = brought_up(cluster, namespace, objects)
    assert {"unchanged"} == {line.rpartition(" ")[2] for line in said}
    assert () == observe(cluster, done).sentences


def mutated(pod: dict[str, Any], identity: PodIdentity) -> dict[str, Any]:
    """What Azure's webhook makes of it (pkg/webhook/webhook.go of Azure/azure-workload-identity)."""
    folder = "/var/run/secrets/azure/tokens"
    source = {"path": "azure-identity-token", "expirationSeconds": 86400, "audience": AUDIENCE}
    token = {"name": "azure-identity-token", "projected": {"sources": [{"serviceAccountToken": source}]}}
    spec = pod["spec"]
    container = spec["containers"][0]
    variables = {
        "AZURE_CLIENT_ID": identity.client_id,
        "AZURE_TENANT_ID": "tenant",
        "AZURE_FEDERATED_TOKEN_FILE": f"{folder}/azure-identity-token",
        "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
    }
    entries = [{"name": name, "value": value} for name, value in variables.items()]
    mount = {"name": token["name"], "mountPath": folder, "readOnly": True}
    container |= {"env": [*container.get("env", []), *entries], "volumeMounts": [*container["volumeMounts"], mount]}
    return pod | {"spec": spec | {"volumes": [*spec["volumes"], token]}}


@pytest.mark.parametrize("application", [PLAIN, TALKATIVE, LISTENER], ids=lambda application: application.name)
def test_with_azure_s_token_pods_still_pass_the_restricted_standard_and_get_no_other_token(
    cluster: Cluster, kubernetes: Kubernetes, namespace: str, spin: str, application: Application
) -> None:
    enforced = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    objects = {item.key.kind: item.body for item in rendered(namespace, spin, FIRST, application).objects}
    kubernetes.api.merge(f"/api/v1/namespaces/{namespace}", enforced)
    kubernetes.api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", objects["ServiceAccount"])
    template: Any = objects["Deployment"]["spec"]["template"]  # type: ignore[index, call-overload]
    pod = {"metadata": {**template["metadata"], "name": "one"}, "spec": template["spec"]}

    answer = kubernetes.api.create(f"/api/v1/namespaces/{namespace}/pods?dryRun=All", mutated(pod, FIRST))

    assert ["spin-state", "azure-identity-token"] == [volume["name"] for volume in answer["spec"]["volumes"]]
    assert "storefront" == answer["spec"]["serviceAccountName"]
    assert answer["spec"]["automountServiceAccountToken"] is False
