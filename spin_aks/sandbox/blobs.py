"""The registry's store: blobs under their digest, and per repository what belongs to it.

```
blobs/sha256/<hex>                            the bytes, whole or absent
uploads/<id>                                  what has come of an upload so far
repositories/<name>/_blobs/sha256-<hex>       an empty file: the blob was pushed or mounted here
repositories/<name>/_manifests/sha256-<hex>   its media type; the bytes are a blob
repositories/<name>/_tags/<tag>               a manifest's digest
```
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.sandbox import disk

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.sandbox.web import Body

DIGEST = re.compile(r"(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128})")
UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
CHUNK_BYTES = 1 << 20
ABANDONED_S = 24 * 3600


class DigestError(Exception):
    """The digest is none, or is not the content's."""


@dataclass(frozen=True, slots=True)
class Manifest:
    digest: str
    media_type: str
    content: bytes


class Blobs:
    """Raises OSError where the disk refuses; every other method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._uploads: dict[str, Upload] = {}
        self._guard = threading.Lock()
        (folder / "uploads").mkdir(parents=True, exist_ok=True)
        (folder / "repositories").mkdir(exist_ok=True)
        for path in (folder / "uploads").iterdir():
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                disk.remove(path)

    def blob(self, repository: str, digest: str) -> Path | None:
        """The file with these bytes, if the repository has it."""
        if not DIGEST.fullmatch(digest):
            return None
        path = self._blob_path(digest)
        return path if path.is_file() and self._link(repository, digest).exists() else None

    def mount(self, repository: str, digest: str, source: str) -> bool:
        """Whether the blob of the repository `source` now belongs to `repository` too."""
        if self.blob(source, digest) is None:
            return False
        disk.touch(self._link(repository, digest))
        return True

    def remove_blob(self, repository: str, digest: str) -> bool:
        return bool(DIGEST.fullmatch(digest)) and disk.remove(self._link(repository, digest))

    def new_upload(self, repository: str) -> str:
        """The id of an upload without bytes."""
        identity = secrets.token_hex(16)
        disk.touch(self._upload_path(identity))
        with self._guard:
            self._uploads[identity] = Upload(self._upload_path(identity), repository)
        return identity

    def upload(self, repository: str, identity: str) -> Upload | None:
        """The upload, also one that began before the sandbox was started again."""
        if not UPLOAD_ID.fullmatch(identity):
            return None
        with self._guard:
            found = self._uploads.get(identity)
            if found is None and self._upload_path(identity).is_file():
                found = self._uploads[identity] = Upload(self._upload_path(identity), repository)
        return found if found and found.repository == repository else None

    def finish(self, upload: Upload, digest: str) -> None:
        """Makes the upload a blob of its repository; raises DigestError, and forgets it, if its digest is another."""
        with upload.guard:
            found = upload.digest(digest)
            if found != digest:
                self.cancel(upload)
                raise DigestError(f"the content's digest is {found}")
            target = self._blob_path(digest)
            target.parent.mkdir(parents=True, exist_ok=True)
            upload.path.replace(target)
        disk.touch(self._link(upload.repository, digest))
        self._forget(upload)

    def cancel(self, upload: Upload) -> None:
        disk.remove(upload.path)
        self._forget(upload)

    def put_manifest(self, repository: str, manifest: Manifest, tag: str) -> None:
        """Keeps the manifest under its digest, and under `tag` unless that is empty."""
        target = self._blob_path(manifest.digest)
        if not target.is_file():
            disk.replace(target, manifest.content)
        disk.touch(self._link(repository, manifest.digest))
        disk.replace(self._of(repository) / "_manifests" / _file_name(manifest.digest), manifest.media_type.encode())
        if tag:
            disk.replace(self._of(repository) / "_tags" / tag, manifest.digest.encode())

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """The manifest by its digest or by a tag."""
        digest = reference if DIGEST.fullmatch(reference) else self._tagged(repository, reference)
        try:
            media_type = (self._of(repository) / "_manifests" / _file_name(digest)).read_text() if digest else ""
            return Manifest(digest, media_type, self._blob_path(digest).read_bytes()) if digest else None
        except OSError:
            return None

    def remove_manifest(self, repository: str, digest: str) -> bool:
        """Removes the manifest and every tag of it; true if there was one."""
        for tag in self.tags(repository):
            if self._tagged(repository, tag) == digest:
                self.remove_tag(repository, tag)
        disk.remove(self._link(repository, digest))
        return disk.remove(self._of(repository) / "_manifests" / _file_name(digest))

    def remove_tag(self, repository: str, tag: str) -> bool:
        return disk.remove(self._of(repository) / "_tags" / tag)

    def tags(self, repository: str) -> tuple[str, ...]:
        """In lexical order."""
        folder = self._of(repository) / "_tags"
        return tuple(sorted(path.name for path in folder.iterdir() if path.name[0] != ".")) if folder.is_dir() else ()

    def has_repository(self, repository: str) -> bool:
        return (self._of(repository) / "_manifests").is_dir()

    def _tagged(self, repository: str, tag: str) -> str:
        path = self._of(repository) / "_tags" / tag
        return path.read_text() if path.is_file() else ""

    def _of(self, repository: str) -> Path:
        return self._folder / "repositories" / repository

    def _link(self, repository: str, digest: str) -> Path:
        return self._of(repository) / "_blobs" / _file_name(digest)

    def _blob_path(self, digest: str) -> Path:
        algorithm, _, digits = digest.partition(":")
        return self._folder / "blobs" / algorithm / digits

    def _upload_path(self, identity: str) -> Path:
        return self._folder / "uploads" / identity

    def _forget(self, upload: Upload) -> None:
        with self._guard:
            self._uploads.pop(upload.path.name, None)


def _file_name(digest: str) -> str:
    return digest.replace(":", "-")


class Upload:
    """Bytes that come in order, on disk from the first one on; hashed as they come, so that nothing is read twice."""

    def __init__(self, path: Path, repository: str) -> None:
        self.path = path
        self.repository = repository
        self.guard = threading.RLock()
        self._hash = hashlib.sha256()
        self._hashed_bytes = 0

    @property
    def size_bytes(self) -> int:
        return self.path.stat().st_size

    def append(self, body: Body) -> None:
        """Adds what the client sends; what has come before it goes away stays."""
        with self.guard, self.path.open("ab") as stream:
            while piece := body.read(CHUNK_BYTES):
                stream.write(piece)
                if self._hashed_bytes == stream.tell() - len(piece):
                    self._hash.update(piece)
                    self._hashed_bytes += len(piece)

    def digest(self, like: str) -> str:
        """The content's digest by the algorithm of the digest `like`; raises DigestError for one that is none."""
        if not DIGEST.fullmatch(like):
            raise DigestError(f"`{like}` is no digest")
        algorithm = like.partition(":")[0]
        if algorithm == "sha256" and self._hashed_bytes == self.size_bytes:
            return f"sha256:{self._hash.hexdigest()}"
        with self.path.open("rb") as stream:
            return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"
