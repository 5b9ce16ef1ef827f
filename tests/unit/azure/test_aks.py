from __future__ import annotations

import base64
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from testbed.azure_answers import FAR_AWAY, Reply, Script, Signed, recorded, refused, scripted
from testbed.azure_recordings import load

from spin_aks.azure import aks, aks_access, aks_body, aks_changes
from spin_aks.azure.aks import Cluster, Identity
from spin_aks.azure.aks_body import NewCluster
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.found import AmbiguousError, NotFoundError
from spin_aks.azure.operations import Journal, Watch
from spin_aks.azure.problems import AzureRefusalError, Kind
from spin_aks.errors import AzureError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
SHOP = ResourceId.of(SUBSCRIPTION, "team", aks_body.KIND, "shop")
NEW = NewCluster(SHOP, "westeurope")
SOMEBODY = Identity("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001")
POLL = {"Azure-AsyncOperation": "https://management.azure.com/poll/1"}
DONE = Reply(200, {"status": "Succeeded"})


def recording(name: str) -> ResourceId:
    number = (
        "000001"
        if name in ("aks-create-lro", "aks-list-user-credentials", "aks-create-workload-identity")
        else "000002"
    )
    return ResourceId.of(SUBSCRIPTION, "clitest000001", aks_body.KIND, f"cliakstest{number}")


def test_a_recorded_cluster_is_read_and_its_id_compared_without_case(recordings: Path) -> None:
    found = aks.parse(next(iter(load(recordings, "aks-list-by-rg").exchanges.values())).body["value"][0])

    assert ResourceId.parse(str(found.id).upper().replace("/SUBSCRIPTIONS", "/subscriptions")) == found.id
    assert ("Succeeded", "Running", True) == (found.state, found.power, found.running)


def test_clusters_are_found_over_several_pages_and_named_when_they_are_not() -> None:
    script = Script()
    following = "https://management.azure.com/subscriptions/x/providers/Microsoft.ContainerService/managedClusters?p=2"
    script.answer(
        "GET",
        "/managedClusters$",
        Reply(200, {"value": [answer("Succeeded", group="a")["body"]], "nextLink": following}),
        Reply(200, {"value": [answer("Succeeded", group="b")["body"], answer("Succeeded", name="other")["body"]]}),
    )
    session = scripted(script)

    with pytest.raises(AmbiguousError) as several:
        aks.find(session, SUBSCRIPTION, "SHOP")

    assert "several AKS clusters are called `SHOP`" == str(several.value)
    assert "say which resource group is meant: `a`, `b`" == several.value.problems[0].hint


def test_a_cluster_that_is_not_there_is_told_with_those_that_are() -> None:
    script = Script()
    script.answer("GET", "/managedClusters$", Reply(200, {"value": [answer("Succeeded", group="a")["body"]]}))
    script.answer("GET", "/resourceGroups/team/.*/managedClusters/shop$", refused(404, "ResourceGroupNotFound", "no"))

    with pytest.raises(NotFoundError) as error:
        aks.find(scripted(script), SUBSCRIPTION, "shop", "team")

    assert "there is no AKS cluster `shop` in resource group `team`" == str(error.value)
    assert "there are `shop` (group `a`)" == error.value.problems[0].hint


def answer(state: str, *, group: str = "team", name: str = "shop", **properties: Any) -> dict[str, Any]:
    resource = ResourceId.of(SUBSCRIPTION, group, aks_body.KIND, name)
    return {
        "body": {
            "id": str(resource),
            "location": "westeurope",
            "eTag": "one",
            "properties": {"provisioningState": state, **properties},
        }
    }


def test_a_private_cluster_is_recognised(recordings: Path) -> None:
    session, _ = recorded(recordings, "aks-private-cluster", *some(recordings, "aks-private-cluster", "GET", 200))

    found = aks.get(session, recording("aks-private-cluster"))

    assert found is not None
    assert (True, True, False, True) == (found.private, found.run_command, found.entra, found.local_accounts)
    assert found.server.endswith(".privatelink.westcentralus.azmk8s.io")
    assert ("Ubuntu", "AKSUbuntu-2204gen2containerd-202403.25.0") == (found.pools[0].os_sku, found.pools[0].node_image)


