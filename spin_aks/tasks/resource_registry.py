"""The Azure Container Registry that is named: found or made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import AzureError
from spin_aks.tasks import azure_known
from spin_aks.tasks.azure_place import Named, compared, make_group, settled, watch
from spin_aks.tasks.making import Missing

if TYPE_CHECKING:
    from spin_aks.azure.acr import Registry
    from spin_aks.context import Context
    from spin_aks.json_types import JSONObject

WHAT = "registry"


def find(context: Context, named: Named, beside: str) -> Registry | Missing:
    """A new registry is made in the resource group `beside`, the cluster's, where none is given. Raises AzureError."""
    from spin_aks.azure import acr
    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.found import NotFoundError

    try:
        return acr.find(context.azure, named.subscription, named.name, named.group)
    except NotFoundError as missing:
        group = named.group or beside or named.name
        resource = ResourceId.of(named.subscription, group, acr.KIND, named.name)
        if why := acr.why_not(context.azure, named.subscription, named.name):
            what, hint = f"no registry `{named.name}` can be made", "`--registry` names another"
            raise AzureError(what, where=str(resource), why=why, hint=hint) from missing
        plan = f"registry `{named.name}` in resource group `{group}`, {context.settings.location}, tier Basic"
        return Missing(WHAT, resource, (plan,), missing)


def whole(context: Context, found: Registry | Missing) -> Registry:
    """The registry, made if it has to be; what is being done to one that is there is waited for."""
    from spin_aks.azure import acr

    if isinstance(found, Missing):
        make_group(context, found.id, context.settings.location)
        return acr.create(context.azure, found.id, context.settings.location, watch(context))
    return settled(context, found, "registry", lambda: acr.get(context.azure, found.id))


def told(found: Registry) -> JSONObject:
    """What is kept of it in azure.json."""
    kept: JSONObject = {"id": str(found.id), "login_server": found.login_server, "abac": found.abac}
    return {**kept, "created": found.created}


def gone(context: Context, named: Named) -> dict[str, str]:
    """A sentence, by `registry`, where Azure has not the one that was found, or another one; raises AzureError."""
    from spin_aks.azure import acr
    from spin_aks.azure.arm import ResourceId

    match azure_known.entry(context, WHAT, named):
        case {"id": str(id), "created": str(created)}:
            resource = ResourceId.parse(id)
            now = acr.get(context.azure, resource)
            return {WHAT: compared(WHAT, resource, created, now.created if now else None)}
    return {}
