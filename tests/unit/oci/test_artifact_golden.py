"""Ours against what `spin registry push` of Spin 3.6.3 made of the same twelve applications.

Three things differ, and are put into Spin's own before the comparison, byte for byte: the annotation with the time; the
order of a component's files, which Spin takes from the file system; and the component that Spin's push makes of a raw
core module, whose digest and size give way to the module's. The archive of `many` can't have Spin's bytes (ours is not
compressed): its descriptor gives way too, and its content is compared with the digests in Spin's locked application.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest

from spin_aks.oci.artifact import build
from spin_aks.spin.manifest import read
from spin_aks.spin.model import LocalSource

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.json_types import JSONObject
    from spin_aks.oci.image import Blob, Image

NAMES = ("assets", "globs", "ids", "many", "one", "redis", "routes", "shared", "stores", "v1", "v1hosts", "vars")
COMPONENT_OF_SPIN = "sha256:f6f96c944fd13b073d655e3e13602642423db554efb7d54f393652be8e7bbc7e"
ARCHIVE = "application/vnd.wasm.content.bundle.v1.tar+gzip"


def test_every_example_is_compared(shared: Path) -> None:
    examples = shared / "spin-artifacts"

    assert sorted(NAMES) == sorted(path.parent.name for path in examples.glob("*/app"))


@pytest.mark.parametrize("name", NAMES)
def test_the_artifact_is_the_one_that_spin_pushes(shared: Path, tmp_path: Path, name: str) -> None:
    example = shared / "spin-artifacts" / name
    image = build_example(shared, name, tmp_path)

    locked = expected_locked(example, image)
    config = expected_config(example, locked)

    assert locked.decode() == content(image.layers[-1]).decode()
    assert config.decode() == content(image.config).decode()
    assert expected_manifest(example, image, locked, config).decode() == image.manifest.decode()


@pytest.mark.parametrize("name", NAMES)
def test_every_blob_is_what_its_descriptor_says(shared: Path, tmp_path: Path, name: str) -> None:
    image = build_example(shared, name, tmp_path)

    for blob in (image.config, *image.layers):
        assert (digest(content(blob)), len(content(blob))) == (blob.digest, blob.size_bytes)


def test_the_archive_holds_the_files_that_the_locked_application_names(shared: Path, tmp_path: Path) -> None:
    image = build_example(shared, "many", tmp_path)
    spins = json.loads((shared / "spin-artifacts/many/locked.json").read_bytes())

    archive = next(layer for layer in image.layers if layer.media_type == ARCHIVE)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content(archive)))) as members:
        held = {member.name: digest(members.extractfile(member).read()) for member in members if member.isfile()}  # type: ignore[union-attr]

    assert {file["path"]: file["digest"] for file in spins["components"][0]["files"]} == held


def test_the_same_application_has_the_same_digest_whenever_and_wherever_it_is_built(
    shared: Path, tmp_path: Path
) -> None:
    digests = {build_example(shared, "many", tmp_path / name).digest for name in ("here", "there")}

    assert {"sha256:50b210f8d70cd590930ec69e53f874676b062f11f44ef6b8cb84f38b446c3cc4"} == digests


def build_example(shared: Path, name: str, folder: Path) -> Image:
    root = folder / name
    shutil.copytree(shared / "spin-artifacts" / name / "app", root, copy_function=shutil.copyfile)
    root.chmod(0o755)
    if name == "many":
        (root / "assets").mkdir()
        for number in range(1, 601):
            (root / f"assets/f{number:03}.txt").write_text(f"{number:0200}")
    app = read(root / "spin.toml")
    wasm = {}
    for component in app.components:
        assert isinstance(component.source, LocalSource)
        wasm[component.id] = root / component.source.path
        shutil.copyfile(shared / "spin-artifacts/hello.wasm", wasm[component.id])
    return build(app, wasm)


def expected_locked(example: Path, image: Image) -> bytes:
    spins = (example / "locked.json").read_bytes()
    document = json.loads(spins)
    assert spins == compact(document)
    for component in document["components"]:
        assert component["source"]["digest"] == COMPONENT_OF_SPIN
        component["source"]["digest"] = module(image).digest
        if "files" in component:
            component["files"].sort(key=lambda file: file["path"])
    return compact(document)


def expected_config(example: Path, locked: bytes) -> bytes:
    spins = (example / "config.json").read_bytes()
    return spins.replace(digest((example / "locked.json").read_bytes()).encode(), digest(locked).encode())


def expected_manifest(example: Path, image: Image, locked: bytes, config: bytes) -> bytes:
    spins = (example / "manifest.json").read_bytes()
    document = json.loads(spins)
    assert spins == compact(document)
    del document["annotations"]["org.opencontainers.image.created"]
    document["config"] |= {"digest": digest(config), "size": len(config)}
    order = [file["digest"] for component in json.loads(locked)["components"] for file in component.get("files", ())]
    wasm, *data, last = document["layers"]
    assert wasm["digest"] == COMPONENT_OF_SPIN
    wasm |= {"digest": module(image).digest, "size": module(image).size_bytes}
    last |= {"digest": digest(locked), "size": len(locked)}
    for layer in data:
        if layer["mediaType"] == ARCHIVE:
            layer |= next(ours.descriptor for ours in image.layers if ours.media_type == ARCHIVE)
    if all(layer["digest"] in order for layer in data):
        data.sort(key=lambda layer: order.index(layer["digest"]))
    document["layers"] = [wasm, *data, last]
    return compact(document)


def module(image: Image) -> Blob:
    return image.layers[0]


def content(blob: Blob) -> bytes:
    return b"".join(blob.chunks())


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def compact(document: JSONObject) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