def some(folder: Path, name: str, method: str, status: int) -> tuple[int, ...]:
    exchanges = load(folder, name).exchanges
    return tuple(index for index, one in exchanges.items() if (one.method, one.status) == (method, status))


def test_a_cluster_is_made_as_azure_recorded_it(recordings: Path, tmp_path: Path) -> None:
    session, playback = recorded(recordings, "aks-create-lro")
    resource = recording("aks-create-lro")

    made = aks.create(session, NewCluster(resource, "westus2"), Watch(journal=Journal(tmp_path / "operations.json")))

    assert (resource, "Succeeded", SOMEBODY) == (made.id, made.state, made.kubelet)
    assert [] == playback.unused
    assert () == Journal(tmp_path / "operations.json").underway()


def test_no_such_cluster_is_none_and_not_an_error(recordings: Path) -> None:
    session, _ = recorded(recordings, "aks-create-lro", *some(recordings, "aks-create-lro", "GET", 404))

    assert aks.get(session, recording("aks-create-lro")) is None


def test_workload_identity_and_its_issuer_are_read(recordings: Path) -> None:
    name = "aks-create-workload-identity"
    session, _ = recorded(recordings, name, *some(recordings, name, "GET", 200)[-1:])

    found = aks.get(session, recording(name))

    assert found is not None
    assert found.workload_identity
    assert found.oidc_issuer.startswith("https://")


def test_the_body_of_a_new_cluster_is_what_is_printed() -> None:
    body: Any = aks_body.body(NEW)
    pool = body["properties"]["agentPoolProfiles"][0]

    assert {"networkPlugin": "azure", "networkPluginMode": "overlay", "loadBalancerSku": "standard"} == body[
        "properties"
    ]["networkProfile"]
    assert ("Ubuntu2204", 2, 2, 5, True, "Standard_D2s_v5") == (
        pool["osSKU"],
        pool["count"],
        pool["minCount"],
        pool["maxCount"],
        pool["enableAutoScaling"],
        pool["vmSize"],
    )
    assert ({"enabled": True}, {"workloadIdentity": {"enabled": True}}) == (
        body["properties"]["oidcIssuerProfile"],
        body["properties"]["securityProfile"],
    )
    assert "addonProfiles" not in body["properties"]
    assert (
        "nodes' system `Ubuntu2204`",
        "its nodes run containerd 1.7, and what installs the Spin runtime today writes its entry for that one: "
        "containerd 2, which `Ubuntu2404`, `AzureLinux3` and, from Kubernetes 1.35 on, `Ubuntu` come with, passes over "
        "it",
    ) == NEW.explained()[2]


def test_the_body_of_a_new_cluster_is_one_that_the_sdk_takes() -> None:
    from azure.mgmt.containerservice.models import ManagedCluster

    body = aks_body.body(replace(NEW, keyvault_addon=True))

    assert body == json.loads(json.dumps(ManagedCluster(body).as_dict()))


def test_an_application_with_secrets_gets_the_add_on_whose_settings_are_texts() -> None:
    body: Any = aks_body.body(replace(NEW, keyvault_addon=True))

    assert {
        "azureKeyvaultSecretsProvider": {
            "enabled": True,
            "config": {"enableSecretRotation": "true", "rotationPollInterval": "2m"},
        }
    } == body["properties"]["addonProfiles"]


@pytest.mark.parametrize("count", [0, -1, 998])
def test_a_count_of_nodes_that_no_cluster_has_is_refused(count: int) -> None:
    with pytest.raises(UsageError) as error:
        replace(NEW, node_count=count)

    assert f"a cluster of {count} nodes can't be made" == str(error.value)


