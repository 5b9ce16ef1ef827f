"""State that was deleted, torn or written by somebody else: made again, or named with the way out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from testbed.daemon import needs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.application import App

STATE = ".spin-aks/default"
OUTPUTS = {
    "app.json": "validate",
    "bundle.json": "bundle",
    "image.json": "image",
    "push.json": "push",
    "manifests.json": "manifests",
    "rendered.yaml": "render",
    "rendered.json": "render",
    "applied.json": "apply",
}


@pytest.fixture
def up(tiny: App) -> App:
    """The application, up and fresh."""
    tiny.ok("up")
    return tiny


def state(app: App, name: str) -> Path:
    return app.root / STATE / name


def lasting(path: Path) -> str:
    """What the file holds but for when that was, and whether it had to be sent."""
    return re.sub(r'"sent": true|"20[0-9T:-]+Z"', "", path.read_text().replace('"sent": false', ""))


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_that_was_torn_or_deleted_is_made_again(up: App, name: str) -> None:
    whole = lasting(state(up, name))
    for content in ("{", None):
        if content is None:
            state(up, name).unlink()
        else:
            state(up, name).write_text(content)
        why = up.ok("why", OUTPUTS[name]).out
        again = up.ok("up")

        assert f"`{STATE}/{name}`, which it makes, {'is missing' if content is None else 'was changed by'}" in why
        assert OUTPUTS[name] in again.stages("run")
        assert whole == lasting(state(up, name))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"validate": 1}', '{"validate": {"state": "running"}}'])
def test_a_torn_record_forgets_when_and_nothing_else(up: App, content: str) -> None:
    state(up, "record.json").write_text(content)

    assert [] == up.ok("up").stages("run")
    assert "fresh" == up.ok("list", "--output", "json").json["stages"][0]["state"]


@pytest.mark.parametrize("name", ["doit.db", "record.json", "lock"])
def test_a_deleted_file_of_our_own_loses_nothing(up: App, name: str) -> None:
    for path in (up.root / STATE).glob(f"{name}*"):
        path.unlink()

    done = up.ok("up")

    assert "pushed `" not in done.err
    assert [] == up.ok("up").stages("run")


def test_a_deleted_wasm_and_a_deleted_bundle_folder_are_made_again(tiny: App) -> None:
    tiny.flags = (*tiny.flags, "--form", "rootfs")
    tiny.ok("up")
    (tiny.root / "a/a.wasm").unlink()
    shutil.rmtree(tiny.root / STATE / "bundle")

    listed = tiny.ok("list").out
    done = tiny.ok("up")

    assert "a/a.wasm is missing" in listed
    assert f"{STATE}/bundle is missing" in listed
    assert ["build:a", "bundle"] == done.stages("run")
    assert (tiny.root / STATE / "bundle/spin.toml").is_file()


def test_a_lock_with_an_unsettled_merge_stops_everything_that_would_guess(up: App) -> None:
    lock = up.root / ".spin-aks.lock"
    lock.write_text("<<<<<<< HEAD\n" + lock.read_text())

    for command in ("up", "list", "scaffold"):
        done = up.run(command)
        assert 3 == done.code
        assert (
            "error: .spin-aks.lock: this is not what spin-aks wrote: a merge that is not settled, perhaps" in done.err
        )


def test_a_lock_that_was_never_committed_does_not_make_our_dockerfile_yours(up: App) -> None:
    (up.root / ".spin-aks.lock").unlink()

    done = up.ok("up")

    assert [] == [stage for stage in done.stages("run") if stage in ("image", "push", "apply")]


@pytest.mark.parametrize("damage", [b"", b"no database, by any standard" * 400, b"SQLite format 3\0" + b"x" * 5000])
def test_a_database_that_is_none_is_named_with_the_way_out(up: App, damage: bytes) -> None:
    for path in (up.root / STATE).glob("doit.db*"):
        path.unlink()
    state(up, "doit.db").write_bytes(damage)

    done = up.run("up")

    if damage:
        assert (1, []) == (done.code, done.stages("run"))
        assert f"error: {STATE}/doit.db: what was done before can't be read" in done.err
        assert f"hint: remove `{STATE}/doit.db` and run the same command again" in done.err
        state(up, "doit.db").unlink()
    assert 0 == up.run("up").code
    assert [] == up.ok("up").stages("run")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        [needs("mount", "mount"), "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"needs the right to mount a file system: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("left_kib", [0, 8, 32, 100, 140])
def test_a_full_disk_is_said_and_what_was_done_is_kept(tiny: App, small_disk: Path, left_kib: int) -> None:
    (tiny.root / ".spin-aks").symlink_to(small_disk, target_is_directory=True)
    (small_disk / "ballast").write_bytes(b"x" * ((400 - left_kib) << 10))

    full = tiny.run("up")
    listed = tiny.run("list")
    (small_disk / "ballast").unlink()
    again = tiny.ok("up")

    assert full.code in (0, 1)
    if full.code == 1:
        assert "No space left on device" in full.err or "database or disk is full" in full.err or "disk I/O" in full.err
        assert "hint: free some room" in full.err
    assert listed.code in (0, 1)
    assert not set(full.stages("done")) & set(again.stages("run")) - {"validate"}
    assert [] == tiny.ok("up").stages("run")
    assert [] == [path.name for path in small_disk.rglob(".*.tmp")]
    assert json.loads((small_disk / "default/applied.json").read_text())["objects"]
