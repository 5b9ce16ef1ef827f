"""The keys of a store, made when they are first asked for and kept below its id, so that they go with it."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document

KIND = "keys"


def of(world: World, resource_id: str, names: Sequence[str], size_bytes: int) -> Document:
    """By name, base64 of `size_bytes`: keys may hold `+`, `/` and `=`, as the real ones do."""
    with world.state.lock:
        key = f"{resource_id}/keys"
        found = world.state.get(KIND, key)
        if found is None:
            made: Document = {name: base64.b64encode(secrets.token_bytes(size_bytes)).decode() for name in names}
            found = world.state.put(KIND, key, made)
    return found
