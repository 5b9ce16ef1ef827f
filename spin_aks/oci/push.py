"""An image to a registry: layers side by side, those it has already not again, the manifest last."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from spin_aks.errors import RegistryError
from spin_aks.oci import credentials
from spin_aks.oci.image import MANIFEST_MEDIA_TYPE
from spin_aks.oci.pushed import Pushed, PushedLayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.oci.credentials import Find
    from spin_aks.oci.image import Blob, Image
    from spin_aks.oci.patience import Patience
    from spin_aks.oci.reference import Reference
    from spin_aks.oci.registry import Registry
    from spin_aks.oci.side_by_side import Crew

WORKERS = 4

__all__ = ["Pushed", "PushedLayer", "exists", "push"]


def push(
    image: Image,
    reference: Reference,
    *,
    progress: Callable[[str], None],
    patience: Patience | None = None,
    find: Find = credentials.find,
) -> Pushed:
    """Stores `image` under the reference's tag, or by digest alone if it has none.

    Nothing is sent if the tag names this very image already. The manifest is put last, so that a push which fails or
    is interrupted leaves no image that lacks a part, and what was sent is not sent again by the next. Raises
    RegistryError; SpinAksError if a file is no longer what the image was made of.
    """
    from spin_aks.oci.registry import Registry
    from spin_aks.oci.side_by_side import Crew

    if reference.digest not in ("", image.digest):
        raise RegistryError(f"the image is {image.digest}, and not what `{reference}` names")
    target = reference.with_digest(image.digest)
    name = reference.tag or image.digest
    crew = Crew(progress)
    with Registry(target, "pull,push", patience=patience, notice=crew.say, find=find) as registry:
        if registry.manifest_digest(name) == image.digest:
            progress(f"`{target}` is there already")
            return _pushed(image, target, frozenset())
        sent = _send_blobs(registry, image, crew)
        registry.put_manifest(name, image.manifest, _media_type(image.manifest))
    progress(f"pushed `{target}`")
    return _pushed(image, target, sent)


def exists(reference: Reference, *, patience: Patience | None = None, find: Find = credentials.find) -> bool:
    """Whether the registry holds the manifest of the reference's digest (of its tag, if it has no digest)."""
    from spin_aks.oci.registry import Registry

    with Registry(reference, "pull", patience=patience, find=find) as registry:
        found = registry.manifest_digest(reference.digest or reference.tag)
    return found is not None and found == (reference.digest or found)


def _send_blobs(registry: Registry, image: Image, crew: Crew) -> frozenset[str]:
    """The digests of those that the registry did not have."""
    blobs = {blob.digest: blob for blob in (image.config, *image.layers)}
    # The largest first: the last one to end is then a small one.
    ordered = sorted(blobs.values(), key=lambda blob: -blob.size_bytes)
    sent = crew.run([partial(_send, registry, blob, crew) for blob in ordered], WORKERS)
    return frozenset(blob.digest for blob, was_sent in zip(ordered, sent, strict=True) if was_sent)


def _send(registry: Registry, blob: Blob, crew: Crew) -> bool:
    from spin_aks.oci.upload import Upload, name_of

    if registry.has_blob(blob.digest):
        crew.say(f"{name_of(blob)} is there already")
        return False
    Upload(registry, blob, crew.check).run()
    crew.say(f"{name_of(blob)} sent")
    return True


def _pushed(image: Image, target: Reference, sent: frozenset[str]) -> Pushed:
    """A layer that the image has twice was sent once."""
    seen: set[str] = set()
    layers = []
    for layer in image.layers:
        was_sent = layer.digest in sent and layer.digest not in seen
        seen.add(layer.digest)
        layers.append(PushedLayer(layer.digest, layer.media_type, layer.size_bytes, was_sent))
    return Pushed(target, image.digest, image.form, tuple(layers))


def _media_type(manifest: bytes) -> str:
    kind = json.loads(manifest).get("mediaType")
    return kind if isinstance(kind, str) else MANIFEST_MEDIA_TYPE
