from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from testbed.azure_answers import Reply, Script, refused, scripted
from testbed.azure_recordings import load

from spin_aks.azure import acr, aks, grants, roles
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.credential import Person
from spin_aks.azure.identities import ManagedIdentity
from spin_aks.azure.operations import Watch
from spin_aks.azure.problems import AzureRefusalError, Kind
from spin_aks.azure.roles import Grant, Wanted
from spin_aks.azure.vaults import Vault
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Clock

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
REGISTRY = ResourceId.of(SUBSCRIPTION, "team", acr.KIND, "shop")
WANTED = Wanted("the nodes pull", REGISTRY, "principal", roles.ACR_PULL)
NAME = WANTED.name
DEFINITIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"


def assignment(role: roles.Role = roles.ACR_PULL, scope: str = str(REGISTRY), **more: str) -> dict[str, Any]:
    properties = {"roleDefinitionId": f"{DEFINITIONS}/{role.id}", "principalId": "principal", "scope": scope, **more}
    return {"id": f"{scope}/x", "name": "x", "properties": properties}


def azure(*lists: list[dict[str, Any]], put: tuple[Reply, ...] = ()) -> Script:
    script = Script()
    script.answer("GET", "/roleAssignments$", *[Reply(200, {"value": one}) for one in lists])
    script.answer("PUT", "/roleAssignments/", *put or (Reply(201, assignment()),))
    return script


def test_a_role_is_given_with_a_lasting_name_and_seen_afterwards() -> None:
    script = azure([], [], [assignment()])
    said: list[str] = []

    grant = roles.give(scripted(script), WANTED, Watch(said.append))

    (sent,) = script.sent("PUT")
    assert Grant("the nodes pull", str(REGISTRY), "principal", "AcrPull", "made") == grant
    assert sent.path.endswith(f"/registries/shop/providers/Microsoft.Authorization/roleAssignments/{NAME}")
    assert {
        "properties": {
            "roleDefinitionId": f"{DEFINITIONS}/7f951dda-4ed3-4680-a7ca-43fe172d538d",
            "principalId": "principal",
            "principalType": "ServicePrincipal",
        }
    } == sent.json
    assert [
        "give the role `AcrPull` at `shop`: the role is given, and not listed yet, 0 s so far",
    ] == said
    assert "$filter=principalId%20eq%20'principal'&" in script.asked[0].url


def test_the_request_is_the_one_that_azure_recorded(recordings: Path) -> None:
    exchanges = load(recordings, "kv-vault-create-rbac-and-role-assignment").exchanges
    put = next(one for one in exchanges.values() if "roleAssignments" in one.url and one.method == "PUT")
    scope = ResourceId.parse(
        put.url.removeprefix("https://management.azure.com").partition("/providers/Microsoft.Auth")[0]
    )
    wanted = Wanted("", scope, put.sent["properties"]["principalId"], roles.SECRETS_USER)

    sent = roles.body(wanted)["properties"]

    assert isinstance(sent, dict)
    assert put.sent["properties"]["principalId"] == sent["principalId"]
    assert (
        put.sent["properties"]["roleDefinitionId"].rpartition("/")[0]
        == str(sent["roleDefinitionId"]).rpartition("/")[0]
    )


def test_a_role_that_is_given_already_is_not_given_again() -> None:
    script = azure([assignment()])

    assert "present" == roles.give(scripted(script), WANTED, Watch()).state
    assert [] == script.sent("PUT")


def test_the_same_assignment_under_another_name_will_do(recordings: Path) -> None:
    exists = next(
        one for one in json.loads((recordings / "errors.json").read_text()) if one["response"]["status"] == 409
    )
    script = azure([], put=(Reply(409, exists["response"]["body"]),))

    assert "present" == roles.give(scripted(script), WANTED, Watch()).state


def test_an_identity_that_is_not_known_yet_is_waited_for(recordings: Path, turned: Clock) -> None:
    unknown = Reply(400, load(recordings, "errors").answered(28))
    script = azure([], [assignment()], put=(unknown, unknown, Reply(201, assignment())))

    assert "made" == roles.give(scripted(script), WANTED, Watch()).state
    assert 20.0 == turned.seconds


def test_an_identity_that_never_gets_known_is_told(recordings: Path, turned: Clock) -> None:
    script = azure([], put=(Reply(400, load(recordings, "errors").answered(28)),))

    with pytest.raises(AzureRefusalError) as error:
        roles.give(scripted(script), WANTED, Watch())

    assert Kind.NO_PRINCIPAL is error.value.kind
    assert roles.REPLICATION_S == turned.seconds


def test_an_assignment_that_never_shows_is_told(turned: Clock) -> None:
    with pytest.raises(AzureError) as error:
        roles.give(scripted(azure([])), WANTED, Watch())

    assert (
        "can't give the role `AcrPull` at `shop`: Azure took it, but does not list it" == error.value.problems[0].what
    )
    assert roles.REPLICATION_S == turned.seconds


def test_who_may_not_give_roles_is_told_what_somebody_else_can_type() -> None:
    message = (
        "The client 'ann' with object id 'o' does not have authorization to perform action "
        f"'Microsoft.Authorization/roleAssignments/write' over scope '{REGISTRY}/providers/Microsoft.Authorization/"
        "roleAssignments/x' or the scope is invalid."
    )
    script = azure([], put=(refused(403, "AuthorizationFailed", message),))

    with pytest.raises(AzureRefusalError) as error:
        roles.give(scripted(script), WANTED, Watch())

    problem = error.value.problems[0]
    assert (
        "can't give the role `AcrPull` at `shop`: `ann` may not do `Microsoft.Authorization/roleAssignments/write`"
        == problem.what
    )
    assert str(REGISTRY) == problem.where
    assert (
        "an Owner or User Access Administrator of that scope can type `az role assignment create "
        '--assignee-object-id principal --assignee-principal-type ServicePrincipal --role "AcrPull" '
        f"--scope {REGISTRY}`; then run the same command again"
    ) == problem.hint


