"""Whether an image can be pulled, as the simulated nodes find out: from the sandbox's own registry only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spin_aks.sandbox.blobs import Blobs

IMAGE = re.compile(r"(?P<host>[^/]+)/(?P<repository>[^@:]+(?:/[^@:]+)*)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?")


@dataclass(frozen=True, slots=True)
class Images:
    """`hosts` are the addresses that the registry has or ever had: an image named by an earlier one is still here."""

    blobs: Blobs
    hosts: tuple[str, ...]

    def problem(self, image: str) -> str:
        """The registry's answer, empty if the image is there; images of other registries count as being there."""
        match = IMAGE.fullmatch(image)
        if match is None or match["host"].replace("localhost", "127.0.0.1") not in self.hosts:
            return ""
        reference = match["digest"] or match["tag"] or "latest"
        found = self.blobs.manifest(match["repository"], reference)
        return "" if found is not None else f"{image}: not found"
