"""The real registry, Docker daemon and Kubernetes of the test bed, for the measurements that need them."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parent.parent
RUNTIME_CLASS = "wasmtime-spin-v2"
sys.path.insert(0, str(PROJECT / "tests"))

from _pytest.outcomes import Skipped  # noqa: E402
from testbed import cluster, registries, services  # noqa: E402

__all__ = ["PROJECT", "RUNTIME_CLASS", "Servers", "Skipped"]

if TYPE_CHECKING:
    from types import TracebackType


class Servers:
    """Started when first asked for, ended with the block. Raises pytest's Skipped where one is not installed."""

    def __init__(self) -> None:
        self._started = ExitStack()
        self._registries = ExitStack()
        self._docker: services.DockerDaemon | None = None
        self._kubernetes: cluster.Kubernetes | None = None

    def __enter__(self) -> Servers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._registries.close()
        self._started.close()

    def new_registry(self) -> registries.Registry:
        """An empty registry in the place of the one before it."""
        self._registries.close()
        return self._registries.enter_context(registries.open_registry())

    @property
    def docker(self) -> services.DockerDaemon:
        self._docker = self._docker or self._started.enter_context(services.docker_daemon())
        return self._docker

    @property
    def kubernetes(self) -> cluster.Kubernetes:
        """A cluster whose nodes have Spin's runtime already."""
        if self._kubernetes is None:
            self._kubernetes = self._started.enter_context(cluster.kubernetes())
            runtime_class = {"metadata": {"name": RUNTIME_CLASS}, "handler": "spin"}
            self._kubernetes.api.create("/apis/node.k8s.io/v1/runtimeclasses", runtime_class)
        return self._kubernetes

    def environment(self, registry: registries.Registry) -> dict[str, str]:
        """What tells the tool, and kubectl, where these servers are."""
        kubeconfig = str(self.kubernetes.kubeconfig)
        return {
            **os.environ,
            "KUBECONFIG": kubeconfig,
            "SPIN_AKS_CLUSTER_KUBECONFIG": kubeconfig,
            "SPIN_AKS_CONTAINER_REGISTRY_SERVER": registry.host,
            "SPIN_AKS_KUBERNETES_SERVICE": "clusterip",
            "SPIN_AKS_RUNTIME_INSTALLER": "preinstalled",
        }
