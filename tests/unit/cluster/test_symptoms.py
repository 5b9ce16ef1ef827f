from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from spin_aks.cluster.symptoms import Container, Event, Pod, event, pod

if TYPE_CHECKING:
    from spin_aks.json_types import JSON, JSONObject


def document(status: JSONObject, state: JSONObject | None = None) -> JSONObject:
    limits: JSONObject = {"limits": {"memory": "64Mi"}}
    container: JSONObject = {"name": "web", "image": "reg/web:1", "resources": limits}
    statuses: list[JSON] = [{"name": "web", "ready": False, "restartCount": 2, **state}] if state else []
    return {
        "metadata": {"name": "web-1", "namespace": "hello"},
        "spec": {"nodeName": "node-1", "containers": [container]},
        "status": {"phase": "Pending", "containerStatuses": statuses, **status},
    }


def test_a_container_in_a_crash_loop_shows_how_its_last_run_ended() -> None:
    state: JSONObject = {
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "Error"}},
    }

    assert pod(document({}, state)) == Pod(
        "web-1",
        "hello",
        "node-1",
        "Pending",
        (Container("web", "reg/web:1", False, False, 2, "CrashLoopBackOff", "back-off 20s", "Error", 137, "64Mi"),),
        "",
    )


def test_a_container_that_runs_has_no_exit_code() -> None:
    (container,) = pod(document({}, {"state": {"running": {}}})).containers

    assert (container.running, container.exit_code, container.waiting) == (True, None, "")


def test_a_start_error_keeps_its_message() -> None:
    ended: JSONObject = {"exitCode": 128, "reason": "StartError", "message": "failed to unix syscall"}

    (container,) = pod(document({}, {"state": {"terminated": ended}})).containers

    assert (container.ended, container.exit_code, container.message) == ("StartError", 128, "failed to unix syscall")


def test_an_init_container_that_is_done_keeps_no_pod_from_being_ready() -> None:
    done: JSON = {"name": "setup", "ready": False, "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}

    found = pod(document({"initContainerStatuses": [done]}, {"ready": True, "state": {"running": {}}}))

    assert found.ready is True


def test_a_pod_without_statuses_is_not_ready() -> None:
    assert pod(document({})).ready is False


def test_a_pod_that_no_node_takes_has_the_schedulers_message() -> None:
    condition: JSON = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}

    assert pod(document({"conditions": [condition]})).unschedulable == "0/1 nodes"


def test_an_event_of_either_age_is_read() -> None:
    about: JSON = {"kind": "Pod", "name": "web-1"}
    old: JSONObject = {"involvedObject": about, "reason": "BackOff", "message": "a\n b", "type": "Warning"}

    assert event({**old, "count": 3, "lastTimestamp": "2026-11-21T10:00:00Z"}) == Event(
        "Pod web-1", "BackOff", "a b", True, 3, "2026-11-21T10:00:00Z"
    )
    assert event({**old, "series": {"count": 2}, "eventTime": "2026-11-21T10:00:00.000000Z"}) == Event(
        "Pod web-1", "BackOff", "a b", True, 2, "2026-11-21T10:00:00.000000Z"
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "containerStatuses", "state", "waiting", "spec", "conditions", "metadata"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), json_values))
def test_no_document_makes_it_fail(anything: JSONObject) -> None:
    assert isinstance(pod(anything), Pod)
    assert isinstance(event(anything), Event)
