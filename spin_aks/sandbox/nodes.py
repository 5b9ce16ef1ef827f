"""What a new cluster starts with: its namespaces, and two nodes that look like those of AKS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox import kinds, moments
from spin_aks.sandbox.api import Write
from spin_aks.sandbox.discovery import VERSION
from spin_aks.sandbox.objects import Key

if TYPE_CHECKING:
    from spin_aks.sandbox.api import Api
    from spin_aks.sandbox.documents import Document

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
NODES = ("sandbox-node-0", "sandbox-node-1")
WRITE = Write("kube-controller-manager")
KUBELET, KUBELET_STATUS = Write("kubelet"), Write("kubelet", "status")
RUNTIME_HANDLERS = ("", "runc", "spin")


def provide(api: Api) -> None:
    """Makes what is missing of it."""
    for name in NAMESPACES:
        if api.store.get(Key(kinds.NAMESPACE, "", name)) is None:
            api.create(Key(kinds.NAMESPACE, "", name), {"metadata": {"name": name}}, WRITE)
    for number, name in enumerate(NODES):
        key = Key(kinds.NODE, "", name)
        if api.store.get(key) is None:
            api.create(key, {"metadata": {"name": name, "labels": _labels(name)}, "spec": {}}, KUBELET)
            _write_status(api, key, _status(number))


def _write_status(api: Api, key: Key, status: Document) -> None:
    api.change(key, KUBELET_STATUS, lambda document: document.update({"status": status}))


def _labels(name: str) -> Document:
    return {
        "agentpool": "sandbox",
        "kubernetes.azure.com/agentpool": "sandbox",
        "kubernetes.azure.com/cluster": "sandbox",
        "kubernetes.azure.com/mode": "system",
        "kubernetes.azure.com/os-sku": "Ubuntu",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "spin-aks.sandbox",
    }


def _status(number: int) -> Document:
    room: Document = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"}
    info: Document = {
        "architecture": "amd64",
        "bootID": "00000000-0000-4000-8000-000000000000",
        "containerRuntimeVersion": "containerd://2.0.0",
        "kernelVersion": "6.8.0-sandbox",
        "kubeProxyVersion": "",
        "kubeletVersion": f"{VERSION}+spin-aks-sandbox",
        "machineID": f"sandbox-{number}",
        "operatingSystem": "linux",
        "osImage": "Ubuntu 24.04 LTS (simulated by the spin-aks sandbox)",
        "systemUUID": f"sandbox-{number}",
    }
    now = moments.now()
    ready: Document = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "simulated by the spin-aks sandbox",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    return {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "allocatable": {**room},
        "capacity": room,
        "conditions": [ready],
        "nodeInfo": info,
        "runtimeHandlers": [{"name": name} for name in RUNTIME_HANDLERS],
    }
