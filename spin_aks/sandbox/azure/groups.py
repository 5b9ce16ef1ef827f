"""Resource groups. What is in a group goes with it.

https://learn.microsoft.com/rest/api/resources/resource-groups; a group that is being deleted can still be read, and is
404 afterwards.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import deleted_vaults
from spin_aks.sandbox.azure.call import RefusedError, answer, empty, page
from spin_aks.sandbox.azure.hosts import HOSTS
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.operations import Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

KIND = "Microsoft.Resources/resourceGroups"
ONE = "~/resourceGroups/{group}"
NAME = re.compile(r"[-\w._()]{0,89}[-\w_()]")
TAG_FILTER = re.compile(r"tagname eq '([^']*)'(?: and tagvalue eq '([^']*)')?", re.IGNORECASE)


def put(call: Call) -> Answer:
    asked = call.document()
    if not NAME.fullmatch(call.values["group"]):
        message = (
            f"The provided resource group name '{call.values['group']}' has these invalid characters. The name can "
            "only be a letter, digit, '-', '.', '(', ')' or '_'."
        )
        raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidResourceGroup", message)
    with call.world.state.lock:
        before = find(call.world, call.fill(ONE))
        group = _group(call, asked, before)
        call.world.state.put(KIND, call.fill(ONE), group)
    return answer(group, status=HTTPStatus.OK if before else HTTPStatus.CREATED)


def _group(call: Call, asked: Document, before: Document | None) -> Document:
    location = documents.text(asked, "location").replace(" ", "").lower()
    if not location:
        message = "The location property is required for this definition."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "LocationRequired", message)
    if before and documents.text(before, "location") != location:
        message = (
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{documents.text(before, 'location')}'."
        )
        raise RefusedError(HTTPStatus.CONFLICT, "InvalidResourceGroupLocation", message)
    if before and documents.text(before, "properties", "provisioningState") == "Deleting":
        raise being_deleted(call.values["group"])
    kept: Document = {name: asked[name] for name in ("managedBy", "tags") if name in asked}
    return {
        "id": documents.text(before, "id") or call.fill(ONE),
        "name": documents.text(before, "name") or call.values["group"],
        "type": KIND,
        "location": location,
        **kept,
        "properties": {"provisioningState": "Succeeded"},
    }


def get(call: Call) -> Answer:
    return answer(existing(call.world, call.fill(ONE)))


def exists(call: Call) -> Answer:
    return empty(HTTPStatus.NO_CONTENT if find(call.world, call.fill(ONE)) else HTTPStatus.NOT_FOUND)


def list_all(call: Call) -> Answer:
    groups = call.world.state.all_of(KIND, call.fill("~/"))
    if wanted := TAG_FILTER.fullmatch(call.query("$filter")):
        groups = [group for group in groups if _has_tag(group, wanted[1], wanted[2])]
    return page(call, groups)


def _has_tag(group: Document, name: str, value: str | None) -> bool:
    tags = documents.strings(group, "tags")
    return name in tags and value in (None, tags[name])


def delete(call: Call) -> Answer:
    group = existing(call.world, call.fill(ONE))
    documents.child(group, "properties")["provisioningState"] = "Deleting"
    call.world.state.put(KIND, call.fill(ONE), group)
    result = call.fill("~/operationresults/{{id}}")
    headers = call.world.operations.begin(call, call.fill(ONE), KIND, "groups.deleted", result=result)
    return empty(HTTPStatus.ACCEPTED, *headers)


def deleted(world: World, operation: Operation) -> None:
    remove(world, operation.target)


def remove(world: World, group_id: str) -> None:
    """With all that is in it, and with the groups that its resources made for themselves; vaults can be recovered."""
    inside = f"{group_id.lower()}/"
    deleted_vaults.put_aside_below(world, inside)
    for host, document in world.state.items_of(HOSTS):
        if documents.text(document, "resource").lower().startswith(inside):
            world.state.delete(HOSTS, host)
    world.state.delete_below(inside)
    world.state.delete(KIND, group_id)
    for key, group in world.state.items_of(KIND):
        if documents.text(group, "managedBy").lower().startswith(inside):
            remove(world, key)


def find(world: World, group_id: str) -> Document | None:
    return world.state.get(KIND, group_id)


def existing(world: World, group_id: str) -> Document:
    """The group; RefusedError (ResourceGroupNotFound) if there is none."""
    group = find(world, group_id)
    if group is None:
        name = group_id.rsplit("/", 1)[-1]
        message = f"Resource group '{name}' could not be found."
        raise RefusedError(HTTPStatus.NOT_FOUND, "ResourceGroupNotFound", message, ("x-ms-failure-cause", "gateway"))
    return group


def being_deleted(name: str) -> RefusedError:
    message = f"The resource group '{name}' is in deprovisioning state and cannot perform this operation."
    return RefusedError(HTTPStatus.CONFLICT, "ResourceGroupBeingDeleted", message)


ROUTES = (
    Route("GET", "~/resourceGroups", list_all),
    Route("PUT", ONE, put),
    Route("HEAD", ONE, exists),
    Route("GET", ONE, get),
    Route("DELETE", ONE, delete),
)
FINISHES = {"groups.deleted": deleted}
