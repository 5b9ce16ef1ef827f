"""What somebody else pushed, read back from the registry: its one manifest and its layers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from spin_aks.errors import RegistryError
from spin_aks.oci import credentials
from spin_aks.oci.pushed import Pushed, PushedLayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.oci.credentials import Find
    from spin_aks.oci.patience import Patience
    from spin_aks.oci.reference import Reference

FORM = "rootfs"  # what a Dockerfile makes


def tagged(target: Reference, progress: Callable[[str], None], find: Find = credentials.find) -> Pushed | None:
    """What is there under the target's tag, if anything is; nothing of it counts as sent. Raises RegistryError."""
    from spin_aks.oci.registry import Registry

    with Registry(target, "pull", notice=progress, find=find) as registry:
        digest = registry.manifest_digest(target.tag)
    if digest is None:
        return None
    found = read_back(target.with_digest(digest), [], progress, None, find)
    return replace(found, layers=tuple(replace(layer, sent=False) for layer in found.layers))


def read_back(
    target: Reference,
    flags: list[bool],
    progress: Callable[[str], None],
    patience: Patience | None,
    find: Find = credentials.find,
) -> Pushed:
    """An index is refused, or replaced by its only image; a registry that can't be asked leaves the layers unknown."""
    from spin_aks.oci.registry import INDEX_MEDIA_TYPES

    kind, document = _manifest(target, progress, patience, find)
    if kind in INDEX_MEDIA_TYPES:
        target = target.with_digest(_only_manifest(document, target))
        kind, document = _manifest(target, progress, patience, find)
    described = document.get("layers")
    layers = [layer for layer in described if isinstance(layer, dict)] if isinstance(described, list) else []
    known = flags if len(flags) == len(layers) else [True] * len(layers)
    pushed = tuple(_layer(layer, sent) for layer, sent in zip(layers, known, strict=True))
    return Pushed(target, target.digest, FORM, pushed)


def _manifest(
    target: Reference, progress: Callable[[str], None], patience: Patience | None, find: Find
) -> tuple[str, JSONObject]:
    """Media type and content of what the target's digest names; both empty, saying why, if it can't be had."""
    from spin_aks.oci.registry import Registry

    try:
        with Registry(target, "pull", patience=patience, find=find) as registry:
            found = registry.manifest(target.digest)
    except RegistryError as error:
        progress(f"what was pushed can't be read back from here: {error}")
        return "", {}
    document = json.loads(found[1]) if found else {}
    return (found[0] if found else ""), document if isinstance(document, dict) else {}


def _only_manifest(index: JSONObject, target: Reference) -> str:
    """The one image of an index, which a daemon with containerd's image store may push; attestations do not count."""
    entries = index.get("manifests")
    images = [entry for entry in entries if _is_image(entry)] if isinstance(entries, list) else []
    match images:
        case [{"digest": str(digest)}]:
            return digest
    raise RegistryError(
        f"`{target}` is an index of {len(images)} images, and only one image can be deployed",
        hint="build for one platform, or without Docker: `--builder oci`",
    )


def _is_image(entry: JSON) -> bool:
    platform = entry.get("platform") if isinstance(entry, dict) else None
    return not (isinstance(platform, dict) and platform.get("os") == "unknown")


def _layer(layer: JSONObject, sent: bool) -> PushedLayer:
    size = layer["size"]
    return PushedLayer(str(layer["digest"]), str(layer["mediaType"]), int(size) if isinstance(size, int) else 0, sent)
