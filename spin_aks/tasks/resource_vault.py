"""The Key Vault that is named: found, made, or brought back where it was deleted. What is in it is nobody's here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import AzureError
from spin_aks.tasks import azure_known
from spin_aks.tasks.azure_place import Named, make_group, settled, watch
from spin_aks.tasks.making import Missing

if TYPE_CHECKING:
    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.vaults import DeletedVault, Vault
    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject

WHAT = "keyvault"


def named(context: Context) -> Named | None:
    """The Key Vault that is named, if one is."""
    given = context.settings
    if not given.vault_name:
        return None
    return Named(given.vault_name, given.vault_resource_group, given.vault_subscription or given.cluster_subscription)


def values(context: Context) -> dict[str, JSON]:
    """What the stage that finds it depends on."""
    given = context.settings
    return {
        "keyvault.subscription": given.vault_subscription or None,
        "keyvault.resource_group": given.vault_resource_group or None,
        "keyvault.name": given.vault_name or None,
    }


def find(context: Context, wanted: Named, beside: str) -> Vault | Missing:
    """A new one is made in the resource group `beside`, the cluster's, where none is given. Raises AzureError."""
    from spin_aks.azure import vaults
    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.found import NotFoundError

    try:
        return vaults.find(context.azure, wanted.subscription, wanted.name, wanted.group)
    except NotFoundError as missing:
        gone = _deleted(context, wanted)
        if gone is not None:
            return _recovery(wanted, gone)
        group = wanted.group or beside or wanted.name
        resource = ResourceId.of(wanted.subscription, group, vaults.KIND, wanted.name)
        if why := vaults.why_not(context.azure, wanted.subscription, wanted.name):
            what, hint = f"no vault `{wanted.name}` can be made", "`--keyvault` names another"
            raise AzureError(what, where=str(resource), why=why, hint=hint) from missing
        plan = f"Key Vault `{wanted.name}` in resource group `{group}`, {context.settings.location}"
        return Missing(WHAT, resource, (plan, "who may use its secrets is said by roles"), missing)


def _deleted(context: Context, wanted: Named) -> DeletedVault | None:
    """The vault of that name that was deleted; None also where whoever signed in may not look."""
    from spin_aks.azure import vaults
    from spin_aks.azure.problems import AzureRefusalError, Kind

    try:
        return vaults.deleted(context.azure, wanted.subscription, wanted.name)
    except AzureRefusalError as error:
        if error.kind is not Kind.DENIED:
            raise
        return None


def _recovery(wanted: Named, gone: DeletedVault) -> Missing:
    """Bringing it back where it was; raises AzureError where another resource group is meant."""
    from spin_aks.azure.arm import same

    what = f"the vault `{wanted.name}` was deleted on {gone.deleted_on}, and keeps its name"
    others = f"`--keyvault` names another; `az keyvault purge --name {wanted.name}` ends it for good"
    if wanted.group and not same(wanted.group, gone.id.group):
        hint = f"it comes back in resource group `{gone.id.group}` only: name that; {others}"
        raise AzureError(what, where=str(gone.id), hint=hint)
    place = f"in resource group `{gone.id.group}`, {gone.location}"
    plan = f"Key Vault `{wanted.name}` recovered as it was, with all its secrets, {place}"
    return Missing(WHAT, gone.id, (plan,), AzureError(what, where=str(gone.id), hint=others), recovers=True)


def whole(context: Context, found: Vault | Missing) -> Vault:
    """The vault, made or recovered if it has to be; what is being done to one that is there is waited for."""
    from spin_aks.azure import subscriptions, vaults

    if not isinstance(found, Missing):
        return settled(context, found, "vault", lambda: vaults.get(context.azure, found.id))
    tenant = subscriptions.get(context.azure, found.id.subscription).tenant
    location = context.settings.location
    gone = vaults.deleted(context.azure, found.id.subscription, found.id.name) if found.recovers else None
    if gone is not None:
        make_group(context, found.id, gone.location)
        return vaults.recover(context.azure, found.id, gone, tenant, watch(context))
    make_group(context, found.id, location)
    return vaults.create(context.azure, found.id, location, tenant, watch(context))


def told(found: Vault) -> JSONObject:
    """What is kept of it in azure.json."""
    return {"id": str(found.id), "uri": found.uri}


def resource_id(context: Context) -> ResourceId:
    """The id of the vault that was found; raises SpinAksError before it has been."""
    return azure_known.resource_id(context, WHAT, named(context))


def gone(context: Context) -> dict[str, str]:
    """A sentence, by `keyvault`, where Azure no longer has the vault that was found; raises AzureError."""
    from spin_aks.azure import vaults
    from spin_aks.azure.arm import ResourceId

    match azure_known.entry(context, WHAT, named(context)):
        case {"id": str(found)}:
            resource = ResourceId.parse(found)
            if vaults.get(context.azure, resource) is None:
                return {WHAT: f"there is no Key Vault `{resource.name}` in Azure any more"}
    return {}
