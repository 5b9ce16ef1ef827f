"""Whether an image can be pulled, as the simulated nodes find out: from the sandbox's own registry only."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.sandbox.blobs import Blobs

IMAGE = re.compile(r"(?P<host>[^/]+)/(?P<repository>[^@:]+(?:/[^@:]+)*)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?")


@dataclass(frozen=True, slots=True)
class Images:
    """`hosts` are the addresses that the registry has or ever had: an image named by an earlier one is still here.

    `elsewhere` says of another host that leads to the same registry why nothing can be pulled from it, or None if it is
    no such host.
    """

    blobs: Blobs
    hosts: tuple[str, ...]
    elsewhere: Callable[[str, str], str | None] = field(default=lambda _host, _repository: None)

    def problem(self, image: str) -> str:
        """The registry's answer, empty if the image is there; images of other registries count as being there."""
        match = IMAGE.fullmatch(image)
        if match is None:
            return ""
        if match["host"].replace("localhost", "127.0.0.1") not in self.hosts:
            refused = self.elsewhere(match["host"], match["repository"])
            if refused != "":
                return refused or ""
        reference = match["digest"] or match["tag"] or "latest"
        found = self.blobs.manifest(match["repository"], reference)
        return "" if found is not None else f"{image}: not found"