@pytest.mark.parametrize(
    ("name", "group", "prefix"),
    [
        ("shop", "team", "shop-team-000000"),
        ("my_shop-of-things", "a.group_with (odd) letters", "myshop-of-agroupwithoddlet-000000"),
        ("1st", "-g-", "a1st-g-000000"),
    ],
)
def test_the_host_of_the_api_server_begins_as_the_azure_cli_has_it(name: str, group: str, prefix: str) -> None:
    assert prefix == aks_body.dns_prefix(ResourceId.of(SUBSCRIPTION, group, aks_body.KIND, name))


def test_a_cluster_whose_making_failed_is_told_with_azures_reason() -> None:
    script = Script()
    failed = answer("Failed", status={"provisioningError": {"code": "Quota", "message": "no cores left"}})["body"]
    script.answer("GET", "/managedClusters/shop$", Reply(200, failed))

    with pytest.raises(AzureError) as error:
        aks.create(scripted(script), NEW, Watch())

    assert "can't make cluster `shop`: its last operation ended as Failed" == error.value.problems[0].what
    assert "no cores left" == error.value.why
    assert (
        f"`az resource delete --ids {SHOP}` removes it; what was made of it may still be there: "
        f"`az resource show --ids {SHOP}`"
    ) == error.value.problems[0].hint


def test_the_key_vault_add_on_is_turned_on_as_azure_recorded_it(recordings: Path) -> None:
    name = "aks-enable-kv-addon-lro"
    exchanges = load(recordings, name).exchanges
    before = next(one.body for one in exchanges.values() if one.method == "GET" and "managedClusters" in one.url)
    after = list(exchanges.values())[-1].body
    put = next(one for one in exchanges.values() if one.method == "PUT")
    as_the_azure_cli_sent = put.sent
    script = Script()
    script.answer("GET", "/managedClusters/", Reply(200, before), Reply(200, before), Reply(200, after))
    script.answer("PUT", "/managedClusters/", Reply(200, put.body, POLL))
    script.answer("GET", "/poll/1", DONE)

    found = aks_changes.enable_keyvault_addon(scripted(script), recording(name), Watch())

    assert (True, SOMEBODY) == (found.keyvault_addon, found.keyvault_identity)
    (sent,) = script.sent("PUT")
    assert {
        "addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation": ("false", "true"),
        "agentPoolProfiles.0.nodeImageVersion": (None, "AKSUbuntu-2204gen2containerd-202306.19.0"),
        "servicePrincipalProfile": (None, {"clientId": SOMEBODY.client_id}),
    } == differences(as_the_azure_cli_sent["properties"], sent.json["properties"])


def differences(one: Any, other: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """By path, but for what only Azure writes."""
    if path.endswith("effectiveOutboundIPs") or one == other:
        return {}
    pairs: list[tuple[Any, Any, Any]] = []
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = [(key, one.get(key), other.get(key)) for key in {**one, **other}]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(number, *pair) for number, pair in enumerate(zip(one, other, strict=True))]
    if not pairs:
        return {path: (one, other)}
    return {
        name: found for key, *pair in pairs for name, found in differences(*pair, f"{path}.{key}".lstrip(".")).items()
    }


def test_what_the_sdk_does_not_know_of_a_cluster_is_sent_back_too() -> None:
    script = Script()
    before = answer(
        "Succeeded", addonProfiles={"omsagent": {"enabled": True, "config": {"a": "b"}}}, tomorrow={"x": [1]}
    )
    on = {"azureKeyvaultSecretsProvider": {"enabled": True, "identity": {"objectId": "o", "clientId": "c"}}}
    after = answer("Succeeded", addonProfiles=on)
    script.answer("GET", "/managedClusters/shop$", *[Reply(200, before["body"])] * 2, Reply(200, after["body"]))
    script.answer("PUT", "/managedClusters/shop$", Reply(200, before["body"], POLL))
    script.answer("GET", "/poll/1", DONE)

    found = aks_changes.enable_keyvault_addon(scripted(script), SHOP, Watch())

    (sent,) = script.sent("PUT")
    assert Identity("o", "c") == found.keyvault_identity
    assert {"x": [1]} == sent.json["properties"]["tomorrow"]
    assert {"enabled": True, "config": {"a": "b"}} == sent.json["properties"]["addonProfiles"]["omsagent"]
    assert '"one"' == sent.headers["If-Match"]


