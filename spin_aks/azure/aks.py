"""AKS clusters: finding, reading and making them; `aks_changes.py` turns on what an application needs of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spin_aks.azure import aks_body, wire
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.found import only
from spin_aks.azure.operations import FINAL, make, settle, taken_up, whole
from spin_aks.azure.problems import if_registered, or_none, reported
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.polling import LROPoller
    from azure.mgmt.containerservice import ContainerServiceClient
    from azure.mgmt.containerservice.models import ManagedCluster

    from spin_aks.azure.aks_body import NewCluster
    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject

TITLE = "AKS cluster"


@dataclass(frozen=True, slots=True)
class Identity:
    """A managed identity: `object_id` is what roles are given to, `client_id` what signs in as it."""

    object_id: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Pool:
    name: str
    os_sku: str
    node_image: str
    node_size: str
    node_count: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as it is. Identities are None until it is made, and `kubelet` for one with a service principal.

    `server` is the API server's host; `entra` says that people sign in by Entra ID, `local_accounts` that a
    certificate is given besides; `problem` is what Azure says about its last failure.
    """

    id: ResourceId
    location: str
    state: str
    power: str
    kubernetes_version: str
    server: str
    tenant: str
    node_group: str
    private: bool
    run_command: bool
    entra: bool
    local_accounts: bool
    kubelet: Identity | None
    keyvault_addon: bool
    keyvault_identity: Identity | None
    oidc_issuer: str
    workload_identity: bool
    pools: tuple[Pool, ...]
    problem: str

    @property
    def running(self) -> bool:
        return self.power in ("", "Running")


def clusters(session: Session, subscription: str) -> tuple[Cluster, ...]:
    """All of a subscription; raises AzureError."""
    with reported("list AKS clusters", f"/subscriptions/{subscription}", tenant=session.tenant):
        return tuple(parse(wire.document(one)) for one in client(session, subscription).managed_clusters.list())


def find(session: Session, subscription: str, name: str, group: str = "") -> Cluster:
    """The one of that name, in whatever group if none is given; raises NotFoundError, AmbiguousError, AzureError."""
    if group:
        found = get(session, ResourceId.of(subscription, group, aks_body.KIND, name))
        if found is not None:
            return found
    return only(if_registered(lambda: clusters(session, subscription), ()), TITLE, name, group)


def get(session: Session, resource: ResourceId) -> Cluster | None:
    """The cluster, or None if there is none (or no such group); raises AzureError."""
    model = read(session, resource)
    if model is None:
        return None
    with reported(_looking(resource), str(resource), tenant=session.tenant):
        return parse(wire.document(model))


def create(session: Session, new: NewCluster, watch: Watch) -> Cluster:
    """Makes the cluster of `aks_body.body`, or gives the one that is there: one that is being made is waited for.

    Takes five to ten minutes. Raises AzureError, also for one whose making failed before.
    """
    task = f"make cluster `{new.id.name}`"
    return make(
        watch,
        task,
        new.id,
        lambda: get(session, new.id),
        putting(session, new.id, aks_body.body(new)),
        lambda failed: failed.problem,
    )


def settled(session: Session, found: Cluster, watch: Watch) -> Cluster:
    """The cluster once what is being done to it is done, by whomever. Raises AzureError if it is gone then, or if it
    was never made whole; one that a later change failed on still serves.
    """
    task = f"use cluster `{found.id.name}`"
    now: Cluster | None = found
    if found.state.lower() not in FINAL:
        now = settle(watch, task, found.id, lambda: get(session, found.id))
    if now is None:
        raise AzureError(f"can't {task}: it was {found.state.lower()}, and is gone", where=str(found.id))
    return now if now.kubelet else whole(now, task, now.id, now.problem)


def putting(
    session: Session, resource: ResourceId, body: Any, *, etag: str = ""
) -> Callable[[str | None], LROPoller[ManagedCluster]]:
    """What sends a whole cluster, for `follow` and `make`; with an ETag only if nobody has changed it since."""
    from azure.core import MatchConditions

    operations = client(session, resource.subscription).managed_clusters
    unchanged: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}

    def begin(token: str | None) -> LROPoller[ManagedCluster]:
        return operations.begin_create_or_update(resource.group, resource.name, body, **unchanged, **taken_up(token))

    return begin


def read(session: Session, resource: ResourceId) -> ManagedCluster | None:
    """The whole cluster as it can be sent back, or None if there is none (or no such group); raises AzureError."""

    def look() -> ManagedCluster:
        with reported(_looking(resource), str(resource), tenant=session.tenant):
            return client(session, resource.subscription).managed_clusters.get(resource.group, resource.name)

    return or_none(look)


def _looking(resource: ResourceId) -> str:
    return f"look up cluster `{resource.name}`"


def client(session: Session, subscription: str) -> ContainerServiceClient:
    """The SDK's client, made when it is first asked for."""
    from azure.mgmt.containerservice import ContainerServiceClient

    return session.client(ContainerServiceClient, subscription)


def parse(document: JSONObject) -> Cluster:
    """A cluster from the JSON of Microsoft.ContainerService/managedClusters."""
    properties = wire.at(document, "properties")
    access = wire.at(properties, "apiServerAccessProfile")
    private = wire.flag(access, "enablePrivateCluster")
    addon = _addon(properties)
    host = wire.text(properties, "privateFQDN" if private else "fqdn") or wire.text(properties, "fqdn")
    return Cluster(
        id=wire.resource(document),
        location=wire.text(document, "location"),
        state=wire.text(properties, "provisioningState"),
        power=wire.text(properties, "powerState", "code"),
        kubernetes_version=wire.text(properties, "currentKubernetesVersion")
        or wire.text(properties, "kubernetesVersion"),
        server=host,
        tenant=wire.text(document, "identity", "tenantId"),
        node_group=wire.text(properties, "nodeResourceGroup"),
        private=private,
        run_command=not wire.flag(access, "disableRunCommand"),
        entra=isinstance(wire.at(properties, "aadProfile"), dict),
        local_accounts=not wire.flag(properties, "disableLocalAccounts"),
        kubelet=_identity(wire.at(properties, "identityProfile", "kubeletidentity")),
        keyvault_addon=wire.flag(addon, "enabled"),
        keyvault_identity=_identity(wire.at(addon, "identity")) if wire.flag(addon, "enabled") else None,
        oidc_issuer=wire.text(properties, "oidcIssuerProfile", "issuerURL"),
        workload_identity=wire.flag(properties, "securityProfile", "workloadIdentity", "enabled"),
        pools=tuple(_pool(one) for one in wire.objects(properties, "agentPoolProfiles")),
        problem=wire.text(properties, "status", "provisioningError", "message"),
    )


def _addon(properties: Any) -> Any:
    profiles = wire.at(properties, "addonProfiles")
    named = profiles.items() if isinstance(profiles, dict) else ()
    return next((profile for name, profile in named if name.lower() == aks_body.ADDON.lower()), None)


def _identity(found: Any) -> Identity | None:
    object_id = wire.text(found, "objectId")
    return Identity(object_id, wire.text(found, "clientId")) if object_id else None


def _pool(found: JSONObject) -> Pool:
    return Pool(
        wire.text(found, "name"),
        wire.text(found, "osSKU"),
        wire.text(found, "nodeImageVersion"),
        wire.text(found, "vmSize"),
        wire.number(found, "count"),
    )
