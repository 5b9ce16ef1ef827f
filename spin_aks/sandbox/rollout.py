"""How many pods each generation of a Deployment should have next: the arithmetic of a rolling update, nothing else.

As pkg/controller/deployment/rolling.go of Kubernetes does it: first up, then down, never below what must be available.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import JSON


@dataclass(frozen=True, slots=True)
class Generation:
    """A ReplicaSet: how many pods it should have, has, and has available."""

    name: str
    wanted: int
    pods: int
    available: int


@dataclass(frozen=True, slots=True)
class Limits:
    """By how many pods a rollout may exceed `replicas`, and by how many it may fall short."""

    replicas: int
    surge: int
    unavailable: int


def limits(replicas: int, surge: JSON, unavailable: JSON) -> Limits:
    """Numbers as they are; percentages of `replicas`, the surge rounded up, the shortage down, never both zero."""
    more, fewer = _share(surge, replicas, up=True), _share(unavailable, replicas, up=False)
    return Limits(replicas, more, fewer if more or fewer else 1)


def _share(value: JSON, replicas: int, *, up: bool) -> int:
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdigit():
        exact = int(value[:-1]) * replicas / 100
        return math.ceil(exact) if up else math.floor(exact)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def recreate(replicas: int, new: Generation, old: tuple[Generation, ...]) -> dict[str, int]:
    """The next numbers by name, of those that change: nothing new before everything old is gone."""
    down = {generation.name: 0 for generation in old if generation.wanted}
    if down or any(generation.pods for generation in old):
        return down
    return {new.name: replicas} if new.wanted != replicas else {}


def rolling(limit: Limits, new: Generation, old: tuple[Generation, ...]) -> dict[str, int]:
    """The next numbers by name, of those that change; `old` with the oldest first."""
    total = new.wanted + sum(generation.wanted for generation in old)
    if new.wanted > limit.replicas:
        return {new.name: limit.replicas}
    step = min(limit.replicas - new.wanted, limit.replicas + limit.surge - total)
    if step > 0:
        return {new.name: new.wanted + step}
    must_stay = limit.replicas - limit.unavailable
    spare = total - must_stay - (new.wanted - new.available)
    return _down(old, spare, new.available, must_stay) if spare > 0 else {}


def _down(old: tuple[Generation, ...], spare: int, new_available: int, must_stay: int) -> dict[str, int]:
    """What never got available goes first: it holds nothing up."""
    wanted = {generation.name: generation.wanted for generation in old}
    for generation in old:
        broken = min(spare, max(0, generation.wanted - generation.available))
        wanted[generation.name] -= broken
        spare -= broken
    available = new_available + sum(generation.available for generation in old)
    healthy = max(0, min(spare, available - must_stay))
    for generation in old:
        step = min(healthy, wanted[generation.name])
        wanted[generation.name] -= step
        healthy -= step
    return {
        generation.name: wanted[generation.name] for generation in old if wanted[generation.name] != generation.wanted
    }
