"""Asking an API server several things at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
R = TypeVar("R")
AT_ONCE = 8


def side_by_side(ask: Callable[[T], R], about: Iterable[T]) -> tuple[R, ...]:
    """What `ask` answers about each, in their order; raises what the first of them raises."""
    subjects = tuple(about)
    if len(subjects) < 2:
        return tuple(ask(subject) for subject in subjects)
    with ThreadPoolExecutor(min(AT_ONCE, len(subjects))) as threads:
        return tuple(threads.map(ask, subjects))
