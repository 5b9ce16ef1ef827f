"""`spin-aks validate --manifest-only` as a process: its exit code, what it prints and where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

V2 = 'spin_manifest_version = 2\n[application]\nname = "a"\n[[trigger.http]]\nroute = "/"\ncomponent = "c"\n'
SOUND = V2 + '[component.c]\nsource = "c.wasm"\n'


def validate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SPIN_")}
    return subprocess.run(
        [sys.executable, "-m", "spin_aks", "validate", "--manifest-only", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_sound_manifest_is_summed_up_for_people(tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(SOUND)

    done = validate(tmp_path)

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "spin.toml: `a`, manifest version 2\n  component c: http /\n"


def test_json_is_the_normalised_manifest_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(SOUND)

    done = validate(tmp_path, "-f", str(tmp_path), "--output", "json")

    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "spin_manifest_version": 2,
        "application": {"name": "a"},
        "trigger": {"http": [{"id": "c-http-trigger", "component": "c", "route": "/"}]},
        "component": {"c": {"source": "c.wasm"}},
    }


def test_each_problem_is_a_line_of_its_own_with_a_hint_after_them(tmp_path: Path) -> None:
    (tmp_path / "app.toml").write_text(V2 + '[component.c]\nsorce = "c.wasm"\nfiles = 1\n')

    done = validate(tmp_path, "--from", "app.toml", "--output", "json")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines() == [
        "app.toml:7: `source` is missing in `component.c`",
        "app.toml:8: unknown key `sorce` in `component.c`",
        "app.toml:9: `files` has to be an array, not an integer",
        "hint: did you mean `source`?",
    ]


def test_there_is_always_a_hint(tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(SOUND + "files = 1\n")

    assert validate(tmp_path).stderr.splitlines()[-1].startswith("hint: ")


def test_another_spin_may_judge(tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(SOUND + 'profile.x.build.command = "make"\n')

    newest, older = validate(tmp_path), validate(tmp_path, "--spin", "3.6.3")

    assert (newest.returncode, older.returncode) == (0, 3)
    assert older.stderr.splitlines() == [
        "spin.toml:9: unknown key `profile` in `component.c`",
        "hint: Spin 4.0 brought it; this is judged as Spin 3.6.3",
    ]


def test_a_version_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    done = validate(tmp_path, "--spin", "newest")

    assert done.returncode == 3
    assert "`newest` is not a version" in done.stderr


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"\0\0",
        b"\xef\xbb\xbf[",
        b"a = " + b"[" * 100_000,
        b"[" + b"a." * 50_000 + b"a]\n",
        b"#" * 10_000_000,
        b"a = " + b"1" * 100_000,
    ],
    ids=["empty", "not UTF-8", "zeros", "mark", "deep", "deep keys", "10 MB", "long number"],
)
def test_a_bad_file_is_refused_without_a_traceback(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spin.toml").write_bytes(content)

    done = validate(tmp_path)

    assert done.returncode == 3
    assert done.stderr.startswith("spin.toml")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["nope", "nope.toml", "/dev/null"])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    done = validate(tmp_path, "-f", name)

    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == "hint: name a spin.toml, or the folder it is in" + (
        "" if name.startswith("/") else ", with `-f`"
    )


def test_real_manifests_come_out_as_spins_own_parser_gives_them(shared: Path) -> None:
    rows = [json.loads(line) for line in (shared / "spin-manifests" / "SPIN-PARSER.jsonl").read_text().splitlines()]

    for row in rows[::60]:
        done = validate(shared / "spin-manifests", "-f", row["file"], "--output", "json")
        if row["4.0.2"] == "ok":
            assert (done.returncode, json.loads(done.stdout)) == (0, row["manifest"])
        else:
            assert done.returncode == 3
            assert done.stderr.startswith(f"{row['file']}:")
