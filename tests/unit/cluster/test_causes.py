from __future__ import annotations

from dataclasses import replace

import pytest

from spin_aks.cluster.causes import UNTIL_TIMED_OUT, find
from spin_aks.cluster.explain import Background, explain
from spin_aks.cluster.health import Progress
from spin_aks.cluster.symptoms import Container, Event, Pod, Symptoms
from spin_aks.kubernetes_object import ObjectKey

WEB = ObjectKey("apps/v1", "Deployment", "hello", "web")
WAITING = Progress(wanted=1, replicas=1, updated=1, available=0, observed=True, overdue=False, refused="", revision="1")
CONTAINER = Container("web", "reg/web:1", False, False, 0, "", "", "", None, "64Mi")


def symptoms(
    *events: Event,
    log: tuple[str, ...] = (),
    unschedulable: str = "",
    progress: Progress = WAITING,
    **container: object,
) -> Symptoms:
    one = replace(CONTAINER, **container)  # type: ignore[arg-type]
    pod = Pod("web-1", "hello", "node-1", "Pending", (one,), unschedulable)
    return Symptoms(progress, (pod,), pod, events, log)


def warning(reason: str, message: str) -> Event:
    return Event("Pod web-1", reason, message, True, 1, "2026-11-21T10:00:00Z")


def found(seen: Symptoms) -> tuple[str, float]:
    cause = find(seen)
    assert cause is not None
    return cause.what, cause.patience_s


def test_a_pod_that_is_only_starting_has_no_cause() -> None:
    assert find(symptoms(waiting="ContainerCreating")) is None
    assert find(symptoms(running=True)) is None
    assert find(Symptoms(WAITING, ())) is None


def test_a_handler_that_is_not_configured_names_node_and_handler() -> None:
    seen = symptoms(
        warning("FailedCreatePodSandBox", 'failed to get sandbox runtime: no runtime for "spin-v2" is configured'),
        waiting="ContainerCreating",
    )

    assert found(seen) == ("has a pod on node node-1, whose containerd has no runtime `spin-v2`", UNTIL_TIMED_OUT)


def test_a_missing_shim_binary_is_named() -> None:
    message = "invalid custom binary path: stat /opt/shim: no such file or directory"

    assert found(symptoms(warning("FailedCreatePodSandBox", message))) == (
        f"has a pod on node node-1, where the shim's program is missing: {message}",
        UNTIL_TIMED_OUT,
    )


def test_a_sandbox_that_fails_otherwise_keeps_its_message() -> None:
    assert found(symptoms(warning("FailedCreatePodSandBox", "invalid shim options"))) == (
        "has a pod for which node node-1 can't make a sandbox: invalid shim options",
        UNTIL_TIMED_OUT,
    )


def test_a_missing_runtime_class_is_read_from_the_deployments_condition() -> None:
    refused = 'pods "web-1" is forbidden: pod rejected: RuntimeClass "nope" not found'

    assert found(Symptoms(replace(WAITING, refused=refused), ())) == (
        "gets no pods: RuntimeClass `nope` is not there",
        5,
    )


@pytest.mark.parametrize(
    ("refused", "begins", "patience"),
    [
        (
            'violates PodSecurity "restricted:latest": x',
            "gets no pods, for the namespace's pod security forbids them",
            0,
        ),
        ("exceeded quota: few", "gets no pods: exceeded quota: few", 30),
        ('serviceaccount "x" not found', 'gets no pods: serviceaccount "x" not found', 30),
    ],
)
def test_pods_that_are_refused_have_that_reason(refused: str, begins: str, patience: float) -> None:
    what, patience_s = found(Symptoms(replace(WAITING, refused=refused), ()))

    assert what.startswith(begins)
    assert patience_s == patience


