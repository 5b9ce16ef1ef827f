"""Workload identity: a managed identity that a Kubernetes service account may sign in as, with nothing stored.

https://learn.microsoft.com/azure/aks/workload-identity-overview
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.azure import wire
from spin_aks.azure.arm import ResourceId, same
from spin_aks.azure.found import only
from spin_aks.azure.operations import Watch
from spin_aks.azure.problems import AzureRefusalError, Kind, if_registered, or_none, reported
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from azure.mgmt.msi import ManagedServiceIdentityClient

    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject

KIND = "Microsoft.ManagedIdentity/userAssignedIdentities"
TITLE = "managed identity"
AUDIENCE = "api://AzureADTokenExchange"
MOST_FEDERATIONS = 20
"""https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations"""
TRIES = 12
BETWEEN_TRIES_S = 10.0


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """`object_id` is what roles are given to; `client_id` goes into the service account's annotation."""

    id: ResourceId
    location: str
    object_id: str
    client_id: str
    tenant: str


@dataclass(frozen=True, slots=True)
class Federation:
    """Who may sign in as an identity: `subject` (a service account) by a token that `issuer` (a cluster) signed."""

    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...] = (AUDIENCE,)


def service_account(name: str, issuer: str, namespace: str, account: str) -> Federation:
    """A service account of the cluster whose OIDC issuer that is."""
    return Federation(name, issuer, f"system:serviceaccount:{namespace}:{account}")


def identities(session: Session, subscription: str) -> tuple[ManagedIdentity, ...]:
    """All of a subscription; raises AzureError."""
    with reported("list managed identities", f"/subscriptions/{subscription}", tenant=session.tenant):
        found = _client(session, subscription).user_assigned_identities.list_by_subscription()
        return tuple(parse(wire.document(one)) for one in found)


def find(session: Session, subscription: str, name: str, group: str = "") -> ManagedIdentity:
    """The one of that name, in whatever group if none is given; raises NotFoundError, AmbiguousError, AzureError."""
    if group:
        found = get(session, ResourceId.of(subscription, group, KIND, name))
        if found is not None:
            return found
    return only(if_registered(lambda: identities(session, subscription), ()), TITLE, name, group)


def get(session: Session, resource: ResourceId) -> ManagedIdentity | None:
    """The identity, or None if there is none; raises AzureError."""

    def look() -> ManagedIdentity:
        with reported(f"look up identity `{resource.name}`", str(resource), tenant=session.tenant):
            found = _client(session, resource.subscription).user_assigned_identities.get(resource.group, resource.name)
            return parse(wire.document(found))

    return or_none(look)


def body(location: str) -> JSONObject:
    return {"location": location}


def create(session: Session, resource: ResourceId, location: str) -> ManagedIdentity:
    """Makes the identity, or gives the one that is there; done at once. Raises AzureError."""
    found = get(session, resource)
    if found is not None:
        return found
    with reported(f"make identity `{resource.name}`", str(resource), tenant=session.tenant):
        made = _client(session, resource.subscription).user_assigned_identities.create_or_update(
            resource.group, resource.name, wire.content(body(location)), content_type="application/json"
        )
        return parse(wire.document(made))


def federations(session: Session, identity: ResourceId) -> tuple[Federation, ...]:
    """All that an identity has, twenty at most; raises AzureError."""
    with reported(f"see who may sign in as identity `{identity.name}`", str(identity), tenant=session.tenant):
        found = _client(session, identity.subscription).federated_identity_credentials.list(
            identity.group, identity.name
        )
        return tuple(parse_federation(wire.document(one)) for one in found)


def federation_body(wanted: Federation) -> JSONObject:
    audiences: list[str] = list(wanted.audiences)
    return {"properties": {"issuer": wanted.issuer, "subject": wanted.subject, "audiences": [*audiences]}}


def may_sign_in(session: Session, identity: ResourceId, wanted: Federation) -> bool:
    """Whether that service account may sign in as the identity; raises AzureError."""
    return any(equal(one, wanted) for one in federations(session, identity))


def federate(session: Session, identity: ResourceId, wanted: Federation, watch: Watch | None = None) -> bool:
    """Lets the service account sign in as the identity; false if it may already. Raises AzureError.

    Another one of the same issuer and subject under another name does as well: Azure lets there be one only. It takes
    one at a time of an identity, so that somebody else's is waited for, two minutes at most.
    """
    if not wanted.issuer:
        hint = "`az aks update --enable-oidc-issuer --enable-workload-identity` turns it on"
        raise AzureError("the cluster has no OIDC issuer, without which no identity can be used", hint=hint)
    task = f"let `{wanted.subject}` sign in as identity `{identity.name}`"
    for left in reversed(range(TRIES)):
        there = federations(session, identity)
        if any(equal(one, wanted) for one in there):
            return False
        _check_room(identity, wanted, there, task)
        try:
            _put(session, identity, wanted, task)
            break
        except AzureRefusalError as error:
            if error.kind is not Kind.BUSY or not left:
                raise
            (watch or Watch()).progress(f"{task}: somebody else is being let in right now, waiting for that")
            clock.sleep(BETWEEN_TRIES_S)
    return True


def _check_room(identity: ResourceId, wanted: Federation, there: tuple[Federation, ...], task: str) -> None:
    if len(there) < MOST_FEDERATIONS or any(same(one.name, wanted.name) for one in there):
        return
    named = f"--identity-name {identity.name} --resource-group {identity.group} --subscription {identity.subscription}"
    raise AzureError(
        f"can't {task}: it has {len(there)} federated credentials already, and {MOST_FEDERATIONS} are the most",
        where=str(identity),
        hint=f"`az identity federated-credential list {named}` shows them, `az identity federated-credential delete "
        f"{named} --name NAME` removes one; or choose another identity",
    )


def _put(session: Session, identity: ResourceId, wanted: Federation, task: str) -> None:
    with reported(task, str(identity), tenant=session.tenant):
        made = _client(session, identity.subscription).federated_identity_credentials.create_or_update(
            identity.group,
            identity.name,
            wanted.name,
            wire.content(federation_body(wanted)),
            content_type="application/json",
        )
        wire.check_named(wire.document(made))


def equal(one: Federation, other: Federation) -> bool:
    """Whether `one` lets in whom `other` does. Azure compares letter by letter: without an issuer's last slash nobody
    is let in (https://github.com/Azure/azure-workload-identity/issues/1700).
    """
    who_is_let_in = one.issuer, one.subject
    return who_is_let_in == (other.issuer, other.subject) and set(other.audiences) <= set(one.audiences)


def _client(session: Session, subscription: str) -> ManagedServiceIdentityClient:
    from azure.mgmt.msi import ManagedServiceIdentityClient

    return session.client(ManagedServiceIdentityClient, subscription)


def parse(document: JSONObject) -> ManagedIdentity:
    properties = wire.at(document, "properties")
    return ManagedIdentity(
        wire.resource(document),
        wire.text(document, "location"),
        wire.text(properties, "principalId"),
        wire.text(properties, "clientId"),
        wire.text(properties, "tenantId"),
    )


def parse_federation(document: JSONObject) -> Federation:
    properties = wire.at(document, "properties")
    listed = wire.at(properties, "audiences")
    audiences = tuple(str(one) for one in listed) if isinstance(listed, list) else ()
    return Federation(
        wire.text(document, "name"), wire.text(properties, "issuer"), wire.text(properties, "subject"), audiences
    )
