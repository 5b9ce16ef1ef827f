"""A managed cluster's document, as AKS completes what was asked for.

https://learn.microsoft.com/rest/api/aks/managed-clusters/create-or-update; which properties are there, and when, is
read off recorded traffic of api-version 2024-07-01 (Azure CLI's test recordings).
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure.call import located
from spin_aks.sandbox.documents import JSON, Document, copied, mapping, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.sandbox.azure.call import Call

KUBERNETES = "1.34"
NEWEST_PATCH = 4
NODE_IMAGE = "AKSUbuntu-2204gen2containerd-202610.13.0"
OTHER_IMAGES = {
    "AzureLinux": "AKSAzureLinux-V3gen2-202610.13.0",
    "AzureLinux3": "AKSAzureLinux-V3gen2-202610.13.0",
    "Ubuntu2204": NODE_IMAGE,
    "Ubuntu2404": "AKSUbuntu-2404gen2containerd-202610.13.0",
}
KEY_VAULT_ADDON = "azureKeyvaultSecretsProvider"
# Said when asked, not answered where it is what everybody has.
SILENT_POOL = frozenset({"scaleSetPriority", "scaleSetEvictionPolicy", "spotMaxPrice"})
PASSED_ON = ("linuxProfile", "aadProfile", "windowsProfile", "httpProxyConfig", "ingressProfile", "diskEncryptionSetID")


def completed(call: Call, asked: Document, before: Document | None, state: str) -> Document:
    """The whole document right after the PUT, in provisioning state `state`."""
    name = call.values["name"]
    location = located(asked, before)
    old = before or {}
    document: Document = {
        "id": call.fill(
            "~/resourcegroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}", name=name
        ),
        "location": location,
        "name": text(old, "name") or name,
    }
    if mapping(asked, "tags"):
        document["tags"] = mapping(asked, "tags")
    document["type"] = "Microsoft.ContainerService/ManagedClusters"
    document["properties"] = _properties(call, mapping(asked, "properties"), old, location, state)
    identity = mapping(asked, "identity") or mapping(old, "identity")
    if identity:
        document["identity"] = _identity(call, identity, old)
    tier = text(asked, "sku", "tier") or text(old, "sku", "tier") or "Free"
    document["sku"] = {"name": "Base", "tier": tier}
    document["eTag"] = str(uuid.uuid4())
    return document


def _properties(call: Call, asked: Document, old: Document, location: str, state: str) -> Document:
    was = mapping(old, "properties")
    names = _Names(call, text(asked, "dnsPrefix") or text(was, "dnsPrefix"), location)
    version = text(asked, "kubernetesVersion") or text(was, "kubernetesVersion") or KUBERNETES
    access = _api_server_access(mapping(asked, "apiServerAccessProfile"))
    private = access.get("enablePrivateCluster") is True
    found: Document = {
        "provisioningState": state,
        "powerState": {"code": "Running"},
        "kubernetesVersion": version,
        "currentKubernetesVersion": _patched(version),
        "dnsPrefix": names.prefix,
        **names.addresses(private=private, public_name=access.get("enablePrivateClusterPublicFQDN") is not False),
        "agentPoolProfiles": [_pool(pool, version, state) for pool in documents.items(asked, "agentPoolProfiles")],
        **{key: asked[key] for key in PASSED_ON if key in asked},
        "servicePrincipalProfile": mapping(asked, "servicePrincipalProfile") or {"clientId": "msi"},
    }
    addons = _addons(mapping(asked, "addonProfiles"))
    if addons:
        found["addonProfiles"] = addons
    found |= {
        "nodeResourceGroup": text(asked, "nodeResourceGroup") or names.node_group,
        "enableRBAC": asked.get("enableRBAC") is not False,
        "supportPlan": text(asked, "supportPlan") or "KubernetesOfficial",
        "networkProfile": network(mapping(asked, "networkProfile")),
        "maxAgentPools": 100,
    }
    if private:
        found["privateLinkResources"] = _private_link()
    if access:
        found["apiServerAccessProfile"] = access
    if "identityProfile" in was:
        found["identityProfile"] = was["identityProfile"]
    found |= {
        "autoUpgradeProfile": mapping(asked, "autoUpgradeProfile") or {"nodeOSUpgradeChannel": "NodeImage"},
        "disableLocalAccounts": asked.get("disableLocalAccounts") is True,
        "securityProfile": mapping(asked, "securityProfile"),
        "storageProfile": _storage(mapping(asked, "storageProfile")),
        "oidcIssuerProfile": _issuer(call, asked, was, location),
        "workloadAutoScalerProfile": mapping(asked, "workloadAutoScalerProfile"),
        "resourceUID": text(was, "resourceUID") or uuid.uuid4().hex[:24],
        "metricsProfile": {"costAnalysis": {"enabled": False}},
    }
    return found


class _Names:
    """The addresses that are made of the DNS prefix: the same each time for the same cluster."""

    def __init__(self, call: Call, prefix: str, location: str) -> None:
        group, name = call.values["group"], call.values["name"]
        self.prefix = prefix or f"{name}-dns"
        self._location = location
        self._digest = hashlib.sha256(call.request.path.lower().encode()).hexdigest()
        self.node_group = f"MC_{group}_{name}_{location}"

    def addresses(self, *, private: bool, public_name: bool) -> Document:
        domain = f"{self._location}.azmk8s.io"
        public = f"{self.prefix}-{self._digest[:8]}"
        if not private:
            return {"fqdn": f"{public}.hcp.{domain}", "azurePortalFQDN": f"{public}.portal.hcp.{domain}"}
        zone = f"{uuid.UUID(self._digest[:32])}.privatelink.{domain}"
        found: Document = {"fqdn": f"{public}.hcp.{domain}"} if public_name else {}
        found["azurePortalFQDN"] = f"{self._digest[32:]}-priv.portal.hcp.{domain}"
        found["privateFQDN"] = f"{self.prefix}-{self._digest[8:16]}.{zone}"
        return found


def _pool(asked: Document, version: str, state: str) -> Document:
    system = text(asked, "osSKU") or "Ubuntu"
    found: Document = {
        "osDiskSizeGB": 128,
        "osDiskType": "Managed",
        "kubeletDiskType": "OS",
        "maxPods": 110,
        "type": "VirtualMachineScaleSets",
        "enableAutoScaling": False,
        "orchestratorVersion": version,
        "enableNodePublicIP": False,
        "mode": "System",
        "enableEncryptionAtHost": False,
        "enableUltraSSD": False,
        "osType": "Linux",
        "enableFIPS": False,
    }
    found |= {key: value for key, value in asked.items() if _says_something(value) and key not in SILENT_POOL}
    upgrade: Document = {"maxSurge": "10%"}
    found |= {
        "provisioningState": state,
        "powerState": {"code": "Running"},
        "currentOrchestratorVersion": _patched(str(found["orchestratorVersion"])),
        "osSKU": system,
        "nodeImageVersion": OTHER_IMAGES.get(system, NODE_IMAGE),
        "upgradeSettings": upgrade | mapping(asked, "upgradeSettings"),
    }
    if documents.number(asked, "osDiskSizeGB") == 0:
        found["osDiskSizeGB"] = 128
    return found


def _patched(version: str) -> str:
    """The patch release that `1.34` stands for; a whole version stands for itself."""
    return version if version.count(".") > 1 else f"{version}.{NEWEST_PATCH}"


def _says_something(value: JSON) -> bool:
    return value not in (None, "", [], {})


def _addons(asked: Mapping[str, JSON]) -> Document:
    """A disabled one has no settings and no identity."""
    found: Document = {}
    for name, addon in asked.items():
        if isinstance(addon, dict):
            on = addon.get("enabled") is True
            found[name] = copied(addon) if on else {"enabled": False, "config": None}
    return found


def network(asked: Document) -> Document:
    """Its networks with everything that AKS adds; new clusters have the overlay network of Azure CNI."""
    found: Document = {"networkPlugin": "azure", "networkPolicy": "none", "loadBalancerSku": "standard"}
    if not asked.get("networkPlugin"):
        found["networkPluginMode"] = "overlay"
    found |= {
        "loadBalancerProfile": {"managedOutboundIPs": {"count": 1}, "backendPoolType": "nodeIPConfiguration"},
        "podCidr": "10.244.0.0/16",
        "serviceCidr": "10.0.0.0/16",
        "dnsServiceIP": "10.0.0.10",
        "outboundType": "loadBalancer",
    }
    found |= {key: value for key, value in asked.items() if _says_something(value)}
    found |= {"podCidrs": [found["podCidr"]], "serviceCidrs": [found["serviceCidr"]], "ipFamilies": ["IPv4"]}
    return found


def _api_server_access(asked: Document) -> Document:
    found = {key: value for key, value in asked.items() if _says_something(value)}
    if found.get("enablePrivateCluster") is True:
        found = {"privateDNSZone": "system", "enablePrivateClusterPublicFQDN": True, **found}
    return found


def _private_link() -> list[JSON]:
    return [
        {
            "name": "management",
            "type": "Microsoft.ContainerService/managedClusters/privateLinkResources",
            "groupId": "management",
            "requiredMembers": ["management"],
        }
    ]


def _storage(asked: Document) -> Document:
    found: Document = {name: {"enabled": True} for name in ("diskCSIDriver", "fileCSIDriver", "snapshotController")}
    return found | asked


def _issuer(call: Call, asked: Document, was: Document, location: str) -> Document:
    if mapping(asked, "oidcIssuerProfile").get("enabled") is not True:
        return {"enabled": False}
    url = text(was, "oidcIssuerProfile", "issuerURL")
    tenant = call.who.tenant_id
    return {
        "enabled": True,
        "issuerURL": url or f"https://{location}.oic.prod-aks.azure.com/{tenant}/{uuid.uuid4()}/",
    }


def _identity(call: Call, asked: Document, old: Document) -> Document:
    if text(asked, "type").lower() != "systemassigned":
        return asked
    return {
        "type": "SystemAssigned",
        "principalId": text(old, "identity", "principalId") or str(uuid.uuid4()),
        "tenantId": call.who.tenant_id,
    }


def ready(cluster: Document, made: Mapping[str, Document]) -> Document:
    """The document when the operation has gone well: in the state Succeeded, with `made`, the identities, by their
    name.

    What only a finished cluster has: its kubelet's identity, its addons' identities, its outbound address.
    """
    found = copied(cluster)
    properties = documents.child(found, "properties")
    properties["provisioningState"] = "Succeeded"
    for pool in documents.items(properties, "agentPoolProfiles"):
        pool["provisioningState"] = "Succeeded"
    name, group = text(cluster, "name"), text(properties, "nodeResourceGroup")
    subscription = text(cluster, "id").split("/")[2]
    properties["identityProfile"] = {"kubeletidentity": made[f"{name}-agentpool"]}
    for addon_name, addon in mapping(properties, "addonProfiles").items():
        if isinstance(addon, dict) and addon.get("enabled") is True:
            addon["identity"] = made[f"{addon_name.lower()}-{name}"]
    balancer = documents.child(properties, "networkProfile", "loadBalancerProfile")
    if "effectiveOutboundIPs" not in balancer and text(properties, "networkProfile", "outboundType") == "loadBalancer":
        base = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/publicIPAddresses"
        balancer["effectiveOutboundIPs"] = [{"id": f"{base}/{uuid.uuid4()}"}]
    for link in documents.items(properties, "privateLinkResources"):
        link["id"] = f"{text(cluster, 'id')}/privateLinkResources/{text(link, 'name')}"
    return found


def identity_names(cluster: Document) -> tuple[str, ...]:
    """The identities in the node resource group that this cluster needs."""
    name = text(cluster, "name")
    addons = mapping(cluster, "properties", "addonProfiles").items()
    on = [f"{addon.lower()}-{name}" for addon, value in addons if isinstance(value, dict) and value.get("enabled")]
    return (f"{name}-agentpool", *on)
