"""The role by which an identity uses a Cosmos DB account's items, with no key.

It is no role of the Resource Manager's, and no command for those gives it:
https://learn.microsoft.com/azure/cosmos-db/nosql/how-to-connect-role-based-access-control
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spin_aks.azure import roles, wire
from spin_aks.azure.arm import lasting_name, same
from spin_aks.azure.cosmos import management
from spin_aks.azure.operations import follow, taken_up
from spin_aks.azure.problems import RERUN, AzureRefusalError, Kind, reported
from spin_aks.azure.roles import Grant, Patience
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from azure.core.polling import LROPoller

    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject

CONTRIBUTOR = "Cosmos DB Built-in Data Contributor"
CONTRIBUTOR_ID = "00000000-0000-0000-0000-000000000002"


def body(account: ResourceId, principal_id: str) -> JSONObject:
    definition = account.child("sqlRoleDefinitions", CONTRIBUTOR_ID)
    return {"properties": {"roleDefinitionId": str(definition), "scope": str(account), "principalId": principal_id}}


def command(account: ResourceId, principal_id: str) -> str:
    """What somebody else may type to give it."""
    return (
        f"az cosmosdb sql role assignment create --subscription {account.subscription} --resource-group "
        f"{account.group} --account-name {account.name} --scope / --principal-id {principal_id} "
        f"--role-definition-id {CONTRIBUTOR_ID}"
    )


def check(session: Session, account: ResourceId, what: str, principal_id: str) -> Grant:
    """Whether that principal may read and write the account's items by this role; raises AzureError."""
    with reported(f"see who may use `{account.name}`", str(account), tenant=session.tenant):
        listed = management(session, account.subscription).sql_resources.list_sql_role_assignments(
            account.group, account.name
        )
        given = any(_answers(wire.document(one), account, principal_id) for one in listed)
    return Grant(what, str(account), principal_id, CONTRIBUTOR, roles.PRESENT if given else roles.MISSING)


def give(session: Session, account: ResourceId, what: str, principal_id: str, watch: Watch) -> Grant:
    """Gives that principal the role, unless it has it; seen in the list before this returns. Half a minute.

    A principal that is new is waited for, five minutes at most: Cosmos DB learns late of it
    (https://github.com/hashicorp/terraform-provider-azurerm/issues/28070). Raises AzureError.
    """
    grant = check(session, account, what, principal_id)
    if grant.state == roles.PRESENT:
        return grant
    task = f"give the role `{CONTRIBUTOR}` at `{account.name}`"
    waiting = Patience(watch, task, "the identity is not known everywhere yet")
    while (refused := _assigned(session, account, principal_id, task, watch)) is not None:
        waiting.wait(refused)
    if check(session, account, what, principal_id).state != roles.PRESENT:
        raise AzureError(f"can't {task}: Azure took it, but does not list it", where=str(account), hint=RERUN)
    return Grant(what, str(account), principal_id, CONTRIBUTOR, roles.MADE)


def _assigned(
    session: Session, account: ResourceId, principal_id: str, task: str, watch: Watch
) -> AzureRefusalError | None:
    """Sends the assignment; gives the refusal of a principal that is not known yet."""
    name = lasting_name(str(account), principal_id, CONTRIBUTOR_ID)
    operations = management(session, account.subscription).sql_resources

    def begin(token: str | None) -> LROPoller[Any]:
        sent: Any = body(account, principal_id)
        return operations.begin_create_update_sql_role_assignment(
            name, account.group, account.name, sent, **taken_up(token)
        )

    try:
        follow(watch, task, account.child("sqlRoleAssignments", name), begin)
    except AzureRefusalError as error:
        if error.kind is Kind.DENIED:
            who = "an Owner or DocumentDB Account Contributor of that account"
            raise roles.denied(error, command(account, principal_id), who) from error
        if error.kind is not Kind.NO_PRINCIPAL:
            raise
        return error
    return None


def _answers(assignment: JSONObject, account: ResourceId, principal_id: str) -> bool:
    properties = wire.at(assignment, "properties")
    scope = wire.text(properties, "scope")
    return (
        same(wire.text(properties, "principalId"), principal_id)
        and wire.text(properties, "roleDefinitionId").rpartition("/")[2] == CONTRIBUTOR_ID
        and (scope == "/" or same(scope, str(account)))
    )
