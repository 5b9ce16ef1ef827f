"""Role assignments and identities in the sandbox's Azure: what is taken, what is refused, and what they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from testbed import azure_sandbox
from testbed.azure_requests import BELOW, ask, error, group, registry_path

from spin_aks.sandbox.azure import identifiers, identities, role_definitions, roles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests
    from testbed.azure_recordings import Clients

    from spin_aks.sandbox.azure.world import World

PRINCIPAL = "27e3fe0a-ef36-41a0-ab3b-4666831b100b"
NAMES = ("38dec33c-4435-4f70-92a1-8e1cc6e118db", "38dec33c-4435-4f70-92a1-8e1cc6e118dc")
IDENTITY = "~/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app"
CREDENTIAL = {
    "properties": {
        "issuer": "https://eastus.oic.prod-aks.azure.com/t/i/",
        "subject": "system:serviceaccount:default:app",
        "audiences": ["api://AzureADTokenExchange"],
    }
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with azure_sandbox.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def azure(world: World) -> Clients:
    clients = azure_sandbox.connected(world)
    group(clients)
    body = {"location": "eastus", "sku": {"name": "Basic"}}
    assert 201 == ask(clients, "PUT", registry_path(), body).status_code
    return clients


def assign(azure: Clients, *, name: str = NAMES[0], scope: str = "", **properties: Any) -> requests.Response:
    role = f"{BELOW}/providers/Microsoft.Authorization/roleDefinitions/{role_definitions.ACR_PULL}"
    sent = {"roleDefinitionId": role, "principalId": PRINCIPAL, "principalType": "ServicePrincipal", **properties}
    place = scope or registry_path()
    path = f"{place}/providers/Microsoft.Authorization/roleAssignments/{name}"
    return ask(azure, "PUT", path, {"properties": {key: value for key, value in sent.items() if value}})


def test_the_same_assignment_under_its_name_is_taken_again_and_under_another_is_there_already(azure: Clients) -> None:
    answers = [assign(azure), assign(azure), assign(azure, name=NAMES[1])]

    assert [201, 201, 409] == [answer.status_code for answer in answers]
    assert ("RoleAssignmentExists", "The role assignment already exists.") == error(answers[2])[1:]


def test_an_assignment_is_never_given_to_somebody_else(azure: Clients) -> None:
    assign(azure)

    answer = assign(azure, principalId=PRINCIPAL.replace("2", "3"))

    message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
    assert (400, "RoleAssignmentUpdateNotPermitted", message) == error(answer)


def test_whom_the_directory_does_not_know_needs_a_type(azure: Clients) -> None:
    status, code, message = error(assign(azure, principalType=None))

    assert (400, "PrincipalNotFound") == (status, code)
    assert message == (
        f"Principal {PRINCIPAL.replace('-', '')} does not exist in the directory {identifiers.TENANT}. Check that you "
        "have the correct principal ID. If you are creating this principal and then immediately assigning a role, this "
        "error might be related to a replication delay. In this case, set the role assignment principalType property "
        "to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype"
    )
    assert 201 == assign(azure).status_code


def test_a_new_identity_is_known_after_the_time_of_replication(azure: Clients, tmp_path: Path) -> None:
    made = ask(azure, "PUT", IDENTITY, {"location": "eastus"}).json()["properties"]["principalId"]

    (tmp_path / "trouble.toml").write_text("replication_s = 60", encoding="utf-8")
    early = assign(azure, principalId=made, principalType=None)
    (tmp_path / "trouble.toml").write_text("", encoding="utf-8")
    late = assign(azure, principalId=made, principalType=None)

    assert (400, "PrincipalNotFound") == error(early)[:2]
    assert (201, "ServicePrincipal") == (late.status_code, late.json()["properties"]["principalType"])


def test_a_wrong_type_is_told_from_the_right_one(azure: Clients, world: World) -> None:
    identities.add_principal(world.state, PRINCIPAL, "User")

    assert (400, "UnmatchedPrincipalType") == error(assign(azure))[:2]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "x"}, "InvalidRoleAssignmentId"),
        ({"principalId": "x"}, "InvalidPrincipalId"),
        ({"roleDefinitionId": f"/providers/x/{NAMES[0]}"}, "RoleDefinitionDoesNotExist"),
    ],
)
def test_what_is_no_assignment_is_refused(azure: Clients, changes: dict[str, str], code: str) -> None:
    assert (400, code) == error(assign(azure, **changes))[:2]


def test_a_scope_has_to_be_there(azure: Clients) -> None:
    status, code, message = error(assign(azure, scope=registry_path("nothere")))

    assert (404, "ResourceNotFound") == (status, code)
    assert message.startswith("The Resource 'Microsoft.ContainerRegistry/registries/nothere' under resource group 'rg'")


def listed(azure: Clients, scope: str, query: str = "") -> list[str]:
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
    url = f"https://management.azure.com{path.replace('~', BELOW)}?api-version=2022-04-01"
    found = ask(azure, "GET", url + (f"&$filter={query}" if query else "")).json()["value"]
    return [one["properties"]["principalId"] for one in found]


def test_a_list_has_what_is_above_and_below_or_above_alone(azure: Clients) -> None:
    assign(azure)

    assert {identifiers.OBJECT, PRINCIPAL} == {*listed(azure, "~")}
    assert [identifiers.OBJECT] == listed(azure, "~/resourceGroups/rg", "atScope()")
    assert [PRINCIPAL] == listed(azure, registry_path(), f"principalId eq '{PRINCIPAL}'")
    assert [] == listed(azure, registry_path("other"), f"principalId eq '{PRINCIPAL}'")


def test_a_deleted_assignment_is_answered_once(azure: Clients) -> None:
    path = assign(azure).json()["id"]

    answers = [ask(azure, "DELETE", path) for _ in range(2)]

    assert [200, 204] == [answer.status_code for answer in answers]
    assert PRINCIPAL == answers[0].json()["properties"]["principalId"]
    assert (404, "RoleAssignmentNotFound") == error(ask(azure, "GET", path))[:2]


def test_a_role_counts_where_it_was_given_and_below_once_it_has_spread(
    azure: Clients, world: World, tmp_path: Path
) -> None:
    assign(azure, scope="~/resourceGroups/rg")
    registry = registry_path().replace("~", BELOW)

    assert {role_definitions.ACR_PULL} == roles.of(world, PRINCIPAL, registry)
    assert set() == roles.of(world, PRINCIPAL, f"{BELOW}/resourceGroups/rg2")
    (tmp_path / "trouble.toml").write_text("propagation_s = 60", encoding="utf-8")
    assert set() == roles.of(world, PRINCIPAL, registry)


@pytest.mark.parametrize("role", role_definitions.ROLES, ids=lambda role: str(role[1]))
def test_a_role_is_found_by_its_name_and_its_id(azure: Clients, role: role_definitions.Role) -> None:
    path = f"https://management.azure.com{BELOW}/providers/Microsoft.Authorization/roleDefinitions"

    (by_name,) = ask(azure, "GET", f"{path}?api-version=2022-04-01&$filter=roleName eq '{role[1].upper()}'").json()[
        "value"
    ]
    by_id = ask(azure, "GET", f"{path}/{role[0]}").json()

    assert by_name == by_id
    assert (role[0], role[1]) == (by_id["name"], by_id["properties"]["roleName"])


def test_an_identity_keeps_its_ids_when_it_is_made_again(azure: Clients) -> None:
    answers = [ask(azure, "PUT", IDENTITY, {"location": "eastus", "tags": {"n": str(n)}}) for n in range(2)]

    assert [201, 200] == [answer.status_code for answer in answers]
    assert answers[0].json()["properties"] == answers[1].json()["properties"]
    assert {"n": "1"} == ask(azure, "GET", IDENTITY).json()["tags"]


def test_a_federated_credential_is_made_changed_listed_and_deleted(azure: Clients) -> None:
    ask(azure, "PUT", IDENTITY, {"location": "eastus"})
    path = f"{IDENTITY}/federatedIdentityCredentials/aks"

    statuses = [ask(azure, "PUT", path, CREDENTIAL).status_code for _ in range(2)]

    assert [201, 200] == statuses
    assert CREDENTIAL["properties"] == ask(azure, "GET", path).json()["properties"]
    assert 1 == len(ask(azure, "GET", f"{IDENTITY}/federatedIdentityCredentials").json()["value"])
    assert [200, 204] == [ask(azure, "DELETE", path).status_code for _ in range(2)]
    assert (404, "NotFound") == error(ask(azure, "GET", path))[:2]


def test_two_credentials_are_not_for_the_same_subject(azure: Clients) -> None:
    ask(azure, "PUT", IDENTITY, {"location": "eastus"})
    path = f"{IDENTITY}/federatedIdentityCredentials"
    ask(azure, "PUT", f"{path}/one", CREDENTIAL)

    answer = ask(azure, "PUT", f"{path}/two", CREDENTIAL)

    assert (409, "Conflict") == error(answer)[:2]


def test_a_deleted_identity_is_unknown_to_the_directory(azure: Clients) -> None:
    made = ask(azure, "PUT", IDENTITY, {"location": "eastus"}).json()["properties"]["principalId"]

    statuses = [ask(azure, "DELETE", IDENTITY).status_code for _ in range(2)]

    assert [200, 204] == statuses
    assert (400, "PrincipalNotFound") == error(assign(azure, principalId=made, principalType=None))[:2]
