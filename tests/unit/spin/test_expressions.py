from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.spin.expressions import parse


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plain", ()),
        ("", ()),
        ("{ x }", ()),
        ("{{ a }}", ("a",)),
        ("{{a}}", ("a",)),
        ("redis://{{ cred }}@{{ host }}:{{ port }}", ("cred", "host", "port")),
        ("}} {{ a_1 }}", ("a_1",)),
    ],
)
def test_the_variables_of_an_expression_are_found(text: str, names: tuple[str, ...]) -> None:
    assert names == parse(text).names
    assert parse(text).wrong == ""


@pytest.mark.parametrize("text", ["{{ a", "x {{ a }} {{ b"])
def test_braces_have_to_be_closed(text: str) -> None:
    assert parse(text).wrong == "a `{{` is not closed by `}}`"


@pytest.mark.parametrize("text", ["{{ a | upper }}", "{{ A }}", "{{ project-name }}", "{{}}", "{{ {{ a }} }}"])
def test_there_are_no_filters_and_no_nesting(text: str) -> None:
    assert "is not a variable" in parse(text).wrong


def test_an_expression_comes_to_text_once_every_variable_has_a_value() -> None:
    expression = parse("{{ scheme }}://{{ host }}:80")

    assert expression.resolved({"scheme": "http", "host": "a"}) == "http://a:80"
    assert expression.resolved({"scheme": "http"}) is None
    assert parse("{{ a").resolved({}) is None


@given(st.text(alphabet="{} ab_|", max_size=30))
def test_any_text_is_an_expression_or_says_why_not(text: str) -> None:
    expression = parse(text)

    assert expression.is_literal == ("{{" not in text)
    assert (expression.resolved({"a": "1", "b": "2", "ab": "3", "ba": "4"}) is None) <= bool(
        expression.wrong or set(expression.names) - {"a", "b", "ab", "ba"}
    )
