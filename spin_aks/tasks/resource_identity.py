"""The managed identity that is named, which the application's pods use Azure as: found or made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import SpinAksError
from spin_aks.tasks import azure_known
from spin_aks.tasks.azure_place import Named, compared, make_group
from spin_aks.tasks.making import Missing

if TYPE_CHECKING:
    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.identities import ManagedIdentity
    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject

WHAT = "identity"


def named(context: Context) -> Named | None:
    """The identity that is named, if one is."""
    given = context.settings
    if not given.identity_name:
        return None
    subscription = given.identity_subscription or given.cluster_subscription
    return Named(given.identity_name, given.identity_resource_group, subscription)


def values(context: Context) -> dict[str, JSON]:
    """What the stage that finds it depends on."""
    given = context.settings
    return {
        "identity.subscription": given.identity_subscription or None,
        "identity.resource_group": given.identity_resource_group or None,
        "identity.name": given.identity_name or None,
    }


def find(context: Context, wanted: Named, beside: str) -> ManagedIdentity | Missing:
    """A new one is made in the resource group `beside`, the cluster's, where none is given. Raises AzureError."""
    from spin_aks.azure import identities
    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.found import NotFoundError

    try:
        return identities.find(context.azure, wanted.subscription, wanted.name, wanted.group)
    except NotFoundError as missing:
        group = wanted.group or beside or wanted.name
        resource = ResourceId.of(wanted.subscription, group, identities.KIND, wanted.name)
        plan = f"managed identity `{wanted.name}` in resource group `{group}`, {context.settings.location}"
        return Missing(WHAT, resource, (plan, "what it may do is said by roles"), missing)


def whole(context: Context, found: ManagedIdentity | Missing) -> ManagedIdentity:
    """The identity, made if it has to be; raises AzureError."""
    from spin_aks.azure import identities

    if not isinstance(found, Missing):
        return found
    make_group(context, found.id, context.settings.location)
    return identities.create(context.azure, found.id, context.settings.location)


def told(found: ManagedIdentity) -> JSONObject:
    """What is kept of it in azure.json."""
    return {"id": str(found.id), "client_id": found.client_id, "object_id": found.object_id}


def resource_id(context: Context) -> ResourceId:
    """The id of the identity that was found; raises SpinAksError before it has been."""
    return azure_known.resource_id(context, WHAT, named(context))


def client_id(context: Context) -> str:
    """What pods sign in with, the identity's public name; empty where none is named.

    Raises SpinAksError before it has been found: pods with an empty one would not sign in, and nobody would know why.
    """
    wanted = named(context)
    if wanted is None:
        return ""
    match azure_known.entry(context, WHAT, wanted):
        case {"client_id": str(found)} if found:
            return found
    what = f"the client id of identity `{wanted.name}` is not known"
    raise SpinAksError(what, hint="spin-aks run resources --refresh")


def gone(context: Context) -> dict[str, str]:
    """A sentence, by `identity`, where Azure has not the one that was found, or another one; raises AzureError."""
    from spin_aks.azure import identities
    from spin_aks.azure.arm import ResourceId

    match azure_known.entry(context, WHAT, named(context)):
        case {"id": str(id), "client_id": str(before)}:
            resource = ResourceId.parse(id)
            now = identities.get(context.azure, resource)
            return {WHAT: compared("managed identity", resource, before, now.client_id if now else None)}
    return {}
