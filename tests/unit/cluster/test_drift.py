from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.cluster import owned
from spin_aks.cluster.applied import AppliedObject
from spin_aks.cluster.observe import Drift, Observation, what
from spin_aks.kubernetes_object import ObjectKey

if TYPE_CHECKING:
    from spin_aks.json_types import JSON, JSONObject

KEY = ObjectKey("v1", "Service", "hello", "web")


def entry(manager: str, *names: str, operation: str = "Apply") -> JSON:
    members: JSONObject = {f"f:{name}": {} for name in names}
    return {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": members}, "time": "2026"}


def live(*entries: JSON, uid: str = "u1", **spec: JSON) -> JSONObject:
    return {"metadata": {"uid": uid, "managedFields": list(entries)}, "spec": dict(spec)}


def applied(document: JSONObject, key: ObjectKey = KEY) -> AppliedObject:
    return AppliedObject(key, "services", "u1", tuple(sorted(owned.owned(document).items())))


BEFORE = live(entry("spin-aks", "type", "ports"), type="ClusterIP", ports=1)


def test_what_is_as_it_was_left_has_not_drifted() -> None:
    later = live(entry("spin-aks", "type", "ports"), entry("other", "x", operation="Update"), type="ClusterIP", ports=1)

    assert what(applied(BEFORE), BEFORE) == ""
    assert what(applied(BEFORE), {**later, "status": {"new": True}}) == ""


def test_what_is_not_there_is_gone() -> None:
    assert what(applied(BEFORE), None) == "is gone"


def test_what_is_on_its_way_out_is_said_to_be() -> None:
    leaving = live(entry("spin-aks", "type", "ports"), type="ClusterIP", ports=1)
    leaving["metadata"] = {"uid": "u1", "deletionTimestamp": "2026-11-21T10:00:00Z"}

    assert what(applied(BEFORE), leaving) == "is being deleted"


def test_another_object_of_the_same_name_was_made_anew() -> None:
    again = live(entry("spin-aks", "type", "ports"), uid="u2", type="ClusterIP", ports=1)

    assert what(applied(BEFORE), again) == "was deleted and made anew"


def test_a_field_that_another_manager_took_is_named_with_it() -> None:
    now = live(entry("spin-aks", "ports"), entry("kubectl-edit", "type", operation="Update"), type="NodePort", ports=1)

    assert what(applied(BEFORE), now) == "was changed by `kubectl-edit`: `spec.type`"


def test_each_manager_is_named_with_its_fields() -> None:
    now = live(entry("a", "type"), entry("b", "ports"), entry("spin-aks", "more"), type="x", ports=2, more=1)

    assert what(applied(BEFORE), now) == (
        "was changed by another run of `spin-aks`: `spec.more`, and was changed by `b`: `spec.ports`, "
        "and was changed by `a`: `spec.type`"
    )


def test_a_value_changed_in_our_name_is_another_run_of_ours() -> None:
    now = live(entry("spin-aks", "type", "ports"), type="LoadBalancer", ports=1)

    assert what(applied(BEFORE), now) == "was changed by another run of `spin-aks`: `spec.type`"


def test_a_field_that_nobody_owns_any_more_was_changed_by_somebody() -> None:
    assert what(applied(BEFORE), live(entry("spin-aks", "ports"), ports=1)) == "was changed by somebody: `spec.type`"


def test_an_object_in_which_nothing_is_ours_was_taken_over() -> None:
    now = live(entry("helm", "type", "ports", operation="Update"), type="ClusterIP", ports=1)

    assert what(applied(BEFORE), now) == "was taken over by `helm`"


def test_many_fields_are_counted_and_not_listed() -> None:
    names = [f"f{i}" for i in range(7)]
    before = live(entry("spin-aks", *names), **dict.fromkeys(names, 1))
    after = live(entry("spin-aks", *names), **dict.fromkeys(names, 2))

    assert what(applied(before), after) == (
        "was changed by another run of `spin-aks`: `spec.f0`, `spec.f1`, `spec.f2`, `spec.f3` and 3 more"
    )


def test_a_deployment_that_is_not_healthy_is_drift() -> None:
    key = ObjectKey("apps/v1", "Deployment", "hello", "web")
    document = live(entry("spin-aks", "replicas"), replicas=2)
    status: JSONObject = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}

    assert what(applied(document, key), {**document, "status": status}) == "is not healthy: 1 of 2 pods ready"


def test_an_observation_is_sentences() -> None:
    observation = Observation((Drift(KEY, "is gone"),))

    assert observation.sentences == ("Service hello/web is gone",)
    assert Observation().sentences == ()
