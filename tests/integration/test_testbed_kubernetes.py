"""The Kubernetes of the test bed is what it says it is: needs what scripts/build-testbed builds."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML
from testbed.api import Api, ApiError, wait_for
from testbed.cluster import Node
from testbed.pod_states import ANNOTATION, DELAY, EXIT_CODE, STATES

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.cluster import Kubernetes


def deployment(annotations: dict[str, str] | None = None, **pod: object) -> dict[str, Any]:
    labels = {"app": "hello"}
    containers = [{"name": "hello", "image": "127.0.0.1:5000/hello:1"}]
    template = {
        "metadata": {"labels": labels, "annotations": annotations or {}},
        "spec": {"containers": containers, **pod},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "hello"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }


def deploy(kubernetes: Kubernetes, namespace: str, document: dict[str, Any]) -> str:
    """The path of the Deployment."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/hello"
    kubernetes.api.apply(path, document)
    return path


def first_container(kubernetes: Kubernetes, namespace: str) -> dict[str, Any]:
    """The status of a pod's container, once the node has said something of it."""
    return wait_for(
        lambda: next(
            (
                pod["status"]["containerStatuses"][0]
                for pod in kubernetes.pods(namespace)
                if "containerStatuses" in pod["status"]
            ),
            None,
        ),
        "pod that a node has looked at",
    )


def ready_replicas(kubernetes: Kubernetes, path: str) -> int:
    return int(kubernetes.api.get(path).get("status", {}).get("readyReplicas", 0))


def test_a_deployment_gets_ready(kubernetes: Kubernetes, namespace: str) -> None:
    path = deploy(kubernetes, namespace, deployment())

    assert wait_for(lambda: ready_replicas(kubernetes, path), "pod that is ready") == 1


def test_a_pod_takes_the_time_it_is_told_to_get_ready(kubernetes: Kubernetes, namespace: str) -> None:
    path = deploy(kubernetes, namespace, deployment({DELAY: "1h"}))

    [pod] = wait_for(lambda: kubernetes.pods(namespace), "pod")

    assert (pod["status"]["phase"], ready_replicas(kubernetes, path)) == ("Pending", 0)


def test_a_job_completes(kubernetes: Kubernetes, namespace: str) -> None:
    containers = [{"name": "hello", "image": "127.0.0.1:5000/hello:1"}]
    template = {"spec": {"containers": containers, "restartPolicy": "Never"}}
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs/hello"

    kubernetes.api.apply(
        path, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "hello"}, "spec": {"template": template}}
    )

    assert wait_for(lambda: kubernetes.api.get(path)["status"].get("succeeded"), "job that is done") == 1


EXPECTED = {
    "crash-loop": ("waiting", "CrashLoopBackOff", {"exitCode": 137, "reason": "Error"}),
    "oom-killed": ("waiting", "CrashLoopBackOff", {"exitCode": 137, "reason": "OOMKilled"}),
    "never-ready": ("running", None, None),
    "image-pull": ("waiting", "ImagePullBackOff", None),
    "create-container": ("waiting", "CreateContainerError", None),
    "create-container-config": ("waiting", "CreateContainerConfigError", None),
    "no-sandbox": ("waiting", "ContainerCreating", None),
    "no-mount": ("waiting", "ContainerCreating", None),
}


def test_every_state_of_a_pod_is_looked_at() -> None:
    assert set(EXPECTED) == set(STATES)


@pytest.mark.parametrize("state", EXPECTED)
def test_a_pod_ends_as_its_namespace_says(kubernetes: Kubernetes, state: str) -> None:
    namespace = kubernetes.new_namespace(state)
    path = deploy(kubernetes, namespace, deployment())

    container = first_container(kubernetes, namespace)
    [(kind, details)] = container["state"].items()
    ended = container["lastState"].get("terminated", {})

    shown = {name: ended[name] for name in ("exitCode", "reason") if name in ended} or None
    assert (kind, details.get("reason"), shown) == EXPECTED[state]
    assert ("message" in ended, container["ready"], ready_replicas(kubernetes, path)) == (False, False, 0)


@pytest.mark.parametrize("state", EXPECTED)
def test_the_node_says_why_a_pod_does_not_start(kubernetes: Kubernetes, state: str) -> None:
    namespace = kubernetes.new_namespace(state)
    deploy(kubernetes, namespace, deployment())

    def warnings() -> set[tuple[str, str]]:
        events = kubernetes.api.get(f"/api/v1/namespaces/{namespace}/events?fieldSelector=type=Warning")["items"]
        return {(event["reason"], event["message"]) for event in events if event["involvedObject"]["kind"] == "Pod"}

    expected = set(STATES[state].events)
    assert wait_for(lambda: warnings() & expected == expected, "event of the pod")


def test_a_pod_ends_as_its_annotations_say(kubernetes: Kubernetes, namespace: str) -> None:
    deploy(kubernetes, namespace, deployment({ANNOTATION: "crash-loop", EXIT_CODE: "1"}))

    assert first_container(kubernetes, namespace)["lastState"]["terminated"]["exitCode"] == 1


