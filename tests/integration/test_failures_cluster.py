"""The tool as a process before a real cluster that refuses, is away, or whose pods don't get ready (needs the test
bed's Kubernetes and docker-registry).
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest
from testbed.application import App
from testbed.daemon import free_port
from testbed.tiny import tiny_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.cluster import Kubernetes
    from testbed.registries import Registry

RUNTIME_CLASS = "/apis/node.k8s.io/v1/runtimeclasses/wasmtime-spin-v2"


@pytest.fixture
def app(tmp_path: Path, registry: Registry, kubernetes: Kubernetes) -> App:
    """Where it goes to is for the test to say: `--namespace`."""
    body = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "spin"}
    kubernetes.api.apply(RUNTIME_CLASS, {**body, "metadata": {"name": "wasmtime-spin-v2"}})
    flags = ("--registry", registry.host, "--repository", f"luck/t{abs(hash(tmp_path)) % 10**10}")
    more = ("--runtime", "preinstalled", "--service", "clusterip")
    environment = {"SPIN_AKS_CLUSTER_KUBECONFIG": str(kubernetes.kubeconfig)}
    return App(tiny_in(tmp_path / "tiny"), environment, (*flags, *more))


@pytest.fixture
def namespace_of(kubernetes: Kubernetes) -> Iterator[list[str]]:
    """Names put in it are deleted afterwards."""
    names: list[str] = []
    yield names
    for name in names:
        kubernetes.api.delete(f"/api/v1/namespaces/{name}")


def to(app: App, kubernetes: Kubernetes, namespace: str) -> App:
    app.flags = (*app.flags, "--namespace", namespace)
    return app


def test_a_user_without_rights_is_told_what_is_missing_and_an_administrator_goes_on(
    app: App, kubernetes: Kubernetes, namespace: str
) -> None:
    to(app, kubernetes, namespace)

    done = app.run("up", "--kubeconfig", str(kubernetes.kubeconfig_without_rights))
    again = app.ok("up")

    assert 1 == done.code
    assert re.search(r"error: .*may not|error: .*forbid", done.err), done.err
    assert "hint: " in done.err
    assert ["apply"] == again.stages("run")


@pytest.mark.parametrize("which", ["wrong-token", "away"])
def test_a_cluster_that_lets_nobody_in_or_is_away_is_named(
    app: App, kubernetes: Kubernetes, namespace: str, which: str, tmp_path: Path
) -> None:
    to(app, kubernetes, namespace).ok("run", "push", "render")
    kubeconfig = kubernetes.kubeconfig_with_wrong_token
    if which == "away":
        away = f"https://127.0.0.1:{free_port()}"
        kubeconfig = tmp_path / "away"
        kubeconfig.write_text(kubernetes.kubeconfig.read_text().replace(kubernetes.server, away))

    done = app.run("up", "--kubeconfig", str(kubeconfig))
    again = app.ok("up")

    assert 1 == done.code
    assert ("refused" if which == "away" else "token") in done.err.lower() or "credential" in done.err.lower()
    assert "hint: " in done.err
    assert "no token of this cluster" not in done.err
    assert "apply" in again.stages("done")


NEVER = {
    "crash-loop": (
        "ends with exit code 137 and no word",
        [
            "CrashLoopBackOff",
            "BackOff: Back-off restarting failed container",
            "its log is empty",
            "memory",
            "journalctl",
        ],
    ),
    "image-pull": ("can't get its image", ["ImagePullBackOff", "ErrImagePull", "not found"]),
    "never-ready": ("is not ready", ["Startup probe failed", "connection refused"]),
}


@pytest.mark.parametrize("state", NEVER)
def test_pods_that_never_get_ready_are_explained_and_the_next_up_heals(
    app: App, kubernetes: Kubernetes, namespace_of: list[str], state: str
) -> None:
    namespace = kubernetes.new_namespace(state)
    namespace_of.append(namespace)
    to(app, kubernetes, namespace)
    if state == "crash-loop":
        kubernetes.write_logs(namespace, [])

    done = app.run("up", "--timeout", "6")
    listed = app.run("list").out

    what, words = NEVER[state]
    assert 1 == done.code
    assert what in done.err, done.err
    assert [] == [word for word in words if word not in done.err], done.err
    assert "hint: " in done.err
    assert ["apply"] == [line.split()[0] for line in listed.splitlines() if " failed " in line and "up" not in line[:3]]

    heal(app, kubernetes, namespace)
    again = app.ok("up", "--timeout", "60")
    assert ["render", "apply"] == [stage for stage in again.stages("run") if stage != "manifests"]
    assert [] == app.ok("up").stages("run")


def heal(app: App, kubernetes: Kubernetes, namespace: str) -> None:
    """Takes the cause away: pods that say so get ready in any namespace."""
    deployment = app.root / "manifests/deployment.yaml"
    text = deployment.read_text()
    labels = "  template:\n    metadata:\n"
    assert labels in text
    annotation = "      annotations:\n        spin-aks.test/state: ready\n"
    deployment.write_text(text.replace(labels, labels + annotation))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_while_it_waits_for_pods_goes_on_waiting(
    app: App, kubernetes: Kubernetes, namespace_of: list[str], number: signal.Signals
) -> None:
    namespace = kubernetes.new_namespace("never-ready")
    namespace_of.append(namespace)
    to(app, kubernetes, namespace)
    with app.start("up", *app.flags) as process:
        assert process.stderr
        for line in process.stderr:
            if "0 of 1 pods ready" in line:
                break
        process.send_signal(number)
        rest = process.stderr.read()
        code = process.wait(30)
    heal(app, kubernetes, namespace)
    again = app.ok("up")

    assert {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number] == code
    assert "Traceback" not in rest
    assert [] == [stage for stage in again.stages("run") if stage not in ("render", "apply")]
    assert [] == app.ok("up").stages("run")
