"""What was found outside, as a value: `spin_aks.tasks.watch` asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Observed:
    """In sentences: what the cluster no longer holds as applied, what the registry no longer holds as pushed, which
    resources Azure no longer has, and which rights are gone there.
    """

    cluster: tuple[str, ...] = ()
    registry: tuple[str, ...] = ()
    azure: tuple[str, ...] = ()
    access: tuple[str, ...] = ()


def nothing() -> Observed:
    """What is observed by who asks nobody."""
    return Observed()
