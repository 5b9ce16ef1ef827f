"""What an AKS cluster that we make is like, and why: decided here, printed by a plan, sent by `aks.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.azure import wire
from spin_aks.errors import UsageError

if TYPE_CHECKING:
    from spin_aks.azure.arm import ResourceId
    from spin_aks.json_types import JSON, JSONObject

KIND = "Microsoft.ContainerService/managedClusters"
ADDON = "azureKeyvaultSecretsProvider"

OS_SKU = "Ubuntu2204"
OS_SKU_REASON = (
    "its nodes run containerd 1.7, and what installs the Spin runtime today writes its entry for that one: "
    "containerd 2, which `Ubuntu2404`, `AzureLinux3` and, from Kubernetes 1.35 on, `Ubuntu` come with, passes over it"
)
"""Which containerd a SKU has: Azure/AgentBaker, parts/common/components.json (Ubuntu 22.04: 1.7.34, 24.04: 2.3.3, Azure
Linux 3: 2.2.4). Which SKU a Kubernetes version may have: https://aka.ms/aks/upgrade-os-version, AKS release notes of
2026-01-04 (`Ubuntu2204` until Kubernetes 1.36 ends). containerd 2 copies tables of `io.containerd.grpc.v1.cri` only
where `io.containerd.cri.v1.runtime` has none (containerd v2.2.0, plugins/cri/runtime/plugin.go, migrateConfig).
"""

NODE_SIZE = "Standard_D2s_v5"
NODE_COUNT = 2
MORE_NODES = 3
MOST_NODES = 1000


@dataclass(frozen=True, slots=True)
class NewCluster:
    """A cluster to be made. `node_count` nodes are always there; the autoscaler may add `MORE_NODES`."""

    id: ResourceId
    location: str
    node_size: str = NODE_SIZE
    node_count: int = NODE_COUNT
    keyvault_addon: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.node_count <= MOST_NODES - MORE_NODES:
            what = f"a cluster of {self.node_count} nodes can't be made"
            raise UsageError(what, hint=f"`--node-count` is from 1 to {MOST_NODES - MORE_NODES}")

    def explained(self) -> tuple[tuple[str, str], ...]:
        """What is made and why, for people: pairs of what and why, the latter often empty."""
        most = self.node_count + MORE_NODES
        addon = (
            ("the Key Vault add-on, which looks for new secrets every two minutes", "the application has secrets"),
        )
        return (
            (f"AKS cluster `{self.id.name}` in resource group `{self.id.group}`, {self.location}, tier Free", ""),
            (f"{self.node_count} nodes of size {self.node_size}, up to {most} by the autoscaler", ""),
            (f"nodes' system `{OS_SKU}`", OS_SKU_REASON),
            ("network Azure CNI overlay", "kubenet retires on 2028-03-31"),
            ("OIDC issuer and workload identity", "applications can use Azure without a stored key"),
            *(addon if self.keyvault_addon else ()),
        )


def body(new: NewCluster) -> JSONObject:
    """The request that makes it."""
    pool: JSONObject = {
        "name": "nodepool1",
        "mode": "System",
        "count": new.node_count,
        "minCount": new.node_count,
        "maxCount": new.node_count + MORE_NODES,
        "enableAutoScaling": True,
        "vmSize": new.node_size,
        "osType": "Linux",
        "osSKU": OS_SKU,
        "type": "VirtualMachineScaleSets",
    }
    properties: JSONObject = {
        "dnsPrefix": dns_prefix(new.id),
        "enableRBAC": True,
        "agentPoolProfiles": [pool],
        "oidcIssuerProfile": {"enabled": True},
        "securityProfile": {"workloadIdentity": {"enabled": True}},
        "networkProfile": {"networkPlugin": "azure", "networkPluginMode": "overlay", "loadBalancerSku": "standard"},
    }
    if new.keyvault_addon:
        properties |= keyvault_addon({})
    return {
        "location": new.location,
        "identity": {"type": "SystemAssigned"},
        "sku": {"name": "Base", "tier": "Free"},
        "properties": properties,
    }


def keyvault_addon(properties: JSON) -> JSONObject:
    """What a cluster's properties become with the add-on for Key Vault on: its settings, if it has any, and all other
    add-ons stay.

    The values of an add-on's settings are texts.
    """
    profiles = _object(properties, "addonProfiles")
    name = next((known for known in profiles if known.lower() == ADDON.lower()), ADDON)
    settings: JSONObject = {"enableSecretRotation": "true", "rotationPollInterval": "2m"}
    return {
        "addonProfiles": {
            **profiles,
            name: {"enabled": True, "config": {**settings, **_object(profiles, name, "config")}},
        }
    }


def workload_identity(properties: JSON) -> JSONObject:
    """What a cluster's properties become with its OIDC issuer and workload identity on: all else about security stays.

    https://learn.microsoft.com/azure/aks/workload-identity-deploy-cluster
    """
    return {
        "oidcIssuerProfile": {**_object(properties, "oidcIssuerProfile"), "enabled": True},
        "securityProfile": {
            **_object(properties, "securityProfile"),
            "workloadIdentity": {**_object(properties, "securityProfile", "workloadIdentity"), "enabled": True},
        },
    }


def _object(source: JSON, *path: str) -> JSONObject:
    found = wire.at(source, *path)
    return found if isinstance(found, dict) else {}


def dns_prefix(resource: ResourceId) -> str:
    """The beginning of the API server's host, as the Azure CLI makes it: of name, group and subscription."""
    name = re.sub(r"[^A-Za-z0-9-]", "", resource.name)[:10].strip("-")
    if not name[:1].isalpha():
        name = f"a{name}"[:10]
    group = re.sub(r"[^A-Za-z0-9-]", "", resource.group)[:16].strip("-")
    return "-".join(part for part in (name, group, resource.subscription[:6]) if part)
