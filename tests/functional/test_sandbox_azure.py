"""The sandbox's Azure through its proxy: real SDKs in a process of their own, with nothing but an environment."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spin_aks import sandbox
from spin_aks.sandbox.azure.authority import Authority
from spin_aks.sandbox.azure.tunnel import Upstream
from spin_aks.sandbox.web import Answer, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

# What every script begins with.
PREAMBLE = """
import base64, json, sys
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
import requests, yaml

credential = DefaultAzureCredential()
subscription = next(iter(SubscriptionClient(credential).subscriptions.list())).subscription_id
groups = ResourceManagementClient(credential, subscription).resource_groups
clusters = ContainerServiceClient(credential, subscription).managed_clusters
registries = ContainerRegistryManagementClient(credential, subscription).registries
assignments = AuthorizationManagementClient(credential, subscription).role_assignments
CLUSTER = {
    "location": "eastus",
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "dnsPrefix": "own",
        "agentPoolProfiles": [{"name": "nodepool1", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5"}],
    },
}
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
DIGEST = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}

def result(value):
    print(json.dumps(value))

def push(server):
    exchanged = requests.post(f"https://{server}/oauth2/exchange", data={
        "grant_type": "access_token", "service": server,
        "access_token": credential.get_token("https://containerregistry.azure.net/.default").token})
    given = requests.post(f"https://{server}/oauth2/token", data={
        "grant_type": "refresh_token", "service": server, "scope": "repository:team/app:pull,push",
        "refresh_token": exchanged.json()["refresh_token"]})
    headers = {"Authorization": "Bearer " + given.json()["access_token"]}
    begun = requests.post(f"https://{server}/v2/team/app/blobs/uploads/", headers=headers)
    if begun.status_code != 202:
        return [begun.status_code]
    put = requests.put(begun.headers["Location"] + "?digest=" + DIGEST, data=b"{}", headers=headers)
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": 2}
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}
    done = requests.put(f"https://{server}/v2/team/app/manifests/one", json=manifest, headers={
        **headers, "Content-Type": kind})
    return [begun.status_code, put.status_code, done.status_code]
"""

SIGN_IN = """
from azure.identity import EnvironmentCredential
try:
    EnvironmentCredential().get_token("https://management.azure.com/.default")
except Exception as error:
    print(error)
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[sandbox.Running]:
    with sandbox.start(tmp_path / "sandbox") as started:
        yield started


