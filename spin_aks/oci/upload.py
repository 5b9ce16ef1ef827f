"""One blob to a registry, streamed, and taken up again where a connection broke, if the registry can do that.

Registries differ in what they take (OCI distribution specification 1.1, "Pushing blobs"):
- ACR closes on large bodies of the final PUT or answers 413 (harbor#23015), wants `Content-Length`, and forgets an
  upload whose connection broke (Azure/azure-sdk-for-net#35322);
- ghcr.io answers 416 to a PATCH with `Content-Range` above 4 MiB (oras-project/rust-oci-client#35);
- ECR answers 201 to a PATCH, and drops what a second PATCH holds (aws/containers-roadmap#2831);
- distribution 2.8 answers 404 when asked how far a broken upload came, 3.0 tells.

So what goes to all of them is what docker, podman and crane send: POST, one PATCH with all bytes and no range, an empty
PUT with the digest. A small blob goes in the PUT. Only a registry that finds the body too large gets it in pieces, and
only one that says how far it came is continued. The digest in the PUT guards whatever happens.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from spin_aks.errors import RegistryError, SpinAksError
from spin_aks.oci.image import FilePart
from spin_aks.oci.refusal import codes, place
from spin_aks.oci.registry import TRANSIENT
from spin_aks.oci.transport import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spin_aks.oci.image import Blob
    from spin_aks.oci.registry import Registry
    from spin_aks.oci.transport import Answer, Body

PIECE_BYTES = 128 << 10
SMALL_BYTES = 4 << 20
CHUNK_BYTES = 4 << 20
BODY = {"Content-Type": "application/octet-stream"}
SHOWN_DIGITS = 12

# What a registry says when its side of an upload is gone or not what it should be: a new one may do better.
BROKEN_UPLOAD = frozenset(
    {"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "DIGEST_INVALID", "SIZE_INVALID", "RANGE_INVALID"}
)
TOO_LARGE = frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE})


@dataclass(frozen=True, slots=True)
class _Session:
    """An upload that is under way: where it goes on, how many bytes the registry has, and wants at least at once."""

    url: str
    offset: int = 0
    chunk_least_bytes: int = 0


class _Failed(Exception):  # noqa: N818  may pass: an error only if it happens too often
    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Upload:
    """Sends one blob. `check` is called for each piece and may raise to stop it."""

    def __init__(self, registry: Registry, blob: Blob, check: Callable[[], None]) -> None:
        self._registry = registry
        self._blob = blob
        self._check = check
        self._session: _Session | None = None
        self._is_too_large = False
        self._told_quarters = 0

    def run(self) -> None:
        """Returns once the registry has the blob under its digest.

        Raises RegistryError if it refuses it or if the connection breaks too often, SpinAksError if the bytes are no
        longer what the image was made of; then nothing of it is kept.
        """
        failures = 0
        while True:
            try:
                self._session = self._session or self._started()
                self._fill(self._session)
                return self._close(self._session)
            except ConnectionLost as lost:
                failures += 1
                self._registry.pause(failures, self._broke(lost), place_of=self._registry.root)
                if self._registry.has_blob(self._blob.digest):
                    return None
                if self._continues():
                    failures = 0
            except _Failed as failed:
                failures += 1
                self._session = None
                if not (failed.answer.status in TOO_LARGE and self._starts_chunks()):
                    self._registry.pause_after(failures, failed.answer, self._name)

    def _started(self) -> _Session:
        answer = self._registry.patiently("POST", f"{self._registry.root}/blobs/uploads/")
        self._registry.must_succeed(answer, "the start of an upload")
        least = answer.header("OCI-Chunk-Min-Length")
        return _Session(self._registry.location(answer), 0, int(least) if least.isdecimal() else 0)

    def _fill(self, session: _Session) -> None:
        """Sends what the registry does not have yet, but for a small blob, which goes with the end of the upload."""
        if session.offset == self._blob.size_bytes:
            return
        if self._is_too_large:
            self._fill_by_chunks(session)
        elif self._blob.size_bytes > SMALL_BYTES:
            self._patch(session, lambda: self._bytes(session.offset), self._blob.size_bytes - session.offset)

    def _fill_by_chunks(self, session: _Session) -> None:
        pieces = -(-max(CHUNK_BYTES, session.chunk_least_bytes) // PIECE_BYTES)
        source = self._bytes(session.offset)
        while chunk := b"".join(islice(source, pieces)):
            session = self._patch(session, chunk, len(chunk))

    def _patch(self, session: _Session, body: Body, size_bytes: int) -> _Session:
        end = session.offset + size_bytes
        headers = dict(BODY)
        if session.offset or self._is_too_large:
            headers["Content-Range"] = f"{session.offset}-{end - 1}"
        answer = self._registry.request("PATCH", session.url, headers, body, size_bytes)
        self._judge(answer)
        if (taken := _range_end(answer)) is not None and taken + 1 != end:
            raise _Failed(replace(answer, body=f"it kept {taken + 1} bytes where {end} were sent".encode()))
        self._session = replace(session, url=self._registry.location(answer), offset=end)
        return self._session

    def _close(self, session: _Session) -> None:
        body = b"" if session.offset else b"".join(self._bytes(0))
        separator = "&" if urlsplit(session.url).query else "?"
        url = f"{session.url}{separator}{urlencode({'digest': self._blob.digest})}"
        answer = self._registry.request("PUT", url, BODY, body)
        self._judge(answer)
        theirs = answer.header("Docker-Content-Digest")
        if theirs and theirs != self._blob.digest:
            raise RegistryError(
                f"`{self._registry.host}` stored {theirs} instead of {self._blob.digest}", where=place(answer)
            )

    def _judge(self, answer: Answer) -> None:
        if answer.status in TRANSIENT or answer.status in TOO_LARGE or codes(answer) & BROKEN_UPLOAD:
            raise _Failed(answer)
        self._registry.must_succeed(answer, self._name)

    def _starts_chunks(self) -> bool:
        """Goes over to pieces where the registry finds the whole too large; false if it does so already."""
        if self._is_too_large:
            return False
        self._is_too_large = True
        self._registry.notice(
            f"`{self._registry.host}` finds {self._name} too large for one request: sending it in pieces"
        )
        return True

    def _continues(self) -> bool:
        """Whether the registry says that it has more of the blob than it had; if it says nothing, all starts anew."""
        before, self._session = self._session, None
        if before is None or self._blob.size_bytes <= SMALL_BYTES:
            return False
        try:
            answer = self._registry.request("GET", before.url)
        except ConnectionLost:
            return False
        end = _range_end(answer)
        # `0-0` is said of no byte as well as of one (distribution, docs/spec/api, "Blob Upload").
        if answer.status != HTTPStatus.NO_CONTENT or not end or end >= self._blob.size_bytes:
            return False
        url = self._registry.location(answer) if answer.header("Location") else before.url
        self._session = replace(before, url=url, offset=end + 1)
        self._registry.notice(f"{self._name}: going on after {size(end + 1)}")
        return end + 1 > before.offset

    def _bytes(self, skip: int) -> Iterator[bytes]:
        sent = skip
        for piece in verified(self._blob, skip, self._check):
            yield piece
            sent += len(piece)
            self._tell(sent)

    def _tell(self, sent: int) -> None:
        quarters = 4 * sent // max(1, self._blob.size_bytes)
        if self._blob.size_bytes > 8 * SMALL_BYTES and self._told_quarters < quarters < 4:
            self._told_quarters = quarters
            self._registry.notice(f"{self._name}: {quarters * 25} % sent")

    def _broke(self, lost: ConnectionLost) -> str:
        return f"the connection to `{self._registry.host}` broke half way through {self._name} ({lost})"

    @property
    def _name(self) -> str:
        return name_of(self._blob)


def verified(blob: Blob, skip: int, check: Callable[[], None]) -> Iterator[bytes]:
    """The blob's bytes but for the first `skip`, PIECE_BYTES at a time, in memory that does not grow with the blob.

    The last piece is given only if all bytes together have the blob's digest; else SpinAksError.
    """
    digest, held, seen = hashlib.sha256(), bytearray(), 0
    for chunk in blob.chunks():
        check()
        digest.update(chunk)
        held += memoryview(chunk)[max(0, min(len(chunk), skip - seen)) :]
        seen += len(chunk)
        while len(held) > PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if f"sha256:{digest.hexdigest()}" != blob.digest:
        raise _changed(blob)
    if held:
        yield bytes(held)


def name_of(blob: Blob) -> str:
    """`layer sha256:0123456789ab (37.0 MB)`, for people."""
    digits = len("sha256:") + SHOWN_DIGITS
    noun = "configuration" if "config" in blob.media_type else "layer"
    return f"{noun} {blob.digest[:digits]} ({size(blob.size_bytes)})"


def size(size_bytes: int) -> str:
    """`512 B`, `4.1 kB`, `37.0 MB`: decimal units, as registries count."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    for factor, unit in ((1e3, "kB"), (1e6, "MB")):
        if size_bytes < 999.95 * factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes / 1e9:.1f} GB"


def _range_end(answer: Answer) -> int | None:
    """The last byte that a registry says it has: `Range: 0-N`, by some with `bytes=` before it."""
    match = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.header("Range").strip())
    return int(match[1]) if match else None


def _changed(blob: Blob) -> SpinAksError:
    files = sorted({part.path.as_posix() for part in blob.parts if isinstance(part, FilePart)})
    shown = ", ".join(f"`{path}`" for path in files[:3]) + (f" or one of {len(files) - 3} more" if files[3:] else "")
    return SpinAksError(
        f"{shown or 'the layer'} changed since the image was made: {name_of(blob)} would be another one",
        hint="run the same command again: the image is made anew first",
    )
