"""What a push did, as a value: `T/push.json`, and what `spin-aks push --output json` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.errors import SpinAksError
from spin_aks.oci.reference import Reference

if TYPE_CHECKING:
    from spin_aks.json_types import JSON, JSONObject


@dataclass(frozen=True, slots=True)
class PushedLayer:
    """`sent` is false for a layer that the registry had already."""

    digest: str
    media_type: str
    size_bytes: int
    sent: bool


@dataclass(frozen=True, slots=True)
class Pushed:
    """`reference` has tag and digest; `digest` is that of the manifest, never of an index; `form` is the image's."""

    reference: Reference
    digest: str
    form: str
    layers: tuple[PushedLayer, ...]

    def to_json(self) -> JSONObject:
        layers: list[JSON] = [
            {"digest": one.digest, "media_type": one.media_type, "size_bytes": one.size_bytes, "sent": one.sent}
            for one in self.layers
        ]
        return {"reference": str(self.reference), "digest": self.digest, "form": self.form, "layers": layers}

    @classmethod
    def from_json(cls, document: JSONObject) -> Pushed:
        """What `to_json` wrote; raises SpinAksError if it is anything else."""
        match document:
            case {"reference": str(reference), "digest": str(digest), "form": str(form), "layers": list(layers)}:
                return cls(Reference.parse(reference), digest, form, tuple(_layer(layer) for layer in layers))
        raise SpinAksError("this is no record of a push", hint="run `spin-aks push`")


def _layer(document: JSON) -> PushedLayer:
    match document:
        case {"digest": str(digest), "media_type": str(kind), "size_bytes": int(size_bytes), "sent": bool(sent)}:
            return PushedLayer(digest, kind, size_bytes, sent)
    raise SpinAksError("this is no record of a layer that was pushed", hint="run `spin-aks push`")
