"""Asking the world: the cluster, and if wanted the registry, once a run."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from spin_aks.observation import Observed
from spin_aks.tasks import apply, push

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.context import Context


def watched(context: Context, *, registry: bool = False) -> Context:
    """The same context, whose stages ask the cluster (and the registry), the first time that one wants to know."""

    def ask() -> Observed:
        return Observed(apply.drift(context), push.drift(context) if registry else ())

    once: Callable[[], Observed] = cache(ask)
    return replace(context, observed=once)