def script(code: str, environment: dict[str, str]) -> Any:
    """What it printed last, as JSON; it runs in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def trouble(running: sandbox.Running, text: str) -> None:
    folder = Path(running.environment["REQUESTS_CA_BUNDLE"]).parent
    (folder / "trouble.toml").write_text(text, encoding="utf-8")


def test_an_unchanged_credential_signs_in_and_a_cluster_leads_to_the_sandboxes_own(running: sandbox.Running) -> None:
    found = script(
        """
        groups.create_or_update("rg", {"location": "eastus"})
        cluster = clusters.begin_create_or_update("rg", "aks", CLUSTER).result()
        kubeconfig = yaml.safe_load(bytes(clusters.list_cluster_user_credentials("rg", "aks").kubeconfigs[0].value))
        server = kubeconfig["clusters"][0]["cluster"]["server"]
        namespaces = requests.get(server + "/api/v1/namespaces").json()["items"]
        result([cluster.provisioning_state, kubeconfig["current-context"], kubeconfig["users"][0]["name"],
                bool(cluster.identity_profile["kubeletidentity"].object_id),
                "default" in [one["metadata"]["name"] for one in namespaces]])
        """,
        running.environment,
    )

    assert ["Succeeded", "aks", "clusterUser_rg_aks", True, True] == found


def test_a_wrong_secret_and_a_wrong_tenant_are_told_in_entras_words(running: sandbox.Running) -> None:
    answers = []
    for name in ("AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"):
        wrong = {**os.environ, **running.environment, name: "5a4db0c5-0000-4000-8000-00000000000f"}
        done = subprocess.run([sys.executable, "-c", SIGN_IN], env=wrong, capture_output=True, text=True, check=True)
        answers.append(done.stdout)

    assert "AADSTS7000215: Invalid client secret provided" in answers[0]
    assert "Unable to get authority configuration for https://login.microsoftonline.com/5a4db0c5-0000" in answers[1]
    assert "AADSTS700016: Application with identifier" in answers[2]


def test_a_pod_pulls_from_a_registry_once_the_kubelet_may(running: sandbox.Running) -> None:
    code = """
    import time
    groups.create_or_update("rg", {"location": "eastus"})
    cluster = clusters.begin_create_or_update("rg", "aks", CLUSTER).result()
    registry = registries.begin_create("rg", "registry1", {"location": "eastus", "sku": {"name": "Basic"}}).result()
    pushed = push(registry.login_server)
    kubeconfig = yaml.safe_load(bytes(clusters.list_cluster_user_credentials("rg", "aks").kubeconfigs[0].value))
    server = kubeconfig["clusters"][0]["cluster"]["server"]
    pods = server + "/api/v1/namespaces/default/pods"
    image = registry.login_server + "/team/app:one"

    def state(name):
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
                "spec": {"containers": [{"name": "app", "image": image}]}}
        requests.post(pods, json=body).raise_for_status()
        for _ in range(200):
            statuses = requests.get(f"{pods}/{name}").json()["status"].get("containerStatuses") or [{}]
            found = statuses[0].get("state", {})
            if "running" in found or "ErrImagePull" in str(found) or "ImagePullBackOff" in str(found):
                return found
            time.sleep(0.05)

    before = state("before")
    kubelet = cluster.identity_profile["kubeletidentity"].object_id
    role = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}"
    assignments.create(registry.id, "38dec33c-4435-4f70-92a1-8e1cc6e118db", {
        "properties": {"roleDefinitionId": role, "principalId": kubelet, "principalType": "ServicePrincipal"}})
    result([pushed, before, state("after")])
    """

    pushed, before, after = script(code, running.environment)

    assert [202, 201, 201] == pushed
    assert "401 Unauthorized" in before["waiting"]["message"]
    assert "running" in after


def test_a_registry_with_repository_permissions_takes_no_push_without_a_role(running: sandbox.Running) -> None:
    code = """
    import uuid
    groups.create_or_update("rg", {"location": "eastus"})
    body = {"location": "eastus", "sku": {"name": "Basic"},
            "properties": {"roleAssignmentMode": "AbacRepositoryPermissions"}}
    registry = registries.begin_create("rg", "registry1", body).result()
    token = credential.get_token("https://management.azure.com/.default").token
    padded = token.split(".")[1] + "=="
    me = json.loads(base64.urlsafe_b64decode(padded))["oid"]

    def assign(role):
        definition = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        assignments.create(registry.id, str(uuid.uuid4()), {
            "properties": {"roleDefinitionId": definition, "principalId": me, "principalType": "ServicePrincipal"}})

    found = [push(registry.login_server)]
    assign("8311e382-0749-4cb8-b61a-304f252e45ec")  # AcrPush
    found.append(push(registry.login_server))
    assign("2a1e307c-b015-4ebd-883e-5b7698a07328")  # Container Registry Repository Writer
    found.append(push(registry.login_server))
    result([registry.role_assignment_mode, *found])
    """

    found = script(code, running.environment)

    assert ["AbacRepositoryPermissions", [401], [401], [202, 201, 201]] == found


def test_a_command_applies_files_in_a_private_cluster(running: sandbox.Running) -> None:
    code = """
    import io, zipfile
    groups.create_or_update("rg", {"location": "eastus"})
    CLUSTER["properties"]["apiServerAccessProfile"] = {"enablePrivateCluster": True}
    clusters.begin_create_or_update("rg", "aks", CLUSTER).result()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("map.json", json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own"}}))
    ran = clusters.begin_run_command("rg", "aks", {
        "command": "kubectl apply --server-side -f map.json", "context": base64.b64encode(content.getvalue()).decode()
    }).result()
    result([ran.exit_code, ran.logs])
    """

    assert [0, "configmap/own serverside-applied\n"] == script(code, running.environment)


def test_what_was_begun_by_a_client_that_is_gone_is_found_ready_by_the_next_sandbox(tmp_path: Path) -> None:
    with sandbox.start(tmp_path) as running:
        script(
            """
            groups.create_or_update("rg", {"location": "eastus"})
            clusters.begin_create_or_update("rg", "aks", CLUSTER, polling=False)
            result(None)
            """,
            running.environment,
        )
    with sandbox.start(tmp_path) as running:
        found = script('result([clusters.get("rg", "aks").provisioning_state for _ in range(2)])', running.environment)

    assert ["Creating", "Succeeded"] == found


@pytest.mark.parametrize("content", ["kind: [", None])
def test_clusters_can_lead_to_another_cluster_and_say_so_when_that_is_none(
    running: sandbox.Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    code = """
    groups.create_or_update("rg", {"location": "eastus"})
    clusters.begin_create_or_update("rg", "aks", CLUSTER).result()
    try:
        found = yaml.safe_load(bytes(clusters.list_cluster_user_credentials("rg", "aks").kubeconfigs[0].value))
        result(found["clusters"][0]["cluster"]["server"])
    except HttpResponseError as error:
        result(error.error.message)
    """
    real = tmp_path / "real"
    monkeypatch.setenv("SPIN_AKS_SANDBOX_KUBECONFIG", str(real))
    sandboxes_own = Path(running.environment["KUBECONFIG"]).read_text(encoding="utf-8")
    real.write_text(sandboxes_own.replace("server: http://127.0.0.1", "server: http://real.example"), encoding="utf-8")
    leading = script(code, running.environment)
    if content is None:
        real.unlink()
    else:
        real.write_text(content, encoding="utf-8")
    misled = script(code, running.environment)

    assert leading.startswith("http://real.example:")
    assert misled.startswith("spin-aks sandbox: its clusters lead nowhere: ")


def test_azure_is_where_it_was_when_another_sandbox_takes_over(tmp_path: Path) -> None:
    """Two sandboxes on one folder; the one that serves is killed while the other one's command goes on."""
    environment = {**os.environ, "SPIN_AKS_SANDBOX_DIR": str(tmp_path)}
    serving = [sys.executable, "-m", "spin_aks", "sandbox", "--", "sh", "-c", "echo ready; sleep 60"]
    code = """
    import os, signal, time
    groups.create_or_update("rg", {"location": "eastus"})
    os.kill(int(os.environ["SERVING"]), signal.SIGKILL)
    found = []
    for _ in range(100):
        try:
            found = [group.name for group in groups.list()]
            break
        except Exception:
            time.sleep(0.05)
    result(found)
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(
        serving, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as first:
        try:
            assert first.stdout is not None
            assert "ready\n" == first.stdout.readline()
            command = [sys.executable, "-c", PREAMBLE + textwrap.dedent(code)]
            done = subprocess.run(
                [sys.executable, "-m", "spin_aks", "sandbox", "--", *command],
                env={**environment, "SERVING": str(first.pid)},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        finally:
            os.killpg(first.pid, 9)

    assert ["rg"] == json.loads(done.stdout.splitlines()[-1]), done.stderr


def test_a_damaged_azure_is_told_to_its_clients(tmp_path: Path) -> None:
    (tmp_path / "azure").mkdir(parents=True)
    (tmp_path / "azure" / "azure.sqlite").write_bytes(b"no database" * 100)
    (tmp_path / "sandbox.json").write_text("{}", encoding="utf-8")
    with sandbox.start(tmp_path) as running:
        status, connection = connect(running, "management.azure.com:443")
        connection.close()

    assert b"HTTP/1.1 503 the sandbox's Azure can't start: file is not a database" == status


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('path = "*/aks"\nmethod = "PUT"\nknown = "AuthorizationFailed"', [403, "AuthorizationFailed"]),
        ('path = "*/aks"\nmethod = "PUT"\nknown = "TooManyRequests"\ntimes = 1', "Succeeded"),
        ('path = "*/aks"\nmethod = "GET"\nknown = "ServiceUnavailable"\ntimes = 2', "Succeeded"),
        ('path = "*/aks"\nmethod = "GET"\ndrop = true\ntimes = 2', "Succeeded"),
        ('path = "*/aks"\nmethod = "PUT"\nslow_s = 0.3', "Succeeded"),
        ('path = "*/aks"\nmethod = "PUT"\nfail = { code = "NoCapacity", message = "none" }', [200, "NoCapacity"]),
    ],
)
def test_the_sdk_meets_the_trouble_that_the_file_says(running: sandbox.Running, rule: str, expected: object) -> None:
    trouble(running, f"[[rule]]\n{rule}\n")

    found = script(
        """
        groups.create_or_update("rg", {"location": "eastus"})
        try:
            result(clusters.begin_create_or_update("rg", "aks", CLUSTER).result().provisioning_state)
        except HttpResponseError as error:
            result([error.status_code, error.error.code])
        """,
        running.environment,
    )

    assert expected == found


def test_a_provider_that_is_not_registered_refuses_until_it_is(running: sandbox.Running) -> None:
    trouble(running, 'unregistered = ["Microsoft.ContainerRegistry"]')

    found = script(
        """
        groups.create_or_update("rg", {"location": "eastus"})
        body = {"location": "eastus", "sku": {"name": "Basic"}}
        found = []
        try:
            registries.begin_create("rg", "registry1", body)
        except HttpResponseError as error:
            found.append(error.error.code)
        providers = ResourceManagementClient(credential, subscription).providers
        found.append(providers.register("Microsoft.ContainerRegistry").registration_state)
        while providers.get("Microsoft.ContainerRegistry").registration_state != "Registered":
            pass
        result([*found, registries.begin_create("rg", "registry1", body).result().provisioning_state])
        """,
        running.environment,
    )

    assert ["MissingSubscriptionRegistration", "Registering", "Succeeded"] == found


def test_a_command_in_the_sandbox_finds_azure_and_makes_something_that_stays(tmp_path: Path) -> None:
    environment = {**os.environ, "SPIN_AKS_SANDBOX_DIR": str(tmp_path)}
    code = 'import os; print("AZURE_CLIENT_SECRET" in os.environ, os.environ["AZURE_TOKEN_CREDENTIALS"])'

    done = subprocess.run(
        [sys.executable, "-m", "spin_aks", "sandbox", "--", sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "True EnvironmentCredential\n" == done.stdout
    assert 0o600 == (tmp_path / "azure" / "token-key").stat().st_mode & 0o777


def connect(running: sandbox.Running, address: str) -> tuple[bytes, socket.socket]:
    """The proxy's answer, and the connection behind it."""
    host, _, port = running.environment["HTTPS_PROXY"].removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), 10)
    connection.sendall(f"CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(1)
    return answer.split(b"\r\n")[0], connection


def test_another_host_is_reached_as_if_there_were_no_sandbox(running: sandbox.Running) -> None:
    server = Server(lambda request: Answer(200, b"outside " + request.path.encode()))
    try:
        status, connection = connect(running, server.host)
        with connection:
            connection.sendall(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            content = b"".join(iter(lambda: connection.recv(4096), b""))
    finally:
        server.stop()

    assert b"HTTP/1.1 200 Connection established" == status
    assert content.endswith(b"outside /x")


def test_azure_can_be_offline(running: sandbox.Running) -> None:
    statuses = []
    for text in ('unreachable = ["login.*"]', ""):
        trouble(running, text)
        for host in ("login.microsoftonline.com", "management.azure.com"):
            status, connection = connect(running, f"{host}:443")
            connection.close()
            statuses.append(int(status.split()[1]))

    assert [502, 200, 200, 200] == statuses


@pytest.mark.parametrize("address", ["nobody.azurecr.io:443", "localhost:1"])
def test_a_host_that_is_not_there_is_a_bad_gateway(running: sandbox.Running, address: str) -> None:
    status, connection = connect(running, address)
    connection.close()

    assert status.startswith(b"HTTP/1.1 502 ")


def test_the_proxy_that_was_there_before_is_asked_first(running: sandbox.Running) -> None:
    host, _, port = running.environment["HTTPS_PROXY"].removeprefix("http://").partition(":")
    server = Server(lambda request: Answer(200, b"through two"))
    try:
        upstream = Upstream.of({"HTTPS_PROXY": f"http://{host}:{port}", "NO_PROXY": "other.example"})
        with upstream.connect("127.0.0.1", server.port) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            content = b"".join(iter(lambda: connection.recv(4096), b""))
    finally:
        server.stop()

    assert content.endswith(b"through two")


def test_a_client_that_does_not_trust_the_authority_is_not_spoken_to(running: sandbox.Running) -> None:
    _, connection = connect(running, "management.azure.com:443")

    with connection, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(connection, server_hostname="management.azure.com")


def test_the_authority_is_made_once_and_trusts_what_was_trusted(tmp_path: Path) -> None:
    (tmp_path / "company.pem").write_bytes(b"company\n")
    environment = {"REQUESTS_CA_BUNDLE": str(tmp_path / "company.pem")}

    contents = []
    for _ in range(2):
        authority = Authority(tmp_path / "azure", environment)
        contents.append(authority.bundle.read_bytes())

    assert contents[0] == contents[1]
    assert contents[0].startswith(b"company\n")
    assert contents[0].endswith((tmp_path / "azure" / "ca.pem").read_bytes())
    assert b"PRIVATE" not in contents[0]
