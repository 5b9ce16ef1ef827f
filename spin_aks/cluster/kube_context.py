"""A context of a kubeconfig, as a value: apart from `kubeconfig`, since most runs know theirs from the last one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.cluster.kubeconfig import Target


@dataclass(frozen=True, slots=True)
class Context:
    """One context of the merged files: `command` is the exec plugin that logs in, or empty; `folder` is its base."""

    name: str
    server: str
    target: Target
    user: str
    namespace: str
    command: str
    install_hint: str
    folder: Path