BUSY = refused(
    409,
    "OperationNotAllowed",
    "Operation is not allowed because there's an in progress update managed cluster operation on the managed cluster.",
)


def test_somebody_elses_operation_on_the_cluster_is_waited_for() -> None:
    script = Script()
    off = Reply(200, answer("Succeeded")["body"])
    updating = Reply(200, answer("Updating")["body"])
    on = Reply(
        200,
        answer(
            "Succeeded",
            addonProfiles={"AzureKeyVaultSecretsProvider": {"enabled": True, "identity": {"objectId": "o"}}},
        )["body"],
    )
    script.answer("GET", "/managedClusters/shop$", off, off, updating, updating, off, off, on)
    script.answer("PUT", "/managedClusters/shop$", BUSY, Reply(200, off.body, POLL))
    script.answer("GET", "/poll/1", DONE)
    said: list[str] = []

    found = aks_changes.enable_keyvault_addon(scripted(script), SHOP, Watch(said.append))

    assert Identity("o", "") == found.keyvault_identity
    assert 2 == len(script.sent("PUT"))
    assert any("it is being changed already, waiting for that" in line for line in said)


def test_a_cluster_that_stays_busy_is_told() -> None:
    script = Script()
    script.answer("GET", "/managedClusters/shop$", Reply(200, answer("Succeeded")["body"]))
    script.answer("PUT", "/managedClusters/shop$", BUSY)

    with pytest.raises(AzureRefusalError) as error:
        aks_changes.enable_keyvault_addon(scripted(script), SHOP, Watch())

    assert Kind.BUSY is error.value.kind
    assert aks_changes.TRIES == len(script.sent("PUT"))


def test_an_add_on_that_gets_no_identity_is_told_and_not_turned_on_again() -> None:
    script = Script()
    on = answer("Succeeded", addonProfiles={"azureKeyvaultSecretsProvider": {"enabled": True}})["body"]
    off = Reply(200, answer("Succeeded")["body"])
    script.answer("GET", "/managedClusters/shop$", off, off, Reply(200, on))
    script.answer("PUT", "/managedClusters/shop$", Reply(200, on, POLL))
    script.answer("GET", "/poll/1", DONE)

    with pytest.raises(AzureError) as error:
        aks_changes.enable_keyvault_addon(scripted(script), SHOP, Watch())

    assert error.value.problems[0].what.endswith("cluster `shop`: Azure says it is on, but it has no identity")
    assert f"`az resource show --ids {SHOP}` tells more; " in error.value.problems[0].hint
    assert 1 == len(script.sent("PUT"))


def test_an_add_on_that_is_on_is_left_alone() -> None:
    script = Script()
    on = {"azureKeyvaultSecretsProvider": {"enabled": True, "identity": {"objectId": "o", "clientId": "c"}}}
    script.answer("GET", "/managedClusters/shop$", Reply(200, answer("Succeeded", addonProfiles=on)["body"]))

    aks_changes.enable_keyvault_addon(scripted(script), SHOP, Watch())

    assert ["GET"] == script.methods


def issuing(**security: Any) -> dict[str, Any]:
    """A cluster with workload identity, and whatever else about its security."""
    profile = {"enabled": True, "issuerURL": "https://westeurope.oic.prod-aks.azure.com/t/1/"}
    return {
        "oidcIssuerProfile": profile,
        "securityProfile": {"workloadIdentity": {"enabled": True}, **security},
    }


