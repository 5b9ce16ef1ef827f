"""The image as a Spin artifact: what `spin registry push` makes, made without it and the same each time.

One layer a component's wasm, one a file that it sees (small ones travel inside the locked application), the locked
application last. There is no annotation with the time, and a core module goes as it is: the shim makes a component of
it when it starts, as Spin does at push. Source: spin 3.6.3, crates/oci/src/client.rs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks.errors import RefusedError, SpinAksError
from spin_aks.oci import wasm as wasm_files
from spin_aks.oci.bundle import ASSET, DEPENDENCY, MANIFEST, WASM, Bundle, BundledFile
from spin_aks.oci.image import CONFIG_MEDIA_TYPE, Blob, FilePart, Image
from spin_aks.oci.locked import Content, document
from spin_aks.oci.tar import Entry, archive
from spin_aks.spin.assets import resolve, resolve_all
from spin_aks.spin.composition import composed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.spin.assets import Asset
    from spin_aks.spin.model import Application, Component

FORM = "artifact"
WASM_MEDIA_TYPE = "application/vnd.wasm.content.layer.v1+wasm"
DATA_MEDIA_TYPE = "application/vnd.wasm.content.layer.v1+data"
ARCHIVE_MEDIA_TYPE = "application/vnd.wasm.content.bundle.v1.tar+gzip"
APPLICATION_MEDIA_TYPE = "application/vnd.fermyon.spin.application.v1+config"
INLINE_MOST_BYTES = 128
LAYERS_MOST = 500
_ANNOTATION = "org.opencontainers.image."


def build(app: Application, wasm: Mapping[str, Path]) -> Image:
    """The artifact of `app`, given each component's wasm file by its id; reads every file once, keeps none in memory.

    Above 499 layers each component's files become one archive, as Spin does it; ours is not compressed, because what
    zlib makes of the same files differs from machine to machine. Raises RefusedError where only the Spin CLI can make
    the image, ManifestError for files that are missing or out of bounds, SpinAksError for wasm that is none.
    """
    refused = composed(app)
    if refused:
        raise RefusedError.of(refused)
    shelf = _Shelf(app, wasm)
    layers = _distinct(
        layer
        for name, assets in shelf.assets.items()
        for layer in (shelf.module(name), *(shelf.layer(asset) for asset in assets))
    )
    if len(layers) > LAYERS_MOST - 1:
        layers = _distinct(
            layer for name, assets in shelf.assets.items() for layer in (shelf.module(name), shelf.archive(assets))
        )
    locked = shelf.locked()
    return _image(app, (*layers, locked), locked)


def bundle(app: Application, wasm: Mapping[str, Path]) -> Bundle:
    """What goes into the artifact, file by file, nothing copied; raises what `build` raises but for `dependencies`.

    The locked application is listed as `spin.json`, a file that only the image has, so that what changes in spin.toml
    alone changes the list. Files that the Spin CLI composes into a component (`dependencies`) are listed as well.
    """
    shelf = _Shelf(app, wasm)
    files: list[BundledFile] = []
    for component in app.components:
        module = shelf.module(component.id)
        path = wasm[component.id].as_posix()
        files.append(BundledFile(path, WASM, module.digest, module.size_bytes, component.id))
        for asset in shelf.assets[component.id]:
            held = shelf.data(asset)
            path = (app.root / asset.source).as_posix()
            files.append(BundledFile(path, ASSET, held.digest, held.size_bytes, component.id, seen_as=asset.path))
        for path in _dependencies(component):
            held = shelf.dependency(app.root / path)
            files.append(BundledFile(path, DEPENDENCY, held.digest, held.size_bytes, component.id))
    described = shelf.locked() if not composed(app) else Blob.of(APPLICATION_MEDIA_TYPE, [_composition(app)])
    files.append(BundledFile("spin.json", MANIFEST, described.digest, described.size_bytes))
    return Bundle(FORM, Path(), tuple(files))


def _dependencies(component: Component) -> Iterator[str]:
    for entry in component.dependencies.values():
        match entry:
            case {"path": str(path)}:
                yield path


def _composition(app: Application) -> bytes:
    """What stands for the locked application where the Spin CLI will write it: all that it is made of.

    What a profile changes of a component is not in the manifest's own keys: it stands beside them.
    """
    in_force: JSONObject = {
        component.id: {"environment": dict(component.environment), "dependencies": dict(component.dependencies)}
        for component in app.components
    }
    return _compact({"manifest": dict(app.normalised), "in force": in_force}, sort_keys=True)


class _Shelf:
    """The application's files as blobs, each read once however many components see it."""

    def __init__(self, app: Application, wasm: Mapping[str, Path]) -> None:
        wasm_files.check(app, wasm)
        self._app = app
        self._wasm = wasm
        self._blobs: dict[tuple[str, Path], Blob] = {}
        self.assets = resolve_all(app, resolve)

    def module(self, component: str) -> Blob:
        return self._blob(WASM_MEDIA_TYPE, self._wasm[component])

    def data(self, asset: Asset) -> Blob:
        return self._blob(DATA_MEDIA_TYPE, self._app.root / asset.source)

    def dependency(self, path: Path) -> Blob:
        return self._blob(WASM_MEDIA_TYPE, path)

    def locked(self) -> Blob:
        digests = {name: self.module(name).digest for name in self.assets}
        files = {name: tuple(self._content(asset) for asset in found) for name, found in self.assets.items()}
        return Blob.of(APPLICATION_MEDIA_TYPE, [document(self._app, digests, files)])

    def layer(self, asset: Asset) -> Blob | None:
        """The layer of a file, None for one that travels inside the locked application."""
        blob = self.data(asset)
        return blob if blob.size_bytes > INLINE_MOST_BYTES else None

    def archive(self, assets: tuple[Asset, ...]) -> Blob | None:
        if not assets:
            return None
        entries = (Entry(asset.path, _part(self._app.root / asset.source)) for asset in assets)
        return Blob.of(ARCHIVE_MEDIA_TYPE, archive(entries), gzip=True)

    def _content(self, asset: Asset) -> Content:
        blob = self.data(asset)
        inline = b"".join(blob.chunks()) if blob.size_bytes <= INLINE_MOST_BYTES else None
        return Content(asset.path, blob.digest, inline)

    def _blob(self, media_type: str, path: Path) -> Blob:
        if (media_type, path) not in self._blobs:
            self._blobs[media_type, path] = Blob.of(media_type, [_part(path)])
        return self._blobs[media_type, path]


