"""Wasm from a package registry (`source = { registry, package, version }`), where the registry keeps it as OCI.

Source: bytecodealliance/wasm-pkg-tools, crates/wasm-pkg-common/src/metadata.rs (how a registry says where packages are)
and crates/wasm-pkg-client/src/oci (`NAMESPACE/NAME:VERSION`, whose first layer is the wasm). A registry that speaks the
other protocol, warg, is refused by name, and so is a namespace for which spin.toml names no registry: `wkg`'s own
configuration belongs to one machine, and is not read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from spin_aks import files
from spin_aks.errors import SpinAksError
from spin_aks.oci.download import holds, kept, text
from spin_aks.oci.reference import DIGEST, Reference, is_loopback
from spin_aks.oci.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.json_types import JSONObject
    from spin_aks.spin.model import PackageSource

WELL_KNOWN = "/.well-known/wasm-pkg/registry.json"
NAMESPACES = {"wasi": "wasi.dev", "ba": "bytecodealliance.org"}
PIECE_BYTES = 8 << 20
_DOCUMENT_MOST_BYTES = 1 << 20
_WITH_THE_CLI = "fetch it once (`wkg get`), keep it beside spin.toml and name it as `source`; or let the Spin CLI push"


@dataclass(frozen=True, slots=True)
class _Layer:
    digest: str
    size_bytes: int


def fetch(source: PackageSource, cache: Path) -> Path:
    """The wasm of that package in the folder `cache`, fetched where it is not there yet; raises SpinAksError.

    A version is taken to be what it was when it was fetched first: then nobody is asked again.
    """
    remembered = cache / f"{hashlib.sha256(_name(source).encode()).hexdigest()}.json"
    match files.read_json(remembered):
        case {"digest": str(digest)} if DIGEST.fullmatch(digest) and holds(kept(cache, digest), digest):
            return kept(cache, digest)
    reference = located(source)
    with Registry(reference, "pull") as registry:
        layer = _layer(registry, reference, source)
        path = kept(cache, layer.digest)
        if not holds(path, layer.digest):
            with files.refused_as_error(path), files.replacing(path) as stream:
                _receive(registry, layer, stream, source)
    files.write_json(remembered, {"package": _name(source), "digest": layer.digest})
    return path


def located(source: PackageSource) -> Reference:
    """The image that the package is kept as; asks the registry's well-known document. Raises SpinAksError."""
    namespace, _, name = source.package.partition(":")
    registry = source.registry or NAMESPACES.get(namespace, "")
    if not registry:
        raise SpinAksError(
            f"no registry is known for the package `{source.package}`", hint='name it in spin.toml: `registry = "HOST"`'
        )
    scheme = "http" if is_loopback(registry) else "https"
    described = _described(text(f"{scheme}://{registry}{WELL_KNOWN}", _DOCUMENT_MOST_BYTES))
    if described.protocol != "oci":
        raise SpinAksError(
            f"the registry `{registry}` of the package `{source.package}` speaks `{described.protocol}`,"
            " and only `oci` is spoken here",
            hint=_WITH_THE_CLI,
        )
    return Reference(described.registry or registry, f"{described.prefix}{namespace}/{name}", source.version)


@dataclass(frozen=True, slots=True)
class _Described:
    """What a registry says of itself; an empty `registry` is the one that was asked."""

    protocol: str = "oci"
    registry: str = ""
    prefix: str = ""


def _described(content: bytes | None) -> _Described:
    try:
        document = json.loads(content or b"{}")
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        return _Described()
    protocols = [key for key, value in document.items() if isinstance(value, dict)]
    old = "warg" if "wargUrl" in document and "ociRegistry" not in document else "oci"
    protocol = document.get("preferredProtocol") or (protocols[0] if len(protocols) == 1 else "") or old
    oci = document.get("oci")
    settings: JSONObject = oci if isinstance(oci, dict) else {}
    registry = document.get("ociRegistry") or settings.get("registry") or ""
    prefix = document.get("ociNamespacePrefix") or settings.get("namespacePrefix") or ""
    return _Described(str(protocol), str(registry), str(prefix))


def _layer(registry: Registry, reference: Reference, source: PackageSource) -> _Layer:
    found = registry.manifest(reference.tag)
    if found is None:
        raise SpinAksError(
            f"there is no `{source.package}` {source.version} in `{reference.host}/{reference.repository}`",
            hint="check `package` and `version` in spin.toml",
        )
    try:
        document = json.loads(found[1])
    except ValueError:
        document = None
    match document:
        case {"layers": [{"digest": str(digest), "size": int(size_bytes)}, *_]} if DIGEST.fullmatch(digest):
            return _Layer(digest, size_bytes)
    raise SpinAksError(f"`{reference}` is no package: its manifest names no wasm", hint=_WITH_THE_CLI)


def _receive(registry: Registry, layer: _Layer, stream: BinaryIO, source: PackageSource) -> None:
    """Piece by piece, so that memory stays small and a broken connection costs one piece."""
    url = f"{registry.root}/blobs/{layer.digest}"
    found = hashlib.sha256()
    received_bytes = 0
    while received_bytes < layer.size_bytes:
        last = min(received_bytes + PIECE_BYTES, layer.size_bytes) - 1
        answer = registry.patiently("GET", url, {"Range": f"bytes={received_bytes}-{last}"})
        registry.must_succeed(answer, f"the wasm of `{source.package}`")
        is_piece = answer.status == 206 and len(answer.body) == last - received_bytes + 1
        is_whole = answer.status == 200 and received_bytes == 0 and len(answer.body) == layer.size_bytes
        if not is_piece and not is_whole:
            raise SpinAksError(
                f"`{registry.host}` does not give the wasm of `{source.package}` in pieces", hint=_WITH_THE_CLI
            )
        found.update(answer.body)
        stream.write(answer.body)
        received_bytes += len(answer.body)
    if f"sha256:{found.hexdigest()}" != layer.digest:
        raise SpinAksError(
            f"the wasm of `{source.package}` from `{registry.host}` has the digest sha256:{found.hexdigest()},"
            f" but its manifest says {layer.digest}",
            hint="run the same command again",
        )


def _name(source: PackageSource) -> str:
    return f"{source.registry}/{source.package}@{source.version}"
