"""Roles that are given at a scope: checked first, given once, waited for.

An assignment's name is made of scope, principal and role, so that giving it again changes nothing:
https://learn.microsoft.com/azure/role-based-access-control/role-assignments-rest
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.azure import wire
from spin_aks.azure.arm import lasting_name, same
from spin_aks.azure.operations import duration
from spin_aks.azure.problems import RERUN, AzureRefusalError, Kind, reported
from spin_aks.errors import AzureError
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azure.mgmt.authorization import AuthorizationManagementClient

    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject

PRESENT, MADE, MISSING = "present", "made", "missing"

OWNERS = "an Owner or User Access Administrator of that scope"

REPLICATION_S = 300.0
"""How long an identity that is new may be unknown to whom assigns roles, and an assignment not be listed."""
LOOK_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Role:
    """A built-in role; `wider` are the ids of those that allow all that it does.

    Ids: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
    """

    name: str
    id: str
    wider: tuple[str, ...] = ()

    def includes(self, role_id: str) -> bool:
        return any(same(role_id, known) for known in (self.id, *self.wider))


ACR_PUSH = Role("AcrPush", "8311e382-0749-4cb8-b61a-304f252e45ec")
ACR_PULL = Role("AcrPull", "7f951dda-4ed3-4680-a7ca-43fe172d538d", (ACR_PUSH.id,))
REPOSITORY_WRITER = Role("Container Registry Repository Writer", "2a1e307c-b015-4ebd-883e-5b7698a07328")
REPOSITORY_READER = Role(
    "Container Registry Repository Reader", "b93aa761-3e63-49ed-ac28-beffa264f7ac", (REPOSITORY_WRITER.id,)
)
VAULT_ADMINISTRATOR = Role("Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483")
SECRETS_OFFICER = Role("Key Vault Secrets Officer", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", (VAULT_ADMINISTRATOR.id,))
SECRETS_USER = Role(
    "Key Vault Secrets User",
    "4633458b-17de-408a-b874-0445c86b69e6",
    (SECRETS_OFFICER.id, VAULT_ADMINISTRATOR.id),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A role that somebody is to have. `what` says what for; `principal_type` is ARM's word."""

    what: str
    scope: ResourceId
    principal_id: str
    role: Role
    principal_type: str = "ServicePrincipal"

    @property
    def name(self) -> str:
        """The assignment's name: the same for the same scope, principal and role."""
        return lasting_name(str(self.scope), self.principal_id, self.role.id)

    def grant(self, state: str) -> Grant:
        return Grant(self.what, str(self.scope), self.principal_id, self.role.name, state)

    def command(self) -> str:
        """The command that gives it, for somebody who may."""
        return (
            f"az role assignment create --assignee-object-id {self.principal_id} "
            f'--assignee-principal-type {self.principal_type} --role "{self.role.name}" --scope {self.scope}'
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """A right that somebody has (`present`), was given just now (`made`) or lacks (`missing`).

    `issuer` tells principals of one name apart: service accounts, which each cluster has its own of.
    """

    what: str
    scope: str
    principal_id: str
    role: str
    state: str
    issuer: str = ""

    def to_json(self) -> JSONObject:
        return {
            "what": self.what,
            "scope": self.scope,
            "principal_id": self.principal_id,
            "role": self.role,
            "state": self.state,
        }


def check(session: Session, wanted: Iterable[Wanted]) -> tuple[Grant, ...]:
    """How it stands with each, asked side by side; changes nothing. Raises AzureError."""
    return side_by_side(lambda one: _present(session, one) or one.grant(MISSING), wanted)


def give(session: Session, wanted: Wanted, watch: Watch) -> Grant:
    """Gives the role unless it is given already, here or further up; seen in the list before this returns.

    An identity that is new is waited for, five minutes at most. What uses the role may take minutes more to see it.
    Raises AzureError; without the right to give roles, with the command for somebody who has it.
    """
    if (there := _present(session, wanted)) is not None:
        return there
    task = f"give the role `{wanted.role.name}` at `{wanted.scope.name}`"
    if not _assigned(session, wanted, task, watch):
        return wanted.grant(PRESENT)
    waiting = Patience(watch, task, "the role is given, and not listed yet")
    while _present(session, wanted) is None:
        waiting.wait(
            AzureError(f"can't {task}: Azure took it, but does not list it", where=str(wanted.scope), hint=RERUN)
        )
    return wanted.grant(MADE)


def _assigned(session: Session, wanted: Wanted, task: str, watch: Watch) -> bool:
    """Sends the assignment; false if it was there under another name."""
    waiting = Patience(watch, task, "the identity is not known everywhere yet")
    while True:
        try:
            with reported(task, str(wanted.scope), tenant=session.tenant):
                made = _client(session, wanted.scope.subscription).role_assignments.create(
                    _path(wanted.scope), wanted.name, wire.content(body(wanted)), content_type="application/json"
                )
                wire.check_named(wire.document(made))
            return True
        except AzureRefusalError as error:
            if error.kind is Kind.EXISTS:
                return False
            if error.kind is Kind.DENIED:
                raise denied(error, wanted.command()) from error
            if error.kind is not Kind.NO_PRINCIPAL:
                raise
            waiting.wait(error)


def body(wanted: Wanted) -> JSONObject:
    """The type of the principal keeps Azure from looking it up, which fails for one that is new."""
    definition = f"/subscriptions/{wanted.scope.subscription}/providers/Microsoft.Authorization/roleDefinitions"
    return {
        "properties": {
            "roleDefinitionId": f"{definition}/{wanted.role.id}",
            "principalId": wanted.principal_id,
            "principalType": wanted.principal_type,
        }
    }


def denied(error: AzureRefusalError, command: str, who: str = OWNERS) -> AzureRefusalError:
    """The same refusal, with what somebody `who` may give that right has to type."""
    first = error.problems[0]
    hint = f"{who} can type `{command}`; then run the same command again"
    return AzureRefusalError(error.kind, error.answer, first.what, where=first.where, why=error.why, hint=hint)


def _present(session: Session, wanted: Wanted) -> Grant | None:
    """The role as it is given, if it is. One that is given under a condition says so: what that lets in, as some of a
    registry's repositories, is for Azure to decide, and it takes no second assignment beside it:
    https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
    """
    task = f"see who has the role `{wanted.role.name}` at `{wanted.scope.name}`"
    with reported(task, str(wanted.scope), tenant=session.tenant):
        listed = _client(session, wanted.scope.subscription).role_assignments.list_for_scope(
            _path(wanted.scope), filter=f"principalId eq '{wanted.principal_id}'"
        )
        found = [assignment for one in listed if answers(assignment := wire.document(one), wanted)]
    if not found:
        return None
    given = wanted.grant(PRESENT)
    if all(wire.text(one, "properties", "condition") for one in found):
        return replace(given, role=f"{wanted.role.name}, under a condition")
    return given


def answers(assignment: JSONObject, wanted: Wanted) -> bool:
    """Whether an assignment is what is wanted: that role or a wider one, there or further up."""
    properties = wire.at(assignment, "properties")
    role_id = wire.text(properties, "roleDefinitionId").rpartition("/")[2]
    scope = wire.text(properties, "scope").strip("/").lower()
    mine = str(wanted.scope).strip("/").lower()
    above = scope == "" or mine == scope or mine.startswith(f"{scope}/")
    return same(wire.text(properties, "principalId"), wanted.principal_id) and wanted.role.includes(role_id) and above


def _path(scope: ResourceId) -> str:
    """A scope without its first slash: the SDK puts one before it."""
    return str(scope).lstrip("/")


class Patience:
    """Waiting for what Azure's directory learns late, five minutes at most."""

    def __init__(self, watch: Watch, task: str, why: str) -> None:
        self._watch, self._task, self._why = watch, task, why
        self._start_s = clock.monotonic_s()

    def wait(self, error: Exception) -> None:
        """Raises `error` once it is enough."""
        waited_s = clock.monotonic_s() - self._start_s
        if waited_s >= REPLICATION_S:
            raise error
        self._watch.progress(f"{self._task}: {self._why}, {duration(waited_s)} so far")
        clock.sleep(LOOK_EVERY_S)


def _client(session: Session, subscription: str) -> AuthorizationManagementClient:
    from azure.mgmt.authorization import AuthorizationManagementClient

    return session.client(AuthorizationManagementClient, subscription)
