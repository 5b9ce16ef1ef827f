"""What was found outside: asked once a run, side by side, and then a value like any other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.context import Context


@dataclass(frozen=True, slots=True)
class Observed:
    """In sentences: what the cluster no longer holds as applied, and what the registry no longer holds as pushed."""

    cluster: tuple[str, ...] = ()
    registry: tuple[str, ...] = ()


def nothing() -> Observed:
    """What is observed by who asks nobody."""
    return Observed()


def watched(context: Context, *, registry: bool = False) -> Context:
    """The same context, whose stages ask the cluster (and the registry), the first time that one wants to know."""
    from spin_aks.tasks import apply, push

    def ask() -> Observed:
        return Observed(apply.drift(context), push.drift(context) if registry else ())

    once: Callable[[], Observed] = cache(ask)
    return replace(context, observed=once)