def test_logs_are_what_the_test_wrote(kubernetes: Kubernetes, namespace: str) -> None:
    deploy(kubernetes, namespace, deployment())
    kubernetes.write_logs(namespace, ["one", "two", "three"], previous=["before"])
    first_container(kubernetes, namespace)
    path = f"/api/v1/namespaces/{namespace}/pods/{kubernetes.pods(namespace)[0]['metadata']['name']}/log"

    def logs(query: str = "") -> str | None:
        try:
            return str(kubernetes.api.get(path + query))
        except ApiError:  # the node has not heard of them yet
            return None

    assert wait_for(logs, "log") == "one\ntwo\nthree\n"
    assert logs("?tailLines=1") == "three\n"
    assert logs("?previous=true") == "before\n"


def test_a_node_shows_what_aks_shows(kubernetes: Kubernetes, namespace: str) -> None:
    old = Node("aks-old-1", pool="old", containerd="1.7.27", os_image="Ubuntu 22.04.5 LTS", runtime_handlers=())

    with kubernetes.node(old):
        path = deploy(kubernetes, namespace, deployment(nodeSelector={"kubernetes.azure.com/agentpool": "old"}))
        wait_for(lambda: ready_replicas(kubernetes, path), "pod that is ready")
        [pod] = kubernetes.pods(namespace)
        info = kubernetes.api.get("/api/v1/nodes/aks-old-1")["status"]["nodeInfo"]

    assert pod["spec"]["nodeName"] == "aks-old-1"
    assert (info["containerRuntimeVersion"], info["osImage"]) == ("containerd://1.7.27", "Ubuntu 22.04.5 LTS")


def test_a_pod_that_no_node_suits_stays_unscheduled(kubernetes: Kubernetes, namespace: str) -> None:
    deploy(kubernetes, namespace, deployment(nodeSelector={"kubernetes.azure.com/agentpool": "none"}))

    def reasons() -> list[str]:
        conditions = [
            condition for pod in kubernetes.pods(namespace) for condition in pod["status"].get("conditions", [])
        ]
        return [condition["reason"] for condition in conditions if condition["type"] == "PodScheduled"]

    assert wait_for(reasons, "condition of the pod") == ["Unschedulable"]


def test_a_service_gets_the_address_that_the_test_gives_it(kubernetes: Kubernetes, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/services/hello"
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
    kubernetes.api.apply(path, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hello"}, "spec": spec})

    kubernetes.give_address(namespace, "hello", "203.0.113.7")

    assert kubernetes.api.get(path)["status"]["loadBalancer"]["ingress"][0]["ip"] == "203.0.113.7"


def kubectl(kubeconfig: Path, *arguments: str) -> tuple[int, str, str]:
    argv = ["kubectl", f"--kubeconfig={kubeconfig}", f"--cache-dir={kubeconfig.parent / 'cache'}", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_every_kubeconfig_makes_the_user_that_its_name_says(kubernetes: Kubernetes, namespace: str) -> None:
    limited = kubernetes.kubeconfig_for(namespace, [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}])
    ask = ("get", "pods", f"--namespace={namespace}", "--output=name")

    refused = 'pods is forbidden: User "stranger" cannot list resource "pods"'
    assert kubectl(kubernetes.kubeconfig, *ask)[0] == 0
    assert kubectl(kubernetes.kubeconfig_with_certificate, *ask)[0] == 0
    assert kubectl(limited, *ask)[0] == 0
    assert "Forbidden" in kubectl(limited, "get", "secrets", f"--namespace={namespace}")[2]
    assert refused in kubectl(kubernetes.kubeconfig_without_rights, *ask)[2]
    assert "Unauthorized" in kubectl(kubernetes.kubeconfig_with_wrong_token, *ask)[2]


def test_the_server_says_which_version_it_plays(kubernetes: Kubernetes) -> None:
    code, out, _ = kubectl(kubernetes.kubeconfig, "version", "--output=json")

    assert (code, json.loads(out)["serverVersion"]["gitVersion"]) == (0, "v1.36.3")


def test_two_owners_of_one_field_are_a_conflict(kubernetes: Kubernetes, namespace: str) -> None:
    path = deploy(kubernetes, namespace, deployment())
    other = {**deployment(), "spec": {**deployment()["spec"], "replicas": 3}}

    with pytest.raises(ApiError) as refused:
        kubernetes.api.request("PATCH", f"{path}?fieldManager=other", other, "application/apply-patch+yaml")

    assert refused.value.status == 409


def test_the_projects_custom_resources_are_served(kubernetes: Kubernetes, namespace: str, shared: Path) -> None:
    for definition in sorted((shared / "crds").glob("*.yaml")):
        kubernetes.load(YAML(typ="safe", pure=True).load(definition))

    kinds = {resource["kind"] for resource in kubernetes.api.get("/apis/core.spinkube.dev/v1alpha1")["resources"]}
    assert kinds >= {"SpinApp", "SpinAppExecutor"}


def test_nobody_speaks_for_an_unknown_token(kubernetes: Kubernetes) -> None:
    stranger = Api(kubernetes.server, kubernetes.ca, "unknown")

    with pytest.raises(ApiError) as refused:
        stranger.get("/api/v1/namespaces")

    stranger.close()
    assert refused.value.status == 401
