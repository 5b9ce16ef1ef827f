from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from spin_aks.cluster.by_commands import CommandedCluster
from spin_aks.cluster.kubectl import SCRIPT
from spin_aks.errors import AzureError, ClusterError
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.json_types import JSONObject

PLACE = "/subscriptions/s/resourceGroups/g/managedClusters/closed"
MAPS = "/api/v1/namespaces/shop/configmaps"
INSIDE = "run this where the cluster's network is, with `--kubeconfig` and without `--cluster`"


class Pod:
    """Answers each command line by the path in it: its name in a document; `keeps` is how much output is kept."""

    def __init__(self, keeps: int = 1 << 19) -> None:
        self.scripts: list[list[str]] = []
        self.keeps = keeps
        self.refused = ""

    def __call__(self, command: str, files: Mapping[str, bytes]) -> tuple[int, str]:
        assert f"sh {SCRIPT}" == command
        lines = files[SCRIPT].decode().splitlines()
        self.scripts.append([line.partition(" 2>&1")[0] for line in lines])
        output = ""
        for line in lines:
            found = re.search(r"'\\n%s %s\\n' (--\w+)", line)
            assert found is not None
            bad = bool(self.refused) and self.refused in line
            text = "Error from server (Conflict): no\n" if bad else json.dumps({"line": line[:200]})
            output += f"{text}\n{found[1]} {int(bad)}\n"
            if bad and "exit 0" in line:
                break
        return 0, output[: self.keeps]


def saying(exit_code: int, output: str) -> CommandedCluster:
    return CommandedCluster(PLACE, lambda _command, _files: (exit_code, output))


def config_map(name: str) -> JSONObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}}


def test_what_is_asked_side_by_side_goes_by_one_command() -> None:
    pod = Pod()
    cluster = CommandedCluster(PLACE, pod)

    answers = side_by_side(cluster.get, [f"{MAPS}/{name}" for name in "abcdef"])

    assert 1 == len(pod.scripts)
    assert [f"{MAPS}/{name}" in str(answer) for name, answer in zip("abcdef", answers, strict=True)] == [True] * 6


def test_what_was_read_ahead_is_not_asked_again_until_something_is_written() -> None:
    pod = Pod()
    cluster = CommandedCluster(PLACE, pod)
    cluster.look_ahead([f"{MAPS}/a", f"{MAPS}/b", f"{MAPS}/a"])

    for name in ("a", "b", "a"):
        cluster.get(f"{MAPS}/{name}")
    assert 1 == len(pod.scripts)
    cluster.get(f"{MAPS}/a")
    assert 2 == len(pod.scripts)

    cluster.look_ahead([f"{MAPS}/a"])
    cluster.apply(f"{MAPS}/b", config_map("b"), dry_run=True)
    cluster.get(f"{MAPS}/a")
    assert 4 == len(pod.scripts)

    cluster.look_ahead([f"{MAPS}/a"])
    cluster.apply(f"{MAPS}/b", config_map("b"))
    cluster.get(f"{MAPS}/a")
    assert 7 == len(pod.scripts)


def test_objects_are_written_by_one_command_up_to_the_first_that_is_refused() -> None:
    pod = Pod()
    pod.refused = "1.json"
    cluster = CommandedCluster(PLACE, pod)

    codes = [answer.code for answer in cluster.apply_each((f"{MAPS}/{n}", config_map(n)) for n in "abc")]

    assert [200, 409] == codes
    assert [3] == [len(script) for script in pod.scripts]


def test_what_was_cut_off_is_asked_again() -> None:
    pod = Pod(keeps=700)
    cluster = CommandedCluster(PLACE, pod)

    answers = side_by_side(cluster.get, [f"{MAPS}/{name}" for name in "abcdef"])

    assert [f"{MAPS}/{name}" in str(answer) for name, answer in zip("abcdef", answers, strict=True)] == [True] * 6
    assert 1 < len(pod.scripts)


