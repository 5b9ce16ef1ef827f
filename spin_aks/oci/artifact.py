"""The image as a Spin artifact: what `spin registry push` makes, made without it and the same each time.

One layer a component's wasm, one a file that it sees (small ones travel inside the locked application), the locked
application last. There is no annotation with the time, and a core module goes as it is: the shim makes a component of
it when it starts, as Spin does at push. Source: spin 3.6.3, crates/oci/src/client.rs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from spin_aks.errors import RefusedError, SpinAksError
from spin_aks.oci import wasm as wasm_files
from spin_aks.oci.image import CONFIG_MEDIA_TYPE, Blob, FilePart, Image
from spin_aks.oci.locked import Content, document
from spin_aks.oci.tar import Entry, archive
from spin_aks.spin.assets import resolve
from spin_aks.spin.composition import composed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.spin.assets import Asset
    from spin_aks.spin.model import Application

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
    wasm_files.check(app, wasm)
    shelf = _Shelf(app)
    modules = {component.id: shelf.blob(WASM_MEDIA_TYPE, wasm[component.id]) for component in app.components}
    assets = {component.id: resolve(app, component) for component in app.components}
    files = {name: tuple(shelf.content(asset) for asset in found) for name, found in assets.items()}
    layers = _distinct(
        layer
        for component in app.components
        for layer in (modules[component.id], *(shelf.layer(asset) for asset in assets[component.id]))
    )
    if len(layers) > LAYERS_MOST - 1:
        layers = _distinct(
            layer
            for component in app.components
            for layer in (modules[component.id], shelf.archive(assets[component.id]))
        )
    digests = {name: blob.digest for name, blob in modules.items()}
    locked = Blob.of(APPLICATION_MEDIA_TYPE, [document(app, digests, files)])
    return _image(app, (*layers, locked), locked)


class _Shelf:
    """The application's files as blobs, each read once however many components see it."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._blobs: dict[tuple[str, Path], Blob] = {}

    def blob(self, media_type: str, path: Path) -> Blob:
        if (media_type, path) not in self._blobs:
            self._blobs[media_type, path] = Blob.of(media_type, [_part(path)])
        return self._blobs[media_type, path]

    def content(self, asset: Asset) -> Content:
        blob = self._data(asset)
        inline = b"".join(blob.chunks()) if blob.size_bytes <= INLINE_MOST_BYTES else None
        return Content(asset.path, blob.digest, inline)

    def layer(self, asset: Asset) -> Blob | None:
        """The layer of a file, None for one that travels inside the locked application."""
        blob = self._data(asset)
        return blob if blob.size_bytes > INLINE_MOST_BYTES else None

    def archive(self, assets: tuple[Asset, ...]) -> Blob | None:
        if not assets:
            return None
        entries = (Entry(asset.path, _part(self._app.root / asset.source)) for asset in assets)
        return Blob.of(ARCHIVE_MEDIA_TYPE, archive(entries), gzip=True)

    def _data(self, asset: Asset) -> Blob:
        return self.blob(DATA_MEDIA_TYPE, self._app.root / asset.source)


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