def test_roles_are_checked_side_by_side_and_nothing_is_changed() -> None:
    script = azure([assignment()])
    other = replace(WANTED, principal_id="other")

    assert ["present", "missing"] == [one.state for one in roles.check(scripted(script), (WANTED, other))]
    assert {"GET"} == set(script.methods)


@pytest.mark.parametrize(
    ("found", "answers"),
    [
        (assignment(), True),
        (assignment(scope=str(REGISTRY).upper()), True),
        (assignment(scope=f"/subscriptions/{SUBSCRIPTION}"), True),
        (assignment(scope="/"), True),
        (assignment(roles.ACR_PUSH), True),
        (assignment(roles.SECRETS_USER), False),
        (assignment(scope=f"{REGISTRY}2"), False),
        (assignment(scope=f"{REGISTRY}/repositories/a"), False),
        (assignment(principalId="other"), False),
        (assignment(condition="@Resource[...]"), True),
        ({}, False),
    ],
)
def test_an_assignment_answers_if_it_reaches_that_far(found: dict[str, Any], answers: bool) -> None:
    assert answers == roles.answers(found, WANTED)


UNDER = assignment(condition="@Resource[...]")


@pytest.mark.parametrize(
    ("there", "role"),
    [
        ([UNDER], "AcrPull, under a condition"),
        ([UNDER, assignment()], "AcrPull"),
        ([UNDER, UNDER], "AcrPull, under a condition"),
    ],
)
def test_a_role_under_a_condition_is_told_as_such_and_not_given_beside_it(
    there: list[dict[str, Any]], role: str
) -> None:
    script = azure(there)
    session = scripted(script)

    (checked,), given = roles.check(session, (WANTED,)), roles.give(session, WANTED, Watch())

    assert Grant("the nodes pull", str(REGISTRY), "principal", role, "present") == given
    assert (given, []) == (checked, script.sent("PUT"))


def test_a_grant_is_printed_with_five_keys() -> None:
    assert {
        "what": "the nodes pull",
        "scope": str(REGISTRY),
        "principal_id": "principal",
        "role": "AcrPull",
        "state": "missing",
    } == WANTED.grant(roles.MISSING).to_json()


def cluster(**properties: Any) -> aks.Cluster:
    resource = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/team/providers/Microsoft.ContainerService/managedClusters/web"
    )
    return aks.parse({"id": resource, "properties": properties})


READY = {
    "identityProfile": {"kubeletidentity": {"objectId": "kubelet", "clientId": "c"}},
    "addonProfiles": {"azureKeyvaultSecretsProvider": {"enabled": True, "identity": {"objectId": "addon"}}},
}
SHOP = acr.Registry(REGISTRY, "x", "Succeeded", "shop.azurecr.io", "Basic", False, True)
VAULT = Vault(
    ResourceId.of(SUBSCRIPTION, "team", "Microsoft.KeyVault/vaults", "safe"), "x", "", "", "t", True, True, ()
)
ANN = Person("ann-id", "t", "ann@contoso.com", "User")


def test_the_rights_that_an_application_needs_are_decided_without_asking() -> None:
    web = cluster(**READY)
    own = ManagedIdentity(
        ResourceId.of(SUBSCRIPTION, "team", "Microsoft.ManagedIdentity/x", "app"), "x", "app-id", "c", "t"
    )
    by_repository = replace(SHOP, abac=True)

    assert [
        ("the nodes of cluster `web` pull images from registry `shop`", "kubelet", "AcrPull", "ServicePrincipal"),
        (
            "the nodes of cluster `web` pull images from registry `shop`",
            "kubelet",
            "Container Registry Repository Reader",
            "ServicePrincipal",
        ),
        ("`ann@contoso.com` pushes images to registry `shop`", "ann-id", "AcrPush", "User"),
        (
            "`ann@contoso.com` pushes images to registry `shop`",
            "ann-id",
            "Container Registry Repository Writer",
            "User",
        ),
        ("`ann@contoso.com` keeps secrets in vault `safe`", "ann-id", "Key Vault Secrets Officer", "User"),
        (
            "the Key Vault add-on of cluster `web` reads secrets of vault `safe`",
            "addon",
            "Key Vault Secrets User",
            "ServicePrincipal",
        ),
        ("identity `app` reads secrets of vault `safe`", "app-id", "Key Vault Secrets User", "ServicePrincipal"),
    ] == [
        (one.what, one.principal_id, one.role.name, one.principal_type)
        for one in (
            grants.pull(web, SHOP),
            grants.pull(web, by_repository),
            grants.push(ANN, SHOP),
            grants.push(ANN, by_repository),
            grants.keep_secrets(ANN, VAULT),
            grants.read_secrets(web, VAULT),
            grants.application_reads_secrets(own, VAULT),
        )
    ]


def test_a_cluster_whose_nodes_have_no_identity_is_told_with_another_way() -> None:
    with pytest.raises(AzureError) as error:
        grants.pull(cluster(), SHOP)

    assert "the nodes of cluster `web` have no managed identity that could be let in to the registry" in str(
        error.value
    )
    assert '--role "AcrPull"' in error.value.problems[0].hint


def test_a_cluster_without_the_add_on_is_told_how_it_gets_it() -> None:
    with pytest.raises(AzureError) as error:
        grants.read_secrets(cluster(), VAULT)

    assert "cluster `web` has no Key Vault add-on, which would read the secrets" in str(error.value)
    assert "`--enable-keyvault-addon` turns it on" == error.value.problems[0].hint
