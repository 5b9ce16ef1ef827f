"""`spin-aks sandbox` as a process: what it hands on, what it keeps, and how several share it."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SANDBOX = [sys.executable, "-m", "spin_aks", "sandbox"]
WITHIN_S = 20.0
SHOW = (
    "import json, os; print(json.dumps({k: os.environ[k] for k in "
    "('SPIN_AKS_CONTAINER_REGISTRY_SERVER', 'SPIN_AKS_CLUSTER_KUBECONFIG', 'KUBECONFIG', 'SPIN_AKS_SANDBOX')}))"
)
# No shell: dash forgets an interrupt that comes while it starts a program.
START_A_CHILD = """
import subprocess
child = subprocess.Popen(["sleep", "600"])
print(child.pid, flush=True)
child.wait()
"""
PUT_CONFIG_MAP = """
import json, os, urllib.request
server = [l.split()[1] for l in open(os.environ['KUBECONFIG']) if 'server:' in l][0]
body = json.dumps({'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'kept'}, 'data': {'a': 'b'}}).encode()
urllib.request.urlopen(urllib.request.Request(server + '/api/v1/namespaces/default/configmaps', body, method='POST'))
"""
GET_CONFIG_MAP = """
import json, os, urllib.request
server = [l.split()[1] for l in open(os.environ['KUBECONFIG']) if 'server:' in l][0]
print(json.load(urllib.request.urlopen(server + '/api/v1/namespaces/default/configmaps/kept'))['data']['a'])
"""


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "SPIN_AKS_SANDBOX_DIR": str(folder)}


def sandbox(folder: Path, *command: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    argv = [*SANDBOX, *flags, *(["--", *command] if command else [])]
    return subprocess.run(argv, env=environment(folder), capture_output=True, text=True, timeout=60, check=False)


def python(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return sandbox(folder, sys.executable, "-c", code)


@contextmanager
def started(folder: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A sandbox that runs `command`, which has written its first line."""
    argv = [*SANDBOX, "--", *command]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=environment(folder), stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def eventually(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_command_is_told_where_registry_and_cluster_are(tmp_path: Path) -> None:
    done = python(tmp_path, SHOW)

    found: dict[str, Any] = json.loads(done.stdout)
    kubeconfig = str(tmp_path / "kubeconfig")
    host = found.pop("SPIN_AKS_CONTAINER_REGISTRY_SERVER")
    assert found == {"SPIN_AKS_CLUSTER_KUBECONFIG": kubeconfig, "KUBECONFIG": kubeconfig, "SPIN_AKS_SANDBOX": "1"}
    assert host.startswith("127.0.0.1:")
    assert done.stderr == (
        f"sandbox: registry {host}, cluster {kubeconfig}; pods are simulated, nothing of the application runs\n"
    )


@pytest.mark.parametrize("code", [0, 1, 3, 77])
def test_the_commands_exit_code_is_ours(tmp_path: Path, code: int) -> None:
    assert sandbox(tmp_path, "sh", "-c", f"exit {code}").returncode == code


def test_a_command_ended_by_a_signal_counts_as_in_a_shell(tmp_path: Path) -> None:
    assert sandbox(tmp_path, "sh", "-c", "kill -9 $$").returncode == 137


def test_a_command_that_is_not_there_is_an_error_in_one_line(tmp_path: Path) -> None:
    done = sandbox(tmp_path, "no-such-command")

    assert done.returncode == 1
    assert "error: can't run `no-such-command`: there is no such command\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_standard_input_reaches_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [*SANDBOX, "--", "cat"], env=environment(tmp_path), input="words", capture_output=True, text=True, check=True
    )

    assert done.stdout == "words"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_goes_to_the_command_and_its_children(tmp_path: Path, number: int, code: int) -> None:
    with started(tmp_path, sys.executable, "-c", START_A_CHILD) as process:
        grandchild = int(first_line(process))
        process.send_signal(number)
        ended = process.wait(WITHIN_S)
        eventually(lambda: not is_alive(grandchild) or _is_zombie(grandchild), "the command's child ends")

    assert ended == code


def _is_zombie(process_id: int) -> bool:
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False)
    return status.stdout.startswith("Z")


def test_a_command_that_handles_the_signal_ends_as_it_likes(tmp_path: Path) -> None:
    with started(tmp_path, "sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done") as process:
        first_line(process)
        process.send_signal(signal.SIGTERM)

        assert process.wait(WITHIN_S) == 5


def test_a_command_can_ask_at_the_terminal_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    code = "print('got', input(), flush=True); import time; time.sleep(600)"
    argv = [*SANDBOX, "--", sys.executable, "-c", code]
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(argv[0], argv, environment(tmp_path))
    with os.fdopen(terminal, "r+b", buffering=0) as stream:
        seen = _read_until(stream, b"nothing of the application runs")
        stream.write(b"yes\n")
        seen += _read_until(stream, b"got yes")
        stream.write(b"\x03")
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 130
    assert b"Traceback" not in seen


def _read_until(stream: Any, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        piece = stream.read(1000)
        assert piece, seen
        seen += piece
    return seen


def test_objects_and_addresses_are_there_again_the_next_time(tmp_path: Path) -> None:
    first = python(tmp_path, PUT_CONFIG_MAP + SHOW)
    second = python(tmp_path, GET_CONFIG_MAP)
    third = python(tmp_path, SHOW)

    assert (first.returncode, second.stdout) == (0, "b\n")
    assert first.stdout == third.stdout


def test_a_killed_sandbox_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    with started(tmp_path, sys.executable, "-c", PUT_CONFIG_MAP + "print('put', flush=True); input()") as process:
        assert first_line(process) == "put"
        process.kill()

    assert python(tmp_path, GET_CONFIG_MAP).stdout == "b\n"


def test_a_port_that_a_stranger_took_is_given_up_with_a_warning(tmp_path: Path) -> None:
    host = json.loads(python(tmp_path, SHOW).stdout)["SPIN_AKS_CONTAINER_REGISTRY_SERVER"]
    with socket.create_server(("127.0.0.1", int(host.partition(":")[2]))):
        done = python(tmp_path, SHOW)
    moved = json.loads(done.stdout)["SPIN_AKS_CONTAINER_REGISTRY_SERVER"]

    assert moved != host
    assert done.stderr.startswith(
        f"warning: port {host.partition(':')[2]} is taken by another program: the sandbox's registry moved to {moved}, "
        "so the next `spin-aks up` pushes and applies again\n"
    )


def test_a_second_sandbox_uses_the_first_ones_servers(tmp_path: Path) -> None:
    with started(tmp_path, sys.executable, "-c", f"{PUT_CONFIG_MAP}\n{SHOW}\ninput()") as first:
        there = first_line(first)
        second = python(tmp_path, f"{GET_CONFIG_MAP}\n{SHOW}")
        first.communicate("\n", timeout=WITHIN_S)

    assert second.stdout == f"b\n{there}\n"
    assert second.stderr.startswith("sandbox (of another terminal): registry ")
    assert first.returncode == 0


def test_two_sandboxes_may_start_at_the_same_moment(tmp_path: Path) -> None:
    argv = [*SANDBOX, "--", sys.executable, "-c", SHOW]
    folder, pipe = environment(tmp_path / "new"), subprocess.PIPE
    processes = [subprocess.Popen(argv, env=folder, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    ends = [(*process.communicate(timeout=WITHIN_S), process.returncode) for process in processes]

    assert [code for _, _, code in ends] == [0, 0, 0], ends
    assert len({output for output, _, _ in ends}) == 1


@pytest.mark.parametrize("moment_s", [0.15, 0.2, 0.25, 0.3, 0.35])
def test_a_folder_is_usable_at_whatever_moment_its_first_sandbox_is_killed(tmp_path: Path, moment_s: float) -> None:
    with subprocess.Popen([*SANDBOX, "--", "true"], env=environment(tmp_path), stderr=subprocess.DEVNULL) as process:
        time.sleep(moment_s)
        process.kill()

    assert python(tmp_path, PUT_CONFIG_MAP).returncode == 0


def test_the_first_sandbox_waits_for_the_second_ones_command(tmp_path: Path) -> None:
    with started(tmp_path, "sh", "-c", "echo ready; read line") as first:
        first_line(first)
        with started(tmp_path, sys.executable, "-c", f"print('in', flush=True); input()\n{PUT_CONFIG_MAP}") as second:
            assert first_line(second) == "in"
            assert first.stdin is not None
            assert first.stderr is not None
            first.stdin.write("\n")
            first.stdin.flush()
            first.stderr.readline()
            waiting = first.stderr.readline()
            _, errors = second.communicate("\n", timeout=WITHIN_S)
        ended = first.wait(WITHIN_S)

    assert "uses this sandbox: waiting for it to end; Ctrl-C leaves, and it goes on by itself" in waiting
    assert (second.returncode, ended) == (0, 0), errors


def test_the_second_sandbox_serves_when_the_first_one_is_killed(tmp_path: Path) -> None:
    with started(tmp_path, "sh", "-c", "echo ready; read line") as first:
        first_line(first)
        with started(tmp_path, sys.executable, "-c", f"{SHOW}\ninput()\n{PUT_CONFIG_MAP}\n{GET_CONFIG_MAP}") as second:
            host = json.loads(first_line(second))["SPIN_AKS_CONTAINER_REGISTRY_SERVER"]
            first.kill()
            first.wait()
            eventually(lambda: _answers(host), "the second one serves")
            output, errors = second.communicate("\n", timeout=WITHIN_S)

    assert (second.returncode, output) == (0, "b\n"), errors


def _answers(host: str) -> bool:
    try:
        return urllib3.request("GET", f"http://{host}/v2/", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_reset_empties_it_and_keeps_its_addresses(tmp_path: Path) -> None:
    before = python(tmp_path, PUT_CONFIG_MAP + SHOW).stdout
    done = sandbox(tmp_path, flags=("--reset",))
    after = python(tmp_path, SHOW).stdout

    assert (done.returncode, done.stderr) == (0, f"the sandbox in `{tmp_path}` is empty\n")
    assert (before, "HTTPError" in python(tmp_path, GET_CONFIG_MAP).stderr) == (after, True)


def test_reset_is_refused_while_it_is_used(tmp_path: Path) -> None:
    with started(tmp_path, "sh", "-c", "echo ready; read line") as process:
        first_line(process)
        done = sandbox(tmp_path, flags=("--reset",))

    assert done.returncode == 1
    what = f"error: the sandbox in `{tmp_path}` is run by another process"
    assert done.stderr.startswith(f"{what} (process {process.pid}, since ")


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = python(tmp_path, SHOW)
    reset = sandbox(tmp_path, flags=("--reset",))

    assert (done.returncode, reset.returncode) == (1, 1)
    assert done.stderr.splitlines() == [
        f"error: `{tmp_path}` holds other files and no sandbox",
        "hint: let SPIN_AKS_SANDBOX_DIR name an empty or a new folder",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_damaged_folder_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    python(tmp_path, SHOW)
    (tmp_path / "cluster.sqlite").write_bytes(b"no database" * 1000)
    done = python(tmp_path, SHOW)
    sandbox(tmp_path, flags=("--reset",))

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: can't start from `{tmp_path}`: file is not a database",
        "hint: `spin-aks sandbox --reset` clears it",
    ]
    assert python(tmp_path, SHOW).returncode == 0


def test_the_environment_is_printed_for_other_terminals(tmp_path: Path) -> None:
    argv = [*SANDBOX, "--print-env"]
    with subprocess.Popen(argv, env=environment(tmp_path), stdout=subprocess.PIPE, text=True) as process:
        lines = [first_line(process) for _ in range(4)]
        process.send_signal(signal.SIGINT)
        code = process.wait(WITHIN_S)

    assert lines[0] == "export SPIN_AKS_SANDBOX=1"
    assert f"export KUBECONFIG={tmp_path}/kubeconfig" in lines
    assert code == 130


def test_only_the_owner_may_look_into_the_folder(tmp_path: Path) -> None:
    python(tmp_path / "new", SHOW)

    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads a process's memory from /proc")
def test_a_blob_of_300_mb_goes_through_without_being_held_in_memory(tmp_path: Path) -> None:
    piece, count = bytes(1 << 20), 300
    digest = hashlib.sha256(bytes(count << 20)).hexdigest()
    with started(tmp_path, sys.executable, "-c", f"{SHOW}\ninput()") as process:
        base = f"http://{json.loads(first_line(process))['SPIN_AKS_CONTAINER_REGISTRY_SERVER']}/v2/app/blobs"
        upload = urllib3.request("POST", f"{base}/uploads/").headers["Location"]
        sent = urllib3.request("PUT", f"{upload}?digest=sha256:{digest}", body=(piece for _ in range(count)))
        answer = urllib3.request("GET", f"{base}/sha256:{digest}", preload_content=False)
        received = sum(len(part) for part in answer.stream(1 << 20))
        status = (Path("/proc") / str(process.pid) / "status").read_text()

    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert (sent.status, received) == (201, count << 20)
    assert peak_kb < 100_000
