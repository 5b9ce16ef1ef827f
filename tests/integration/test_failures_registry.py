"""The tool as a process before real registries that refuse, break off, or take long (needs docker-registry)."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from testbed.application import App
from testbed.cutting_proxy import cutting_proxy
from testbed.daemon import free_port
from testbed.tiny import MANIFEST, WASM, tiny_in

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.registries import BasicRegistry, Registry

MEBIBYTE = 1 << 20
MEASURED = """
import re, sys
from pathlib import Path
from spin_aks import cli

code = cli.run(sys.argv[1:])
# Not ru_maxrss: that of a child begins with what its parent had.
print(re.search("VmHWM:\\\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1], file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def app(tmp_path: Path) -> App:
    own = f"luck/t{abs(hash(tmp_path)) % 10**10}"
    return App(tiny_in(tmp_path / "tiny"), {"DOCKER_CONFIG": str(tmp_path / "docker")}, ("--repository", own))


def with_wasm_of(app: App, size_bytes: int, *, sparse: bool = False) -> None:
    """A module of one custom section, already built: of zeros that take no room on the disk, or of random bytes."""
    (app.root / "spin.toml").write_text(MANIFEST[: MANIFEST.index("[component.a.build]")])
    length = size_bytes
    section = bytearray(b"\0")
    for _ in range(4):
        section.append(length & 0x7F | 0x80)
        length >>= 7
    section.append(length)
    with (app.root / "a/a.wasm").open("wb") as stream:
        stream.write(WASM + bytes(section))
        if sparse:
            stream.truncate(stream.tell() + size_bytes)
        else:
            stream.write(os.urandom(size_bytes))


def log_in(app: App, host: str, username: str, password: str) -> None:
    folder = app.root.parent / "docker"
    folder.mkdir(exist_ok=True)
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))


def test_where_no_registry_listens_everything_before_the_push_is_kept(app: App, registry: Registry) -> None:
    away = f"127.0.0.1:{free_port()}"

    done = app.run("push", "--registry", away)
    again = app.ok("push", "--registry", registry.host)

    assert 1 == done.code
    assert f"error: no registry listens at `{away}`: the connection is refused" in done.err
    assert "hint: start it, or name another one: `--registry HOST[:PORT][/PREFIX]`" in done.err
    assert ["push"] == again.stages("run")


def test_a_registry_that_wants_a_password_is_refused_accepted_and_never_quoted(
    app: App, basic_registry: BasicRegistry
) -> None:
    push = ("push", "--registry", basic_registry.host)
    nobody = app.run(*push)
    log_in(app, basic_registry.host, basic_registry.username, "wrong-5e1f0a")
    wrong = app.run(*push)
    log_in(app, basic_registry.host, basic_registry.username, basic_registry.password)
    right = app.run(*push, "--output", "json")

    assert (1, 1, 0) == (nobody.code, wrong.code, right.code)
    for refused in (nobody, wrong):
        assert f"docker login {basic_registry.host}" in refused.err
    assert f"user `{basic_registry.username}`" in wrong.err
    assert ["push"] == right.stages("run")
    said = "".join(done.out + done.err for done in (nobody, wrong, right))
    secrets = [basic_registry.password, "wrong-5e1f0a"]
    secrets += [base64.b64encode(f"{basic_registry.username}:{one}".encode()).decode() for one in secrets]
    assert [] == [secret for secret in secrets if secret in said]
    for path in app.root.rglob("*"):
        assert not path.is_file() or not [secret for secret in secrets if secret.encode() in path.read_bytes()]


def test_a_connection_that_breaks_once_is_taken_up_and_said(app: App, registry: Registry) -> None:
    with_wasm_of(app, 12 * MEBIBYTE)
    with cutting_proxy(registry.host, cut_after_bytes=6 * MEBIBYTE, cuts=1) as proxy:
        done = app.ok("push", "--registry", proxy.host, "--output", "json")

    assert 1 == proxy.cuts
    assert "broke half way through layer" in done.err
    assert {True} == {layer["sent"] for layer in done.json["layers"]}


def test_a_connection_that_always_breaks_ends_the_push_and_the_next_one_goes_on(app: App, registry: Registry) -> None:
    with_wasm_of(app, 12 * MEBIBYTE)
    with cutting_proxy(registry.host, cut_after_bytes=6 * MEBIBYTE, cuts=1000) as proxy:
        done = app.run("push", "--registry", proxy.host)
        stages = app.ok("list", "--registry", proxy.host, "--output", "json").json["stages"]
    left_behind = (app.root / ".spin-aks/default/push.json").exists()
    again = app.ok("push", "--registry", registry.host, "--output", "json")

    assert 1 == done.code
    assert f"the connection to `{proxy.host}` broke half way through layer" in done.err
    assert "hint: run the same command again later" in done.err
    assert not left_behind
    assert ["failed"] == [stage["state"] for stage in stages if stage["name"] == "push"]
    assert ["push"] == again.stages("run")
    sent = {layer["media_type"].partition("+")[2]: layer["sent"] for layer in again.json["layers"]}
    assert sent["wasm"]


def test_an_image_of_one_gibibyte_is_pushed_in_little_memory_and_survives_ctrl_c(app: App, registry: Registry) -> None:
    with_wasm_of(app, 1 << 30, sparse=True)
    push = ("push", "--registry", registry.host, "--output", "json")
    with app.start(*push, *app.flags) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("run     push"):
                break
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        interrupted = process.stderr.read()
        code = process.wait(30)
    begun_again = app.root.joinpath(".spin-aks/default/push.json").exists()
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, *push, *app.flags],
        cwd=app.root,
        env={**os.environ, **app.environment},
        capture_output=True,
        text=True,
        timeout=240,
    )
    again = app.ok(*push)

    assert (130, False) == (code, begun_again)
    assert "interrupted: what is done is kept" in interrupted
    assert "Traceback" not in interrupted
    assert 0 == measured.returncode, measured.stderr
    assert int(measured.stderr.splitlines()[-1]) < 100 * 1024
    (layer,) = (one for one in json.loads(measured.stdout)["layers"] if one["media_type"].endswith("+wasm"))
    assert ((1 << 30) + 14, True) == (layer["size_bytes"], layer["sent"])
    assert [] == re.findall("run     (?!push)", measured.stderr)
    assert [] == again.stages("run")
    assert {False} == {one["sent"] for one in again.json["layers"]}