def test_an_answer_that_does_not_fit_is_told() -> None:
    with pytest.raises(ClusterError) as caught:
        saying(0, '{"kind": "PodList", "items": [').get(f"{MAPS}/a")

    problem = caught.value.problems[0]
    assert "the answer is longer than what Azure keeps of a command's output (512 kB)" == problem.what
    assert (f"GET {MAPS}/a", INSIDE) == (problem.where, problem.hint)


@pytest.mark.parametrize(
    ("exit_code", "what"),
    [
        (137, "137: it was killed, for want of memory most likely (its pod has 1 GiB)"),
        (127, "127: there is no kubectl where it runs"),
        (2, "2"),
    ],
)
def test_a_command_that_fails_is_told_with_what_it_said(exit_code: int, what: str) -> None:
    with pytest.raises(ClusterError) as caught:
        saying(exit_code, "sh: something\n").get(f"{MAPS}/a")

    assert f"the command that runs in the cluster ended with {what}" == caught.value.problems[0].what
    assert "sh: something" == caught.value.why
    assert f"run the same command again; or {INSIDE}" == caught.value.problems[0].hint


def test_a_kubectl_that_is_not_there_is_no_answer_of_the_cluster() -> None:
    def run(_command: str, files: Mapping[str, bytes]) -> tuple[int, str]:
        boundary = re.search(r"--\w{32}", files[SCRIPT].decode())
        assert boundary is not None
        return 0, f"sh: kubectl: not found\n\n{boundary[0]} 127\n"

    with pytest.raises(ClusterError, match="there is no kubectl where it runs"):
        CommandedCluster(PLACE, run).get(f"{MAPS}/a")


@pytest.mark.parametrize(
    "path",
    ["/api/v1/secrets", "/api/v1/namespaces/shop/secrets", "/api/v1/namespaces/shop/secrets/own"],
)
def test_no_secret_is_asked_for_or_sent(path: str) -> None:
    pod = Pod()
    cluster = CommandedCluster(PLACE, pod)

    for ask in (cluster.get, lambda path: cluster.look_ahead([f"{MAPS}/a", path])):
        with pytest.raises(ClusterError, match="a Secret can't go through the run command") as caught:
            ask(path)
        assert (path, INSIDE) == (caught.value.problems[0].where, caught.value.problems[0].hint)
    assert [] == pod.scripts


def test_what_azure_refuses_reaches_everyone_who_asked() -> None:
    def run(_command: str, _files: Mapping[str, bytes]) -> tuple[int, str]:
        raise AzureError("no right")

    cluster = CommandedCluster(PLACE, run)

    with pytest.raises(AzureError, match="no right"):
        side_by_side(cluster.get, [f"{MAPS}/a", f"{MAPS}/b"])


def test_a_watch_tells_what_happened_when_its_time_is_up() -> None:
    events = '{"type":"ADDED","object":{"a":1}}\n{"type":"DELETED","object":{"a":2}}\n'

    def run(_command: str, files: Mapping[str, bytes]) -> tuple[int, str]:
        script = files[SCRIPT].decode()
        assert f"'{MAPS}?watch=1&resourceVersion=7&timeoutSeconds=3&fieldSelector=metadata.name%3Da'" in script
        boundary = re.search(r"--\w{32}", script)
        assert boundary is not None
        return 0, f"{events}\n{boundary[0]} 0\n"

    found = CommandedCluster(PLACE, run).watch(
        MAPS, resource_version="7", timeout_s=3.5, field_selector="metadata.name=a"
    )

    assert [("ADDED", {"a": 1}), ("DELETED", {"a": 2})] == [(event.kind, event.document) for event in found]


def test_the_cluster_is_known_by_its_place_and_the_way_there() -> None:
    cluster = saying(0, "")

    assert (PLACE, f"{PLACE} (by commands)") == (cluster.server, cluster.identity)
