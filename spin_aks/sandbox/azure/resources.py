"""All resources of a subscription or a group, as Resource Manager itself knows them: without their properties.

https://learn.microsoft.com/rest/api/resources/resources/list
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure.call import Call, page
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

CONDITION = re.compile(r"(resourceType|name|resourceGroup|location)\s+eq\s+'([^']*)'", re.IGNORECASE)
RESOURCE = re.compile(r"/subscriptions/[^/]+/resourcegroups/([^/]+)/providers/[^/]+/[^/]+/[^/]+", re.IGNORECASE)
SHOWN = ("id", "name", "type", "kind", "sku", "identity", "managedBy", "location", "tags", "systemData")


def list_all(call: Call) -> Answer:
    return _listed(call, call.fill("~/"))


def list_of_group(call: Call) -> Answer:
    return _listed(call, call.fill("~/resourceGroups/{group}/"))


def _listed(call: Call, below: str) -> Answer:
    conditions = {name.lower(): value.lower() for name, value in CONDITION.findall(call.query("$filter"))}
    found = [
        {name: resource[name] for name in SHOWN if name in resource}
        for _, resource in call.world.state.kinds_below(below)
        if _is_one(resource, conditions)
    ]
    return page(call, found)


def _is_one(resource: Document, conditions: dict[str, str]) -> bool:
    match = RESOURCE.fullmatch(documents.text(resource, "id"))
    if match is None or "location" not in resource:
        return False
    known = {
        "resourcetype": documents.text(resource, "type"),
        "name": documents.text(resource, "name"),
        "resourcegroup": match[1],
        "location": documents.text(resource, "location"),
    }
    return all(known[name].lower() == value for name, value in conditions.items())


ROUTES = (
    Route("GET", "~/resources", list_all),
    Route("GET", "~/resourceGroups/{group}/resources", list_of_group),
)
FINISHES: dict[str, Finish] = {}
