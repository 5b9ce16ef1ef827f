"""What the stage `resources` noted in `T/azure.json`, as far as that is what is named now.

Whoever names another cluster, or another place for it, does not want the old one asked, which may be gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import files
from spin_aks.errors import SpinAksError

if TYPE_CHECKING:
    from spin_aks.azure.arm import ResourceId
    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.tasks.azure_place import Named


def entry(context: Context, what: str, named: Named | None) -> JSONObject:
    """What is noted of `cluster`, `registry`, `keyvault` or `identity`; empty where it is not the one that is named."""
    return _meant(_document(context).get(what), named)


def resource_id(context: Context, what: str, named: Named | None) -> ResourceId:
    """The id of what `entry` gives; raises SpinAksError before it has been found."""
    from spin_aks.azure.arm import ResourceId

    match entry(context, what, named):
        case {"id": str(found)}:
            return ResourceId.parse(found)
    raise SpinAksError(f"it is not known yet which {what} is meant", hint="spin-aks run resources")


def store(context: Context, label: str, named: Named) -> JSONObject:
    """The same for the store of that label."""
    stores = _document(context).get("stores")
    return _meant(stores.get(label), named) if isinstance(stores, dict) else {}


def _document(context: Context) -> JSONObject:
    """Nothing where another tenant is pinned than it was found in: that one can't be asked for it."""
    found, pinned = files.read_json(context.state("azure.json")) or {}, context.settings.cluster_tenant
    return found if not pinned or pinned.lower() == str(found.get("tenant") or "").lower() else {}


def _meant(noted: JSON, named: Named | None) -> JSONObject:
    from spin_aks.azure.arm import ResourceId

    if not isinstance(noted, dict) or named is None:
        return {}
    try:
        return noted if named.means(ResourceId.parse(str(noted.get("id")))) else {}
    except SpinAksError:
        return {}
