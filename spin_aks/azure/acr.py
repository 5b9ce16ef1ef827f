"""Container registries of Azure's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spin_aks.azure import wire
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.found import only
from spin_aks.azure.operations import FINAL, make, settle, taken_up, whole
from spin_aks.azure.problems import if_registered, or_none, reported
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from azure.core.polling import LROPoller
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient

    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject

KIND = "Microsoft.ContainerRegistry/registries"
TITLE = "container registry"
ABAC = "abacrepositorypermissions"


@dataclass(frozen=True, slots=True)
class Registry:
    """`login_server` is its host, never to be made from its name: newer ones have a hash in it.

    `abac`: rights are given by repository, and AcrPull and AcrPush mean nothing. `public`: reached from everywhere.
    `created` tells it from another one that had the name before.
    """

    id: ResourceId
    location: str
    state: str
    login_server: str
    sku: str
    abac: bool
    public: bool
    created: str = ""


def registries(session: Session, subscription: str) -> tuple[Registry, ...]:
    """All of a subscription; raises AzureError."""
    with reported("list container registries", f"/subscriptions/{subscription}", tenant=session.tenant):
        return tuple(parse(wire.document(one)) for one in _client(session, subscription).registries.list())


def find(session: Session, subscription: str, name: str, group: str = "") -> Registry:
    """The one of that name, in whatever group if none is given; raises NotFoundError, AmbiguousError, AzureError."""
    if group:
        found = get(session, ResourceId.of(subscription, group, KIND, name))
        if found is not None:
            return found
    return only(if_registered(lambda: registries(session, subscription), ()), TITLE, name, group)


def get(session: Session, resource: ResourceId) -> Registry | None:
    """The registry, or None if there is none; raises AzureError."""

    def look() -> Registry:
        with reported(f"look up registry `{resource.name}`", str(resource), tenant=session.tenant):
            return parse(
                wire.document(_client(session, resource.subscription).registries.get(resource.group, resource.name))
            )

    return or_none(look)


def why_not(session: Session, subscription: str, name: str) -> str:
    """Why no registry of that name can be made, in Azure's words; empty if one can, as far as Azure tells.

    Raises AzureError.
    """
    body: JSONObject = {"name": name, "type": KIND}

    def ask() -> str:
        with reported(f"see whether the name `{name}` is free", KIND, tenant=session.tenant):
            return wire.why_not(
                wire.document(_client(session, subscription).registries.check_name_availability(_any(body)))
            )

    return if_registered(ask, "")


def body(location: str) -> JSONObject:
    """The smallest registry, without the user `admin` whose password never ends."""
    return {"location": location, "sku": {"name": "Basic"}, "properties": {"adminUserEnabled": False}}


def create(session: Session, resource: ResourceId, location: str, watch: Watch) -> Registry:
    """Makes the registry, or gives the one that is there; about ten seconds. Raises AzureError."""
    operations = _client(session, resource.subscription).registries

    def begin(token: str | None) -> LROPoller[Any]:
        return operations.begin_create(resource.group, resource.name, _any(body(location)), **taken_up(token))

    return make(watch, f"make registry `{resource.name}`", resource, lambda: get(session, resource), begin)


def settled(session: Session, found: Registry, watch: Watch) -> Registry:
    """The registry once what is being done to it is done, by whomever; raises AzureError if it is gone then."""
    if found.state.lower() in FINAL:
        return found
    task = f"use registry `{found.id.name}`"
    now = settle(watch, task, found.id, lambda: get(session, found.id))
    if now is None:
        raise AzureError(f"can't {task}: it was {found.state.lower()}, and is gone", where=str(found.id))
    return whole(now, task, now.id)


def _any(body: JSONObject) -> Any:
    return body


def _client(session: Session, subscription: str) -> ContainerRegistryManagementClient:
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient

    return session.client(ContainerRegistryManagementClient, subscription)


def parse(document: JSONObject) -> Registry:
    """A registry from the JSON of Microsoft.ContainerRegistry/registries."""
    properties = wire.at(document, "properties")
    return Registry(
        id=wire.resource(document),
        location=wire.text(document, "location"),
        state=wire.text(properties, "provisioningState"),
        login_server=wire.text(properties, "loginServer").lower(),
        sku=wire.text(document, "sku", "name"),
        abac=wire.text(properties, "roleAssignmentMode").lower() == ABAC,
        public=wire.text(properties, "publicNetworkAccess").lower() != "disabled",
        created=wire.text(properties, "creationDate"),
    )
