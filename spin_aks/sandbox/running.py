"""The servers of a sandbox, started and stopped together, at the addresses they had before."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from spin_aks.sandbox import folder as folders
from spin_aks.sandbox.api import Api
from spin_aks.sandbox.azure.proxy import Proxy
from spin_aks.sandbox.azure.proxy import environment as azure_environment
from spin_aks.sandbox.blobs import Blobs
from spin_aks.sandbox.cluster_server import ClusterServer
from spin_aks.sandbox.controllers import Controllers
from spin_aks.sandbox.folder import Lock, Memory, SandboxError
from spin_aks.sandbox.images import Images
from spin_aks.sandbox.objects import Store
from spin_aks.sandbox.registry import Registry
from spin_aks.sandbox.web import LOOPBACK, Answer, Handler, Request, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from spin_aks.sandbox.azure.world import World

Serving = TypeVar("Serving", Server, Proxy)

HOLD = "/spin-aks/hold"
REGISTRY_DOMAIN = "azurecr.io"
HEARTBEAT_S = 0.5
# Below the ports that systems give to outgoing connections, so that a kept port is still free next time.
FIRST_PORT, PORTS = 20000, 9000
ATTEMPTS = 16


@dataclass(frozen=True, slots=True)
class Guest:
    """Another process that uses this sandbox; `waits` says that its command would fail without it."""

    title: str
    waits: bool


class Running:
    """A sandbox that serves; also a context manager that stops it."""

    def __init__(self, folder: Path) -> None:
        """Raises HeldError if another process serves from the folder, SandboxError if it can't be used."""
        self._folder = folder
        self.notices: tuple[str, ...] = ()
        self._guests: dict[int, Guest] = {}
        self._stopping = threading.Event()
        memory = folders.recall(folder)
        self._lock = Lock(folder)
        try:
            self._open(memory)
        except (OSError, sqlite3.Error) as error:
            self._lock.release()
            hint = "`spin-aks sandbox --reset` clears it"
            raise SandboxError(f"can't start from `{folder}`: {error}", hint) from error

    def _open(self, memory: Memory) -> None:
        # First of all, so that a folder is known as ours whenever we are killed.
        folders.remember(self._folder, memory)
        blobs = Blobs(self._folder / "registry")
        self._store = Store(self._folder / "cluster.sqlite")
        api = Api(self._store)
        ports = _candidates(self._folder)
        registry = Registry(blobs)
        self._registry = _serve(partial(Server, registry), memory.registry_port, ports)
        proxy = partial(Proxy, self._folder / folders.AZURE, partial(self._open_azure, registry))
        self._azure = _serve(proxy, memory.azure_port, ports)
        hosts = tuple(dict.fromkeys((*memory.registry_hosts, self._registry.host)))
        # Last comes the cluster: as soon as it answers, others take all addresses as they are written down.
        folders.remember(self._folder, Memory(self._registry.port, memory.cluster_port, hosts, self._azure.port))
        cluster = ClusterServer(api)
        answer = partial(Server, lambda request: self._hold(request) or cluster(request))
        self._cluster = _serve(answer, memory.cluster_port, ports)
        self.notices = _moved(memory, self._registry, self._cluster)
        kept = Memory(self._registry.port, self._cluster.port, hosts, self._azure.port)
        folders.remember(self._folder, kept)
        self.kubeconfig = folders.write_kubeconfig(self._folder, self._cluster.host)
        self._controllers = Controllers(api, Images(blobs, hosts, self._refused_pull).problem)

    def _open_azure(self, registry: Registry) -> World:
        from spin_aks.sandbox.azure.world import Surroundings, World

        trouble = os.environ.get("SPIN_AKS_SANDBOX_TROUBLE", "")
        around = Surroundings(_registry_behind(registry), self._leading)
        return World(self._folder / folders.AZURE, around, Path(trouble) if trouble else None)

    def _leading(self) -> str:
        """The kubeconfig of the cluster that all clusters of the sandbox's Azure lead to."""
        named = os.environ.get("SPIN_AKS_SANDBOX_KUBECONFIG")
        return (Path(named) if named else self.kubeconfig).read_text(encoding="utf-8")

    def _refused_pull(self, host: str, repository: str) -> str | None:
        if not host.endswith(f".{REGISTRY_DOMAIN}"):
            return None
        from spin_aks.sandbox.azure import pulls

        return pulls.refusal(self._azure.world, host, repository)

    @property
    def registry_host(self) -> str:
        return self._registry.host

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to work in this sandbox, to be added to its own environment."""
        return environment(self._folder, self.registry_host, self._azure.port)

    @property
    def guests(self) -> tuple[Guest, ...]:
        """Who else uses it now; one that was killed is noticed within a second."""
        return tuple(self._guests.values())

    def stop(self) -> None:
        """Ends all requests and watches, and lets others have the folder. Everything is kept."""
        self._stopping.set()
        self._cluster.stop()
        self._registry.stop()
        self._store.close()
        self._controllers.stop()
        self._azure.stop()
        self._lock.release()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _hold(self, request: Request) -> Answer | None:
        if request.path != HOLD:
            return None
        guest = Guest(request.query.get("title", "another process"), request.query.get("waits") == "1")
        return Answer(200, self._beats(guest), (("Content-Type", "text/plain"),))

    def _beats(self, guest: Guest) -> Iterator[bytes]:
        self._guests[id(guest)] = guest
        try:
            while not self._stopping.is_set():
                yield b"\n"
                self._stopping.wait(HEARTBEAT_S)
        finally:
            self._guests.pop(id(guest), None)


def _registry_behind(own: Registry) -> Handler:
    """The registry that all registries of the sandbox's Azure lead to: ours, or a real one at HOST:PORT."""
    named = os.environ.get("SPIN_AKS_SANDBOX_REGISTRY")
    if not named:
        return own
    from spin_aks.sandbox.azure.forward import Forward

    return Forward(named)


