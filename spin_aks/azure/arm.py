"""Azure Resource Manager's ids: one text for a resource, whose case says nothing.

https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from spin_aks.errors import AzureError

_ROOT = "subscriptions"
_GROUPS = "resourcegroups"
_PROVIDERS = "providers"


@dataclass(frozen=True, slots=True, eq=False)
class ResourceId:
    """A resource, or a resource group (`types` is empty), or a subscription (`group` is empty, too).

    Two ids of the same resource are equal however they are written: services answer `resourcegroups`, changed case of
    a group's name and more (they are compared case-insensitively by Azure itself).
    """

    subscription: str
    group: str = ""
    namespace: str = ""
    types: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """Raises AzureError for what is no id of a subscription or of something in one."""
        parts = text.strip("/").split("/")
        lower = [part.lower() for part in parts]
        if len(parts) < 2 or lower[0] != _ROOT or not all(parts):
            raise AzureError(f"`{text}` is no id of a resource in Azure")
        subscription, parts, lower = parts[1], parts[2:], lower[2:]
        group = ""
        if lower[:1] == [_GROUPS] and len(parts) >= 2:
            group, parts, lower = parts[1], parts[2:], lower[2:]
        if not parts:
            return cls(subscription, group)
        if lower[0] != _PROVIDERS or len(parts) < 4 or len(parts) % 2:
            raise AzureError(f"`{text}` is no id of a resource in Azure")
        types = tuple(zip(parts[2::2], parts[3::2], strict=True))
        return cls(subscription, group, parts[1], types)

    @classmethod
    def of(cls, subscription: str, group: str, kind: str, name: str) -> ResourceId:
        """`kind` is as `Microsoft.ContainerService/managedClusters`."""
        namespace, _, kind_of_resource = kind.partition("/")
        return cls(subscription, group, namespace, ((kind_of_resource, name),))

    @property
    def name(self) -> str:
        return self.types[-1][1] if self.types else self.group or self.subscription

    @property
    def kind(self) -> str:
        """As `Microsoft.ContainerService/managedClusters`; of a group and a subscription what ARM calls them."""
        if self.types:
            return "/".join((self.namespace, *(kind for kind, _ in self.types)))
        return "Microsoft.Resources/" + ("resourceGroups" if self.group else "subscriptions")

    def child(self, kind: str, name: str) -> ResourceId:
        return ResourceId(self.subscription, self.group, self.namespace, (*self.types, (kind, name)))

    def __str__(self) -> str:
        text = f"/subscriptions/{self.subscription}"
        if self.group:
            text += f"/resourceGroups/{self.group}"
        if self.types:
            text += f"/providers/{self.namespace}" + "".join(f"/{kind}/{name}" for kind, name in self.types)
        return text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceId) and str(self).lower() == str(other).lower()

    def __hash__(self) -> int:
        return hash(str(self).lower())


def same(one: str, other: str) -> bool:
    """Whether two texts are the same to Azure: ids, names of groups, clusters and registries."""
    return one.strip("/").lower() == other.strip("/").lower()


def lasting_name(*parts: str) -> str:
    """A name (a UUID) that is the same each time it is made of the same parts, in whatever case."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "|".join(part.strip("/").lower() for part in parts)))
