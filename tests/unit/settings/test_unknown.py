"""What nobody knows, said with the way out and without a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.settings import unknown
from spin_aks.settings.table import EVERY_ROW

CANARY = "Xq7canaryZ9"


@pytest.mark.parametrize("row", [row for row in EVERY_ROW if row.key and not row.is_free], ids=lambda row: row.key)
def test_a_key_with_a_letter_too_many_is_recognised(row: object) -> None:
    key = str(getattr(row, "key"))  # noqa: B009 - a parametrised row has no type

    problem = unknown.problem(tuple(f"{key}x".split(".")), "x", "")

    assert (f"there is no key `{key}x`", f"did you mean `{key}`?") == (problem.what, problem.hint)


def test_a_table_with_a_letter_too_few_is_recognised() -> None:
    tables = sorted({row.key.partition(".")[0] for row in EVERY_ROW if "." in row.key})

    hints = {name: unknown.problem((name[:-1],), {}, "").hint for name in tables}

    assert {name: f"did you mean `[{name}]`?" for name in tables} == hints


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ({"client_secret": CANARY}, unknown.SECRETS_GO),
        ({"name": CANARY}, "there are the tables"),
        ({"password": {"a": CANARY}}, "there are the tables"),
    ],
)
def test_a_table_that_nobody_knows_and_that_holds_a_secret_is_said_as_such(value: object, hint: str) -> None:
    problem = unknown.problem(("zzzzzz",), value, "x:1")

    assert problem.hint.startswith(hint)
    assert "x:1" == problem.where


def test_a_leak_is_said_by_its_kind() -> None:
    found = unknown.leak("variables.url", f"redis://:{CANARY}@h")

    assert found is not None
    assert ("`variables.url` holds a password in a URL", unknown.SECRETS_GO) == (found.what, found.hint)


@pytest.mark.parametrize("value", ["https://host/path", "", 3, None, ["x"]])
def test_what_is_no_secret_is_no_leak(value: object) -> None:
    assert unknown.leak("variables.url", value) is None


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (("a", "b-c", "d_e"), "`a.b-c.d_e`"),
        (("a b", ""), '`"a b".""`'),
        (("a\n\x1b\u202e",), '`"a\\n\\u001b\\u202e"`'),
        (("é",), '`"é"`'),
        (("k" * 200,), f"`{'k' * 80}...`"),
    ],
)
def test_a_key_is_shown_on_one_line_as_the_file_has_it(place: tuple[str, ...], shown: str) -> None:
    assert shown == unknown.spelled(place)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5), st.sampled_from([CANARY, 1, {"a": CANARY}, [CANARY]]))
def test_whatever_is_not_known_is_said_on_one_line_without_its_value(parts: list[str], value: object) -> None:
    problem = unknown.problem(tuple(parts), value, "x:1")

    assert problem.what
    assert problem.hint
    assert CANARY not in problem.what + problem.hint
    assert 1 == len(problem.what.splitlines())
