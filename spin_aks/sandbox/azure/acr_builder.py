"""Builds an image from uploaded sources, where its Dockerfile only puts files into an empty one.

Nothing can be run here: a Dockerfile with RUN, or that begins with another image, fails with the reason in its log.
"""

from __future__ import annotations

import email.message
import fnmatch
import gzip
import hashlib
import io
import json
import posixpath
import shlex
import tarfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.documents import JSON, Document, text
from spin_aks.sandbox.web import Answer, Body, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Registry = Callable[[Request], Answer]

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
IGNORED = frozenset({"ARG", "EXPOSE", "MAINTAINER", "STOPSIGNAL", "HEALTHCHECK", "VOLUME"})


IGNORE_FILE = ".dockerignore"


class CantBuildError(Exception):
    """What stands in the way, for the log."""


@dataclass(frozen=True, slots=True)
class Built:
    """`images` are those that were pushed, as a run tells of them; a failure's reason is the last line of `log`."""

    succeeded: bool
    images: tuple[Document, ...]
    log: str


@dataclass
class _Image:
    layers: list[bytes] = field(default_factory=list)
    config: Document = field(default_factory=dict)
    began: bool = False
    architecture: str = "amd64"


def build(asked: Document, source: Path, server: str, registry: Registry, *, may_push: bool) -> Built:
    """Builds and, where that is asked for, pushes to the registry `server` all images that the request names.

    `may_push` says whether the run's identity has a right to.
    """
    log = [f"Logging in to registry: {server}", "Scanning for dependencies..."]
    names = asked.get("imageNames")
    wanted = [str(name) for name in names] if isinstance(names, list) else []
    try:
        with tarfile.open(source, "r:*") as archive:
            image = _interpreted(_dockerfile(archive, asked), archive, log)
        to_push = wanted if asked.get("isPushEnabled") is not False else []
        if to_push and not may_push:
            raise CantBuildError("denied: requested access to the resource is denied")
        image.architecture = text(asked, "platform", "architecture") or image.architecture
        pushed = tuple(_push(image, name, server, registry, log) for name in to_push)
    except (CantBuildError, tarfile.TarError, OSError) as error:
        return Built(False, (), "\n".join([*log, f"failed to run step ID: build: {error}"]) + "\n")
    return Built(True, pushed, "\n".join([*log, "Run was successful"]) + "\n")


def _dockerfile(archive: tarfile.TarFile, asked: Document) -> str:
    path = text(asked, "dockerFilePath") or "Dockerfile"
    for member in archive:
        if posixpath.normpath(member.name) == posixpath.normpath(path) and (stream := archive.extractfile(member)):
            return stream.read().decode("utf-8", "replace")
    raise CantBuildError(f"unable to find the Dockerfile `{path}` in the sources")


def _instructions(dockerfile: str) -> list[tuple[str, str]]:
    joined = "\n".join(line for line in dockerfile.splitlines() if not line.lstrip().startswith("#"))
    lines = joined.replace("\\\n", " ").splitlines()
    words = [line.strip().partition(" ") for line in lines if line.strip()]
    return [(name.upper(), rest.strip()) for name, _, rest in words]


def _interpreted(dockerfile: str, archive: tarfile.TarFile, log: list[str]) -> _Image:
    image = _Image()
    for number, (name, rest) in enumerate(_instructions(dockerfile), 1):
        log.append(f"Step {number} : {name} {rest}")
        if name == "FROM":
            if rest.split()[0].lower() != "scratch" or image.began:
                raise CantBuildError(f"spin-aks sandbox: it can't build on `{rest}`, only on `scratch`, in one stage")
            image.began = True
        elif name in ("COPY", "ADD"):
            image.layers.append(_copied(rest, archive))
        elif name not in IGNORED:
            _configure(image.config, name, rest)
    if not image.began:
        raise CantBuildError("no build stage in the Dockerfile: it has no FROM")
    return image


def _configure(config: Document, name: str, rest: str) -> None:
    listed = _listed(rest)
    if name in ("ENTRYPOINT", "CMD"):
        config["Entrypoint" if name == "ENTRYPOINT" else "Cmd"] = (
            listed if listed is not None else ["/bin/sh", "-c", rest]
        )
    elif name in ("WORKDIR", "USER"):
        config["WorkingDir" if name == "WORKDIR" else "User"] = rest
    elif name in ("ENV", "LABEL"):
        pairs = dict(word.partition("=")[::2] for word in shlex.split(rest))
        if name == "LABEL":
            documents.child(config, "Labels").update(pairs)
        else:
            known = config.get("Env")
            config["Env"] = [*(known if isinstance(known, list) else []), *(f"{key}={pairs[key]}" for key in pairs)]
    else:
        raise CantBuildError(f"spin-aks sandbox: it can't do `{name}`: nothing of a Dockerfile is run here")


