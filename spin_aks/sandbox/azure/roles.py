"""Role assignments: https://learn.microsoft.com/rest/api/authorization/role-assignments.

What Resource Manager itself allows is not asked of them: whoever is signed in may do everything there, unless the
trouble file says otherwise. The data of vaults, registries and stores is given by role only.
"""

from __future__ import annotations

import re
import time
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import identities, role_definitions
from spin_aks.sandbox.azure.call import Call, RefusedError, answer, empty, page
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.azure.state import State
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

KIND = "Microsoft.Authorization/roleAssignments"
ONE = "/{scope+}/providers/Microsoft.Authorization/roleAssignments/{name}"
LISTED = "/{scope+}/providers/Microsoft.Authorization/roleAssignments"
OF_PRINCIPAL = re.compile(r"(?:principalId eq|assignedTo\()\s*'([^']*)'", re.IGNORECASE)
RESOURCE = re.compile(r"/subscriptions/[^/]+/resourcegroups/([^/]+)/providers/(.+)", re.IGNORECASE)


def begin(state: State, principal: str, subscription: str) -> None:
    """Makes somebody the owner of a subscription, as whoever opened it is."""
    identities.add_principal(state, principal)
    scope = f"/subscriptions/{subscription}"
    name = str(uuid.uuid5(uuid.UUID(principal), scope))
    role = f"{scope}/providers/{role_definitions.KIND}/{role_definitions.OWNER}"
    asked: Document = {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}
    state.put(KIND, f"{scope}/providers/{KIND}/{name}", _assignment(asked, scope, name, principal, None))


def put(call: Call) -> Answer:
    asked = documents.mapping(call.document(), "properties")
    scope = "/" + call.values["scope"]
    state = call.world.state
    with state.lock:
        before = state.get(KIND, call.fill(ONE))
        _check(call, asked, scope, before)
        known = identities.principal_kind(state, documents.text(asked, "principalId"))
        asked = {"principalType": known or "User", **asked}
        made = _assignment(asked, scope, call.values["name"], call.who.object_id, before)
        state.put(KIND, call.fill(ONE), made)
    # As recorded: who made it is told only when it is asked for later.
    return answer(_with(made, createdBy=None), status=HTTPStatus.CREATED)


def _assignment(asked: Document, scope: str, name: str, by: str, before: Document | None) -> Document:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
    return {
        "properties": {
            "roleDefinitionId": asked["roleDefinitionId"],
            "principalId": asked["principalId"],
            "principalType": asked["principalType"],
            "scope": scope,
            "condition": asked.get("condition"),
            "conditionVersion": asked.get("conditionVersion"),
            "createdOn": documents.text(before, "properties", "createdOn") or now,
            "updatedOn": now,
            "createdBy": documents.text(before, "properties", "createdBy") or by,
            "updatedBy": by,
            "delegatedManagedIdentityResourceId": None,
            "description": asked.get("description"),
        },
        "id": f"{scope}/providers/{KIND}/{name}",
        "type": KIND,
        "name": name,
    }


def _with(assignment: Document, **changes: documents.JSON) -> Document:
    return {**assignment, "properties": {**documents.mapping(assignment, "properties"), **changes}}


def of(world: World, principal: str, resource: str) -> frozenset[str]:
    """The roles that a principal has at a resource, there or above, once they have had time to spread: their ids."""
    where, found = f"{resource.lower()}/", set()
    for assignment in world.state.all_of(KIND):
        scope, person, role = _triple(assignment)
        if person == principal.lower() and where.startswith(f"{scope}/") and has_spread(world, assignment):
            found.add(role)
    return frozenset(found)


def has_spread(world: World, assignment: Document) -> bool:
    made = documents.text(assignment, "properties", "createdOn").rstrip("Z")[:26]
    age = datetime.now(UTC) - datetime.fromisoformat(made).replace(tzinfo=UTC)
    return age.total_seconds() >= world.trouble.propagation_s


