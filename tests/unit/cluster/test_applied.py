from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.cluster.applied import Applied, AppliedObject
from spin_aks.cluster.kubeconfig import Target
from spin_aks.kubernetes_object import ObjectKey

APPLIED = Applied(
    "hello",
    "prod",
    Target("0123", "https://c (authority ab)"),
    (
        AppliedObject(ObjectKey("v1", "Namespace", "", "prod"), "namespaces", "u1", ()),
        AppliedObject(ObjectKey("apps/v1", "Deployment", "prod", "hello"), "deployments", "u2", (("spec.a", "aa"),)),
    ),
    "registry/hello@sha256:1",
    "4",
    "2026-11-21T10:00:00Z",
)


def test_what_was_applied_survives_its_file() -> None:
    assert Applied.from_json(json.loads(json.dumps(APPLIED.to_json()))) == APPLIED


def test_an_applied_object_knows_its_path_without_asking() -> None:
    assert [item.path for item in APPLIED.objects] == [
        "/api/v1/namespaces/prod",
        "/apis/apps/v1/namespaces/prod/deployments/hello",
    ]


@pytest.mark.parametrize("lost", ["application", "namespace"])
def test_a_document_that_says_too_little_is_as_good_as_none(lost: str) -> None:
    assert Applied.from_json({**APPLIED.to_json(), lost: ""}) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["objects", "application", "namespace", "owned", "cluster"]), inner)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(APPLIED.to_json())), json_values))
def test_no_document_makes_it_fail(document: dict[str, object]) -> None:
    found = Applied.from_json(document)  # type: ignore[arg-type]

    assert found is None or all(item.plural for item in found.objects)
