"""What the fixture `kubernetes` gives to a test: a cluster that plays AKS, and the ways to set a scene in it."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from testbed.api import Api, ApiError, wait_for
from testbed.control_plane import ADMIN, STRANGER, ControlPlane, control_plane

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LOGS = "/apis/kwok.x-k8s.io/v1alpha1/clusterlogs"


@dataclass(frozen=True, slots=True)
class Node:
    """A node as AKS makes them; `runtime_handlers` stays empty on containerd 1.7, whatever is configured there."""

    name: str = "aks-nodepool1-12345678-vmss000000"
    pool: str = "nodepool1"
    containerd: str = "2.1.6"
    os_image: str = "Ubuntu 24.04.3 LTS"
    os_sku: str = "Ubuntu"
    architecture: str = "amd64"
    kubelet: str = "v1.36.3"
    runtime_handlers: tuple[str, ...] = ("", "runc")
    ready: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()

    def document(self) -> dict[str, Any]:
        labels = {
            "agentpool": self.pool,
            "kubernetes.azure.com/agentpool": self.pool,
            "kubernetes.azure.com/cluster": "MC_testbed",
            "kubernetes.azure.com/mode": "system",
            "kubernetes.azure.com/os-sku": self.os_sku,
            "kubernetes.azure.com/role": "agent",
            "kubernetes.io/arch": self.architecture,
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": "Standard_D4s_v5",
        }
        metadata = {"name": self.name, "labels": {**labels, **self.labels}}
        return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": list(self.taints)}}

    def status(self, kubelet_port: int) -> dict[str, Any]:
        room = {"cpu": "64", "memory": "256Gi", "pods": "500", "ephemeral-storage": "128Gi"}
        reason = "KubeletReady" if self.ready else "KubeletNotReady"
        return {
            "allocatable": room,
            "capacity": room,
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": self.name}],
            "conditions": [{"type": "Ready", "status": str(self.ready), "reason": reason}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet_port}},
            "nodeInfo": {
                "architecture": self.architecture,
                "bootID": "",
                "containerRuntimeVersion": f"containerd://{self.containerd}",
                "kernelVersion": "6.8.0-1034-azure",
                "kubeProxyVersion": "",
                "kubeletVersion": self.kubelet,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": self.os_image,
                "systemUUID": "",
            },
            "runtimeHandlers": [{"name": name, "features": {}} for name in self.runtime_handlers],
        }


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """A running cluster. Everything in it that a test makes is the test's own: use a namespace of your own.

    `kubeconfig` is the administrator's, with a token; its only context is `testbed`. `api` speaks plain JSON.
    """

    plane: ControlPlane
    api: Api
    kubeconfig: Path
    kubeconfig_with_certificate: Path
    kubeconfig_without_rights: Path
    kubeconfig_with_wrong_token: Path

    @property
    def server(self) -> str:
        return self.plane.server

    @property
    def token(self) -> str:
        return self.api.token

    @property
    def ca(self) -> Path:
        return self.plane.ca

    @contextmanager
    def node(self, node: Node) -> Iterator[Node]:
        """The node while the block runs."""
        self.add(node)
        try:
            yield node
        finally:
            self.api.delete(f"/api/v1/nodes/{node.name}")

    def add(self, node: Node) -> None:
        self.api.create("/api/v1/nodes", node.document())
        status = {"status": node.status(self.plane.kubelet_port)}
        self.api.merge(f"/api/v1/nodes/{node.name}/status", status)

    def new_namespace(self, state: str = "") -> str:
        """A namespace with a default service account; `state` (of pod_states.STATES) is how all its pods end."""
        name = f"{state or 'test'}--{uuid.uuid4().hex[:8]}"
        self.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        # Pods are refused until the controllers have made it.
        accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
        wait_for(lambda: self.api.get(accounts)["items"] or None, f"service account in {name}")
        return name

    def kubeconfig_for(self, namespace: str, rules: list[dict[str, list[str]]]) -> Path:
        """A service account of `namespace` that may do there what `rules` (of a Role) say, and nothing else."""
        name, core = f"limited-{uuid.uuid4().hex[:8]}", f"/api/v1/namespaces/{namespace}"
        access = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        self.api.create(f"{core}/serviceaccounts", {"metadata": {"name": name}})
        self.api.create(f"{access}/roles", {"metadata": {"name": name}, "rules": rules})
        self.api.create(f"{access}/rolebindings", {"metadata": {"name": name}, "subjects": [subject], "roleRef": role})
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = self.api.create(f"{core}/serviceaccounts/{name}/token", request)["status"]["token"]
        return self.plane.kubeconfig(name, {"token": token}, namespace)

    def pods(self, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        return list(self.api.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}")["items"])

    def give_address(self, namespace: str, service: str, address: str = "203.0.113.10") -> None:
        """Does what the cloud's load balancer does: gives the Service its public address."""
        status = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
        self.api.merge(f"/api/v1/namespaces/{namespace}/services/{service}/status", status)

    def write_logs(self, namespace: str, lines: list[str], previous: list[str] | None = None) -> None:
        """What every container of the namespace has logged, and what its last run had (else the same).

        A node answers 400 for a pod of a namespace that nobody called this for.
        """
        now, last = self.plane.folder / f"{namespace}.log", self.plane.folder / f"{namespace}.previous.log"
        now.write_text(_as_container_runtime(lines))
        last.write_text(_as_container_runtime(lines if previous is None else previous))
        document = {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "ClusterLogs",
            "metadata": {"name": namespace},
            "spec": {
                "selector": {"matchNamespaces": [namespace]},
                "logs": [{"logsFile": str(now), "previousLogsFile": str(last)}],
            },
        }
        self.api.apply(f"{LOGS}/{namespace}", document)

    def load(self, definition: Mapping[str, Any]) -> None:
        """Makes a CustomResourceDefinition known, and waits until the API serves it."""
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition['metadata']['name']}"
        self.api.apply(path, definition)
        spec = definition["spec"]
        for version in spec["versions"]:
            served = f"/apis/{spec['group']}/{version['name']}"
            wait_for(partial(self._serves, served, spec["names"]["plural"]), f"API at {served}")

    def _serves(self, path: str, plural: str) -> bool:
        try:
            return any(resource["name"] == plural for resource in self.api.get(path)["resources"])
        except ApiError:
            return False


def _as_container_runtime(lines: list[str]) -> str:
    """The form in which containerd keeps logs on a node (the CRI's log format)."""
    return "".join(f"2026-11-21T10:00:{i % 60:02}.000000000Z stdout F {line}\n" for i, line in enumerate(lines))


@contextmanager
def kubernetes() -> Iterator[Kubernetes]:
    """A cluster with one node that is ready, and a kubeconfig for each kind of user."""
    with control_plane() as plane:
        certificate = {
            "client-certificate": str(plane.administrator.certificate),
            "client-key": str(plane.administrator.key),
        }
        started = Kubernetes(
            plane,
            Api(plane.server, plane.ca, ADMIN),
            plane.kubeconfig("administrator", {"token": ADMIN}),
            plane.kubeconfig("with-certificate", certificate),
            plane.kubeconfig("without-rights", {"token": STRANGER}),
            plane.kubeconfig("wrong-token", {"token": "no token of this cluster"}),
        )
        started.add(Node())
        yield started
        started.api.close()