def test_workload_identity_is_turned_on_and_all_else_sent_back() -> None:
    script = Script()
    defender = {"defender": {"securityMonitoring": {"enabled": True}}}
    before = answer("Succeeded", oidcIssuerProfile={"enabled": False}, securityProfile=defender, tomorrow={"x": [1]})
    after = answer("Succeeded", **issuing(**defender))
    script.answer("GET", "/managedClusters/shop$", *[Reply(200, before["body"])] * 2, Reply(200, after["body"]))
    script.answer("PUT", "/managedClusters/shop$", Reply(200, before["body"], POLL))
    script.answer("GET", "/poll/1", DONE)

    found = aks_changes.enable_workload_identity(scripted(script), SHOP, Watch())

    (sent,) = script.sent("PUT")
    assert (True, "https://westeurope.oic.prod-aks.azure.com/t/1/") == (found.workload_identity, found.oidc_issuer)
    assert {
        "oidcIssuerProfile": {"enabled": True},
        "securityProfile": {**defender, "workloadIdentity": {"enabled": True}},
        "tomorrow": {"x": [1]},
    } == sent.json["properties"]
    assert '"one"' == sent.headers["If-Match"]


@pytest.mark.parametrize("half", ["oidcIssuerProfile", "securityProfile"])
def test_the_half_of_workload_identity_that_is_off_is_turned_on_too(half: str) -> None:
    script = Script()
    on = issuing()
    before = answer("Succeeded", **{name: value for name, value in on.items() if name != half})["body"]
    script.answer("GET", "/managedClusters/shop$", *[Reply(200, before)] * 2, Reply(200, answer("", **on)["body"]))
    script.answer("PUT", "/managedClusters/shop$", Reply(200, before, POLL))
    script.answer("GET", "/poll/1", DONE)

    aks_changes.enable_workload_identity(scripted(script), SHOP, Watch())

    sent = script.sent("PUT")[0].json["properties"]
    assert (True, True) == (
        sent["oidcIssuerProfile"]["enabled"],
        sent["securityProfile"]["workloadIdentity"]["enabled"],
    )


def test_workload_identity_that_is_on_is_left_alone() -> None:
    script = Script()
    script.answer("GET", "/managedClusters/shop$", Reply(200, answer("Succeeded", **issuing())["body"]))

    aks_changes.enable_workload_identity(scripted(script), SHOP, Watch())

    assert ["GET"] == script.methods


@pytest.mark.parametrize(
    ("after", "missing"),
    [
        ({"securityProfile": {"workloadIdentity": {"enabled": True}}}, "it has no OIDC issuer"),
        ({}, "it is still off"),
    ],
)
def test_workload_identity_that_stays_off_is_told_and_not_tried_for_ever(after: dict[str, Any], missing: str) -> None:
    script = Script()
    off = Reply(200, answer("Succeeded")["body"])
    script.answer("GET", "/managedClusters/shop$", off, off, Reply(200, answer("Succeeded", **after)["body"]))
    script.answer("PUT", "/managedClusters/shop$", Reply(200, off.body, POLL))
    script.answer("GET", "/poll/1", DONE)

    with pytest.raises(AzureError) as error:
        aks_changes.enable_workload_identity(scripted(script), SHOP, Watch())

    assert (
        f"can't turn on workload identity of cluster `shop`: Azure took the change, but {missing}"
        == error.value.problems[0].what
    )
    assert 1 == len(script.sent("PUT"))


@pytest.mark.parametrize("enable", [aks_changes.enable_keyvault_addon, aks_changes.enable_workload_identity])
def test_nothing_can_be_turned_on_of_a_cluster_that_is_not_there(enable: Callable[..., Cluster]) -> None:
    script = Script()
    script.answer("GET", "/managedClusters/shop$", refused(404, "ResourceNotFound", "no"))

    with pytest.raises(AzureError) as error:
        enable(scripted(script), SHOP, Watch())

    assert error.value.problems[0].what.endswith("of cluster `shop`: there is no such cluster")
    assert "`spin-aks run resources --refresh` finds the one that is meant" == error.value.problems[0].hint


START = (
    f"`az aks start --resource-group team --name shop --subscription {SUBSCRIPTION}` starts it, which takes minutes; "
    "then run the same command again"
)


