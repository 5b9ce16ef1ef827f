"""Builds the real Kubernetes that tests run against, once for each version of its go.mod files: `build.py`, `--where`.

The binaries go to a user's cache folder, never into the repository: five minutes of work that is done once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MODULES = Path(__file__).resolve().parent / "modules"
KUBERNETES_VERSION = "v1.36.3"
STAMPED = f"k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}"

PACKAGES = {
    "etcd": ("etcd", "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": ("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kube-controller-manager": ("kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    "kube-scheduler": ("kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    "kwok": ("kubernetes", "sigs.k8s.io/kwok/cmd/kwok"),
}


def folder() -> Path:
    """Where the binaries are, or will be: one folder for each content of the go.mod and go.sum files."""
    digest = hashlib.sha256()
    for module in ("etcd", "kubernetes"):
        for name in ("go.mod", "go.sum"):
            digest.update((MODULES / module / name).read_bytes())
    return _cache() / digest.hexdigest()[:16]


def _cache() -> Path:
    chosen = os.environ.get("SPIN_AKS_TESTBED_CACHE")
    user_cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(chosen) if chosen else Path(user_cache) / "spin-aks-testbed"


def missing() -> tuple[str, ...]:
    """The binaries that are still to be built."""
    return tuple(name for name in PACKAGES if not (folder() / name).is_file())


def build(name: str, target: Path) -> None:
    """One at a time: linking one of them takes 2 GB."""
    module, package = PACKAGES[name]
    flags = ["-trimpath", "-ldflags", f"-s -w -X {STAMPED}" if module == "kubernetes" else "-s -w"]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as half_done:
        output = Path(half_done) / name
        command = ["go", "build", "-p", "2", *flags, "-o", str(output), package]
        subprocess.run(command, cwd=MODULES / module, env=environment, stdin=subprocess.DEVNULL, check=True)
        output.replace(target / name)


def main(arguments: list[str]) -> int:
    if arguments == ["--where"]:
        print(folder())
        return 0
    if missing() and not shutil.which("go"):
        print("error: building the test bed takes Go 1.26 or newer", file=sys.stderr)
        return 1
    for name in missing():
        print(f"building {name}", file=sys.stderr, flush=True)
        build(name, folder())
    print(folder())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
