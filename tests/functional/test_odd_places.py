"""Where and how it is run: odd folders and names, other encodings, streams that are closed, nobody at home."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from testbed.daemon import needs
from testbed.tiny import add_to_component, build_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.application import App

ODD = "ü b\nc'\"$x"


def moved(app: App, folder: Path) -> App:
    shutil.move(app.root, folder)
    app.root = folder
    return app


def test_a_folder_with_spaces_quotes_and_line_breaks_is_one_like_others(tiny: App, tmp_path: Path) -> None:
    app = moved(tiny, tmp_path / ODD)
    app.ok("up")

    assert [] == app.ok("up").stages("run")


@pytest.mark.parametrize("form", ["artifact", "rootfs"])
def test_files_with_odd_names_are_packed_and_stay_fresh(tiny: App, form: str) -> None:
    (tiny.root / "assets" / ODD).mkdir(parents=True)
    (tiny.root / "assets" / ODD / f"{ODD}.txt").write_text("x")
    add_to_component(tiny.root, 'files = ["assets/**/*"]')
    tiny.flags = (*tiny.flags, "--form", form)
    tiny.ok("up")

    assert [] == tiny.ok("up").stages("run")
    files = json.loads((tiny.root / ".spin-aks/default/bundle.json").read_text())["files"]
    assert [f"{ODD}/{ODD}.txt"] == [file["path"][-2 * len(ODD) - 5 :] for file in files if ".txt" in file["path"]]


def test_a_link_to_the_folder_and_any_way_to_name_it_are_the_same_application(tiny: App, tmp_path: Path) -> None:
    tiny.ok("up")
    started, link = tiny.root, tmp_path / "link"
    link.symlink_to(started, target_is_directory=True)
    ways = [(link, "spin.toml"), (tmp_path, "link"), (tmp_path, "tiny/"), (Path("/"), str(link)), (started / "a", "..")]
    ran = []
    for folder, argument in ways:
        tiny.root = folder
        ran.append(tiny.ok("up", "-f", argument).stages("run"))

    assert [[]] * len(ways) == ran
    assert {"spin.toml", "a", "manifests", "Dockerfile", ".spin-aks", ".spin-aks.lock"} == {
        path.name for path in started.iterdir()
    }


def test_errors_name_files_as_they_are_seen_from_where_one_stands(tiny: App, tmp_path: Path) -> None:
    (tiny.root / "spin.toml").write_text("spin_manifest_version = 2\n[application]\nname = 1\n")
    tiny.root = tmp_path

    assert "error: tiny/spin.toml:3: " in tiny.run("up", "-f", "tiny").err


@pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), lambda text: "\ufeff" + text])
def test_a_manifest_saved_on_windows_is_read(tiny: App, change: object) -> None:
    assert callable(change)
    path = tiny.root / "spin.toml"
    path.write_bytes(change(path.read_text()).encode())
    tiny.ok("up")

    assert [] == tiny.ok("up").stages("run")


def test_without_a_home_and_in_the_c_locale_it_works(tiny: App) -> None:
    build_command(tiny.root, "echo grün; cp a.src a.wasm")
    environment = {**os.environ, **tiny.environment, "LC_ALL": "C", "SPIN_AKS_REGISTRY": ""}
    environment = {key: value for key, value in environment.items() if key not in ("HOME", "LANG", "CI")}
    done = subprocess.run(
        [sys.executable, "-m", "spin_aks", "up", *tiny.flags], cwd=tiny.root, env=environment, capture_output=True
    )

    assert 0 == done.returncode, done.stderr
    assert "grün\n".encode() in done.stderr


def test_json_is_utf_8_in_every_locale(tiny: App) -> None:
    manifest = tiny.root / "spin.toml"
    manifest.write_text(manifest.read_text().replace('"tiny"', '"grün"'))

    done = tiny.ok("validate", "--manifest-only", "--output", "json", PYTHONIOENCODING="ascii")

    assert '"name": "grün"' in done.out


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_closed_stop_nothing(tiny: App, closed: str) -> None:
    line = f'"$0" -m spin_aks up {" ".join(tiny.flags)} {closed}'
    environment = {**os.environ, **tiny.environment}
    done = subprocess.run(["sh", "-c", line, sys.executable], cwd=tiny.root, env=environment, capture_output=True)

    assert (0, True) == (done.returncode, b"Traceback" not in done.stderr)
    assert [] == tiny.ok("up").stages("run")


@pytest.mark.parametrize("argv", ["--help", "up --help", "list", "validate --manifest-only --output json"])
def test_output_that_nobody_reads_ends_without_complaint(tiny: App, argv: str) -> None:
    line = f'"$0" -m spin_aks {argv} | true'
    done = subprocess.run(["sh", "-c", line, sys.executable], cwd=tiny.root, capture_output=True, text=True)

    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_run_whose_reader_leaves_goes_on_where_it_was(tiny: App) -> None:
    line = f'"$0" -m spin_aks up {" ".join(tiny.flags)} 2>&1 | head -1'
    environment = {**os.environ, **tiny.environment}
    subprocess.run(["sh", "-c", line, sys.executable], cwd=tiny.root, env=environment, check=True, capture_output=True)

    tiny.ok("up")
    assert [] == tiny.ok("up").stages("run")


def test_data_that_can_not_be_written_is_an_error_and_no_success(tiny: App) -> None:
    line = f'"$0" -m spin_aks list {" ".join(tiny.flags)} > /dev/full'
    done = subprocess.run(["sh", "-c", line, sys.executable], cwd=tiny.root, capture_output=True, text=True)

    assert 1 == done.returncode
    assert "error: can't write to standard output: No space left on device" in done.stderr


def test_a_folder_that_is_gone_is_said_to_be(tiny: App, tmp_path: Path) -> None:
    line = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" -m spin_aks up'
    done = subprocess.run(["sh", "-c", line, sys.executable], cwd=tmp_path, capture_output=True, text=True)

    assert (3, "error: the folder that you are in is gone\nhint: `cd` to the application's folder\n") == (
        done.returncode,
        done.stderr,
    )


@pytest.fixture
def read_only(tiny: App) -> Iterator[App]:
    """The application, up and fresh, on a file system that nobody can write."""
    tiny.ok("up")
    mount = needs("mount", "mount")
    if subprocess.run([mount, "--bind", tiny.root, tiny.root], capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a file system")
    try:
        subprocess.run([mount, "-o", "remount,ro,bind", tiny.root], check=True)
        yield tiny
    finally:
        subprocess.run(["umount", tiny.root], check=True)


def test_a_folder_that_nobody_can_write_is_named_and_can_be_looked_at(read_only: App) -> None:
    done = read_only.run("up")
    listed = read_only.run("list", "--output", "json")

    assert 1 == done.code
    assert "Read-only file system" in done.err
    assert "hint: that file system is read-only: name another place" in done.err
    assert {"fresh"} == {stage["state"] for stage in listed.json["stages"]}


def test_a_hangup_of_the_terminal_ends_what_was_begun(tiny: App) -> None:
    build_command(tiny.root, "echo $$ > ../child; echo hangs; sleep 300")
    with tiny.start("build") as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("hangs"):
                break
        process.send_signal(signal.SIGHUP)
        rest = process.stderr.read()
        code = process.wait(60)

    assert -signal.SIGHUP == code
    assert "Traceback" not in rest
    assert not Path(f"/proc/{(tiny.root / 'child').read_text().strip()}/cwd").exists()
