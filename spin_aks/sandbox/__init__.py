"""An embedded registry and cluster to try the tool on. Only its command imports it; it imports nothing else of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox.running import Running

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Running", "start"]


def start(folder: Path) -> Running:
    """A sandbox that keeps its state and its ports in `folder` (made if missing), serving from threads of this process.

    Raises HeldError while another process serves from that folder, SandboxError where it can't be used.
    """
    return Running(folder.absolute())