def environment(folder: Path, registry_host: str, azure_port: int) -> dict[str, str]:
    """The variables that point the tool, kubectl and Azure's SDKs to the sandbox; loopback never goes by proxy."""
    kubeconfig = folder / "kubeconfig"
    direct = ",".join(dict.fromkeys([*filter(None, os.environ.get("NO_PROXY", "").split(",")), LOOPBACK, "localhost"]))
    return {
        "SPIN_AKS_SANDBOX": "1",
        "SPIN_AKS_CONTAINER_REGISTRY_SERVER": registry_host,
        "SPIN_AKS_CLUSTER_KUBECONFIG": str(kubeconfig),
        "KUBECONFIG": str(kubeconfig),
        "NO_PROXY": direct,
        "no_proxy": direct,
        "SPIN_AKS_CLUSTER_CONTEXT": folders.CONTEXT,
        **azure_environment(folder / folders.AZURE, azure_port),
    }


def _candidates(folder: Path) -> tuple[int, ...]:
    """Ports to try, the same for the same folder."""
    seed = hashlib.sha256(str(folder.absolute()).encode()).digest()
    start = int.from_bytes(seed[:4])
    return tuple(FIRST_PORT + (start + 37 * number) % PORTS for number in range(ATTEMPTS))


def _serve(start: Callable[[int], Serving], kept: int, candidates: tuple[int, ...]) -> Serving:
    for port in (kept, *candidates) if kept else candidates:
        try:
            return start(port)
        except (OSError, OverflowError):
            continue
    return start(0)


def _moved(memory: Memory, registry: Server, cluster: Server) -> tuple[str, ...]:
    moves = (
        ("registry", memory.registry_port, registry, "the next `spin-aks up` pushes and applies again"),
        ("cluster", memory.cluster_port, cluster, "the next `spin-aks up` applies again"),
    )
    return tuple(
        f"port {kept} is taken by another program: the sandbox's {name} moved to {server.host}, so {effect}"
        for name, kept, server, effect in moves
        if kept not in (0, server.port)
    )
