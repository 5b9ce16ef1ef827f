from __future__ import annotations

import pickle

import pytest

from spin_aks.secret import Secret

SECRET = Secret("hunter2")


def test_a_secret_is_seen_by_nobody_who_prints_it() -> None:
    seen = f"{SECRET} {SECRET!r} {SECRET!s:>10} %s" % SECRET + str([SECRET]) + str({"password": SECRET})

    assert "hunter2" not in seen


def test_a_secret_is_revealed_to_who_asks_for_it() -> None:
    assert SECRET.reveal() == "hunter2"


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not to be stored"):
        pickle.dumps(SECRET)


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("x")
