"""Resource providers: a subscription must be registered for a service before it can make anything of it.

https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.azure import wire
from spin_aks.azure.arm import same
from spin_aks.azure.problems import RERUN, reported
from spin_aks.errors import AzureError
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azure.mgmt.resource.resources import ResourceManagementClient

    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session

CLUSTER = ("Microsoft.ContainerService", "Microsoft.Compute", "Microsoft.Network", "Microsoft.ManagedIdentity")
REGISTRY = ("Microsoft.ContainerRegistry",)
VAULT = ("Microsoft.KeyVault",)
REDIS = ("Microsoft.Cache",)
COSMOS = ("Microsoft.DocumentDB",)
"""What has to be registered to make one."""

LONGEST_S = 600.0
LOOK_EVERY_S = 5.0
REGISTERED = "Registered"


@dataclass(frozen=True, slots=True)
class Provider:
    """`state` is `Registered`, `Registering`, `NotRegistered`, `Unregistering` or `Unregistered`."""

    namespace: str
    state: str

    @property
    def registered(self) -> bool:
        return same(self.state, REGISTERED)


def states(session: Session, subscription: str, namespaces: Iterable[str]) -> tuple[Provider, ...]:
    """How the subscription stands with each, asked side by side; raises AzureError."""
    return side_by_side(lambda namespace: _get(session, subscription, namespace), dict.fromkeys(namespaces))


def missing(session: Session, subscription: str, namespaces: Iterable[str]) -> tuple[str, ...]:
    """Those that are not registered."""
    return tuple(one.namespace for one in states(session, subscription, namespaces) if not one.registered)


def register(session: Session, subscription: str, namespace: str, watch: Watch) -> None:
    """Registers one and waits until it is, ten minutes at most; raises AzureError."""
    task = f"register the subscription for `{namespace}`"
    where = f"/subscriptions/{subscription}"
    with reported(task, where, tenant=session.tenant):
        _client(session, subscription).providers.register(namespace)
    start_s = clock.monotonic_s()
    while not _get(session, subscription, namespace).registered:
        if clock.monotonic_s() - start_s > LONGEST_S:
            raise AzureError(f"can't {task}: it is not done after ten minutes", where=where, hint=RERUN)
        watch.progress(f"{task}: waiting")
        clock.sleep(LOOK_EVERY_S)


def _get(session: Session, subscription: str, namespace: str) -> Provider:
    with reported(f"see whether `{namespace}` is registered", f"/subscriptions/{subscription}", tenant=session.tenant):
        found = wire.document(_client(session, subscription).providers.get(namespace))
    return Provider(wire.text(found, "namespace") or namespace, wire.text(found, "registrationState"))


def _client(session: Session, subscription: str) -> ResourceManagementClient:
    from azure.mgmt.resource.resources import ResourceManagementClient

    return session.client(ResourceManagementClient, subscription)
