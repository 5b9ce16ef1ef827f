from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.generators.scalars import reads_as_itself, resolved


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("nULL", "nULL"),
        ("yes", True),
        ("On", True),
        ("y", True),
        ("N", False),
        ("off", False),
        ("0", 0),
        ("80", 80),
        ("-80", -80),
        ("+80", 80),
        ("0400", 256),
        ("-010", -8),
        ("0o400", 256),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("08", 8.0),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1:30", "1:30"),
        ("2026-11-21", "2026-11-21"),
        ("64Mi", "64Mi"),
        ("1.2.3", "1.2.3"),
        ("_1", "_1"),
        ("-", "-"),
    ],
)
def test_a_plain_scalar_is_what_it_is_to_kubectl(plain: str, expected: object) -> None:
    value = resolved(plain)

    assert expected == value
    assert type(expected) is type(value)


@pytest.mark.parametrize("plain", [".inf", "-.INF", ".nan", "1e999"])
def test_what_json_can_t_hold_is_refused(plain: str) -> None:
    with pytest.raises(ValueError, match="has no place in a Kubernetes object"):
        resolved(plain)


@given(st.text(alphabet="0123456789abefinoxyYNE+-._:~=", max_size=8))
def test_what_reads_as_itself_is_text_to_kubectl(text: str) -> None:
    assert not reads_as_itself(text) or resolved(text) == text


@given(st.integers(-(2**63), 2**64))
def test_numbers_are_those_of_json(number: int) -> None:
    assert number == resolved(str(number))
    assert yaml.safe_load(str(number)) == resolved(str(number))


def test_a_number_too_large_for_an_integer_of_kubernetes_is_still_that_number() -> None:
    assert math.isclose(1e300, float(str(resolved("1e300"))))
