"""Makes the Spin plugin `aks`: an archive and the manifest that `spin plugins install --file` reads.

The archive holds `aks` (the launcher), `aks.license` and the wheel of this project, and is the same for every platform.
The same sources give the same bytes. The manifest's form: Spin's `spin-plugin-manifest-schema-0.1.json`.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
LAUNCHER = PROJECT / "packaging" / "plugin" / "aks"
LICENCE = PROJECT / "LICENSE"
WHEEL_SOURCES = ("pyproject.toml", "README.md", "LICENSE", "dodo_spin_aks.py", "spin_aks")
# Windows would need an `aks.exe`; the launcher is a shell script.
PLATFORMS = (("linux", "amd64"), ("linux", "aarch64"), ("macos", "amd64"), ("macos", "aarch64"))
# Zip, and so a wheel, knows no time before 1980.
LONG_AGO = 315_532_800


def main() -> None:
    arguments = parse_arguments()
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheel = arguments.wheel or build_wheel(Path(scratch))
        archive = arguments.out / f"aks-{project['version']}.tar.gz"
        archive.write_bytes(pack(wheel))
    manifest = arguments.out / "aks.json"
    manifest.write_text(json.dumps(describe(project, archive, arguments.url_base), indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{archive}\n{manifest}\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="package-plugin", description="Make the Spin plugin `aks`.")
    parser.add_argument("out", type=Path, metavar="OUT_DIR", help="where the archive and aks.json go")
    parser.add_argument(
        "--url-base",
        metavar="URL",
        help="where the archive will be found: a release's address, or file:///FOLDER to try it (default: OUT_DIR)",
    )
    parser.add_argument("--wheel", type=Path, metavar="FILE", help="use this wheel instead of building one")
    arguments = parser.parse_args()
    arguments.url_base = (arguments.url_base or arguments.out.resolve().as_uri()).rstrip("/")
    return arguments


def build_wheel(scratch: Path) -> Path:
    """From a copy of the sources: setuptools takes stale modules along that an earlier build left in `build/`."""
    os.umask(0o022)
    sources = scratch / "sources"
    sources.mkdir()
    for name in WHEEL_SOURCES:
        if (PROJECT / name).is_dir():
            shutil.copytree(
                PROJECT / name,
                sources / name,
                ignore=shutil.ignore_patterns("__pycache__"),
                copy_function=shutil.copyfile,
            )
        else:
            shutil.copyfile(PROJECT / name, sources / name)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(scratch), str(sources)],
        check=True,
        stdout=sys.stderr,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(LONG_AGO)},
    )
    (wheel,) = scratch.glob("*.whl")
    return wheel


def pack(wheel: Path) -> bytes:
    """The archive: everything at its root, sorted, without times, owners or names of this machine."""
    files = {
        "aks": (LAUNCHER.read_bytes(), 0o755),
        "aks.license": (LICENCE.read_bytes(), 0o644),
        wheel.name: (wheel.read_bytes(), 0o644),
    }
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, (content, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), mode, LONG_AGO
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def describe(project: dict[str, Any], archive: Path, url_base: str) -> dict[str, Any]:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    package = {"url": f"{url_base}/{archive.name}", "sha256": digest}
    return {
        "name": "aks",
        "description": project["description"],
        "version": project["version"],
        "spinCompatibility": ">=1.0.0",
        "license": project["license"],
        "packages": [{"os": system, "arch": machine, **package} for system, machine in PLATFORMS],
    }


if __name__ == "__main__":
    main()
