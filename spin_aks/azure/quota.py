"""How many vCPUs a region still has for a subscription, which is what most clusters fail for.

https://learn.microsoft.com/azure/quotas/view-quotas. A size's vCPUs and family are read off its name:
https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions. That holds for the sizes which that page
describes; of all others nothing is said here, rather than something wrong. The list of sizes that would tell for sure
(Microsoft.Compute/skus) is several megabytes long, whatever is asked of it (Azure/azure-cli#6970).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.azure import wire
from spin_aks.azure.arm import same
from spin_aks.azure.problems import reported
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spin_aks.azure.session import Session

VERSION = "2024-07-01"
REGIONAL = "cores"
# Without a version, or of D and DS with version 2, the number is not that of vCPUs, but counts the sizes; a `-` or `_`
# in between says that some vCPUs are off, or names an accelerator.
_SIZE = re.compile(r"Standard_(?P<series>[A-Z]{1,2})(?P<vcpus>[1-9]\d*)(?P<features>[a-z]*)_v(?P<version>[2-9]|\d\d)")
_COUNTED = frozenset({("D", "2"), ("DS", "2"), ("GS", "2")})


@dataclass(frozen=True, slots=True)
class Usage:
    """`name` is as `cores` or `standardDSv5Family`, `title` as `Total Regional vCPUs`."""

    name: str
    title: str
    used: int
    limit: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Size:
    """What the name of a size says; `family` as a usage's name, which need not be there."""

    vcpus: int
    family: str


def usages(session: Session, subscription: str, location: str) -> tuple[Usage, ...]:
    """All that Azure counts of virtual machines in a region; raises AzureError."""
    from azure.core.exceptions import HttpResponseError
    from azure.core.rest import HttpRequest
    from azure.mgmt.resource.resources import ResourceManagementClient

    where = f"/subscriptions/{subscription}"
    task = f"look up the quota of vCPUs in `{location}`"
    path = f"{where}/providers/Microsoft.Compute/locations/{location}/usages"
    with reported(task, where, tenant=session.tenant):
        client = session.client(ResourceManagementClient, subscription)
        answer = client.send_request(HttpRequest("GET", path, params={"api-version": VERSION}))
        if answer.status_code != 200:
            raise HttpResponseError(response=answer)
        try:
            found = answer.json()
        except ValueError as error:
            raise AzureError(f"can't {task}: the answer is no JSON", where=where) from error
    return tuple(
        Usage(
            wire.text(one, "name", "value"),
            wire.text(one, "name", "localizedValue"),
            wire.number(one, "currentValue"),
            wire.number(one, "limit"),
        )
        for one in wire.objects(found, "value")
    )


def size(name: str) -> Size | None:
    """What is sure about a size of virtual machines from its name, such as `Standard_D2s_v5`, if anything is."""
    found = _SIZE.fullmatch(name)
    if found is None or (found["series"], found["version"]) in _COUNTED:
        return None
    letters = found["series"] + found["features"].upper()
    return Size(int(found["vcpus"]), f"standard{letters}v{found['version']}Family")


def short(found: Iterable[Usage], wanted: Size, nodes: int) -> tuple[Usage, ...]:
    """Those that have too little left for so many nodes: the region's, and the family's where there is one so named."""
    return tuple(
        one
        for one in found
        if (same(one.name, REGIONAL) or same(one.name, wanted.family)) and one.left < nodes * wanted.vcpus
    )
