"""What an answer means, and how options stand in a window: the parts of asking that need no terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.prompts import Option, listed, meant
from spin_aks.terminal import on_one_line

CLUSTERS = (
    Option("/id/a", "prod", "group-west"),
    Option("/id/b", "preprod", "group-west"),
    Option("/id/c", "Test", "group-north"),
    Option("/id/d", "2024", "group 7"),
    Option("/id/e", "prod", "group-east"),
)
ID = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/shop/managedClusters/blue"
options = st.lists(st.builds(Option, st.text(min_size=1), st.text(min_size=1), st.text()), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("answer", "places"),
    [
        ("1", [0]),
        ("5", [4]),
        ("prod", [0, 4]),
        ("prod east", [4]),
        ("preprod", [1]),
        ("pre", [1]),
        ("TEST", [2]),
        ("/ID/C", [2]),
        ("west", [0, 1]),
        ("2024", [3]),
        ("group", [0, 1, 2, 3, 4]),
        ("nowhere", []),
    ],
)
def test_an_answer_means_a_number_a_whole_name_or_all_that_have_its_words(answer: str, places: list[int]) -> None:
    assert places == list(meant(answer, CLUSTERS))


@pytest.mark.parametrize("number", ["0", "6", "7", "202", "00", "99999999999999999999", "\u0662", "\u00b2"])
def test_a_number_that_no_option_has_means_none(number: str) -> None:
    assert [] == list(meant(number, CLUSTERS))


@given(options, st.text(min_size=1).filter(str.strip))
def test_an_answer_means_only_what_is_there_and_each_once(offered: list[Option], answer: str) -> None:
    found = list(meant(answer, offered))

    assert sorted(set(found)) == found
    assert set(found) <= set(range(len(offered)))


@given(options, st.data())
def test_the_number_that_is_shown_is_the_number_that_is_meant(offered: list[Option], drawn: st.DataObject) -> None:
    place = drawn.draw(st.integers(0, len(offered) - 1))

    shown = listed(place, offered, 80)[0][0].split()[0]

    assert [place] == list(meant(shown, offered))


def test_names_stand_in_one_column_and_what_tells_them_apart_in_another() -> None:
    lines = [listed(place, CLUSTERS[:3], 80) for place in range(3)]

    assert [
        (("  1  prod     group-west", 10),),
        (("  2  preprod  group-west", 10),),
        (("  3  Test     group-north", 11),),
    ] == lines


def test_an_id_that_is_too_long_is_cut_in_its_middle() -> None:
    lines = listed(0, [Option(ID, "blue", ID)], 60)

    assert (("  1  blue  /subscriptions/...oups/shop/managedClusters/blue", 48),) == lines


def test_a_narrow_window_has_the_id_on_a_line_of_its_own() -> None:
    lines = listed(0, [Option(ID, "a-rather-long-name", ID)], 40)

    assert (("  1  a-rather-long-name", 0), ("     /subscript.../managedClusters/blue", 34)) == lines


@given(options, st.integers(30, 200))
def test_a_name_is_never_cut_and_what_stands_beside_it_never_wraps(offered: list[Option], columns: int) -> None:
    for place, option in enumerate(offered):
        lines = listed(place, offered, columns)

        assert on_one_line(option.label).rstrip() in lines[0][0]
        assert [] == [line for line, dim in lines if dim and len(line) >= columns]


@given(st.text())
def test_what_is_put_on_one_line_stays_there_and_sends_no_codes(text: str) -> None:
    shown = on_one_line(text)

    assert 1 >= len(shown.splitlines())
    assert set() == {character for character in shown if ord(character) < 32 or 127 <= ord(character) < 160}
    assert shown == on_one_line(shown)


def test_an_option_says_what_tells_it_from_others() -> None:
    assert ("prod (group-west)", "b\\x1b") == (str(CLUSTERS[0]), str(Option("b", "b\x1b")))