def _check(call: Call, asked: Document, scope: str, before: Document | None) -> None:
    name, principal = call.values["name"], documents.text(asked, "principalId")
    if not _is_guid(name):
        message = f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidRoleAssignmentId", message)
    if not _is_guid(principal):
        message = "A valid principal ID must be provided for role assignment."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidPrincipalId", message)
    role = _role(documents.text(asked, "roleDefinitionId"))
    if role not in role_definitions.BY_ID:
        message = f"The specified role definition with ID '{role.replace('-', '')}' does not exist."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "RoleDefinitionDoesNotExist", message)
    _check_scope(call.world, scope)
    _check_principal(call, asked)
    if before is not None and _triple(before) != (scope.lower(), principal.lower(), role):
        message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "RoleAssignmentUpdateNotPermitted", message)
    wanted = (scope.lower(), principal.lower(), role)
    if before is None and any(_triple(one) == wanted for one in call.world.state.all_of(KIND, f"{scope}/")):
        raise RefusedError(HTTPStatus.CONFLICT, "RoleAssignmentExists", "The role assignment already exists.")


def _check_scope(world: World, scope: str) -> None:
    """A resource has to be there; what is above it was checked by the gateway."""
    match = RESOURCE.fullmatch(scope)
    if match is None or world.state.has(scope):
        return
    parts = match[2].split("/")
    kind, name = "/".join([parts[0], *parts[1::2]]), "/".join(parts[2::2])
    message = (
        f"The Resource '{kind}/{name}' under resource group '{match[1]}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    raise RefusedError(HTTPStatus.NOT_FOUND, "ResourceNotFound", message, ("x-ms-failure-cause", "gateway"))


def _check_principal(call: Call, asked: Document) -> None:
    """Without a principal type the directory is asked, which learns of a new identity some time later."""
    principal, kind = documents.text(asked, "principalId"), documents.text(asked, "principalType")
    known = identities.principal_kind(call.world.state, principal)
    age = time.time() - identities.born(call.world.state, principal)
    if known and kind and known != kind:
        message = (
            f"The PrincipalId '{principal.replace('-', '')}' has type '{known}' , which is different from specified "
            f"PrinciaplType '{kind}'."
        )
        raise RefusedError(HTTPStatus.BAD_REQUEST, "UnmatchedPrincipalType", message)
    if kind or (known and age >= call.world.trouble.replication_s):
        return
    message = (
        f"Principal {principal.replace('-', '')} does not exist in the directory {call.who.tenant_id}. Check that you "
        "have the correct principal ID. If you are creating this principal and then immediately assigning a role, this "
        "error might be related to a replication delay. In this case, set the role assignment principalType property "
        "to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype"
    )
    raise RefusedError(HTTPStatus.BAD_REQUEST, "PrincipalNotFound", message)


def _role(definition: str) -> str:
    return definition.rstrip("/").rsplit("/", 1)[-1].lower()


def _triple(assignment: Document) -> tuple[str, str, str]:
    properties = documents.mapping(assignment, "properties")
    principal = documents.text(properties, "principalId").lower()
    return documents.text(properties, "scope").lower(), principal, _role(documents.text(properties, "roleDefinitionId"))


def _is_guid(text: str) -> bool:
    try:
        return len(text) == 36 and bool(uuid.UUID(text))
    except ValueError:
        return False


def get(call: Call) -> Answer:
    found = call.world.state.get(KIND, call.fill(ONE))
    if found is None:
        message = f"The role assignment '{call.values['name']}' is not found."
        raise RefusedError(HTTPStatus.NOT_FOUND, "RoleAssignmentNotFound", message)
    return answer(found)


def list_for_scope(call: Call) -> Answer:
    """At the scope, above and below; not below with `atScope()`."""
    scope, asked = "/" + call.values["scope"].lower(), call.query("$filter")
    found = [one for one in call.world.state.all_of(KIND) if _concerns(_triple(one)[0], scope, asked)]
    if match := OF_PRINCIPAL.search(asked):
        found = [one for one in found if _triple(one)[1] == match[1].lower()]
    return page(call, found)


def _concerns(assigned: str, scope: str, asked: str) -> bool:
    if f"{scope}/".startswith(f"{assigned}/"):
        return True
    return "atscope()" not in asked.lower() and assigned.startswith(f"{scope}/")


def delete(call: Call) -> Answer:
    state = call.world.state
    with state.lock:
        found = state.get(KIND, call.fill(ONE))
        if found is None:
            return empty(HTTPStatus.NO_CONTENT)
        state.delete(KIND, call.fill(ONE))
    return answer(found)


ROUTES = (
    Route("PUT", ONE, put),
    Route("GET", ONE, get),
    Route("DELETE", ONE, delete),
    Route("GET", LISTED, list_for_scope),
)
FINISHES: dict[str, Finish] = {}
