"""Asking the world: the cluster, and if wanted the registry and Azure, once a run."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from spin_aks.observation import Observed
from spin_aks.tasks import apply

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.context import Context


def watched(context: Context, *, registry: bool = False) -> Context:
    """The same context, whose stages ask the cluster (with `registry` also that, and Azure), the first time that one
    wants to know.
    """

    def ask() -> Observed:
        if not registry:
            return Observed(apply.drift(context))
        from spin_aks.tasks import access, push, resolving

        # What is gone can't be asked what it holds.
        gone = resolving.gone(context)
        return Observed(
            () if "cluster" in gone else apply.drift(context, refresh=True),
            () if "registry" in gone else push.drift(context),
            tuple(gone.values()),
            () if gone else access.drift(context),
        )

    once: Callable[[], Observed] = cache(ask)
    return replace(context, observed=once)
