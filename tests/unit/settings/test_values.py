"""A value as it was given becomes one as the program has it, or a sentence that shows no secret."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.settings import values
from spin_aks.settings.row import Row
from spin_aks.settings.table import EVERY_ROW

TEXT = Row("a.text", "", (), "a text")
CHOICE = Row("a.choice", "", (), "a choice", kind="choice", choices=("one", "two"))
COUNT = Row("a.count", "", (), "a count", kind="count")
SWITCH = Row("a.switch", "", (), "a switch", kind="switch")
PATH = Row("a.path", "", (), "a path", kind="path")
FILE = Row("a.file", "", (), "a file", kind="path", file_name="Dockerfile")
SECRET = "https://user:Xq7canaryZ9@host"


@pytest.mark.parametrize(
    ("row", "text", "value"),
    [
        (TEXT, " as it is\n", " as it is\n"),
        (TEXT, "", ""),
        (CHOICE, "ONE", "one"),
        (COUNT, "1", 1),
        (COUNT, "007", 7),
        (COUNT, "999999999", 999_999_999),
        (SWITCH, "YES", True),
        (SWITCH, "off", False),
        (PATH, "a/../b", "/here/b"),
        (PATH, "/abs/./x", "/abs/x"),
        (PATH, "../up", "/up"),
        (PATH, "folder/", "/here/folder"),
        (FILE, "folder/", "/here/folder/Dockerfile"),
        (FILE, "folder", "/here/folder"),
    ],
)
def test_a_text_becomes_what_it_stands_for(row: Row, text: str, value: object) -> None:
    assert value == values.of_text(row, text, "/here")
    assert type(value) is type(values.of_text(row, text, "/here"))


@pytest.mark.parametrize(
    ("row", "text", "why"),
    [
        (CHOICE, "three", "`three` is none of one, two"),
        (CHOICE, "", "an empty text is none of one, two"),
        (COUNT, "0", "`0` is no whole number from 1 to 999999999"),
        (COUNT, "1000000000", "`1000000000` is no whole number from 1 to 999999999"),
        (COUNT, "1.0", "`1.0` is no whole number from 1 to 999999999"),
        (COUNT, "+1", "`+1` is no whole number from 1 to 999999999"),
        (COUNT, "\u0661", "`\u0661` is no whole number from 1 to 999999999"),
        (COUNT, "²", "`²` is no whole number from 1 to 999999999"),
        (COUNT, " 1", "` 1` is no whole number from 1 to 999999999"),
        (COUNT, "9" * 5000, "a text of 5000 characters is no whole number from 1 to 999999999"),
        (SWITCH, "maybe", "`maybe` is neither true nor false"),
        (SWITCH, "", "an empty text is neither true nor false"),
        (PATH, "", "names no file"),
        (PATH, "a\0b", "holds a NUL character"),
        (TEXT, "a\0b", "holds a NUL character"),
        (COUNT, "1\0", "holds a NUL character"),
        (TEXT, "a\udcffb", "is no UTF-8 text"),
        (PATH, "a\udcffb", "is no UTF-8 text"),
    ],
)
def test_a_text_that_can_stand_for_nothing_is_refused(row: Row, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        values.of_text(row, text, "/here")


@pytest.mark.parametrize("row", EVERY_ROW, ids=lambda row: row.key or row.variable)
def test_no_row_shows_a_secret_in_what_it_says(row: Row) -> None:
    said = []
    for text in (SECRET, f"{SECRET}\0", f"{SECRET}\udcff", f"{SECRET}!"):
        try:
            values.of_text(row, text, "/here")
        except ValueError as error:
            said.append(str(error))

    assert said
    assert not [one for one in said if "Xq7canaryZ9" in one]


@given(st.sampled_from(EVERY_ROW), st.text())
def test_any_text_is_a_value_or_refused(row: Row, text: str) -> None:
    try:
        value = values.of_text(row, text, "/here")
    except ValueError as error:
        value = str(error)

    assert value is not None


@given(
    st.sampled_from(EVERY_ROW),
    st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes() | st.lists(st.text()) | st.just({}),
)
def test_a_value_of_a_file_keeps_the_type_of_its_row(row: Row, given_value: object) -> None:
    types = {"count": int, "switch": bool}
    try:
        value = values.of_toml(row, given_value, "/here")
    except ValueError:
        return
    assert types.get(row.kind, str) is type(value)
    assert type(given_value) is type(value)


@pytest.mark.parametrize(
    ("place", "refused"),
    [
        (("variables", "greeting"), False),
        (("variables", "Greeting"), True),
        (("secrets", "a-b"), True),
        (("store", "my-store", "kind"), False),
        (("store", "my_Store", "kind"), True),
        (("image", "Form"), False),
        (("variables",), False),
    ],
)
def test_the_users_own_names_are_what_spin_lets_them_be(place: tuple[str, ...], refused: bool) -> None:
    assert refused is bool(values.refused_name(place))
