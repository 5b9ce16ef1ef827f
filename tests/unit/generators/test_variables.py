from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.generators.variables import environment_name, environment_value


def expanded_by_kubernetes(value: str) -> str:
    """With no variable to refer to: k8s.io/kubernetes, third_party/forked/golang/expansion/expand.go."""
    result, cursor = "", 0
    while cursor < len(value):
        if value[cursor] == "$" and cursor + 1 < len(value):
            if value[cursor + 1] == "$":
                result, cursor = result + "$", cursor + 2
                continue
            if value[cursor + 1] == "(" and ")" in value[cursor:]:
                end = value.index(")", cursor)
                result, cursor = result + "<expanded>", end + 1
                continue
        result, cursor = result + value[cursor], cursor + 1
    return result


def test_a_variable_s_name_is_in_upper_case_behind_the_runtime_s_prefix() -> None:
    assert "SPIN_VARIABLE_REDIS_HOST" == environment_name("SPIN_VARIABLE_", "redis_host")
    assert "SPIN_CONFIG_REDIS_HOST" == environment_name("SPIN_CONFIG_", "redis_host")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("plain", "plain"), ("$(HOME)", "$$(HOME)"), ("cost: $5", "cost: $5"), ("$$", "$$$"), ("a$", "a$")],
)
def test_what_kubernetes_would_expand_is_escaped_and_nothing_else(value: str, expected: str) -> None:
    assert expected == environment_value(value)


@given(st.text(alphabet="$()AB"))
def test_every_value_arrives_as_it_was_given(value: str) -> None:
    assert value == expanded_by_kubernetes(environment_value(value))
