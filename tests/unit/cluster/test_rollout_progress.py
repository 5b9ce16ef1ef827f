from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spin_aks.cluster.health import progress

if TYPE_CHECKING:
    from spin_aks.json_types import JSON, JSONObject


def deployment(
    *, generation: int = 2, wanted: int = 2, conditions: list[JSON] | None = None, **status: int
) -> JSONObject:
    return {
        "metadata": {"generation": generation, "annotations": {"deployment.kubernetes.io/revision": "3"}},
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": 2, **status, "conditions": conditions or []},
    }


def test_a_deployment_whose_pods_are_all_new_and_available_is_healthy() -> None:
    reached = progress(deployment(replicas=2, updatedReplicas=2, availableReplicas=2))

    assert (reached.healthy, str(reached), reached.revision) == (True, "2 of 2 pods ready", "3")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            deployment(generation=3, replicas=2, updatedReplicas=2, availableReplicas=2),
            "not yet looked at by Kubernetes",
        ),
        (deployment(), "0 of 2 pods made"),
        (deployment(replicas=2, updatedReplicas=1, availableReplicas=2), "1 of 2 pods made"),
        (deployment(replicas=2, updatedReplicas=2, availableReplicas=1), "1 of 2 pods ready"),
        (
            deployment(replicas=3, updatedReplicas=2, availableReplicas=3),
            "2 of 2 pods made, 1 of the former state still there",
        ),
    ],
)
def test_what_is_missing_is_told_in_words(state: JSONObject, words: str) -> None:
    reached = progress(state)

    assert (reached.healthy, str(reached)) == (False, words)


def test_a_deployment_without_replicas_is_healthy_once_it_was_looked_at() -> None:
    assert progress(deployment(wanted=0)).healthy is True
    assert progress(deployment(wanted=0, generation=3)).healthy is False


def test_kubernetes_own_verdicts_are_read_from_the_conditions() -> None:
    conditions: list[JSON] = [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"},
        {"type": "ReplicaFailure", "status": "True", "message": "pods are forbidden"},
    ]

    reached = progress(deployment(conditions=conditions))

    assert (reached.overdue, reached.refused) == (True, "pods are forbidden")


def test_a_deployment_without_a_status_is_not_healthy() -> None:
    assert progress({"metadata": {"generation": 1}}).healthy is False
