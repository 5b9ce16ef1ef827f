"""The sandbox's cluster as its clients see it: what it plays, and what it says it does not serve."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from spin_aks.sandbox import Running, start
from spin_aks.sandbox.folder import HeldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WITHIN_S = 20.0
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"


@dataclass(frozen=True, slots=True)
class Client:
    running: Running
    http: urllib3.PoolManager

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        server = next(line.split()[1] for line in self.running.kubeconfig.read_text().splitlines() if "server:" in line)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body).encode()
        return self.http.request(method, server + path, body=content, headers=named)

    def get(self, path: str) -> dict[str, Any]:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.data
        found: dict[str, Any] = answer.json()
        return found

    def make(self, path: str, body: dict[str, Any]) -> None:
        answer = self.ask("POST", path, body, Content_Type="application/json")
        assert answer.status == 201, answer.data

    def events(self, kind: str) -> dict[str, str]:
        found = self.get(f"/api/v1/namespaces/default/events?fieldSelector=involvedObject.kind={kind}")["items"]
        reasons = {event["reason"] for event in found}
        return {reason: "\n".join(e["message"] for e in found if e["reason"] == reason) for reason in reasons}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with start(tmp_path) as running, urllib3.PoolManager(retries=False) as http:
        yield Client(running, http)


def deployment(
    image: str = "example/app:1", *, fail: str = "", pod: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    annotations = {"spin-aks.dev/sandbox-fail": fail} if fail else {}
    template = {
        "metadata": {"labels": {"app": "web"}, "annotations": annotations},
        "spec": {"containers": [{"name": "web", "image": image}], **(pod or {})},
    }
    selector = {"matchLabels": {"app": "web"}}
    return {"metadata": {"name": "web"}, "spec": {"selector": selector, "template": template, **spec}}


def eventually(find: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + WITHIN_S
    while not (found := find()):
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)
    return found


def the_pod(client: Client, phase: str) -> Any:
    def find() -> Any:
        pods = client.get(PODS)["items"]
        return next(
            (pod for pod in pods if pod["status"].get("containerStatuses") and pod["status"]["phase"] == phase), None
        )

    return eventually(find, f"a pod that is {phase}")


def state_of(pod: Any) -> Any:
    return pod["status"]["containerStatuses"][0]["state"]


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "/apis/apps/v1/daemonsets", "the sandbox's cluster does not serve daemonsets (apps/v1)"),
        ("GET", "/apis/batch/v1/cronjobs", "the sandbox's cluster does not serve cronjobs (batch/v1)"),
        ("GET", "/api/v1/persistentvolumes", "the sandbox's cluster does not serve persistentvolumes (v1)"),
        (
            "GET",
            "/apis/networking.k8s.io/v1/ingresses",
            "the sandbox's cluster does not serve ingresses (networking.k8s.io/v1)",
        ),
        ("GET", "/apis/policy", "the sandbox's cluster does not serve the group policy"),
        (
            "DELETE",
            PODS,
            "the sandbox's cluster does not serve deletecollection of a collection (pods); "
            "delete the objects one by one",
        ),
        ("POST", f"{PODS}/web/exec", "the sandbox's cluster does not serve POST of pods/exec"),
    ],
)
def test_what_is_not_served_is_named(client: Client, method: str, path: str, message: str) -> None:
    answer = client.ask(method, path)

    assert answer.status == 501
    assert {
        "kind": "Status",
        "code": 501,
        "reason": "NotImplemented",
        "message": message,
    }.items() <= answer.json().items()


def test_a_strategic_merge_patch_is_not_served_by_name(client: Client) -> None:
    client.make(DEPLOYMENTS, deployment())
    answer = client.ask("PATCH", f"{DEPLOYMENTS}/web", {}, Content_Type="application/strategic-merge-patch+json")

    assert answer.json()["message"] == (
        "the sandbox's cluster does not serve strategic merge patches (deployments.apps): use a merge patch or apply"
    )


def test_a_custom_resource_that_nobody_installed_is_not_found(client: Client) -> None:
    assert client.ask("GET", "/apis/core.spinkube.dev/v1alpha1/spinapps").status == 404


def test_a_body_that_is_no_object_is_refused(client: Client) -> None:
    answer = client.ask("POST", "/api/v1/namespaces/default/configmaps", "no object")

    assert (answer.status, answer.json()["message"]) == (400, "the body is no JSON object")


def test_the_version_says_that_it_is_the_sandbox(client: Client) -> None:
    assert client.get("/version")["gitVersion"].endswith("+spin-aks-sandbox")


def test_a_running_pods_log_never_says_that_the_application_runs(client: Client) -> None:
    client.make(DEPLOYMENTS, deployment())
    name = the_pod(client, "Running")["metadata"]["name"]

    assert client.ask("GET", f"{PODS}/{name}/log").data.decode() == (
        "spin-aks sandbox: this pod is simulated. It counts as running, but nothing of the application runs.\n"
    )


def test_an_image_that_is_not_in_our_registry_can_not_be_pulled_until_it_is_there(client: Client) -> None:
    host = client.running.registry_host
    image = f"{host}/team/app:1"
    client.make(DEPLOYMENTS, deployment(image))
    pod = the_pod(client, "Pending")
    waiting = state_of(pod)["waiting"]
    push_image(client, "team/app", "1")
    after = state_of(the_pod(client, "Running"))

    assert waiting["reason"] == "ImagePullBackOff"
    assert waiting["message"].endswith(f'failed to resolve reference "{image}": {image}: not found')
    assert "Failed to pull" in client.events("Pod")["Failed"]
    assert "running" in after


def push_image(client: Client, repository: str, tag: str) -> None:
    base = f"http://{client.running.registry_host}/v2/{repository}"
    digest = f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
    client.http.request("POST", f"{base}/blobs/uploads/?digest={digest}", body=b"{}")
    manifest = {"schemaVersion": 2, "config": {"digest": digest}, "layers": []}
    answer = client.http.request("PUT", f"{base}/manifests/{tag}", body=json.dumps(manifest))
    assert answer.status == 201


@pytest.mark.parametrize(
    ("fail", "phase", "reason", "event"),
    [
        ("CrashLoopBackOff137", "Running", "CrashLoopBackOff", "BackOff"),
        ("CrashLoopBackOff1", "Running", "CrashLoopBackOff", "BackOff"),
        ("OOMKilled", "Running", "CrashLoopBackOff", "BackOff"),
        ("ImagePullBackOff", "Pending", "ImagePullBackOff", "Failed"),
        ("CreateContainerError", "Pending", "CreateContainerError", "Failed"),
        ("FailedCreatePodSandBox", "Pending", "ContainerCreating", "FailedCreatePodSandBox"),
        ("FailedMount", "Pending", "ContainerCreating", "FailedMount"),
        ("nonsense", "Pending", "UnknownSandboxFailure", "Scheduled"),
    ],
)
def test_a_failure_that_was_asked_for_is_played(client: Client, fail: str, phase: str, reason: str, event: str) -> None:
    client.make(DEPLOYMENTS, deployment(fail=fail))
    pod = the_pod(client, phase)

    assert state_of(pod)["waiting"]["reason"] == reason
    assert event in client.events("Pod")
    assert client.get(f"{DEPLOYMENTS}/web")["status"].get("availableReplicas", 0) == 0


@pytest.mark.parametrize(
    ("fail", "exit_code", "reason", "log"),
    [
        ("CrashLoopBackOff137", 137, "Error", ""),
        ("OOMKilled", 137, "OOMKilled", ""),
        (
            "CrashLoopBackOff3",
            3,
            "Error",
            "spin-aks sandbox: this pod is simulated. It counts as ended with exit code 3, "
            "but nothing of the application runs.\n",
        ),
    ],
)
def test_a_crashed_container_says_how_it_ended(
    client: Client, fail: str, exit_code: int, reason: str, log: str
) -> None:
    client.make(DEPLOYMENTS, deployment(fail=fail))
    pod = the_pod(client, "Running")
    ended = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]
    answer = client.ask("GET", f"{PODS}/{pod['metadata']['name']}/log?previous=true")

    assert (ended["exitCode"], ended["reason"]) == (exit_code, reason)
    assert answer.data.decode() == log


def test_a_pod_that_never_gets_ready_runs(client: Client) -> None:
    client.make(DEPLOYMENTS, deployment(fail="NotReady"))
    pod = the_pod(client, "Running")

    assert "running" in state_of(pod)
    assert pod["status"]["containerStatuses"][0]["ready"] is False
    assert client.events("Pod")["Unhealthy"].startswith("Startup probe failed")


def test_a_pod_without_a_fitting_node_stays_where_it_is(client: Client) -> None:
    client.make(DEPLOYMENTS, deployment(pod={"nodeSelector": {"disk": "fast"}}))
    message = eventually(lambda: client.events("Pod").get("FailedScheduling"), "a scheduling event")

    assert message == "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."


def test_a_missing_runtime_class_is_told_by_the_replica_set(client: Client) -> None:
    client.make(DEPLOYMENTS, deployment(pod={"runtimeClassName": "wasmtime-spin"}))
    message = eventually(lambda: client.events("ReplicaSet").get("FailedCreate"), "the event")
    conditions = eventually(
        lambda: [c for c in client.get(f"{DEPLOYMENTS}/web")["status"]["conditions"] if c["type"] == "ReplicaFailure"],
        "the condition",
    )

    assert 'is forbidden: pod rejected: RuntimeClass "wasmtime-spin" not found' in message
    assert conditions[0]["reason"] == "FailedCreate"


def test_a_runtime_class_makes_the_pods_start(client: Client) -> None:
    client.make(DEPLOYMENTS, deployment(pod={"runtimeClassName": "spin"}))
    client.make("/apis/node.k8s.io/v1/runtimeclasses", {"metadata": {"name": "spin"}, "handler": "spin"})

    assert state_of(the_pod(client, "Running"))["running"]


def test_a_handler_that_no_node_knows_is_told_by_the_pod(client: Client) -> None:
    client.make("/apis/node.k8s.io/v1/runtimeclasses", {"metadata": {"name": "slight"}, "handler": "slight"})
    client.make(DEPLOYMENTS, deployment(pod={"runtimeClassName": "slight"}))
    message = eventually(lambda: client.events("Pod").get("FailedCreatePodSandBox"), "the event")

    assert message.endswith('no runtime for "slight" is configured')


def test_a_missing_secret_keeps_the_container_from_starting(client: Client) -> None:
    source = {"valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    containers = [{"name": "web", "image": "example/app:1", "env": [{"name": "X", **source}]}]
    client.make(DEPLOYMENTS, deployment(pod={"containers": containers}))
    waiting = state_of(the_pod(client, "Pending"))["waiting"]
    client.make("/api/v1/namespaces/default/secrets", {"metadata": {"name": "db"}, "stringData": {"password": "x"}})

    assert waiting == {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}
    assert state_of(the_pod(client, "Running"))["running"]


def test_a_rollout_that_fails_leaves_the_old_pods_running(client: Client) -> None:
    client.make(DEPLOYMENTS, deployment(progressDeadlineSeconds=2))
    old = the_pod(client, "Running")["metadata"]["name"]
    eventually(lambda: client.get(f"{DEPLOYMENTS}/web")["status"].get("availableReplicas"), "the first state")
    annotations = {"spin-aks.dev/sandbox-fail": "CrashLoopBackOff137"}
    patch = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    client.ask("PATCH", f"{DEPLOYMENTS}/web", patch, Content_Type="application/merge-patch+json")

    def overdue() -> bool:
        conditions = client.get(f"{DEPLOYMENTS}/web")["status"]["conditions"]
        return any(c["reason"] == "ProgressDeadlineExceeded" and c["status"] == "False" for c in conditions)

    eventually(lambda: len(client.get(PODS)["items"]) == 2, "a pod of the new state")
    eventually(overdue, "the deadline")
    pods = {pod["metadata"]["name"]: pod["status"]["phase"] for pod in client.get(PODS)["items"]}
    assert len(pods) == 2
    assert pods[old] == "Running"
    assert client.get(f"{DEPLOYMENTS}/web")["status"]["availableReplicas"] == 1


def test_a_job_is_completed_and_says_so(client: Client) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "x", "image": "example/job:1"}]}}
    client.make("/apis/batch/v1/namespaces/default/jobs", {"metadata": {"name": "j"}, "spec": {"template": template}})
    path = "/apis/batch/v1/namespaces/default/jobs/j"
    status = eventually(
        lambda: client.get(path)["status"].get("completionTime") and client.get(path)["status"], "the end"
    )

    assert (status["succeeded"], [c["type"] for c in status["conditions"]]) == (1, ["SuccessCriteriaMet", "Complete"])
    assert the_pod(client, "Succeeded")["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


def test_a_job_that_fails_is_tried_again_and_given_up(client: Client) -> None:
    template = {
        "metadata": {"annotations": {"spin-aks.dev/sandbox-fail": "CrashLoopBackOff2"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "x", "image": "example/job:1"}]},
    }
    spec = {"template": template, "backoffLimit": 1}
    client.make("/apis/batch/v1/namespaces/default/jobs", {"metadata": {"name": "j"}, "spec": spec})
    path = "/apis/batch/v1/namespaces/default/jobs/j"
    status = eventually(lambda: client.get(path)["status"].get("conditions") and client.get(path)["status"], "the end")

    assert (status["failed"], [c["type"] for c in status["conditions"]]) == (2, ["FailureTarget", "Failed"])


def test_a_load_balancer_gets_an_address(client: Client) -> None:
    body = {"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
    client.make("/api/v1/namespaces/default/services", body)
    path = "/api/v1/namespaces/default/services/web"

    assert eventually(lambda: client.get(path)["status"]["loadBalancer"].get("ingress"), "an address") == [
        {"ip": "127.0.0.1", "ipMode": "VIP"}
    ]


def test_a_namespace_goes_with_all_that_is_in_it(client: Client) -> None:
    client.make("/api/v1/namespaces", {"metadata": {"name": "shop"}})
    client.make("/api/v1/namespaces/shop/configmaps", {"metadata": {"name": "a"}})
    client.ask("DELETE", "/api/v1/namespaces/shop")
    eventually(lambda: client.ask("GET", "/api/v1/namespaces/shop").status == 404, "the namespace is gone")

    assert client.ask("GET", "/api/v1/namespaces/shop/configmaps/a").status == 404


def test_a_finalizer_holds_an_object_until_it_is_taken_off(client: Client) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    client.make(path, {"metadata": {"name": "a", "finalizers": ["example.com/wait"]}})
    client.ask("DELETE", f"{path}/a")
    held = client.get(f"{path}/a")["metadata"]
    client.ask("PATCH", f"{path}/a", {"metadata": {"finalizers": None}}, Content_Type="application/merge-patch+json")

    assert "deletionTimestamp" in held
    assert client.ask("GET", f"{path}/a").status == 404


def test_a_folder_is_served_by_one_process_at_a_time(tmp_path: Path) -> None:
    with start(tmp_path), pytest.raises(HeldError, match="is run by another process"):
        start(tmp_path)


def test_everything_is_as_it_was_after_a_restart(tmp_path: Path) -> None:
    with start(tmp_path) as running, urllib3.PoolManager() as http:
        client = Client(running, http)
        client.make(DEPLOYMENTS, deployment())
        the_pod(client, "Running")
        eventually(lambda: client.get(f"{DEPLOYMENTS}/web")["status"].get("availableReplicas"), "available")
        before, environment = client.get(f"{DEPLOYMENTS}/web"), running.environment
    with start(tmp_path) as running, urllib3.PoolManager() as http:
        client = Client(running, http)
        after = client.get(f"{DEPLOYMENTS}/web")

    assert (environment, after) == (running.environment, before)