def test_nothing_is_turned_on_of_a_cluster_that_is_stopped() -> None:
    script = Script()
    script.answer(
        "GET", "/managedClusters/shop$", Reply(200, answer("Succeeded", powerState={"code": "Stopped"})["body"])
    )

    with pytest.raises(AzureError) as error:
        aks_changes.enable_workload_identity(scripted(script), SHOP, Watch())

    problem = error.value.problems[0]
    assert "can't turn on workload identity of cluster `shop`: it is stopped" == problem.what
    assert (str(SHOP), START) == (problem.where, problem.hint)
    assert ["GET"] == script.methods


def test_a_cluster_that_is_stopped_meanwhile_is_told_and_not_waited_for() -> None:
    script = Script()
    script.answer("GET", "/managedClusters/shop$", Reply(200, answer("Succeeded")["body"]))
    said = "managed cluster is in Provisioning State(Succeeded) and Power State(Stopped), updating cannot be performed"
    script.answer("PUT", "/managedClusters/shop$", refused(400, "BadRequest", said))

    with pytest.raises(AzureRefusalError) as error:
        aks_changes.enable_keyvault_addon(scripted(script), SHOP, Watch())

    problem = error.value.problems[0]
    assert Kind.STOPPED is error.value.kind
    assert "can't turn on the Key Vault add-on of cluster `shop`: the cluster is stopped" == problem.what
    assert START == problem.hint
    assert 1 == len(script.sent("PUT"))


KUBELET = {"identityProfile": {"kubeletidentity": {"objectId": "o", "clientId": "c"}}}


def test_a_cluster_that_is_being_changed_is_waited_for_and_serves_though_the_change_failed() -> None:
    script = Script()
    updating, failed = (Reply(200, answer(state, **KUBELET)["body"]) for state in ("Updating", "Failed"))
    script.answer("GET", "/managedClusters/shop$", updating, failed)
    session = scripted(script)

    found = aks.settled(session, aks.parse(answer("Updating", **KUBELET)["body"]), Watch())

    assert ("Failed", Identity("o", "c")) == (found.state, found.kubelet)


def test_a_cluster_that_was_never_made_whole_is_told() -> None:
    with pytest.raises(AzureError) as error:
        aks.settled(scripted(Script()), aks.parse(answer("Failed")["body"]), Watch())

    assert "can't use cluster `shop`: its last operation ended as Failed" == error.value.problems[0].what


def test_a_cluster_that_is_being_deleted_is_told_once_it_is_gone() -> None:
    script = Script()
    gone = refused(404, "ResourceNotFound", "no")
    script.answer("GET", "/managedClusters/shop$", Reply(200, answer("Deleting")["body"]), gone)

    with pytest.raises(AzureError) as error:
        aks.settled(scripted(script), aks.parse(answer("Deleting")["body"]), Watch())

    assert "can't use cluster `shop`: it was deleting, and is gone" == error.value.problems[0].what


def cluster(**properties: Any) -> Cluster:
    return aks.parse(answer("Succeeded", **properties)["body"])


KUBECONFIG = {
    "apiVersion": "v1",
    "clusters": [{"name": "shop", "cluster": {"server": "https://shop.azmk8s.io:443"}}],
    "contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "clusterUser_team_shop"}}],
    "current-context": "shop",
    "users": [{"name": "clusterUser_team_shop", "user": {"exec": {"command": "kubelogin", "args": ["get-token"]}}}],
}


def credentials(document: object) -> Reply:
    value = base64.b64encode(yaml.safe_dump(document).encode()).decode()
    return Reply(200, {"kubeconfigs": [{"name": "clusterUser", "value": value}]})


def test_a_kubeconfig_is_given_as_azure_recorded_it(recordings: Path) -> None:
    name = "aks-list-user-credentials"
    session, _ = recorded(recordings, name)
    asked = replace(cluster(), id=recording(name))

    found = aks_access.kubeconfig(session, asked)

    assert found.ends is None
    assert "***" == str(found.text)
    assert found.text.reveal()


