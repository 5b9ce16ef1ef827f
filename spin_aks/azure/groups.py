"""Resource groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.azure import wire
from spin_aks.azure.operations import settle
from spin_aks.azure.problems import or_none, reported

if TYPE_CHECKING:
    from azure.mgmt.resource.resources import ResourceManagementClient

    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject


@dataclass(frozen=True, slots=True)
class Group:
    """`state` is `Succeeded`, or `Deleting` for one that goes away with all that is in it."""

    id: ResourceId
    location: str
    state: str


def groups(session: Session, subscription: str) -> tuple[Group, ...]:
    """Raises AzureError."""
    with reported("list resource groups", f"/subscriptions/{subscription}", tenant=session.tenant):
        return tuple(_group(wire.document(found)) for found in _client(session, subscription).resource_groups.list())


def get(session: Session, resource: ResourceId) -> Group | None:
    """The group, or None if there is none; raises AzureError."""

    def look() -> Group:
        with reported(f"look up resource group `{resource.group}`", str(resource), tenant=session.tenant):
            return _group(wire.document(_client(session, resource.subscription).resource_groups.get(resource.group)))

    return or_none(look)


def body(location: str) -> JSONObject:
    return {"location": location}


def create(session: Session, resource: ResourceId, location: str, watch: Watch) -> Group:
    """Makes the group, or leaves the one that is there as it is, in whatever region; one that goes away is waited for.

    Raises AzureError.
    """
    task = f"make resource group `{resource.group}`"
    found = settle(watch, task, resource, lambda: get(session, resource))
    if found is not None:
        return found
    with reported(task, str(resource), tenant=session.tenant):
        made = _client(session, resource.subscription).resource_groups.create_or_update(resource.group, body(location))
        return _group(wire.document(made))


def _client(session: Session, subscription: str) -> ResourceManagementClient:
    from azure.mgmt.resource.resources import ResourceManagementClient

    return session.client(ResourceManagementClient, subscription)


def _group(found: JSONObject) -> Group:
    state = wire.text(found, "properties", "provisioningState")
    return Group(wire.resource(found), wire.text(found, "location"), state)