@pytest.mark.parametrize(
    ("waiting", "message", "what", "patience"),
    [
        (
            "CreateContainerError",
            "failed to generate spec: no command specified",
            "has a container `web` without a command",
            0,
        ),
        (
            "RunContainerError",
            'exec: "/": permission denied: unknown',
            "starts container `web` as an ordinary Linux container, which it is not",
            0,
        ),
        (
            "CreateContainerConfigError",
            "container has runAsNonRoot and image will run as root",
            "must not run as root, and no other user is named",
            0,
        ),
        ("CreateContainerConfigError", 'secret "keys" not found', "needs secret `keys`, which is not there", 60),
        (
            "CreateContainerConfigError",
            "couldn't find key url in Secret hello/keys",
            "needs key `url` of Secret hello/keys, which has none of that name",
            60,
        ),
        ("CreateContainerError", "odd", "has a container that can't be made (CreateContainerError): odd", 30),
    ],
)
def test_a_container_that_can_not_be_made(waiting: str, message: str, what: str, patience: float) -> None:
    assert found(symptoms(waiting=waiting, message=message)) == (what, patience)


@pytest.mark.parametrize(
    ("message", "hint", "patience"),
    [
        ("failed to resolve reference: not found", "`spin-aks push --refresh` puts it there", 30),
        ("401 Unauthorized", "`az aks update --attach-acr", UNTIL_TIMED_OUT),
        ("no match for platform in manifest: not found", "refer to the manifest itself", 0),
        ("dial tcp 127.0.0.1:5000: connect: connection refused", "the nodes can't reach that registry", 30),
        ("dial tcp 10.1.1.1:443: i/o timeout", "can the nodes reach the registry", UNTIL_TIMED_OUT),
    ],
)
def test_an_image_that_can_not_be_had(message: str, hint: str, patience: float) -> None:
    cause = find(symptoms(waiting="ImagePullBackOff", message=message))

    assert cause is not None
    assert cause.what == f"can't get its image `reg/web:1`: {message}"
    assert hint in cause.hint
    assert cause.patience_s == patience


def test_an_image_reference_that_is_none_never_heals() -> None:
    assert found(symptoms(waiting="InvalidImageName", message="bad"))[1] == 0


def test_a_working_folder_that_the_image_lacks_is_named() -> None:
    seen = symptoms(ended="StartError", exit_code=128, message="failed to unix syscall")

    assert found(seen) == ("starts container `web` in a folder (`workingDir`) that its image does not have", 0)


def test_a_container_that_runs_under_runc_is_known_by_its_start_error() -> None:
    seen = symptoms(ended="StartError", exit_code=128, message='exec: "/": permission denied: unknown')

    assert found(seen)[0] == "starts container `web` as an ordinary Linux container, which it is not"


def test_an_end_for_memory_names_the_limit() -> None:
    seen = symptoms(ended="OOMKilled", exit_code=137, restarts=2, waiting="CrashLoopBackOff")

    assert found(seen) == ("needs more memory than its limit of 64Mi: the kernel ended it (OOMKilled)", 0)


@pytest.mark.parametrize(("restarts", "patience"), [(0, UNTIL_TIMED_OUT), (1, UNTIL_TIMED_OUT), (2, 0), (9, 0)])
def test_an_end_without_a_word_is_given_up_after_the_third_start(restarts: int, patience: float) -> None:
    seen = symptoms(ended="Error", exit_code=137, restarts=restarts, waiting="CrashLoopBackOff")

    cause = find(seen)

    assert cause is not None
    assert (cause.what, cause.silent, cause.patience_s) == (
        "ends with exit code 137 and no word, on node node-1",
        True,
        patience,
    )


def test_a_start_that_may_be_the_one_that_works_is_waited_for() -> None:
    seen = symptoms(ended="Error", exit_code=137, restarts=5, running=True)

    assert found(seen) == ("ends with exit code 137 and no word, on node node-1", UNTIL_TIMED_OUT)


def test_a_redis_trigger_that_can_not_connect_is_known_by_its_only_line() -> None:
    seen = symptoms(ended="Error", exit_code=137, restarts=2, log=("Preparing Wasm modules...",))

    assert "its Redis trigger can't connect" in found(seen)[0]


def test_an_end_with_a_log_points_to_the_log() -> None:
    cause = find(symptoms(ended="Error", exit_code=1, restarts=2, log=("Error: no",)))

    assert cause is not None
    assert (cause.what, cause.hint) == ("has a container `web` that ends with exit code 1", "its last lines say why")


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("0/3 nodes are available: 3 Insufficient memory.", "az aks nodepool scale"),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.", "tolerate one"),
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", "no node has the labels"),
        ("no nodes available to schedule pods", "`kubectl get nodes`"),
    ],
)
def test_a_pod_that_no_node_takes(message: str, hint: str) -> None:
    cause = find(symptoms(unschedulable=message))

    assert cause is not None
    assert cause.what == f"has a pod that no node takes: {message}"
    assert hint in cause.hint
    assert cause.patience_s == 90