def test_an_entra_cluster_needs_no_kubelogin() -> None:
    script = Script()
    script.answer("POST", "/listClusterUserCredential$", credentials(KUBECONFIG))
    source = Signed("arm token", "cluster token")

    found = aks_access.kubeconfig(scripted(script, source), cluster(aadProfile={"managed": True}))

    document = yaml.safe_load(found.text.reveal())
    assert {"token": "cluster token"} == document["users"][0]["user"]
    assert ("shop", "https://shop.azmk8s.io:443") == (
        document["current-context"],
        document["clusters"][0]["cluster"]["server"],
    )
    assert datetime.fromtimestamp(FAR_AWAY, UTC) == found.ends
    assert "format=exec" in script.asked[0].url
    assert "6dae42f8-4368-4678-94ff-3960e28e3630/.default" == source.asked[-1][0]


@pytest.mark.parametrize("document", ["text", {"users": 3}, {"users": [{"name": "x"}]}, {}])
def test_a_kubeconfig_that_can_not_be_read_is_no_traceback(document: object) -> None:
    script = Script()
    script.answer("POST", "/listClusterUserCredential$", credentials(document))

    with pytest.raises(AzureError) as error:
        aks_access.kubeconfig(scripted(script), cluster(aadProfile={"managed": True}))

    assert "Azure gave a kubeconfig that can't be read" == str(error.value)


def test_a_command_is_run_inside_as_azure_recorded_it(recordings: Path) -> None:
    session, playback = recorded(recordings, "aks-run-command")
    inside = replace(cluster(), id=ResourceId.of(SUBSCRIPTION, "clitest000001", aks_body.KIND, "cmdtest000002"))

    ran = aks_access.run(session, inside, "kubectl get pods -A")

    assert 0 == ran.exit_code
    assert ran.output.startswith("NAMESPACE ")
    assert [] == playback.unused


LOCATION = {"Location": "https://management.azure.com/results/1"}


def test_files_and_a_token_go_with_a_command_where_they_are_needed() -> None:
    script = Script()
    script.answer("POST", "/runCommand$", Reply(202, None, LOCATION))
    script.answer(
        "GET",
        "/results/1$",
        Reply(200, {"properties": {"provisioningState": "Succeeded", "exitCode": 3, "logs": "no"}}),
    )

    ran = aks_access.run(scripted(script), cluster(aadProfile={}), "kubectl apply -f a.yaml", {"a.yaml": b"kind: Pod"})

    sent = script.sent("POST")[0].json
    archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(sent["context"])))
    assert (3, "no") == (ran.exit_code, ran.output)
    assert b"kind: Pod" == archive.read("a.yaml")
    assert sent["clusterToken"].startswith("token")


def test_the_same_files_are_sent_as_the_same_bytes() -> None:
    first = aks_access.request("x", {"b": b"2", "a": b"1"}, "")

    assert first == aks_access.request("x", {"a": b"1", "b": b"2"}, "")
    assert {"command": "x", "context": ""} == aks_access.request("x", {}, "")


def test_more_files_than_azure_takes_are_refused_before_they_are_sent() -> None:
    import random

    noise = random.Random(1).randbytes(4 << 20)

    with pytest.raises(AzureError) as error:
        aks_access.request("x", {"a": noise}, "")

    assert "the files for a private cluster are more than the 4 MiB that Azure takes at once" == str(error.value)


def test_a_command_that_is_not_run_says_why_and_what_the_limits_are() -> None:
    script = Script()
    script.answer("POST", "/runCommand$", Reply(202, None, LOCATION))
    answered = {"properties": {"provisioningState": "Failed", "reason": "KubernetesPerformanceError"}}
    script.answer("GET", "/results/1$", Reply(200, answered))

    with pytest.raises(AzureError) as error:
        aks_access.run(scripted(script), cluster(), "kubectl get pods")

    assert "run a command in cluster `shop`" in error.value.problems[0].what


def test_a_run_command_that_is_turned_off_is_told_before_anything_is_asked() -> None:
    script = Script()

    with pytest.raises(AzureError) as error:
        aks_access.run(scripted(script), cluster(apiServerAccessProfile={"disableRunCommand": True}), "true")

    assert "can't run a command in cluster `shop`: its run command is turned off" == error.value.problems[0].what
    assert [] == script.asked
