from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spin_aks.errors import UsageError
from spin_aks.generators.names import (
    LONGEST_NAME,
    ca_certificates,
    image_placeholder,
    kubernetes_name,
    namespace,
)

RFC_1035_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
IMAGE_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        ("hello", "hello"),
        ("Hello World", "hello-world"),
        ("not_ok", "not-ok"),
        ("a__b", "a--b"),
        ("-trimmed-", "trimmed"),
        ("3-tier", "app-3-tier"),
        ("früh", "fr-h"),
        ("x" * 63, "x" * 63),
    ],
)
def test_a_kubernetes_name_is_the_application_s_in_lower_case_with_hyphens(application: str, expected: str) -> None:
    assert expected == kubernetes_name(application)


def test_a_name_that_is_too_long_is_cut_and_ends_in_a_hash_of_the_whole() -> None:
    assert "a" * 54 + "-ffe054fe" == kubernetes_name("a" * 64)


def test_a_cut_never_leaves_two_hyphens_before_the_hash() -> None:
    assert re.fullmatch(r"a{53}-[0-9a-f]{8}", kubernetes_name("a" * 53 + "-" + "b" * 20))


def test_a_name_of_which_nothing_is_left_becomes_its_hash() -> None:
    assert "app-77710aed" == kubernetes_name("日本語")


@given(st.text())
@example("")
@example("9" * 63)
@example("A" * 53 + "-" * 20 + "b")
def test_every_name_is_a_label_a_service_can_have_and_a_repository_an_image_can_have(application: str) -> None:
    name = kubernetes_name(application)

    assert RFC_1035_LABEL.fullmatch(name)
    assert IMAGE_NAME.fullmatch(name)
    assert len(name) <= LONGEST_NAME
    assert name == kubernetes_name(application)


@given(st.from_regex(r"[a-z][a-z0-9]{59,80}", fullmatch=True), st.from_regex(r"[a-z0-9]{4,20}", fullmatch=True))
def test_long_names_that_begin_alike_stay_apart(start: str, end: str) -> None:
    assert kubernetes_name(start + end) != kubernetes_name(start + end + "x")


@given(st.text(min_size=1))
def test_a_kubernetes_name_is_its_own_kubernetes_name(application: str) -> None:
    name = kubernetes_name(application)

    assert name == kubernetes_name(name)


def test_the_namespace_is_the_application_s_name_unless_one_is_given() -> None:
    assert "order-desk" == namespace("Order_Desk")
    assert "staging" == namespace("Order_Desk", "staging")
    assert "9-lives" == namespace("Order_Desk", "9-lives")


def test_a_namespace_that_can_t_be_one_is_refused_with_one_that_can() -> None:
    with pytest.raises(UsageError) as refused:
        namespace("hello", "Team A")

    assert "`Team A` can't be a namespace: lower-case letters, digits and `-`, at most 63" == str(refused.value)
    assert "try `--namespace team-a`" == refused.value.problems[0].hint


def test_other_names_follow_the_application_s() -> None:
    assert "order-desk" == image_placeholder("Order_Desk")
    assert "order-desk-ca-certificates" == ca_certificates("Order_Desk")
