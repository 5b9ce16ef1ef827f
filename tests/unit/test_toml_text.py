"""Where things stand in a TOML document's text. That no other byte changes is tested with what is changed by it."""

from __future__ import annotations

import pytest

from spin_aks import toml_change, toml_text


def test_a_document_is_its_sections_and_they_are_its_lines() -> None:
    text = "# top\n\na.'b' = [\n  1, # ]\n] # end\n[c . \"d.e\"] # why\n\t\n[[f]]\r\nx=1"

    found = toml_text.sections(text)

    assert [((), False), (("c", "d.e"), False), (("f",), True)] == [(one.place, one.is_array) for one in found]
    lines = [line for one in found for line in one.lines]
    assert text == "".join(text[line.start : line.end] for line in lines)
    assert ["comment", "blank", "entry", "header", "blank", "array", "entry"] == [line.kind for line in lines]
    assert [True, False, True, True, False, False, False] == [line.comment for line in lines]
    entry = found[0].entries[0]
    assert ("a", "b") == entry.keys
    assert "[\n  1, # ]\n]" == text[entry.value : entry.end]


def test_inline_tables_of_toml_1_1_are_understood() -> None:
    text = "t = {\n  a = 1, # }\n  b = { c = '}' },\n} # end\nx = 2\n"

    table = toml_text.sections(text)[0].entries[0]

    assert text[table.value : table.end].endswith("},\n}")
    assert [("a",), ("b",)] == [entry.keys for entry in toml_text.inside(text, table)]
    assert text.replace("'}' }", "'}' }, d = 1") == toml_change.put(text, {"t": {"a": 1}}, ("t", "d"), 1)


@pytest.mark.parametrize(("text", "end"), [("", "\n"), ("a = 1", "\n"), ("a = 1\r\nb = 2\n", "\r\n"), ("\n\r\n", "\n")])
def test_the_first_line_says_how_lines_end(text: str, end: str) -> None:
    assert end == toml_text.newline(text)


def test_the_byte_order_mark_is_told_from_the_text() -> None:
    assert [("\ufeff", "a"), ("", "a"), ("", "")] == [toml_text.without_mark(one) for one in ("\ufeffa", "a", "")]


@pytest.mark.parametrize(
    ("place", "key"),
    [(("a", "b-c_1"), "a.b-c_1"), (("a.b", "ä"), '"a.b"."ä"'), (("", '"'), '""."\\""'), (("\n\x7f",), '"\\n\\u007f"')],
)
def test_a_key_has_the_quotes_that_it_needs(place: tuple[str, ...], key: str) -> None:
    assert key == toml_change.spelled(place)
