from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
import tomlkit
from hypothesis import example, given
from hypothesis import strategies as st

from spin_aks.spin.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.spin.shapes import Place

DOCUMENT = '''\
spin_manifest_version = 2
# [component.not-this] is only a comment
[application]
name = "a"
description = """
[component.nor-this]
name = 1
"""
trigger.http = { base = "/" }

[[trigger.http]]
route = "/a"
  [trigger.http.executor]
  type = "wagi"

[[trigger.http]]
route = '/b # no comment'
component = "two"

[component."two"]
source = "x.wasm" # [component.x]
files = [
  "a/*",
  { source = "b", destination = "/b" },

  ["nested", "array"],
]
build.command = "make"
build.workdir = "w"
environment = { A = "1", "B C" = "]", D = { e = "}" } }
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ((), 1),
        (("spin_manifest_version",), 1),
        (("application",), 3),
        (("application", "name"), 4),
        (("application", "description"), 5),
        (("application", "trigger", "http", "base"), 9),
        (("trigger",), 11),
        (("trigger", "http"), 11),
        (("trigger", "http", 0), 11),
        (("trigger", "http", 0, "executor", "type"), 14),
        (("trigger", "http", 1), 16),
        (("trigger", "http", 1, "route"), 17),
        (("component", "two"), 20),
        (("component", "two", "files"), 22),
        (("component", "two", "files", 0), 23),
        (("component", "two", "files", 1, "destination"), 24),
        (("component", "two", "files", 2, 1), 26),
        (("component", "two", "build"), 28),
        (("component", "two", "build", "workdir"), 29),
        (("component", "two", "environment", "B C"), 30),
        (("component", "two", "environment", "D", "e"), 30),
        (("component", "two", "nowhere", "deep"), 20),
        (("nowhere",), 1),
    ],
)
def test_each_value_has_the_line_it_is_written_on(place: Place, line: int) -> None:
    assert line == Lines(DOCUMENT).line(place)


def test_line_ends_of_windows_are_counted_the_same() -> None:
    assert Lines(DOCUMENT.replace("\n", "\r\n")).line(("component", "two", "build", "workdir")) == 29


def test_arrays_of_tables_are_counted_from_nought_with_their_tables_inside() -> None:
    text = "[[component]]\nid = 'a'\n[component.trigger]\nroute = '/'\n[[component]]\nid = 'b'\n[component.trigger]\n"

    assert [1, 3, 4, 5, 6, 7] == [
        Lines(text).line(place)
        for place in (
            ("component", 0),
            ("component", 0, "trigger"),
            ("component", 0, "trigger", "route"),
            ("component", 1),
            ("component", 1, "id"),
            ("component", 1, "trigger"),
        )
    ]


KEYS = st.sampled_from(["a", "b-c", "d_e", "f g", "ü", "0", "h.i", 'q"t', "[x]", "true"])
VALUES = st.recursive(
    st.one_of(
        st.integers(-9, 9), st.booleans(), st.text(max_size=4), st.sampled_from(["[a]", "'''", '"""', "#", "\n[x]\n"])
    ),
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(KEYS, inside, max_size=3)),
    max_leaves=12,
)


def places(value: object, here: Place = ()) -> Iterator[Place]:
    if here:
        yield here
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*here, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*here, index))


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.booleans())
def test_any_document_has_a_line_for_everything_in_it(document: dict[str, object], windows: bool) -> None:
    text = tomlkit.dumps(document)
    if windows:
        text = text.replace("\n", "\r\n")
    read = tomllib.loads(text)
    lines = Lines(text)

    found = [lines.line(place) for place in places(read)]

    assert all(1 <= line <= text.count("\n") + 1 for line in found)


@example(text='"\\="=', place=["a"])
@given(st.text(alphabet="[]{}\"'#=.,\n ab\\", max_size=60), st.lists(st.sampled_from(["a", "b", 0, 1]), max_size=3))
def test_even_what_is_not_toml_has_lines(text: str, place: list[str | int]) -> None:
    assert 1 <= Lines(text).line(tuple(place)) <= text.count("\n") + 1


@given(st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), st.text(max_size=6)), max_size=8))
def test_a_top_level_key_is_found_where_its_line_begins(entries: list[tuple[str, str]]) -> None:
    written = {f"{name}{number}": value for number, (name, value) in enumerate(entries)}
    text = "".join(f"{key} = {tomlkit.item(value).as_string()}\n" for key, value in written.items())

    assert list(range(1, len(written) + 1)) == [Lines(text).line((key,)) for key in written]
