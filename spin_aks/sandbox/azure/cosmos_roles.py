"""Who may use the data of a Cosmos DB account without its keys: the account's own roles and their assignments.

https://learn.microsoft.com/azure/cosmos-db/nosql/how-to-connect-role-based-access-control. There is no recorded traffic
of them: they follow the example of api-version 2024-05-15.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import cosmos, cosmos_sql
from spin_aks.sandbox.azure.call import answer, empty, page
from spin_aks.sandbox.azure.cosmos import BareRefusedError
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

DEFINITIONS = cosmos.ONE + "/sqlRoleDefinitions"
DEFINITION = DEFINITIONS + "/{role}"
ASSIGNMENTS = cosmos.ONE + "/sqlRoleAssignments"
ASSIGNMENT = ASSIGNMENTS + "/{assignment}"
ASSIGNMENT_KIND = cosmos.KIND + "/sqlRoleAssignments"
DATA = "Microsoft.DocumentDB/databaseAccounts"
READER = (
    f"{DATA}/readMetadata",
    f"{DATA}/sqlDatabases/containers/items/read",
    f"{DATA}/sqlDatabases/containers/executeQuery",
    f"{DATA}/sqlDatabases/containers/readChangeFeed",
)
CONTRIBUTOR = (f"{DATA}/readMetadata", f"{DATA}/sqlDatabases/containers/*", f"{DATA}/sqlDatabases/containers/items/*")
BUILT_IN = {
    "00000000-0000-0000-0000-000000000001": ("Cosmos DB Built-in Data Reader", READER),
    "00000000-0000-0000-0000-000000000002": ("Cosmos DB Built-in Data Contributor", CONTRIBUTOR),
}


def list_definitions(call: Call) -> Answer:
    cosmos.ACCOUNTS.existing(call)
    return page(call, [_definition(call, role) for role in BUILT_IN])


def get_definition(call: Call) -> Answer:
    cosmos.ACCOUNTS.existing(call)
    if call.values["role"].lower() not in BUILT_IN:
        raise cosmos_sql.not_found()
    return answer(_definition(call, call.values["role"].lower()))


def _definition(call: Call, role: str) -> Document:
    name, actions = BUILT_IN[role]
    return {
        "id": call.fill(DEFINITION, role=role),
        "name": role,
        "type": f"{cosmos.KIND}/sqlRoleDefinitions",
        "properties": {
            "roleName": name,
            "type": "BuiltInRole",
            "assignableScopes": [call.fill(cosmos.ONE)],
            "permissions": [{"dataActions": [*actions], "notDataActions": []}],
        },
    }


def put(call: Call) -> Answer:
    asked = documents.mapping(call.document(), "properties")
    account = cosmos.ACCOUNTS.existing(call)
    role, scope = documents.text(asked, "roleDefinitionId"), documents.text(asked, "scope")
    principal = documents.text(asked, "principalId")
    below, _, name = role.rpartition("/")
    if name.lower() not in BUILT_IN or below.lower() != call.fill(DEFINITIONS).lower():
        raise _refused(f"The provided role definition [{role}] does not exist.")
    if not f"{scope.lower()}/".startswith(f"{call.fill(cosmos.ONE).lower()}/"):
        raise _refused(f"The provided scope [{scope}] is not within the account {call.values['account']}.")
    if not principal:
        raise _refused("The provided principal id is empty.")
    made: Document = {
        "id": call.fill(ASSIGNMENT),
        "name": call.values["assignment"],
        "type": ASSIGNMENT_KIND,
        "properties": {"roleDefinitionId": role, "scope": scope, "principalId": principal},
    }
    return cosmos_sql.begun(call, account, call.fill(ASSIGNMENT), ASSIGNMENT_KIND, made)


def get(call: Call) -> Answer:
    cosmos.ACCOUNTS.existing(call)
    found = call.world.state.get(ASSIGNMENT_KIND, call.fill(ASSIGNMENT))
    if found is None:
        raise cosmos_sql.not_found()
    return answer(found)


def list_all(call: Call) -> Answer:
    cosmos.ACCOUNTS.existing(call)
    return page(call, call.world.state.all_of(ASSIGNMENT_KIND, call.fill(ASSIGNMENTS) + "/"))


def delete(call: Call) -> Answer:
    cosmos.ACCOUNTS.existing(call)
    there = call.world.state.delete(ASSIGNMENT_KIND, call.fill(ASSIGNMENT))
    return empty(HTTPStatus.OK if there else HTTPStatus.NO_CONTENT)


def _refused(why: str) -> BareRefusedError:
    return BareRefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", f"{why}{cosmos.activity()}")


ROUTES = (
    Route("GET", DEFINITIONS, list_definitions),
    Route("GET", DEFINITION, get_definition),
    Route("GET", ASSIGNMENTS, list_all),
    Route("PUT", ASSIGNMENT, put),
    Route("GET", ASSIGNMENT, get),
    Route("DELETE", ASSIGNMENT, delete),
)
FINISHES: dict[str, Finish] = {}
