"""The arithmetic of a rolling update."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.sandbox.rollout import Generation, Limits, limits, recreate, rolling

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import JSON


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (1, "25%", "25%", Limits(1, 1, 0)),
        (4, "25%", "25%", Limits(4, 1, 1)),
        (10, 3, 0, Limits(10, 3, 0)),
        (3, 0, 0, Limits(3, 0, 1)),
        (0, "25%", "25%", Limits(0, 0, 1)),
        (2, None, None, Limits(2, 0, 1)),
    ],
)
def test_limits_are_numbers_or_shares(replicas: int, surge: JSON, unavailable: JSON, expected: Limits) -> None:
    assert expected == limits(replicas, surge, unavailable)


def test_one_replica_is_replaced_without_a_gap() -> None:
    limit, old = Limits(1, 1, 0), Generation("old", 1, 1, 1)

    assert rolling(limit, Generation("new", 0, 0, 0), (old,)) == {"new": 1}
    assert rolling(limit, Generation("new", 1, 1, 0), (old,)) == {}
    assert rolling(limit, Generation("new", 1, 1, 1), (old,)) == {"old": 0}


def test_what_never_got_ready_is_given_up_first() -> None:
    broken, good = Generation("broken", 1, 1, 0), Generation("good", 3, 3, 3)

    assert rolling(Limits(3, 1, 0), Generation("new", 0, 0, 0), (good, broken)) == {"broken": 0}


def test_recreate_starts_nothing_before_everything_old_is_gone() -> None:
    new = Generation("new", 0, 0, 0)

    assert recreate(2, new, (Generation("old", 2, 2, 2),)) == {"old": 0}
    assert recreate(2, new, (Generation("old", 0, 1, 0),)) == {}
    assert recreate(2, new, (Generation("old", 0, 0, 0),)) == {"new": 2}


@given(st.integers(0, 6), st.integers(0, 3), st.integers(0, 3), st.lists(st.integers(0, 5), max_size=3))
def test_a_rollout_ends_and_never_breaks_its_limits(
    replicas: int, surge: int, unavailable: int, old: list[int]
) -> None:
    limit = limits(replicas, surge, unavailable)
    wanted = {"new": 0} | {f"old{index}": count for index, count in enumerate(old)}
    floor = min(sum(old), limit.replicas - limit.unavailable)
    ceiling = max(sum(old), limit.replicas + limit.surge)
    for _ in range(60):
        new, *others = (Generation(name, count, count, count) for name, count in wanted.items())
        steps = rolling(limit, new, tuple(others))
        if not steps:
            break
        wanted |= steps
        assert floor <= sum(wanted.values()) <= ceiling

    assert wanted == {"new": replicas} | {f"old{index}": 0 for index in range(len(old))}
