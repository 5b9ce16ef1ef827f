"""Connecting to a real API server, and to what is none (needs the test bed's Kubernetes)."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from integration.cluster_proxy import way_to

from spin_aks.cluster import connection
from spin_aks.cluster.connection import connect
from spin_aks.cluster.refusals import ApiStatusError, UnreachableError
from spin_aks.cluster.resources import CONFIG_MAPS, DEPLOYMENTS
from spin_aks.errors import ClusterError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.cluster import Kubernetes

DEFAULT = "/api/v1/namespaces/default"


def kubeconfig(path: Path, server: str, *, user: dict[str, Any] | None = None, **cluster: Any) -> str:
    document = {
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "me", "user": user or {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "me"}}],
        "current-context": "c",
    }
    path.write_text(json.dumps(document))
    return str(path)


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that gives everybody this answer; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                with near:
                    near.recv(1 << 16)
                    near.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def test_a_token_and_a_client_certificate_both_log_in(kubernetes: Kubernetes) -> None:
    for path in (kubernetes.kubeconfig, kubernetes.kubeconfig_with_certificate):
        namespace = connect(str(path), "testbed").get(DEFAULT) or {}

        assert namespace["kind"] == "Namespace"


def test_a_plugin_that_gives_a_token_logs_in(kubernetes: Kubernetes, tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": kubernetes.token},
    }
    plugin = tmp_path / "login"
    plugin.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(credential)}\nEND\n")
    plugin.chmod(0o755)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin)}}
    ca = {"certificate-authority": str(kubernetes.ca)}

    cluster = connect(kubeconfig(tmp_path / "k", kubernetes.server, user=user, **ca), "")

    assert (cluster.get(DEFAULT) or {})["kind"] == "Namespace"


def test_a_plugin_that_is_not_there_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "kubelogin-that-is-not-there"}}

    with pytest.raises(ClusterError) as caught:
        connect(kubeconfig(tmp_path / "k", "https://127.0.0.1:1", user=user), "")

    assert str(caught.value) == (
        "https://127.0.0.1:1: user `me` logs in by the program `kubelogin-that-is-not-there`, which is not there"
    )
    assert "`az aks install-cli`" in caught.value.problems[0].hint


def test_a_plugin_that_fails_is_quoted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plugin = tmp_path / "login"
    plugin.write_text("#!/bin/sh\necho 'your session has ended' >&2\nexit 3\n")
    plugin.chmod(0o755)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin)}}

    with pytest.raises(ClusterError, match="the login of user `me` fails") as caught:
        connect(kubeconfig(tmp_path / "k", "https://127.0.0.1:1", user=user), "")

    assert caught.value.why == "exec: process returned 3. your session has ended"
    assert capfd.readouterr() == ("", "")


def test_a_wrong_token_is_a_login_that_the_cluster_does_not_know(kubernetes: Kubernetes) -> None:
    cluster = connect(str(kubernetes.kubeconfig_with_wrong_token), "")

    with pytest.raises(ApiStatusError, match="the cluster does not know user `testbed`"):
        cluster.get(DEFAULT)


def test_a_missing_right_is_named(kubernetes: Kubernetes) -> None:
    cluster = connect(str(kubernetes.kubeconfig_without_rights), "")

    with pytest.raises(ApiStatusError) as caught:
        cluster.list(DEPLOYMENTS.collection("default"))

    assert (
        str(caught.value)
        == f"{kubernetes.server}: user `stranger` may not list deployments.apps in namespace `default`"
    )
    assert "`kubectl auth can-i list deployments.apps --namespace default`" in caught.value.problems[0].hint


def test_a_certificate_of_another_authority_is_not_trusted(kubernetes: Kubernetes, tmp_path: Path) -> None:
    cluster = connect(kubeconfig(tmp_path / "k", kubernetes.server), "")

    with pytest.raises(UnreachableError, match=r"TLS with the cluster fails: .*certificate") as caught:
        cluster.get(DEFAULT)

    assert "`az aks get-credentials`" in caught.value.problems[0].hint


def test_insecure_skip_tls_verify_is_obeyed_without_a_word(
    kubernetes: Kubernetes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    user = {"token": kubernetes.token}
    path = kubeconfig(tmp_path / "k", kubernetes.server, user=user, **{"insecure-skip-tls-verify": True})

    assert (connect(path, "").get(DEFAULT) or {})["kind"] == "Namespace"
    assert capfd.readouterr() == ("", "")


def test_nobody_at_the_address_is_a_refused_connection(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(UnreachableError) as caught:
        connect(kubeconfig(tmp_path / "k", f"https://127.0.0.1:{port}"), "").get(DEFAULT)

    assert str(caught.value) == f"https://127.0.0.1:{port}: can't connect to the cluster: connection refused"
    assert "`az aks start`" in caught.value.problems[0].hint


def test_a_name_that_nobody_knows_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")

    with pytest.raises(UnreachableError, match="the cluster's host name is not known here"):
        connect(kubeconfig(tmp_path / "k", "https://cluster.invalid"), "").get(DEFAULT)


def test_a_server_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        path = kubeconfig(tmp_path / "k", f"http://127.0.0.1:{listener.getsockname()[1]}")

        with pytest.raises(
            UnreachableError, match="the cluster took `GET /api/v1/namespaces/default` and did not answer"
        ):
            connect(path, "").get(DEFAULT)


def test_a_server_that_hangs_up_is_a_broken_connection(tmp_path: Path) -> None:
    with answering(b"") as server, pytest.raises(UnreachableError, match="the connection broke during `GET"):
        connect(kubeconfig(tmp_path / "k", server), "").get(DEFAULT)


def test_another_server_in_its_place_is_called_none(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 15\r\n\r\n<p>bad gate</p>"

    with (
        answering(answer) as server,
        pytest.raises(ApiStatusError, match="something that is no API server answered 502"),
    ):
        connect(kubeconfig(tmp_path / "k", server), "").get(DEFAULT)


def test_a_busy_server_is_asked_again_and_then_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"kind": "Status", "reason": "TooManyRequests", "message": "one moment"}'
    answer = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    pauses: list[float] = []
    monkeypatch.setattr("spin_aks.clock.sleep", pauses.append)

    with answering(answer) as server, pytest.raises(ApiStatusError, match=r"the API server is too busy .*: one moment"):
        connect(kubeconfig(tmp_path / "k", server), "").get(DEFAULT)

    assert pauses == [3.0, 3.0, 3.0]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")

    with pytest.raises(UnreachableError, match=r"the proxy `http://127\.0\.0\.1:9` gives no way to the cluster"):
        connect(kubeconfig(tmp_path / "k", "https://cluster.example"), "").get(DEFAULT)


def test_no_proxy_is_obeyed(kubernetes: Kubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    assert (connect(str(kubernetes.kubeconfig), "").get(DEFAULT) or {})["kind"] == "Namespace"


def test_a_connection_that_broke_while_idle_is_made_anew(kubernetes: Kubernetes, tmp_path: Path) -> None:
    with way_to(kubernetes.kubeconfig, tmp_path) as (way, path):
        cluster = connect(str(path), "")
        before = cluster.get(DEFAULT)
        way.cut()
        way.mend()

        assert cluster.get(DEFAULT) == before


def test_a_watch_that_is_cut_is_a_broken_connection(kubernetes: Kubernetes, namespace: str, tmp_path: Path) -> None:
    with way_to(kubernetes.kubeconfig, tmp_path) as (way, path):
        cluster = connect(str(path), "")
        version = cluster.list(CONFIG_MAPS.collection(namespace)).resource_version
        cut = threading.Timer(0.3, way.cut)
        cut.start()

        with pytest.raises(UnreachableError, match="the connection broke during `GET"):
            list(cluster.watch(CONFIG_MAPS.collection(namespace), resource_version=version, timeout_s=20))
        cut.join()


def test_the_kubeconfig_is_never_written_to(kubernetes: Kubernetes) -> None:
    before = (kubernetes.kubeconfig.read_bytes(), kubernetes.kubeconfig.stat().st_mtime_ns)

    connect(str(kubernetes.kubeconfig), "").get(DEFAULT)

    assert (kubernetes.kubeconfig.read_bytes(), kubernetes.kubeconfig.stat().st_mtime_ns) == before


def test_telling_which_cluster_is_meant_imports_nothing_heavy(kubernetes: Kubernetes) -> None:
    script = (
        "import sys; from spin_aks.cluster.kubeconfig import target; first = target(sys.argv[1], '');"
        "heavy = {'kubernetes', 'urllib3', 'requests', 'ssl'} & set(sys.modules); print(first.identity, heavy)"
    )

    command = [sys.executable, "-c", script, str(kubernetes.kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.startswith(kubernetes.server)
    assert done.stdout.endswith(" set()\n")


def test_an_unknown_context_is_refused_before_anything_is_sent(kubernetes: Kubernetes) -> None:
    with pytest.raises(UsageError, match="there is no context `nope`"):
        connect(str(kubernetes.kubeconfig), "nope")


def test_an_interrupt_does_not_wait_for_a_server_that_hangs(tmp_path: Path) -> None:
    script = (
        "import sys; from spin_aks.cluster.connection import connect; from spin_aks.side_by_side import *\n"
        "cluster = connect(sys.argv[1], '')\n"
        "print('asking', flush=True)\n"
        "try: side_by_side(cluster.get, ['/a', '/b', '/c'])\n"
        "except KeyboardInterrupt: sys.exit(130)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        path = kubeconfig(tmp_path / "k", f"http://127.0.0.1:{listener.getsockname()[1]}")
        child = subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.3)
        child.send_signal(2)

        assert child.wait(timeout=15) == 130
        child.stdout.close()