def test_a_node_that_is_being_added_is_waited_for() -> None:
    event = Event("Pod web-1", "TriggeredScaleUp", "1->2", False, 1, "")

    assert found(symptoms(event, unschedulable="0/1 nodes are available"))[1] == UNTIL_TIMED_OUT


def test_a_volume_that_can_not_be_mounted_keeps_its_message() -> None:
    assert found(symptoms(warning("FailedMount", "StatusCode=403"), waiting="ContainerCreating")) == (
        "has a pod whose volume can't be mounted: StatusCode=403",
        UNTIL_TIMED_OUT,
    )


def test_a_probe_that_fails_is_quoted() -> None:
    seen = symptoms(warning("Unhealthy", "Startup probe failed: connection refused"), running=True)

    assert found(seen)[0] == "runs, and does not get ready: Startup probe failed: connection refused"


def test_an_exec_probe_never_works() -> None:
    cause = find(symptoms(warning("Unhealthy", "Readiness probe errored: exec failed"), running=True))

    assert cause is not None
    assert "`httpGet`" in cause.hint


def test_a_component_that_is_still_loaded_points_to_its_url() -> None:
    seen = symptoms(running=True, log=("Loading Wasm components...",))

    assert found(seen)[0] == "still loads its components: is there one with a url source that the pod can't reach?"


def test_a_deadline_that_kubernetes_has_set_itself_ends_the_waiting() -> None:
    overdue = replace(WAITING, overdue=True)

    assert found(Symptoms(overdue, ())) == ("made no progress for so long that Kubernetes has given up", 0)


def test_a_silent_end_is_explained_by_what_was_ruled_out_and_what_is_left() -> None:
    seen = symptoms(ended="Error", exit_code=137, restarts=2, waiting="CrashLoopBackOff")
    known = Background(("a wasm file missing in the image", "an unsupported trigger"), "rootfs", "368Mi")

    told = explain(WEB, seen, known)

    assert told.what == "Deployment hello/web ends with exit code 137 and no word, on node node-1"
    assert told.why == (
        "pod web-1 on node node-1: Pending, CrashLoopBackOff, last exit code 137, restarted 2 times",
        "its log is empty",
        "Kubernetes is told nothing more: whatever keeps Spin's shim from starting looks like this, and so does a",
        "memory limit that is too small.",
        "ruled out, because it was checked before:",
        "  - a wasm file missing in the image",
        "  - an unsupported trigger",
        "left:",
        "  - memory: the limit is 64Mi, and form `rootfs` of this size needs about 368Mi",
        "  - what only shows on the node: an address that can't be reached from there, a shim older than was assumed",
        "the reason stands in containerd's log on the node, in a line with `run_wasi ERROR`",
    )
    assert "kubectl debug node/node-1" in told.hint
    assert "journalctl --no-pager -u containerd" in told.hint


def test_nothing_is_said_to_be_ruled_out_that_nobody_checked() -> None:
    told = explain(WEB, symptoms(ended="Error", exit_code=137, memory_limit=""), Background())

    assert not any("ruled out" in line for line in told.why)
    assert "  - memory: there is no limit" in told.why


def test_events_and_log_are_shown_where_there_are_any() -> None:
    event = Event("Pod web-1", "BackOff", "restarting", True, 3, "")

    told = explain(WEB, symptoms(event, ended="Error", exit_code=1, log=("one", "two")), Background())

    assert told.why == (
        "pod web-1 on node node-1: Pending, Error, last exit code 1",
        "last events:",
        "  BackOff (3 times): restarting",
        "last lines of its log:",
        "  one",
        "  two",
    )


def test_without_a_cause_the_state_is_told_and_no_reason_is_made_up() -> None:
    told = explain(WEB, Symptoms(WAITING, ()), Background())

    assert (told.what, told.why) == ("Deployment hello/web is not ready: 0 of 1 pods ready", ())
    assert told.hint == "`kubectl describe deployment web --namespace hello`"
