"""The image as an ordinary root file system: `/spin.toml`, rewritten so that any shim can load it, and what it names.

`stage` makes the folder that goes into the image, `build` the image of that folder without a daemon: one layer for each
component and one for the rest, each an uncompressed tar that is never written anywhere. The Dockerfile does the same
with `COPY . /`.
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks import files
from spin_aks.errors import RefusedError, SpinAksError
from spin_aks.oci import bundle as bundles
from spin_aks.oci import mounted
from spin_aks.oci import wasm as wasm_files
from spin_aks.oci.bundle import Bundle, BundledFile
from spin_aks.oci.image import CONFIG_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, Blob, FilePart, Image
from spin_aks.oci.tar import FILE_MODE, FOLDER_MODE, Entry, archive
from spin_aks.spin.assets import resolve_all, resolve_mounted
from spin_aks.spin.composition import composed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spin_aks.json_types import JSONObject
    from spin_aks.spin.model import Application, Component

FORM = "rootfs"
LAYER_MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar"
MANIFEST_PATH = "spin.toml"
AUTHORITIES_PATH = "etc/ssl/certs/ca-certificates.crt"
_SAFE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class _Placed:
    """A file on its way into the bundle: `source` is where it is now, `path` where it goes."""

    path: str
    source: Path
    role: str
    component: str = ""
    seen_as: str = ""


def stage(app: Application, wasm: Mapping[str, Path], folder: Path, *, record: Path, ca_bundle: bool) -> Bundle:
    """Makes `folder` hold exactly what goes into the image, and `record` (T/bundle.json) say so, last of all.

    `wasm` has each component's file by its id. With `ca_bundle` the certificate authorities of `certifi` come along.
    What is there already and the same is left alone; what does not belong is removed. `record` is removed first, so a
    run that was killed leaves no bundle that passes for whole. Raises RefusedError where only the Spin CLI can make
    the image, ManifestError for files that are missing or out of bounds, SpinAksError for wasm that is none.
    """
    refused = composed(app)
    if refused:
        raise RefusedError.of(refused)
    wasm_files.check(app, wasm)
    homes = _homes(app)
    placed = tuple(_placed(app, wasm, homes, ca_bundle=ca_bundle))
    with files.refused_as_error(record):
        record.unlink(missing_ok=True)
    folders = _folders(homes, placed)
    _make_room(folder, {MANIFEST_PATH, *(file.path for file in placed)}, folders)
    staged = [_copied(file, folder) for file in placed]
    staged.append(_manifest(app, homes, folder))
    bundle = Bundle(FORM, folder, tuple(staged), tuple(sorted(folders)))
    files.write_json(record, bundle.to_json())
    return bundle


def build(bundle: Bundle, *, architecture: str = "amd64") -> Image:
    """The image of a staged bundle, which has to be as `stage` left it; raises SpinAksError where it is not.

    WebAssembly runs on any processor, but containerd takes an image of another architecture than the node's for none
    of its own: `architecture` is that of the nodes (`amd64`, `arm64`).
    """
    check(bundle)
    owners = dict.fromkeys(file.component for file in bundle.files)
    layers = tuple(_layer(bundle, component) for component in owners)
    config = Blob.of(CONFIG_MEDIA_TYPE, [_config(layers, architecture)])
    manifest: JSONObject = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_MEDIA_TYPE,
        "config": config.descriptor,
        "layers": [layer.descriptor for layer in layers],
    }
    return Image(FORM, _compact(manifest), config, layers)


def check(bundle: Bundle) -> None:
    """Raises SpinAksError for a staged bundle that is not as `stage` left it."""
    for file in bundle.files:
        _check_unchanged(bundle.folder / file.path, file)


def _placed(
    app: Application, wasm: Mapping[str, Path], homes: Mapping[str, mounted.Home], *, ca_bundle: bool
) -> Iterator[_Placed]:
    for component, assets in resolve_all(app, resolve_mounted).items():
        home = homes[component]
        yield _Placed(home.wasm, wasm[component], bundles.WASM, component)
        for asset in assets:
            path = f"{home.files}/{asset.path}"
            yield _Placed(path, app.root / asset.source, bundles.ASSET, component, asset.path)
    if ca_bundle:
        from pathlib import Path

        import certifi

        yield _Placed(AUTHORITIES_PATH, Path(certifi.where()), bundles.AUTHORITIES)


def _homes(app: Application) -> dict[str, mounted.Home]:
    return {component.id: _home(number, component) for number, component in enumerate(app.components, start=1)}


def _home(number: int, component: Component) -> mounted.Home:
    """Ids are words of letters and digits, but for version 1 under Spin 1.x, where they may be anything."""
    name = component.id if _SAFE_NAME.fullmatch(component.id) else f"component.{number}"
    base = f"components/{name}"
    return mounted.Home(f"{base}/component.wasm", f"{base}/files" if component.files else "")


def _folders(homes: Mapping[str, mounted.Home], placed: tuple[_Placed, ...]) -> set[str]:
    """Every folder of the bundle; a component that sees files has its own even where no glob found one."""
    folders: set[str] = set()
    for folder in [home.files for home in homes.values()] + [posixpath.dirname(file.path) for file in placed]:
        while folder and folder not in folders:
            folders.add(folder)
            folder = posixpath.dirname(folder)
    return folders


def _make_room(folder: Path, paths: set[str], folders: set[str]) -> None:
    with files.refused_as_error(folder):
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        _remove_others(folder, "", paths, folders)
        for name in sorted(folders):
            (folder / name).mkdir(exist_ok=True)
        for name in ("", *folders):
            (folder / name).chmod(FOLDER_MODE)  # whatever the umask: in the pod another user reads it


def _remove_others(folder: Path, prefix: str, paths: set[str], folders: set[str]) -> None:
    for entry in (folder / prefix).iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir() and not entry.is_symlink():
            if name in folders:
                _remove_others(folder, f"{name}/", paths, folders)
            else:
                shutil.rmtree(entry)
        elif name not in paths or entry.is_symlink():
            entry.unlink()


def _copied(file: _Placed, folder: Path) -> BundledFile:
    target = folder / file.path
    digest = files.copy(file.source, target, mode=FILE_MODE)
    return BundledFile(file.path, file.role, digest, target.stat().st_size, file.component, file.seen_as)


def _manifest(app: Application, homes: Mapping[str, mounted.Home], folder: Path) -> BundledFile:
    target = folder / MANIFEST_PATH
    files.write(target, mounted.manifest(app, homes), mode=FILE_MODE)
    target.chmod(FILE_MODE)
    return BundledFile(MANIFEST_PATH, bundles.MANIFEST, files.sha256(target), target.stat().st_size)


def _check_unchanged(path: Path, file: BundledFile) -> None:
    try:
        same = path.stat().st_size == file.size_bytes and files.sha256(path) == file.digest
    except OSError as error:
        raise SpinAksError(
            f"can't read `{path}` of the bundle: {error.strerror or error}", hint="run `spin-aks run bundle`"
        ) from error
    if not same:
        raise SpinAksError(
            f"`{path}` is not what was put into the bundle", hint="run `spin-aks run bundle`, which makes it anew"
        )


def _layer(bundle: Bundle, component: str) -> Blob:
    mine = [file for file in bundle.files if file.component == component]
    entries = [Entry(file.path, FilePart(bundle.folder / file.path, file.size_bytes), file.mode) for file in mine]
    homes = tuple(f"{posixpath.dirname(file.path)}/" for file in mine if file.role == bundles.WASM)
    folders = [name for name in bundle.folders if name.startswith(homes)]
    return Blob.of(LAYER_MEDIA_TYPE, archive(entries, folders))


def _config(layers: tuple[Blob, ...], architecture: str) -> bytes:
    """No time, no history. The entry point is what a pod needs to start at all: the shim does not run it."""
    return _compact(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": ["/"], "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        }
    )


def _compact(document: JSONObject) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
