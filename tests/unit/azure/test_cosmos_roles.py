"""The role by which an identity uses a Cosmos DB account's items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from testbed.azure_answers import Reply, Script, refused, scripted

from spin_aks.azure import cosmos, cosmos_roles, roles
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.operations import Watch
from spin_aks.azure.problems import AzureRefusalError, Kind
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from conftest import Clock

ACCOUNT = ResourceId.of("00000000-0000-0000-0000-000000000000", "team", cosmos.KIND, "store")
POLL = {"Azure-AsyncOperation": "https://management.azure.com/poll/1"}
UNKNOWN = (
    "The provided principal ID [app] was not found in the AAD tenant(s) [72f988bf-86f1-41af-91ab-2d7cd011db47] which "
    "are associated with the customer's subscription.\r\nActivityId: 0, Microsoft.Azure.Documents.Common/2.14.0"
)


def assignment(scope: str, role: str = cosmos_roles.CONTRIBUTOR_ID) -> dict[str, Any]:
    properties = {"roleDefinitionId": f"{ACCOUNT}/sqlRoleDefinitions/{role}", "scope": scope, "principalId": "app"}
    return {"id": "x", "properties": properties}


def test_the_data_role_is_given_once() -> None:
    script = Script()
    script.answer(
        "GET",
        "/sqlRoleAssignments$",
        Reply(200, {"value": []}),
        Reply(200, {"value": [assignment(str(ACCOUNT).upper())]}),
    )
    script.answer("PUT", "/sqlRoleAssignments/", Reply(202, {"status": "Enqueued"}, POLL))
    script.answer("GET", "/poll/1$", Reply(200, {"status": "Succeeded"}))
    script.answer("GET", "/sqlRoleAssignments/[^/]+$", Reply(200, assignment(str(ACCOUNT))))
    session = scripted(script)

    first = cosmos_roles.give(session, ACCOUNT, "the application keeps its keys", "app", Watch())
    second = cosmos_roles.give(session, ACCOUNT, "the application keeps its keys", "app", Watch())

    (sent,) = script.sent("PUT")
    assert ("made", "present", "Cosmos DB Built-in Data Contributor") == (first.state, second.state, second.role)
    assert assignment(str(ACCOUNT))["properties"] == sent.json["properties"]


def test_who_may_not_give_the_data_role_is_told_what_somebody_else_can_type() -> None:
    script = Script()
    script.answer("GET", "/sqlRoleAssignments$", Reply(200, {"value": [assignment(f"{ACCOUNT}/dbs/one")]}))
    script.answer("PUT", "/sqlRoleAssignments/", refused(403, "AuthorizationFailed", "no"))

    with pytest.raises(AzureRefusalError) as error:
        cosmos_roles.give(scripted(script), ACCOUNT, "x", "app", Watch())

    assert Kind.DENIED is error.value.kind
    command = (
        "an Owner or DocumentDB Account Contributor of that account can type `az cosmosdb sql role assignment create "
        "--subscription 00000000-0000-0000-0000-000000000000 --resource-group team "
        "--account-name store --scope / --principal-id app "
    )
    assert command in error.value.problems[0].hint


def waiting(*polls: Reply, after: list[dict[str, Any]] | None = None) -> Script:
    """Each assignment is taken, and ends as the next of `polls` says."""
    script = Script()
    there = Reply(200, {"value": [assignment(str(ACCOUNT))] if after is None else after})
    script.answer("GET", "/sqlRoleAssignments$", Reply(200, {"value": []}), there)
    script.answer("PUT", "/sqlRoleAssignments/", Reply(202, {"status": "Enqueued"}, POLL))
    script.answer("GET", "/poll/1$", *polls)
    script.answer("GET", "/sqlRoleAssignments/[^/]+$", Reply(200, assignment(str(ACCOUNT))))
    return script


FAILED = Reply(200, {"status": "Failed", "error": {"code": "BadRequest", "message": UNKNOWN}})
DONE = Reply(200, {"status": "Succeeded"})


def test_an_identity_that_cosmos_does_not_know_yet_is_waited_for(turned: Clock) -> None:
    script = waiting(FAILED, FAILED, DONE)

    given = cosmos_roles.give(scripted(script), ACCOUNT, "x", "app", Watch())

    names = {one.url.rpartition("/")[2].partition("?")[0] for one in script.sent("PUT")}
    assert ("made", 3, 1) == (given.state, len(script.sent("PUT")), len(names))
    assert turned.seconds > 0


def test_an_identity_that_cosmos_never_knows_is_told(turned: Clock) -> None:
    with pytest.raises(AzureRefusalError) as error:
        cosmos_roles.give(scripted(waiting(FAILED)), ACCOUNT, "x", "app", Watch())

    assert Kind.NO_PRINCIPAL is error.value.kind
    assert turned.seconds >= roles.REPLICATION_S


def test_an_assignment_that_is_taken_and_not_there_is_no_right() -> None:
    with pytest.raises(AzureError) as error:
        cosmos_roles.give(scripted(waiting(DONE, after=[])), ACCOUNT, "x", "app", Watch())

    assert "Azure took it, but does not list it" in error.value.problems[0].what
