"""An OCI registry: the distribution specification 1.1 as clients use it to push and to pull.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md; where the specification leaves a choice it
does what Docker's registry 2.8 does. It has no referrers endpoint (clients fall back to tags) and asks for no login.
"""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.blobs import DIGEST, Blobs, DigestError, Manifest, Upload
from spin_aks.sandbox.web import Answer, FileSlice, Request

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.sandbox.documents import Document

NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
ROUTE = re.compile(
    rf"/v2/(?P<name>{NAME}(?:/{NAME})*)/"
    r"(?:(?P<start>blobs/uploads/?)|blobs/uploads/(?P<upload>[^/]+)|blobs/(?P<blob>[^/]+)"
    r"|manifests/(?P<manifest>[^/]+)|(?P<tags>tags/list))"
)
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
MANIFEST_LIMIT_BYTES = 4 << 20
INDEX_TYPES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
DEFAULT_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


class RefusedError(Exception):
    """What the specification calls an error: answered with its code and a message."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Registry:
    """Answers requests below `/v2/` from `blobs`."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def __call__(self, request: Request) -> Answer:
        try:
            return self._route(request)
        except RefusedError as refusal:
            return _error(refusal.status, refusal.code, str(refusal))
        except OSError as error:
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "UNKNOWN", f"the sandbox's disk: {error.strerror or error}")

    def _route(self, request: Request) -> Answer:
        if request.path in ("/v2/", "/v2"):
            return _answer(HTTPStatus.OK, b"{}", ("Content-Type", "application/json"))
        match = ROUTE.fullmatch(request.path)
        if match is None:
            return Answer(HTTPStatus.NOT_FOUND, b"404 page not found\n", (("Content-Type", "text/plain"),))
        name = match["name"]
        if match["start"]:
            return self._start_upload(request, name)
        if match["upload"]:
            return self._upload(request, name, match["upload"])
        if match["blob"]:
            return self._blob(request, name, match["blob"])
        if match["manifest"]:
            return self._manifest(request, name, match["manifest"])
        return self._tags(request, name)

    def _start_upload(self, request: Request, name: str) -> Answer:
        if request.method != "POST":
            return _not_allowed("POST")
        mount = request.query.get("mount", "")
        if mount and self._blobs.mount(name, mount, request.query.get("from", "")):
            return self._created_blob(request, name, mount)
        upload = self._known_upload(name, self._blobs.new_upload(name))
        if "digest" in request.query:
            upload.append(request.body)
            return self._finish(request, name, upload)
        return _progress(request, name, upload, HTTPStatus.ACCEPTED)

    def _upload(self, request: Request, name: str, identity: str) -> Answer:
        upload = self._known_upload(name, identity)
        if request.method == "PATCH":
            self._append(request, upload)
            return _progress(request, name, upload, HTTPStatus.ACCEPTED)
        if request.method == "PUT":
            self._append(request, upload)
            return self._finish(request, name, upload)
        if request.method == "GET":
            return _progress(request, name, upload, HTTPStatus.NO_CONTENT)
        if request.method == "DELETE":
            self._blobs.cancel(upload)
            return _answer(HTTPStatus.NO_CONTENT)
        return _not_allowed("GET, PATCH, PUT, DELETE")

    def _known_upload(self, name: str, identity: str) -> Upload:
        upload = self._blobs.upload(name, identity)
        if upload is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        return upload

    def _append(self, request: Request, upload: Upload) -> None:
        begin = request.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
        if begin and begin != str(upload.size_bytes):
            raise RefusedError(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                "BLOB_UPLOAD_INVALID",
                f"the upload holds {upload.size_bytes} bytes, the chunk begins at {begin}",
            )
        upload.append(request.body)

    def _finish(self, request: Request, name: str, upload: Upload) -> Answer:
        digest = request.query.get("digest", "")
        try:
            self._blobs.finish(upload, digest)
        except DigestError as error:
            message = f"provided digest did not match uploaded content: {error}"
            raise RefusedError(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", message) from error
        return self._created_blob(request, name, digest)

    def _created_blob(self, request: Request, name: str, digest: str) -> Answer:
        location = ("Location", _absolute(request, f"/v2/{name}/blobs/{digest}"))
        return _answer(HTTPStatus.CREATED, b"", location, ("Docker-Content-Digest", digest))

    def _blob(self, request: Request, name: str, digest: str) -> Answer:
        if request.method not in ("GET", "HEAD", "DELETE"):
            return _not_allowed("GET, HEAD, DELETE")
        if not DIGEST.fullmatch(digest):
            raise RefusedError(HTTPStatus.NOT_FOUND, "DIGEST_INVALID", f"`{digest}` is no digest")
        if request.method == "DELETE" and self._blobs.remove_blob(name, digest):
            return _answer(HTTPStatus.ACCEPTED)
        path = self._blobs.blob(name, digest)
        if path is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry")
        return _bytes_of(request, path, digest)

    def _manifest(self, request: Request, name: str, reference: str) -> Answer:
        if not (TAG.fullmatch(reference) or DIGEST.fullmatch(reference)):
            raise RefusedError(HTTPStatus.NOT_FOUND, "TAG_INVALID", f"`{reference}` is neither a tag nor a digest")
        if request.method == "PUT":
            return self._put_manifest(request, name, reference)
        if request.method == "DELETE":
            return self._delete_manifest(name, reference)
        if request.method not in ("GET", "HEAD"):
            return _not_allowed("GET, HEAD, PUT, DELETE")
        manifest = self._blobs.manifest(name, reference)
        if manifest is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN", f"manifest unknown: {name} has no {reference}")
        headers = ("Content-Type", manifest.media_type), ("Docker-Content-Digest", manifest.digest)
        return _answer(HTTPStatus.OK, manifest.content, *headers, ("Etag", f'"{manifest.digest}"'))

    def _put_manifest(self, request: Request, name: str, reference: str) -> Answer:
        content = request.body.read_all(MANIFEST_LIMIT_BYTES)
        digest = reference if DIGEST.fullmatch(reference) else f"sha256:{hashlib.sha256(content).hexdigest()}"
        algorithm = digest.partition(":")[0]
        if digest != f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}":
            message = "provided digest did not match uploaded content"
            raise RefusedError(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", message)
        media_type = self._check_manifest(name, content, request.headers.get("Content-Type", ""))
        self._blobs.put_manifest(name, Manifest(digest, media_type, content), "" if reference == digest else reference)
        location = ("Location", _absolute(request, f"/v2/{name}/manifests/{digest}"))
        return _answer(HTTPStatus.CREATED, b"", location, ("Docker-Content-Digest", digest))

    def _check_manifest(self, name: str, content: bytes, content_type: str) -> str:
        """Its media type; raises RefusedError for what is no manifest, or names what the repository does not have."""
        try:
            document = documents.load(content)
        except ValueError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "MANIFEST_INVALID", f"manifest invalid: {error}") from error
        if not isinstance(document, dict) or document.get("schemaVersion") != 2:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "MANIFEST_INVALID", "manifest invalid: schemaVersion is not 2")
        inside = documents.text(document, "mediaType")
        media_type = content_type.partition(";")[0].strip() or inside or DEFAULT_MANIFEST_TYPE
        if inside and inside != media_type:
            message = f"manifest invalid: it says {inside}, its Content-Type {media_type}"
            raise RefusedError(HTTPStatus.BAD_REQUEST, "MANIFEST_INVALID", message)
        for missing in self._missing(name, document, media_type):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN", f"blob unknown to registry: {missing}")
        return media_type

    def _missing(self, name: str, document: Document, media_type: str) -> list[str]:
        if media_type in INDEX_TYPES:
            named = [documents.text(entry, "digest") for entry in documents.items(document, "manifests")]
            return [digest for digest in named if self._blobs.manifest(name, digest) is None]
        parts = [documents.mapping(document, "config"), *documents.items(document, "layers")]
        return [digest for part in parts if self._blobs.blob(name, digest := documents.text(part, "digest")) is None]

    def _delete_manifest(self, name: str, reference: str) -> Answer:
        by_digest = bool(DIGEST.fullmatch(reference))
        if not (self._blobs.remove_manifest if by_digest else self._blobs.remove_tag)(name, reference):
            raise RefusedError(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN", f"manifest unknown: {name} has no {reference}")
        return _answer(HTTPStatus.ACCEPTED)

    def _tags(self, request: Request, name: str) -> Answer:
        if request.method != "GET":
            return _not_allowed("GET")
        if not self._blobs.has_repository(name):
            raise RefusedError(HTTPStatus.NOT_FOUND, "NAME_UNKNOWN", f"repository name not known to registry: {name}")
        found = [tag for tag in self._blobs.tags(name) if tag > request.query.get("last", "")]
        limit = request.query.get("n", "")
        page = found[: int(limit)] if limit.isdigit() else found
        headers = [("Content-Type", "application/json")]
        if page and len(page) < len(found):
            headers.append(("Link", f'</v2/{name}/tags/list?last={page[-1]}&n={limit}>; rel="next"'))
        return _answer(HTTPStatus.OK, documents.dump({"name": name, "tags": [*page]}), *headers)


def _bytes_of(request: Request, path: Path, digest: str) -> Answer:
    size = path.stat().st_size
    headers = (
        ("Content-Type", "application/octet-stream"),
        ("Docker-Content-Digest", digest),
        ("Accept-Ranges", "bytes"),
        ("Etag", f'"{digest}"'),
    )
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", ""))
    if wanted is None or wanted[0] == "bytes=-" or request.method == "HEAD":
        return _answer(HTTPStatus.OK, FileSlice(path, 0, size), *headers)
    begin = int(wanted[1]) if wanted[1] else max(0, size - int(wanted[2]))
    end = min(int(wanted[2]) + 1, size) if wanted[1] and wanted[2] else size
    if begin >= end:
        return _answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", ("Content-Range", f"bytes */{size}"))
    span = ("Content-Range", f"bytes {begin}-{end - 1}/{size}")
    return _answer(HTTPStatus.PARTIAL_CONTENT, FileSlice(path, begin, end - begin), *headers, span)


def _progress(request: Request, name: str, upload: Upload, status: HTTPStatus) -> Answer:
    return _answer(
        status,
        b"",
        ("Location", _absolute(request, f"/v2/{name}/blobs/uploads/{upload.path.name}")),
        ("Range", f"0-{max(0, upload.size_bytes - 1)}"),
        ("Docker-Upload-UUID", upload.path.name),
    )


def _absolute(request: Request, path: str) -> str:
    host = request.headers.get("Host", "")
    return f"http://{host}{path}" if host else path


def _not_allowed(methods: str) -> Answer:
    body = _error_body("UNSUPPORTED", "the operation is unsupported")
    return _answer(HTTPStatus.METHOD_NOT_ALLOWED, body, ("Allow", methods), ("Content-Type", "application/json"))


def _error(status: HTTPStatus, code: str, message: str) -> Answer:
    return _answer(status, _error_body(code, message), ("Content-Type", "application/json"))


def _error_body(code: str, message: str) -> bytes:
    return documents.dump({"errors": [{"code": code, "message": message, "detail": None}]})


def _answer(status: HTTPStatus, content: bytes | FileSlice = b"", *headers: tuple[str, str]) -> Answer:
    return Answer(status, content, (("Docker-Distribution-Api-Version", "registry/2.0"), *headers))
