"""How many vCPUs a subscription has in a region, and may have: https://learn.microsoft.com/rest/api/compute/usage/list.

Only clusters count here, and only vCPUs are counted: all of the region, and those of some families of sizes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import known_troubles, locations
from spin_aks.sandbox.azure.call import Call, RefusedError, answer, located
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.documents import items, text

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

CLUSTERS = "Microsoft.ContainerService/managedClusters"
SIZE = re.compile(r"Standard_(?P<series>[A-Z]+)(?P<vcpus>\d+)(?P<features>[a-z]*)(?P<version>_v\d+)?", re.IGNORECASE)
# As Azure spells them; what a size of another family takes is counted for the region only.
FAMILIES = ("Dv3", "DSv3", "Dv5", "DSv5", "DASv5", "DSv6", "Ev5", "ESv5", "FSv2")


def list_all(call: Call) -> Answer:
    region = call.values["location"].lower()
    if region not in locations.DISPLAY_NAMES:
        message = f"The provided location '{region}' is not available for resource type 'locations/usages'."
        raise RefusedError(400, "NoRegisteredProviderFound", message)
    used = _used(call, region)
    limit = call.world.trouble.vcpus
    return answer(
        {
            "value": [
                _usage("cores", "Total Regional vCPUs", sum(used.values()), limit),
                *(
                    _usage(f"standard{name}Family", f"Standard {name} Family vCPUs", used.get(name, 0), limit)
                    for name in FAMILIES
                ),
            ]
        }
    )


def check_room(call: Call, cluster: Document) -> None:
    """Raises RefusedError if a new cluster has more vCPUs than the subscription may still have in its region."""
    region, wanted = located(cluster, None), sum(vcpus for _, vcpus in _taken(cluster))
    used, limit = sum(_used(call, region).values()), call.world.trouble.vcpus
    if used + wanted > limit:
        raise known_troubles.too_many_vcpus(limit, used, wanted)


def _used(call: Call, region: str) -> dict[str, int]:
    """vCPUs by family; of a family that is not known, by its size's name."""
    used: dict[str, int] = {}
    for cluster in call.world.state.all_of(CLUSTERS, call.fill("~/")):
        for family, vcpus in _taken(cluster) if text(cluster, "location") == region else ():
            used[family] = used.get(family, 0) + vcpus
    return used


def _taken(cluster: Document) -> list[tuple[str, int]]:
    """The family, and the vCPUs, of each pool's nodes."""
    pools = items(cluster, "properties", "agentPoolProfiles")
    return [_of_nodes(text(pool, "vmSize"), documents.number(pool, "count")) for pool in pools]


def _of_nodes(size: str, count: int) -> tuple[str, int]:
    found = SIZE.fullmatch(size)
    if found is None:
        return size, 0
    family = f"{found['series']}{found['features']}".upper() + (found["version"] or "").lstrip("_").lower()
    return family, int(found["vcpus"]) * count


def _usage(name: str, shown: str, used: int, limit: int) -> Document:
    return {
        "limit": limit,
        "unit": "Count",
        "currentValue": used,
        "name": {"value": name, "localizedValue": shown},
    }


ROUTES = (Route("GET", "~/providers/Microsoft.Compute/locations/{location}/usages", list_all),)
FINISHES: dict[str, Finish] = {}
