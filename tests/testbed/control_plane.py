"""Starts a real Kubernetes on loopback: etcd, API server, controllers, scheduler, and kwok's simulated nodes."""

from __future__ import annotations

import json
import os
import signal
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pytest
import urllib3
from testbed import build, pod_states
from testbed.api import Api, ApiError
from testbed.certificates import Certificate, self_signed, signed_by
from testbed.daemon import folder, free_port, listens, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ADMIN, STRANGER = "token-of-the-administrator", "token-of-somebody-without-rights"

LOGS_DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "clusterlogs.kwok.x-k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, the test bed's own"},
    },
    "spec": {
        "group": "kwok.x-k8s.io",
        "names": {
            "kind": "ClusterLogs",
            "listKind": "ClusterLogsList",
            "plural": "clusterlogs",
            "singular": "clusterlogs",
        },
        "scope": "Cluster",
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Where it listens and who may talk to it. `kubelet_port` is where kwok plays every node's kubelet."""

    folder: Path
    server: str
    ca: Path
    administrator: Certificate
    kubelet_port: int

    def kubeconfig(self, name: str, user: dict[str, str], namespace: str = "default") -> Path:
        """Writes NAME.yaml: one context `testbed`, whose user is `user` (as a kubeconfig's `user:` has it)."""
        cluster = {"server": self.server, "certificate-authority": str(self.ca)}
        context = {"cluster": "testbed", "user": "testbed", "namespace": namespace}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "testbed", "cluster": cluster}],
            "users": [{"name": "testbed", "user": user}],
            "contexts": [{"name": "testbed", "context": context}],
            "current-context": "testbed",
        }
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps(document))
        path.chmod(0o600)
        return path


@contextmanager
def control_plane() -> Iterator[ControlPlane]:
    """All five servers while the block runs, none of its nodes yet; skips where they are not built."""
    if build.missing():
        pytest.skip(f"needs {', '.join(build.missing())}, which `scripts/build-testbed` builds")
    with ExitStack() as until_the_end:
        own = until_the_end.enter_context(folder("kubernetes"))
        start = _starter(own, until_the_end)
        etcd = _start_etcd(own, start)
        plane = _start_api_server(own, etcd, start)
        admin = str(plane.kubeconfig("servers", {"token": ADMIN}))
        _start_controllers(own, admin, start)
        _start_nodes(own, plane, admin, start)
        yield plane


Starter: TypeAlias = "Callable[[str, list[str], Callable[[], bool]], None]"


def _starter(own: Path, until_the_end: ExitStack) -> Starter:
    # A configuration in the user's home is none of the test bed's business.
    environment = {**os.environ, "HOME": str(own)}

    def start(name: str, flags: list[str], ready: Callable[[], bool]) -> None:
        argv = [str(build.folder() / name), *flags]
        # They wait up to a minute for open watches when asked politely.
        until_the_end.enter_context(running(name, argv, own / f"{name}.log", ready, environment, signal.SIGKILL))

    return start


def _start_etcd(own: Path, start: Starter) -> str:
    clients, peers = free_port(), free_port()
    address = f"http://127.0.0.1:{clients}"
    flags = [f"--data-dir={own / 'etcd'}", "--unsafe-no-fsync", f"--listen-client-urls={address}"]
    flags += [f"--advertise-client-urls={address}", f"--listen-peer-urls=http://127.0.0.1:{peers}"]
    start("etcd", flags, lambda: listens(clients))
    return address


def _start_api_server(own: Path, etcd: str, start: Starter) -> ControlPlane:
    port = free_port()
    serving, accounts, clients = (self_signed(own, name) for name in ("serving", "service-accounts", "clients"))
    tokens = own / "tokens.csv"
    tokens.write_text(f'{ADMIN},administrator,1,"system:masters"\n{STRANGER},stranger,2\n')
    flags = [
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={clients.certificate}",
        f"--token-auth-file={tokens}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={accounts.certificate}",
        f"--service-account-signing-key-file={accounts.key}",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-cluster-ip-range=10.96.0.0/16",
        # It taints new nodes until the node lifecycle controller has looked at them, which does not run here.
        "--disable-admission-plugins=TaintNodesByCondition",
    ]
    administrator = signed_by(clients, own, "administrator", "system:masters")
    plane = ControlPlane(own, f"https://127.0.0.1:{port}", serving.certificate, administrator, free_port())
    api = Api(plane.server, plane.ca, ADMIN)
    start("kube-apiserver", flags, lambda: _answers(api, "/readyz"))
    api.apply("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusterlogs.kwok.x-k8s.io", LOGS_DEFINITION)
    api.close()
    return plane


def _answers(api: Api, path: str) -> bool:
    try:
        return bool(api.get(path))
    except (ApiError, urllib3.exceptions.HTTPError):
        return False


def _start_controllers(own: Path, kubeconfig: str, start: Starter) -> None:
    common = [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0"]
    quick = ["--kube-api-qps=500", "--kube-api-burst=500"]
    flags = [
        f"--service-account-private-key-file={own / 'service-accounts.key'}",
        f"--root-ca-file={own / 'serving.crt'}",
        "--use-service-account-credentials=true",
        # Nodes without heartbeats stay as the tests made them.
        "--controllers=*,-nodelifecycle",
    ]
    start("kube-controller-manager", [*common, *quick, *flags], lambda: True)
    start("kube-scheduler", [*common, *quick], lambda: True)


def _start_nodes(own: Path, plane: ControlPlane, kubeconfig: str, start: Starter) -> None:
    (own / "stages.yaml").write_text(pod_states.stages())
    flags = [f"--kubeconfig={kubeconfig}", "--manage-all-nodes=true", "--cidr=10.244.0.0/16", "--node-ip=127.0.0.1"]
    flags += [f"--server-address=127.0.0.1:{plane.kubelet_port}", f"--node-port={plane.kubelet_port}"]
    flags += ["--enable-crds=ClusterLogs", f"--config={own / 'stages.yaml'}"]
    start("kwok", flags, lambda: listens(plane.kubelet_port))
