"""Build commands that fail, hang, lie, or write where they should not."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from testbed.tiny import WASM, build_command

if TYPE_CHECKING:
    from testbed.application import App


def test_a_build_that_fails_shows_its_output_once_and_names_its_exit_code(tiny: App) -> None:
    build_command(tiny.root, "echo some words; echo others >&2; exit 42")

    done = tiny.run("up")

    assert (1, "") == (done.code, done.out)
    assert (1, 1) == (done.err.count("some words\n"), done.err.count("others\n"))
    last = done.err.splitlines()[-3:]
    assert "failed  build:a" == last[0]
    assert "error: a: `echo some words; echo others >&2; exit 42` failed with exit code 42" == last[1]
    assert "hint: that is how spin.toml builds `a`; what it said stands above" == last[2]
    assert not (tiny.root / "Dockerfile").exists()


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("kill -9 $$", "error: a: `kill -9 $$` was ended by SIGKILL"),
        ("no-such-compiler", "error: a: `no-such-compiler` failed with exit code 127"),
        ("true", "error: component `a`: `true` ended well, but there is no `a/a.wasm`"),
        ("mkdir -p a.wasm", "ended well, but there is no `a/a.wasm`"),
        (": > a.wasm", "component `a`: `a/a.wasm` is empty"),
        ("echo hello > a.wasm", "component `a`: `a/a.wasm` is not a WebAssembly file: it begins with b'hell'"),
        ("head -c 6 a.src > a.wasm", "is WebAssembly of a version that no Spin knows (01 00)"),
        ("(cat a.src; printf '\\001\\100x') > a.wasm", "`a/a.wasm` is only the beginning of a WebAssembly file"),
    ],
)
def test_what_a_build_can_do_wrong_is_said_before_anything_is_pushed(tiny: App, line: str, what: str) -> None:
    build_command(tiny.root, line)

    done = tiny.run("up")

    assert 1 == done.code
    assert what in done.err
    assert "hint: " in done.err
    assert [] == [stage for stage in done.stages("run") if stage in ("image", "push", "apply")]


def test_a_build_that_was_wrong_is_run_again_once_it_is_right(tiny: App) -> None:
    build_command(tiny.root, "cp a.wrong a.wasm")
    failed = tiny.run("up")
    said = tiny.ok("why", "build:a").out
    (tiny.root / "a/a.wrong").write_bytes((tiny.root / "a/a.src").read_bytes())

    assert 1 == failed.code
    assert "failed: a: `cp a.wrong a.wasm` failed with exit code 1" in said
    assert tiny.ok("up").stages("done")[:2] == ["build:a", "bundle"]
    assert [] == tiny.ok("up").stages("run")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_build_that_hangs_ends_with_us_and_so_do_its_own_children(tiny: App, number: signal.Signals) -> None:
    build_command(tiny.root, "sleep 300 & echo $! > ../child; echo half > a.wasm; echo hangs; wait")
    with tiny.start("up", *tiny.flags) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("hangs"):
                break
        process.send_signal(number)
        rest = process.stderr.read()
        code = process.wait(60)

    assert {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number] == code
    assert "Traceback" not in rest
    assert _ends(int((tiny.root / "child").read_text()))
    (stage,) = (one for one in tiny.ok("list", "--output", "json").json["stages"] if one["name"] == "build:a")
    assert "failed" == stage["state"]
    build_command_again(tiny.root)
    assert ["build:a", "bundle", "dockerfile"] == [*tiny.ok("up").stages("done")][1:4]
    assert [] == tiny.ok("up").stages("run")


def build_command_again(root: Path) -> None:
    path = root / "spin.toml"
    lines = ["command = 'cp a.src a.wasm'" if "sleep 300" in line else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")


def _ends(pid: int) -> bool:
    for _ in range(250):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_second_run_while_a_build_is_at_work_is_told_whose_it_is_and_does_nothing(tiny: App) -> None:
    build_command(
        tiny.root, "echo begun; while ! test -e ../go; do sleep 0.05; done; echo one >> ../runs; cp a.src a.wasm"
    )
    with tiny.start("build", *tiny.flags) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("begun"):
                break
        second = tiny.run("up")
        states = {stage["name"]: stage for stage in tiny.ok("list", "--output", "json").json["stages"]}
        (tiny.root / "go").touch()
        process.stderr.read()
        code = process.wait(60)

    assert (0, "one\n") == (code, (tiny.root / "runs").read_text())
    assert (1, []) == (second.code, second.stages("run"))
    assert f" build`, process {process.pid} on " in second.err
    assert "hint: wait for it to end, or name another environment with `-e NAME`" in second.err
    assert (["runs right now"], "never-run") == (states["build:a"]["reasons"], states["bundle"]["state"])


def test_a_build_that_asks_is_told_that_nobody_answers(tiny: App) -> None:
    build_command(tiny.root, "read answer; echo answered=$answer; cp a.src a.wasm")

    assert "answered=\n" in tiny.ok("build").err


def test_what_a_build_makes_among_its_sources_does_not_make_it_stale(tiny: App) -> None:
    build_command(tiny.root, "mkdir -p gen; date +%N > gen/stamp; cp a.src a.wasm")
    tiny.ok("build")

    assert [] == tiny.ok("build").stages("run")
    (tiny.root / "a/gen/stamp").write_text("by hand")
    assert ["build:a"] == tiny.ok("build").stages("run")


def test_a_build_that_writes_its_own_source_stays_stale_and_why_says_what_to_do(tiny: App) -> None:
    build_command(tiny.root, "date +%N >> notes; cp a.src a.wasm")
    (tiny.root / "a/notes").write_text("begun\n")
    tiny.ok("build")

    said = tiny.ok("why", "build:a").out

    assert "- `a/notes` changed while it last ran; if its own command writes it, add it to .gitignore" in said
    assert ["build:a"] == tiny.ok("build").stages("run")
    (tiny.root / "a/.gitignore").write_text("notes\n")
    tiny.ok("build")
    assert [] == tiny.ok("build").stages("run")


def test_links_that_lead_nowhere_or_in_circles_are_no_sources(tiny: App) -> None:
    (tiny.root / "a/itself").symlink_to("itself")
    (tiny.root / "a/gone").symlink_to("nowhere")
    (tiny.root / "a/up").symlink_to("..")
    tiny.ok("build")

    assert [] == tiny.ok("build").stages("run")


def test_a_missing_workdir_is_named(tiny: App) -> None:
    manifest = tiny.root / "spin.toml"
    manifest.write_text(manifest.read_text().replace('workdir = "a"', 'workdir = "nowhere"'))

    done = tiny.run("build")

    assert 1 == done.code
    assert "error: can't run `cp a.src a.wasm`: there is no `nowhere`" in done.err


def test_build_compiles_nothing_of_an_application_that_is_refused(tiny: App) -> None:
    manifest = tiny.root / "spin.toml"
    manifest.write_text(manifest.read_text() + "\n[variables]\nneeded = { required = true }\n")

    done = tiny.run("build")

    assert 3 == done.code
    assert "needed" in done.err
    assert [] == [stage for stage in done.stages("run") if stage.startswith("build:")]
    assert not (tiny.root / "a/a.wasm").exists()


def test_an_application_with_nothing_to_compile_is_still_validated(tiny: App) -> None:
    manifest = tiny.root / "spin.toml"
    manifest.write_text(manifest.read_text().partition("[component.a.build]")[0])

    refused = tiny.run("build")
    (tiny.root / "a/a.wasm").write_bytes(WASM)

    assert 3 == refused.code
    assert "there is no `a/a.wasm`" in refused.err
    assert ["validate"] == tiny.ok("build").stages("run")