def _listed(rest: str) -> list[JSON] | None:
    try:
        found: JSON = json.loads(rest)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _copied(rest: str, archive: tarfile.TarFile) -> bytes:
    """The gzipped tar of one COPY, the same for the same sources."""
    words = [str(word) for word in _listed(rest) or shlex.split(rest)]
    if any(word.startswith("--") for word in words) or len(words) < 2:
        raise CantBuildError(f"spin-aks sandbox: it can't do `COPY {rest}`: only sources and a destination")
    *sources, destination = words
    content = io.BytesIO()
    found = False
    with gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as layer:
        for source in sources:
            found = _add(source, destination, archive, layer) or found
    if not found:
        raise CantBuildError(f"COPY failed: file not found in build context: {' '.join(sources)}")
    return content.getvalue()


def _context(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """The sources without what their .dockerignore leaves out; exceptions (`!`) are not known here."""
    members = archive.getmembers()
    named = next((one for one in members if posixpath.normpath(one.name) == IGNORE_FILE), None)
    listing = archive.extractfile(named) if named is not None else None
    lines = listing.read().decode("utf-8", "replace").splitlines() if listing is not None else []
    patterns = [line.strip().strip("/") for line in lines if line.strip() and not line.startswith("#")]
    return [one for one in members if not any(_fits(posixpath.normpath(one.name), pattern) for pattern in patterns)]


def _fits(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) or name.startswith(f"{pattern}/")


def _add(source: str, destination: str, archive: tarfile.TarFile, layer: tarfile.TarFile) -> bool:
    """A folder's content, or the one file; false if neither is there."""
    wanted, found = posixpath.normpath(source).lstrip("/"), False
    for member in sorted(_context(archive), key=lambda one: one.name):
        name = posixpath.normpath(member.name)
        if wanted == "." or name.startswith(f"{wanted}/"):
            inside = name if wanted == "." else name[len(wanted) + 1 :]
            target = posixpath.join(destination, inside)
        elif name == wanted and member.isfile():
            target = posixpath.join(destination, posixpath.basename(name)) if destination.endswith("/") else destination
        else:
            continue
        found = True
        if member.isfile() and (stream := archive.extractfile(member)) is not None:
            _write(layer, target, stream, member)
    return found


def _write(layer: tarfile.TarFile, target: str, stream: IO[bytes], member: tarfile.TarInfo) -> None:
    entry = tarfile.TarInfo(posixpath.normpath(target).lstrip("/"))
    entry.size, entry.mode = member.size, member.mode
    layer.addfile(entry, stream)


def _push(image: _Image, name: str, server: str, registry: Registry, log: list[str]) -> Document:
    repository, _, tag = name.removeprefix(f"{server}/").partition(":")
    tag = tag or "latest"
    raw = [gzip.decompress(layer) for layer in image.layers]
    config: Document = {
        "architecture": image.architecture,
        "os": "linux",
        "config": image.config,
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in raw]},
    }
    blobs = [(CONFIG_TYPE, documents.dump(config)), *((LAYER_TYPE, layer) for layer in image.layers)]
    told = [_upload(repository, media_type, content, registry) for media_type, content in blobs]
    manifest: Document = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": told[0], "layers": [*told[1:]]}
    content = documents.dump(manifest)
    _ask(registry, "PUT", f"/v2/{repository}/manifests/{tag}", {}, content, MANIFEST_TYPE)
    digest = _digest(content)
    log.append(f"{tag}: digest: {digest} size: {len(content)}")
    log.append(f"Successfully pushed image: {server}/{repository}:{tag}")
    return {"registry": server, "repository": repository, "tag": tag, "digest": digest}


def _upload(repository: str, media_type: str, content: bytes, registry: Registry) -> Document:
    digest = _digest(content)
    _ask(registry, "POST", f"/v2/{repository}/blobs/uploads/", {"digest": digest}, content, "application/octet-stream")
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _ask(registry: Registry, method: str, path: str, query: dict[str, str], content: bytes, media_type: str) -> None:
    headers = email.message.Message()
    headers["Content-Type"] = media_type
    body = Body(io.BufferedReader(io.BytesIO(content)), len(content), chunked=False)
    found = registry(Request(method, path, query, headers, body))
    if found.status >= 400:
        raise CantBuildError(f"failed to push: {method} {path}: {found.status}")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
