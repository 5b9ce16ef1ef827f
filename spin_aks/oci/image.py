"""An image as a value: its manifest's bytes, and where the bytes of each blob are, so that nothing is held in memory.

`T/image.json` is this value written down; `push` needs nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from spin_aks.errors import SpinAksError
from spin_aks.files import CHUNK_BYTES
from spin_aks.oci.gzip import stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spin_aks.json_types import JSONObject

MANIFEST_MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_MEDIA_TYPE = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True, slots=True)
class FilePart:
    """The whole of a file, which held `size_bytes` when the blob's digest was taken."""

    path: Path
    size_bytes: int


Part: TypeAlias = bytes | FilePart


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with a name: the concatenation of `parts`. `digest` is `sha256:` and 64 hexadecimal digits.

    With `gzip` the bytes are those of a gzip member that holds the concatenation, uncompressed (`oci.gzip`).
    """

    media_type: str
    digest: str
    size_bytes: int
    parts: tuple[Part, ...]
    gzip: bool = False

    @classmethod
    def of(cls, media_type: str, parts: Iterable[Part], *, gzip: bool = False) -> Blob:
        """The blob of these parts; reads each file once to take its digest."""
        kept = tuple(parts)
        digest = hashlib.sha256()
        size_bytes = 0
        for chunk in _encoded(kept, gzip):
            digest.update(chunk)
            size_bytes += len(chunk)
        return cls(media_type, f"sha256:{digest.hexdigest()}", size_bytes, kept, gzip)

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, CHUNK_BYTES at most at a time; raises SpinAksError if a file is gone or has another size."""
        return _encoded(self.parts, self.gzip)

    @property
    def descriptor(self) -> JSONObject:
        """How a manifest refers to it (OCI image specification 1.1, descriptor.md)."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size_bytes}

    def to_json(self) -> JSONObject:
        return {
            "media_type": self.media_type,
            "digest": self.digest,
            "size_bytes": self.size_bytes,
            "gzip": self.gzip,
            "parts": [_part_to_json(part) for part in self.parts],
        }


@dataclass(frozen=True, slots=True)
class Image:
    """`form` is `artifact` or `rootfs`; the image's digest is that of `manifest`, whose media type is OCI's."""

    form: str
    manifest: bytes
    config: Blob
    layers: tuple[Blob, ...]

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.manifest).hexdigest()}"

    def to_json(self) -> JSONObject:
        return {
            "form": self.form,
            "digest": self.digest,
            "manifest": base64.b64encode(self.manifest).decode(),
            "config": self.config.to_json(),
            "layers": [layer.to_json() for layer in self.layers],
        }

    @classmethod
    def from_json(cls, document: JSONObject) -> Image:
        """What `to_json` wrote; raises SpinAksError if it is anything else."""
        match document:
            case {"form": str(form), "manifest": str(manifest), "config": dict(config), "layers": list(layers)}:
                blobs = tuple(_blob_from_json(layer) for layer in layers if isinstance(layer, dict))
                return cls(form, base64.b64decode(manifest), _blob_from_json(config), blobs)
        raise SpinAksError("this is no description of an image", hint="run `spin-aks run image`")


def _encoded(parts: tuple[Part, ...], gzip: bool) -> Iterator[bytes]:
    return stored(_chunks(parts)) if gzip else _chunks(parts)


def _chunks(parts: tuple[Part, ...]) -> Iterator[bytes]:
    for part in parts:
        if isinstance(part, bytes):
            yield part
        else:
            yield from _file_chunks(part)


def _file_chunks(part: FilePart) -> Iterator[bytes]:
    read_bytes = 0
    try:
        with part.path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                read_bytes += len(chunk)
                yield chunk
    except OSError as error:
        raise SpinAksError(f"can't read `{part.path}`: {error.strerror or error}") from error
    if read_bytes != part.size_bytes:
        raise SpinAksError(
            f"`{part.path}` changed while it was being read: {part.size_bytes} bytes before, {read_bytes} now",
            hint="run the same command again",
        )


def _part_to_json(part: Part) -> JSONObject:
    if isinstance(part, bytes):
        return {"base64": base64.b64encode(part).decode()}
    return {"file": part.path.as_posix(), "size_bytes": part.size_bytes}


def _blob_from_json(document: JSONObject) -> Blob:
    match document:
        case {"media_type": str(kind), "digest": str(digest), "size_bytes": int(size_bytes), "parts": list(parts)}:
            read = tuple(_part_from_json(part) for part in parts if isinstance(part, dict))
            return Blob(kind, digest, size_bytes, read, document.get("gzip") is True)
    raise SpinAksError("this is no description of a blob", hint="run `spin-aks run image`")


def _part_from_json(document: JSONObject) -> Part:
    match document:
        case {"base64": str(text)}:
            return base64.b64decode(text)
        case {"file": str(path), "size_bytes": int(size_bytes)}:
            return FilePart(Path(path), size_bytes)
    raise SpinAksError("this is no part of a blob", hint="run `spin-aks run image`")
