"""Clusters, their operations and their credentials, as the sandbox's Azure plays them."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from testbed import azure_sandbox
from testbed.azure_requests import BELOW, ask, cluster_body, cluster_path, error, group

from spin_aks.sandbox.azure import identifiers, operations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.azure_recordings import Clients

    from spin_aks.sandbox.azure.world import World

ADDON = {"azureKeyvaultSecretsProvider": {"enabled": True, "config": {"enableSecretRotation": "true"}}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with azure_sandbox.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def azure(world: World) -> Clients:
    clients = azure_sandbox.connected(world)
    group(clients)
    return clients


def made(azure: Clients, name: str = "aks", **properties: Any) -> dict[str, Any]:
    """A cluster that is ready."""
    ask(azure, "PUT", cluster_path(name), cluster_body(**properties))
    ask(azure, "GET", cluster_path(name))
    found: dict[str, Any] = ask(azure, "GET", cluster_path(name)).json()
    assert "Succeeded" == found["properties"]["provisioningState"]
    return found


def test_identities_come_with_success_and_not_before(azure: Clients) -> None:
    begun = ask(azure, "PUT", cluster_path(), cluster_body(addonProfiles=ADDON)).json()["properties"]
    properties = made(azure, "other", addonProfiles=ADDON)["properties"]

    assert "Creating" == begun["provisioningState"]
    assert "identityProfile" not in begun
    assert "identity" not in begun["addonProfiles"]["azureKeyvaultSecretsProvider"]
    node_group = f"{BELOW}/resourcegroups/MC_rg_other_eastus/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    assert f"{node_group}/other-agentpool" == properties["identityProfile"]["kubeletidentity"]["resourceId"]
    addon = properties["addonProfiles"]["azureKeyvaultSecretsProvider"]["identity"]
    assert f"{node_group}/azurekeyvaultsecretsprovider-other" == addon["resourceId"]


def test_a_cluster_that_is_read_can_be_put_back_whole(azure: Clients) -> None:
    before = made(azure)
    changed = {**before, "properties": {**before["properties"], "addonProfiles": ADDON}}

    answer = ask(azure, "PUT", cluster_path(), changed)
    ask(azure, "GET", cluster_path())
    after = ask(azure, "GET", cluster_path()).json()

    assert (200, "Updating") == (answer.status_code, answer.json()["properties"]["provisioningState"])
    for name in ("fqdn", "identityProfile", "resourceUID", "networkProfile", "agentPoolProfiles", "kubernetesVersion"):
        assert before["properties"][name] == after["properties"][name]
    assert before["identity"] == after["identity"]
    assert before["eTag"] != after["eTag"]
    assert after["properties"]["addonProfiles"]["azureKeyvaultSecretsProvider"]["identity"]["objectId"]


def test_a_disabled_addon_has_neither_settings_nor_identity(azure: Clients) -> None:
    made(azure, addonProfiles=ADDON)

    off = {"azureKeyvaultSecretsProvider": {"enabled": False, "config": {"enableSecretRotation": "true"}}}
    addons = ask(azure, "PUT", cluster_path(), cluster_body(addonProfiles=off)).json()["properties"]["addonProfiles"]

    assert {"azureKeyvaultSecretsProvider": {"enabled": False, "config": None}} == addons


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_busy_cluster_takes_nothing_new(azure: Clients, method: str) -> None:
    ask(azure, "PUT", cluster_path(), cluster_body())

    status, code, message = error(ask(azure, method, cluster_path(), cluster_body()))

    assert (409, "OperationNotAllowed") == (status, code)
    assert message.startswith(
        "Operation is not allowed because there's an in progress update managed cluster operation"
    )


def test_an_old_etag_is_refused(azure: Clients) -> None:
    etag = made(azure)["eTag"]

    answers = []
    for wanted in ("old", etag):
        answers.append(ask(azure, "PUT", cluster_path(), cluster_body(), **{"If-Match": f'"{wanted}"'}))

    assert (409, "EtagMismatch") == error(answers[0])[:2]
    assert 200 == answers[1].status_code


def test_a_cluster_stays_where_it_is(azure: Clients) -> None:
    made(azure)

    answer = ask(azure, "PUT", cluster_path(), cluster_body("westus"))

    assert (409, "InvalidResourceLocation") == error(answer)[:2]


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("aks", {"location": "eastus"}, "InvalidParameter"),
        ("aks", {"properties": {}}, "LocationRequired"),
        ("-aks", cluster_body(), "InvalidParameter"),
        ("a" * 64, cluster_body(), "InvalidParameter"),
    ],
)
def test_what_can_not_be_made_is_refused(azure: Clients, name: str, body: dict[str, Any], code: str) -> None:
    assert (400, code) == error(ask(azure, "PUT", cluster_path(name), body))[:2]


def test_what_was_begun_ends_in_a_later_sandbox(tmp_path: Path) -> None:
    with azure_sandbox.opened(tmp_path) as world:
        first = azure_sandbox.connected(world)
        group(first)
        url = ask(first, "PUT", cluster_path(), cluster_body()).headers["Azure-AsyncOperation"]

    with azure_sandbox.opened(tmp_path) as world:
        second = azure_sandbox.connected(world)
        statuses = [ask(second, "GET", url).json()["status"] for _ in range(2)]
        state = ask(second, "GET", cluster_path()).json()["properties"]["provisioningState"]

    assert ["InProgress", "Succeeded"] == statuses
    assert "Succeeded" == state


def test_who_only_lists_sees_a_cluster_get_ready(azure: Clients) -> None:
    ask(azure, "PUT", cluster_path(), cluster_body())
    listed = "~/providers/Microsoft.ContainerService/managedClusters"

    states = [ask(azure, "GET", listed).json()["value"][0]["properties"]["provisioningState"] for _ in range(2)]

    assert ["Creating", "Succeeded"] == states


def test_a_deleted_cluster_takes_its_node_group_and_identities_along(azure: Clients, world: World) -> None:
    kubelet = made(azure)["properties"]["identityProfile"]["kubeletidentity"]

    answer = ask(azure, "DELETE", cluster_path())
    polls = [ask(azure, "GET", answer.headers["Azure-AsyncOperation"]).json()["status"] for _ in range(2)]

    assert (202, ["InProgress", "Succeeded"]) == (answer.status_code, polls)
    assert 200 == ask(azure, "GET", answer.headers["Location"]).status_code
    assert (404, "ResourceNotFound") == error(ask(azure, "GET", cluster_path()))[:2]
    assert ["rg"] == [one["name"] for one in ask(azure, "GET", "~/resourceGroups").json()["value"]]
    assert not world.state.has(kubelet["resourceId"])
    assert 204 == ask(azure, "DELETE", cluster_path()).status_code


def test_a_deleted_group_takes_its_clusters_and_their_node_groups_along(azure: Clients) -> None:
    made(azure)

    answer = ask(azure, "DELETE", "~/resourceGroups/rg")
    codes = [ask(azure, "GET", answer.headers["Location"]).status_code for _ in range(2)]

    assert [202, 200] == codes
    assert [] == ask(azure, "GET", "~/resourceGroups").json()["value"]
    assert [] == ask(azure, "GET", "~/resources").json()["value"]


def test_nothing_is_made_in_a_group_that_is_being_deleted(azure: Clients) -> None:
    ask(azure, "DELETE", "~/resourceGroups/rg")

    answer = ask(azure, "PUT", cluster_path(), cluster_body())

    assert (409, "ResourceGroupBeingDeleted") == error(answer)[:2]


def credentials(azure: Clients) -> dict[str, Any]:
    (found,) = ask(azure, "POST", cluster_path() + "/listClusterUserCredential").json()["kubeconfigs"]
    assert "clusterUser" == found["name"]
    document: dict[str, Any] = yaml.safe_load(base64.b64decode(found["value"]))
    return document


def test_a_cluster_of_entra_id_asks_for_a_token(azure: Clients) -> None:
    made(azure, aadProfile={"managed": True, "enableAzureRBAC": True})

    (user,) = credentials(azure)["users"]

    assert "kubelogin" == user["user"]["exec"]["command"]
    arguments = user["user"]["exec"]["args"]
    assert "6dae42f8-4368-4678-94ff-3960e28e3630" == arguments[arguments.index("--server-id") + 1]
    assert identifiers.TENANT == arguments[arguments.index("--tenant-id") + 1]


def test_a_private_cluster_has_an_address_that_nobody_outside_knows(azure: Clients) -> None:
    properties = made(azure, apiServerAccessProfile={"enablePrivateCluster": True})["properties"]

    (place,) = credentials(azure)["clusters"]

    assert properties["privateFQDN"].endswith(".privatelink.eastus.azmk8s.io")
    assert f"https://{properties['privateFQDN']}:443" == place["cluster"]["server"]


def test_a_cluster_that_is_being_made_has_no_credentials(azure: Clients) -> None:
    ask(azure, "PUT", cluster_path(), cluster_body())

    answer = ask(azure, "POST", cluster_path() + "/listClusterUserCredential")

    assert (409, "OperationNotAllowed") == error(answer)[:2]


def command(azure: Clients, body: dict[str, Any]) -> dict[str, Any]:
    """The properties of the result."""
    begun = ask(azure, "POST", cluster_path() + "/runCommand", body)
    assert 202 == begun.status_code
    assert 202 == ask(azure, "GET", begun.headers["Location"]).status_code
    found: dict[str, Any] = ask(azure, "GET", begun.headers["Location"]).json()["properties"]
    return found


def zipped(**files: str) -> str:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return base64.b64encode(content.getvalue()).decode()


def test_a_command_has_its_files_and_the_kubeconfig(azure: Clients) -> None:
    made(azure)

    found = command(azure, {"command": 'cat file; cat "$KUBECONFIG"', "context": zipped(file="words\n")})

    assert (0, f"words\n{azure_sandbox.KUBECONFIG}") == (found["exitCode"], found["logs"])


def test_a_command_that_fails_is_no_failed_request(azure: Clients) -> None:
    made(azure)

    found = command(azure, {"command": "echo no >&2; exit 3", "context": ""})

    assert ("Succeeded", 3, "no\n") == (found["provisioningState"], found["exitCode"], found["logs"])


def test_of_a_long_output_only_the_beginning_is_kept(azure: Clients) -> None:
    made(azure)

    found = command(azure, {"command": "head -c 600000 /dev/zero | tr '\\0' x; echo END", "context": ""})

    assert (0, "x" * 512_000) == (found["exitCode"], found["logs"])


@pytest.mark.parametrize(
    ("properties", "body", "code"),
    [
        ({"apiServerAccessProfile": {"disableRunCommand": True}}, {"command": "true"}, "RunCommandDisabled"),
        ({"aadProfile": {"managed": True}}, {"command": "true"}, "ClusterTokenRequired"),
        ({}, {"command": "true", "context": "no zip"}, "BadRequest"),
    ],
)
def test_a_command_can_be_refused(azure: Clients, properties: dict[str, Any], body: dict[str, Any], code: str) -> None:
    made(azure, **properties)

    assert (400, code) == error(ask(azure, "POST", cluster_path() + "/runCommand", body))[:2]


def switched(azure: Clients, verb: str) -> tuple[int, list[tuple[str, str]]]:
    """The status of the request, and state and power of the cluster, look by look until it ended."""
    begun = ask(azure, "POST", f"{cluster_path()}/{verb}")
    seen = []
    for _ in range(2):
        properties = ask(azure, "GET", cluster_path()).json()["properties"]
        seen.append((properties["provisioningState"], properties["powerState"]["code"]))
    assert "Succeeded" == ask(azure, "GET", begun.headers["Azure-AsyncOperation"]).json()["status"]
    assert 200 == ask(azure, "GET", begun.headers["Location"]).status_code
    return begun.status_code, seen


def test_a_cluster_is_stopped_and_started_again(azure: Clients) -> None:
    made(azure)

    stopped = switched(azure, "stop")
    pools = ask(azure, "GET", cluster_path()).json()["properties"]["agentPoolProfiles"]
    started = switched(azure, "start")

    assert (202, [("Stopping", "Running"), ("Succeeded", "Stopped")]) == stopped
    assert [{"code": "Stopped"}] == [pool["powerState"] for pool in pools]
    assert (202, [("Starting", "Stopped"), ("Succeeded", "Running")]) == started


@pytest.mark.parametrize(("first", "verb"), [("", "start"), ("stop", "stop")])
def test_what_is_stopped_or_started_already_is_not_so_once_more(azure: Clients, first: str, verb: str) -> None:
    made(azure)
    if first:
        switched(azure, first)
    power = "Stopped" if first else "Running"

    status, code, message = error(ask(azure, "POST", f"{cluster_path()}/{verb}"))

    assert (400, "BadRequest") == (status, code)
    assert message.startswith(f"managed cluster is in Provisioning State(Succeeded) and Power State({power}), {verb}")


def test_a_stopped_cluster_can_be_read_and_deleted_and_nothing_else(azure: Clients) -> None:
    cluster = made(azure)
    switched(azure, "stop")

    refused = [
        error(ask(azure, "PUT", cluster_path(), cluster))[:2],
        error(ask(azure, "POST", cluster_path() + "/runCommand", {"command": "true"}))[:2],
    ]

    assert [(409, "OperationNotAllowed")] * 2 == refused
    assert 200 == ask(azure, "POST", cluster_path() + "/listClusterUserCredential").status_code
    assert 202 == ask(azure, "DELETE", cluster_path()).status_code


def test_a_cluster_that_is_being_stopped_takes_nothing_new(azure: Clients) -> None:
    made(azure)
    ask(azure, "POST", cluster_path() + "/stop")

    assert (409, "OperationNotAllowed") == error(ask(azure, "POST", cluster_path() + "/start"))[:2]


def test_of_operations_that_ended_only_the_newest_are_remembered(azure: Clients, world: World) -> None:
    made(azure)

    for _ in range(operations.REMEMBERED + 20):
        url = ask(azure, "PUT", cluster_path(), cluster_body()).headers["Azure-AsyncOperation"]
        ask(azure, "GET", url)
        assert "Succeeded" == ask(azure, "GET", url).json()["status"]

    kept = world.state.all_of(operations.KIND)
    assert operations.REMEMBERED <= len(kept) <= operations.REMEMBERED + 1
    assert 200 == ask(azure, "GET", url).status_code


def test_an_operation_that_goes_on_is_never_forgotten(azure: Clients, world: World) -> None:
    ask(azure, "PUT", cluster_path("slow"), cluster_body())
    made(azure)

    for _ in range(operations.REMEMBERED + 20):
        ask(azure, "GET", ask(azure, "PUT", cluster_path(), cluster_body()).headers["Azure-AsyncOperation"])
        ask(azure, "GET", cluster_path())

    assert world.operations.running(cluster_path("slow").replace("~", BELOW)) is not None