def _part(path: Path) -> FilePart:
    try:
        return FilePart(path, path.stat().st_size)
    except OSError as error:
        raise SpinAksError(f"can't read `{path}`: {error.strerror or error}") from error


def _distinct(layers: Iterable[Blob | None]) -> tuple[Blob, ...]:
    return tuple({(layer.media_type, layer.digest): layer for layer in layers if layer is not None}.values())


def _image(app: Application, layers: tuple[Blob, ...], locked: Blob) -> Image:
    config = Blob.of(CONFIG_MEDIA_TYPE, [_config(locked.digest)])
    manifest: JSONObject = {
        "schemaVersion": 2,
        "config": config.descriptor,
        "layers": [layer.descriptor for layer in layers],
        "annotations": _annotations(app),
    }
    return Image(FORM, _compact(manifest, sort_keys=True), config, layers)


def _config(locked_digest: str) -> bytes:
    """The label makes the image's id one of this application alone: without it all would share theirs."""
    return _compact(
        {
            "architecture": "wasm",
            "os": "wasip1",
            "config": {"Labels": {"com.fermyon.spin.lockedAppDigest": locked_digest}},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
    )


def _annotations(app: Application) -> JSONObject:
    annotations = {
        "title": app.name,
        "version": app.version,
        "description": app.description,
        "authors": ", ".join(app.authors),
    }
    return {f"{_ANNOTATION}{key}": value for key, value in annotations.items() if value}


def _compact(document: JSON, *, sort_keys: bool = False) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys).encode()
