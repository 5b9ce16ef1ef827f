"""Label and field selectors."""

from __future__ import annotations

import pytest

from spin_aks.sandbox import kinds, selectors
from spin_aks.sandbox.status import ApiError

WEB = {"metadata": {"name": "web", "namespace": "default", "labels": {"app": "web", "tier": "front"}}}


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app!=web", False),
        ("other!=x", True),
        ("app", True),
        ("!app", False),
        ("!other", True),
        ("app in (web, api),tier", True),
        ("app notin (web)", False),
        ("other notin (x)", True),
        ("app=web,tier=back", False),
    ],
)
def test_labels_are_selected(selector: str, fits: bool) -> None:
    assert fits == selectors.of_labels(selector)(WEB)


@pytest.mark.parametrize(("selector", "fits"), [("metadata.name=web", True), ("metadata.name!=web", False)])
def test_fields_are_selected(selector: str, fits: bool) -> None:
    assert fits == selectors.of_fields(selector, kinds.CONFIG_MAP)(WEB)


def test_a_field_that_a_kind_is_not_selected_by_is_refused() -> None:
    with pytest.raises(ApiError, match=r"field label not supported: spec\.replicas"):
        selectors.of_fields("spec.replicas=1", kinds.DEPLOYMENT)


def test_what_is_no_selector_is_refused() -> None:
    with pytest.raises(ApiError, match="unable to parse requirement: a b c"):
        selectors.of_labels("a b c")
