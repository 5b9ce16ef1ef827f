"""The sandbox's folder: what is kept between runs, and who holds it now.

```
sandbox.json          ports, and the registry's earlier addresses; says that the folder is ours
lock                  held by the process whose threads serve; inside: its process id and since when
kubeconfig            of the cluster
cluster.sqlite        its objects
azure/                certificates, the key that signs tokens, and azure.sqlite: all that was made in its Azure
registry/             blobs, manifests, tags
```
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from spin_aks.sandbox import disk, documents, moments

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT = "spin-aks-sandbox"
AZURE = "azure"
KUBECONFIG = """\
# Written by `spin-aks sandbox`, each time it starts.
apiVersion: v1
kind: Config
current-context: {context}
clusters:
- name: {context}
  cluster:
    server: http://{host}
contexts:
- name: {context}
  context:
    cluster: {context}
    user: {context}
    namespace: default
users:
- name: {context}
  user: {{}}
"""


class SandboxError(Exception):
    """The sandbox can't start; `hint` is what to do next."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class HeldError(SandboxError):
    """Another process serves from this folder."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What `sandbox.json` holds; port 0 is one that is not chosen yet."""

    registry_port: int = 0
    cluster_port: int = 0
    registry_hosts: tuple[str, ...] = ()
    azure_port: int = 0


def recall(folder: Path) -> Memory:
    """Raises SandboxError for a folder in which other things are kept: clearing it would lose them."""
    path = folder / "sandbox.json"
    try:
        found = documents.mapping(documents.load(path.read_bytes()))
    except FileNotFoundError:
        if folder.is_dir() and any(entry.name != "lock" and entry.suffix != ".tmp" for entry in folder.iterdir()):
            hint = "let SPIN_AKS_SANDBOX_DIR name an empty or a new folder"
            raise SandboxError(f"`{folder}` holds other files and no sandbox", hint) from None
        return Memory()
    except ValueError:
        return Memory()
    hosts = found.get("registry_hosts")
    earlier = tuple(host for host in hosts if isinstance(host, str)) if isinstance(hosts, list) else ()
    ports = [documents.number(found, f"{name}_port") for name in ("registry", "cluster", "azure")]
    return Memory(ports[0], ports[1], earlier, ports[2])


def remember(folder: Path, memory: Memory) -> None:
    document: documents.Document = {
        "registry_port": memory.registry_port,
        "cluster_port": memory.cluster_port,
        "azure_port": memory.azure_port,
        "registry_hosts": [*memory.registry_hosts],
    }
    disk.replace(folder / "sandbox.json", (json.dumps(document, indent=2) + "\n").encode())


def write_kubeconfig(folder: Path, host: str) -> Path:
    path = folder / "kubeconfig"
    disk.replace(path, KUBECONFIG.format(context=CONTEXT, host=host).encode())
    return path


def clear(folder: Path) -> None:
    """Removes every object, blob and tag; the ports stay. Raises HeldError while somebody serves from it."""
    memory = recall(folder)
    if not folder.is_dir():
        return
    lock = Lock(folder)
    try:
        for database in ("cluster.sqlite", f"{AZURE}/azure.sqlite"):
            for name in (database, f"{database}-wal", f"{database}-shm"):
                disk.remove(folder / name)
        for kept in ("registry", f"{AZURE}/blobs"):
            shutil.rmtree(folder / kept, ignore_errors=True)
        remember(folder, memory)
    finally:
        lock.release()


class Lock:
    """Held from construction until `release`, or the end of the process, however it ends. Raises HeldError."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = (folder / "lock").open("a+")
        try:
            _take(self._file)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            what = f"the sandbox in `{folder}` is run by another process"
            hint = "wait for it to end, or end it"
            raise HeldError(f"{what} ({holder})" if holder else what, hint) from None
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()}, since {moments.now()}\n")
        self._file.flush()

    def release(self) -> None:
        self._file.truncate(0)
        self._file.close()


def _take(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
