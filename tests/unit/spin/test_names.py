from __future__ import annotations

import pytest

from spin_aks.spin.names import (
    component_id,
    dependency_name,
    is_kebab,
    model_name,
    package_name,
    resolvable_variable,
    store_label,
    variable_name,
)
from spin_aks.spin.shapes import Reading
from spin_aks.spin.versions import Version

NEWEST = Reading(Version(4, 0, 2))


@pytest.mark.parametrize("name", ["a", "my-app", "a1-b2", "AB-c", "A", "my-APP-x9"])
def test_words_with_hyphens_are_an_id(name: str) -> None:
    assert is_kebab(name)
    assert component_id(name, NEWEST) == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "it is empty"),
        ("bad_id", "its words are separated with `-`, not with `_`"),
        ("a--b", "a word before or after a `-` is empty"),
        ("a-", "a word before or after a `-` is empty"),
        ("redirect-sip-001", "the word `001` starts with `0`, not with a letter"),
        ("é", "the word `é` starts with `é`, not with a letter"),
        ("mixedCase", "the word `mixedCase` mixes upper and lower case"),
        ("a.b", "the word `a.b` has a `.`; only letters and digits are allowed"),
        ("a\n", "the word `a\n` has a `\n`; only letters and digits are allowed"),
    ],
)
def test_what_is_wrong_with_an_id_is_said(name: str, why: str) -> None:
    assert component_id(name, NEWEST) == f"`{name}` can't be a component's id: {why}"


def test_upper_case_in_variables_passed_the_parser_before_spin_2_6() -> None:
    assert variable_name("my_VAR", Reading(Version(2, 5, 1))) == ""
    assert variable_name("my_VAR", NEWEST) == "`my_VAR` can't be a variable's name: it has to be in lower case"


def test_labels_may_have_hyphens_from_spin_2_3() -> None:
    assert store_label("my-store", Reading(Version(2, 3))) == ""
    assert store_label("my_store", NEWEST) == ""
    assert "not with `-`" in store_label("my-store", Reading(Version(2, 2)))


def test_models_may_have_any_name_from_spin_3_5() -> None:
    assert model_name("gpt-oss:20b", NEWEST) == ""
    assert model_name("gpt-oss:20b", Reading(Version(2, 7))).startswith("`gpt-oss:20b` can't be a model's name")


@pytest.mark.parametrize("name", ["foo-bar", "foo:bar", "foo:bar/baz", "foo:bar/baz@0.1.0", "foo:bar@1.0.0-rc.1"])
def test_dependencies_are_named_as_the_component_model_names_them(name: str) -> None:
    assert dependency_name(name, NEWEST) == ""


@pytest.mark.parametrize("name", ["foo_bar", "foo:", ":bar", "foo:bar/", "foo:bar@1", "foo:bar/b_z", "a/b", "foo:bar@"])
def test_other_names_of_dependencies_are_refused(name: str) -> None:
    assert "can't be a dependency's name" in dependency_name(name, NEWEST)


def test_a_package_has_a_namespace() -> None:
    assert package_name("fermyon:hello", NEWEST) == ""
    assert package_name("hello", NEWEST) == "`hello` is not a package: it is written `namespace:name`"


@pytest.mark.parametrize(
    ("name", "can"),
    [("a", True), ("a_1", True), ("a__b", False), ("a_", False), ("1a", False), ("A", False), ("", False)],
)
def test_spin_looks_up_variables_in_lower_case_only(name: str, can: bool) -> None:
    assert can == resolvable_variable(name)
