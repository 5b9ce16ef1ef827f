"""The sandbox's schema is Kubernetes' own, and says what is wrong in its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.sandbox import openapi

from spin_aks.sandbox import kinds, schema

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import JSON


def test_the_schema_is_what_kubernetes_publishes() -> None:
    assert openapi.text() == openapi.TARGET.read_text()


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.kind)
def test_every_kind_of_the_sandbox_has_a_shape(kind: kinds.Kind) -> None:
    assert {"apiVersion", "kind", "metadata"} <= set(schema.shape_of(kind).fields)


@pytest.mark.parametrize(
    ("body", "undeclared", "mistyped"),
    [
        ({"spec": {"replicas": 1}}, [], []),
        ({"spec": {"replica": 1}}, [".spec.replica"], []),
        (
            {"spec": {"template": {"spec": {"containers": [{"name": "web", "imagee": "x"}]}}}},
            ['.spec.template.spec.containers[name="web"].imagee'],
            [],
        ),
        ({"spec": {"replicas": "many"}}, [], ['.spec.replicas: expected numeric (int or float), got "many"']),
        ({"spec": {"replicas": True}}, [], [".spec.replicas: expected numeric (int or float), got true"]),
        ({"metadata": {"labels": ["a"]}}, [], [".metadata.labels: expected map, got list"]),
        (
            {"spec": {"template": {"spec": {"containers": {}}}}},
            [],
            [".spec.template.spec.containers: expected list, got dict"],
        ),
        ({"spec": {"strategy": {"rollingUpdate": {"maxSurge": "25%"}}}}, [], []),
    ],
)
def test_fields_and_types_that_are_none_are_named(body: JSON, undeclared: list[str], mistyped: list[str]) -> None:
    shape = schema.shape_of(kinds.DEPLOYMENT)

    assert undeclared == schema.undeclared(body, shape)
    assert mistyped == schema.mistyped(body, shape)
