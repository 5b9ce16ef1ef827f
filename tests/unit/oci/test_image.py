from __future__ import annotations

import hashlib
import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from spin_aks.errors import SpinAksError
from spin_aks.oci.image import Blob, FilePart, Image

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.json_types import JSONObject


def sample(folder: Path) -> Image:
    file = folder / "layer.bin"
    file.write_bytes(b"abc")
    layer = Blob.of("application/x", [b"head", FilePart(file, 3), b"tail"])
    packed = Blob.of("application/x+gzip", [FilePart(file, 3)], gzip=True)
    return Image("rootfs", b'{"a": "\xc3\xa9"}', Blob.of("application/json", [b"{}"]), (layer, packed))


def test_a_blob_is_named_by_the_bytes_of_its_parts_in_their_order(tmp_path: Path) -> None:
    layer = sample(tmp_path).layers[0]

    assert b"headabctail" == b"".join(layer.chunks())
    assert (f"sha256:{hashlib.sha256(b'headabctail').hexdigest()}", 11) == (layer.digest, layer.size_bytes)


def test_an_image_written_down_and_read_is_the_same(tmp_path: Path) -> None:
    image = sample(tmp_path)

    again = Image.from_json(image.to_json())

    assert image == again
    assert image.digest == again.digest == image.to_json()["digest"]
    assert [b"".join(blob.chunks()) for blob in image.layers] == [b"".join(blob.chunks()) for blob in again.layers]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"form": "rootfs"},
        {"form": "rootfs", "manifest": "e30=", "config": {}, "layers": []},
        {
            "form": "rootfs",
            "manifest": "e30=",
            "config": {"media_type": "x", "digest": "x", "size_bytes": 1, "parts": [{"elsewhere": "x"}]},
            "layers": [],
        },
    ],
)
def test_what_is_no_image_is_refused(document: JSONObject) -> None:
    with pytest.raises(SpinAksError) as caught:
        Image.from_json(document)

    assert "run `spin-aks run image`" == caught.value.problems[0].hint


@pytest.mark.parametrize(("now", "size"), [(b"ab", 2), (b"abcd", 4)])
def test_a_file_that_has_another_size_by_now_is_named(tmp_path: Path, now: bytes, size: int) -> None:
    layer = sample(tmp_path).layers[0]
    (tmp_path / "layer.bin").write_bytes(now)

    with pytest.raises(SpinAksError) as caught:
        list(layer.chunks())

    assert f"`{tmp_path}/layer.bin` changed while it was being read: 3 bytes before, {size} now" == str(caught.value)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    layer = sample(tmp_path).layers[0]
    (tmp_path / "layer.bin").unlink()

    with pytest.raises(SpinAksError) as caught:
        list(layer.chunks())

    assert f"can't read `{tmp_path}/layer.bin`: No such file or directory" == str(caught.value)


def test_a_gigabyte_is_read_in_small_pieces(tmp_path: Path) -> None:
    file = tmp_path / "big.bin"
    with file.open("wb") as stream:
        os.truncate(stream.fileno(), 1 << 30)
    tracemalloc.start()

    blob = Blob.of("application/x", [FilePart(file, 1 << 30)])

    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "sha256:49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14" == blob.digest
    assert most_bytes < 8 << 20
