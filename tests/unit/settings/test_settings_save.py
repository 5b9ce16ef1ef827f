"""Changing `aks-spin.toml` on the disk: nobody's change is lost, and the old file is intact whatever happens."""

from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spin_aks import files
from spin_aks.errors import LockedError, SpinAksError, UsageError
from spin_aks.lock import Lock
from spin_aks.settings import edit, save

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FORM: edit.Place = ("image", "form")
SET_FORM: Mapping[edit.Place, edit.Value] = {FORM: "rootfs"}
WAY_OUT = "move it away, or name another file with `-c PATH`"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "aks-spin.toml"


def unfinished(folder: Path) -> list[Path]:
    return list(folder.rglob("*.tmp"))


def test_a_missing_file_is_made_and_one_that_says_it_already_is_left_alone(path: Path) -> None:
    assert save.change(path, SET_FORM)
    os.utime(path, ns=(1, 1))

    assert not save.change(path, SET_FORM)
    assert 'schema = 1\n\n[image]\nform = "rootfs"\n' == path.read_text()
    assert 1 == path.stat().st_mtime_ns
    assert 0o644 == stat.S_IMODE(path.stat().st_mode)


def test_none_takes_a_key_out_and_makes_no_file(path: Path) -> None:
    assert not save.change(path, {FORM: None})
    assert [] == list(path.parent.iterdir())

    path.write_text("[image]\nform = 1\ntag = 2\n")

    assert save.change(path, {FORM: None, ("app", "name"): "shop"})
    assert '[image]\ntag = 2\n\n[app]\nname = "shop"\n' == path.read_text()
    assert not save.change(path, {FORM: None})


def test_nothing_is_made_beside_a_file_that_need_not_change(path: Path) -> None:
    path.write_text("[image]\nform = 'rootfs'")

    assert not save.change(path, SET_FORM)
    assert [path] == list(path.parent.iterdir())


def test_the_lock_lies_where_git_does_not_look(path: Path) -> None:
    save.change(path, SET_FORM)

    assert "*\n" == (path.parent / ".spin-aks/.gitignore").read_text()
    assert {path, path.parent / ".spin-aks"} == set(path.parent.iterdir())


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_a_file_keeps_its_mode(path: Path, mode: int) -> None:
    path.write_text("schema = 1\n")
    path.chmod(mode)

    assert save.change(path, SET_FORM)
    assert mode == stat.S_IMODE(path.stat().st_mode)


def test_every_other_byte_is_kept(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf# \xc3\xa4\r\n[image] # mine\r\n\tform\t=  'artifact' # why\n\n# end")

    assert save.change(path, {FORM: "rootfs", ("image", "tag"): "v1"})
    assert (
        b"\xef\xbb\xbf# \xc3\xa4\r\n[image] # mine\r\n\tform\t=  \"rootfs\" # why\n\ttag = \"v1\"\n\n# end"
        == path.read_bytes()
    )  # fmt: skip


def test_a_link_stays_a_link_and_what_it_leads_to_is_written(path: Path) -> None:
    (path.parent / "real").mkdir()
    path.symlink_to("real/file.toml")

    assert save.change(path, SET_FORM)
    assert save.change(path, {("app", "name"): "shop"})

    assert "real/file.toml" == str(path.readlink())
    assert {"schema", "image", "app"} == tomllib.loads((path.parent / "real/file.toml").read_text()).keys()
    assert (path.parent / "real/.spin-aks").is_dir()
    assert not (path.parent / ".spin-aks").exists()


def no_text(path: Path) -> None:
    path.write_bytes(b"a = 1\nb = '\xff'\n")


def too_much(path: Path) -> None:
    path.write_bytes(b"#" * ((1 << 20) + 1))


def a_table(path: Path) -> None:
    path.write_text("[image.form]\n")


def in_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("in the way")


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (lambda path: path.mkdir(), "PATH: is a folder", WAY_OUT),
        (os.mkfifo, "PATH: is no file", WAY_OUT),
        (lambda path: path.symlink_to(path.name), "PATH: can't be read: Too many levels of symbolic links", WAY_OUT),
        (in_a_file, "PATH: can't be read: Not a directory", WAY_OUT),
        (no_text, "PATH:2: is no UTF-8 text", "save it as UTF-8"),
        (too_much, "PATH: has more than 1 MiB", "is it another file? A configuration is some hundred lines"),
        (lambda path: path.write_text("a = \n"), "PATH:1: not valid TOML: invalid value", None),
        (a_table, "PATH:1: `image.form` is a table here, not a value", "take the table out, or name a key in it"),
    ],
)
def test_what_can_not_be_changed_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], None], message: str, hint: str | None
) -> None:
    path = tmp_path / "conf" / "aks-spin.toml"
    path.parent.mkdir()
    make(path)
    before = path.read_bytes() if path.is_file() else None

    with pytest.raises(UsageError) as caught:
        save.change(path, SET_FORM)

    assert message.replace("PATH", str(path)) == str(caught.value)
    assert hint in (None, caught.value.problems[0].hint)
    assert before == (path.read_bytes() if path.is_file() else None)
    assert not (tmp_path / "conf/.spin-aks").exists()


def test_a_file_is_not_made_larger_than_what_is_read_again(path: Path) -> None:
    path.write_text("#" * ((1 << 20) - 5))

    with pytest.raises(UsageError, match="would have more than 1 MiB"):
        save.change(path, SET_FORM)

    assert (1 << 20) - 5 == path.stat().st_size


def test_a_file_in_the_place_of_the_state_folder_is_named(path: Path) -> None:
    (path.parent / ".spin-aks").write_text("in the way")

    with pytest.raises(SpinAksError, match=r"can't write `.*/\.spin-aks`: File exists"):
        save.change(path, SET_FORM)

    assert not path.exists()


# Whatever is loaded late is loaded before the rights are gone: this user can't read where the code is.
AS_NOBODY = """
import os, pathlib, resource, sys
from spin_aks.errors import SpinAksError
from spin_aks.settings import save
place = pathlib.Path(sys.argv[1])
save.change(place / "scratch/aks-spin.toml", {("image", "form"): "x"})
os.chdir(place)
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    print(save.change(pathlib.Path(sys.argv[2]), {("image", "form"): "rootfs"}))
except SpinAksError as error:
    print(error.exit_code, error, "|", error.problems[0].hint)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that every user may enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "said"),
    [
        (0o777, 0o666, "True\n"),
        (
            0o555,
            0o666,
            "1 can't write `conf/aks-spin.toml`: Permission denied | give yourself the right to write there",
        ),
        (
            0o777,
            0o444,
            "1 can't write `conf/aks-spin.toml`: Permission denied | give yourself the right to write there",
        ),
        (0o777, 0o000, "3 conf/aks-spin.toml: can't be read: Permission denied | "),
    ],
)
def test_what_may_not_be_written_is_said_and_left_as_it_is(
    open_folder: Path, folder_mode: int, file_mode: int, said: str
) -> None:
    path = open_folder / "conf/aks-spin.toml"
    path.parent.mkdir()
    path.write_text("schema = 1\n")
    path.chmod(file_mode)
    path.parent.chmod(folder_mode)

    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(open_folder), "conf/aks-spin.toml"], capture_output=True, text=True
    )

    assert "" == done.stderr
    assert done.stdout.startswith(said)
    assert ("schema = 1\n" == path.read_text()) == (said != "True\n")
    assert [] == unfinished(open_folder)


LIMITED = """
import pathlib, resource, sys
from spin_aks.errors import SpinAksError
from spin_aks.settings import save
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    save.change(pathlib.Path(sys.argv[1]), {("image", "form"): "rootfs"})
except SpinAksError as error:
    print(error, "|", error.problems[0].hint)
"""


def test_a_limit_on_the_size_of_files_leaves_the_old_file(path: Path) -> None:
    path.write_text("#" * 3000)

    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True)

    assert "" == done.stderr
    assert done.stdout.startswith(f"can't write `{path}`: File too large | raise the limit on the size of files")
    assert "#" * 3000 == path.read_text()
    assert [] == unfinished(path.parent)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount") or "mount"
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs the right to mount a file system")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"needs the right to mount a file system: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("left_kib", [0, 4, 8])
def test_a_full_disk_is_said_and_leaves_the_old_file(small_disk: Path, left_kib: int) -> None:
    path = small_disk / "aks-spin.toml"
    path.write_text("schema = 1\n")
    (small_disk / "ballast").write_bytes(b"x" * ((12 - left_kib) << 10))

    with pytest.raises(SpinAksError, match="No space left on device") as caught:
        save.change(path, SET_FORM)

    assert str(small_disk) in str(caught.value)
    assert caught.value.problems[0].hint.startswith("free some room on that disk")
    assert "schema = 1\n" == path.read_text()
    assert [] == unfinished(small_disk)

    (small_disk / "ballast").unlink()
    assert save.change(path, SET_FORM)


def test_what_an_editor_saves_meanwhile_is_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("schema = 1\n")
    edits = ["schema = 1\n# mine\n", "schema = 1\n# mine\nrequire_environment = true\n"]
    real = files.exchange

    def after_an_edit(path: Path, old: bytes | None, new: bytes) -> bool:
        if edits:
            path.write_text(edits.pop(0))
        return real(path, old, new)

    monkeypatch.setattr(files, "exchange", after_an_edit)

    assert save.change(path, SET_FORM)
    assert 'schema = 1\n# mine\nrequire_environment = true\n\n[image]\nform = "rootfs"\n' == path.read_text()
    assert [] == unfinished(path.parent)


def test_a_file_that_changes_all_the_time_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = files.exchange
    writes: list[int] = []

    def after_an_edit(path: Path, old: bytes | None, new: bytes) -> bool:
        writes.append(path.write_text(f"# {len(writes)}\n"))
        return real(path, old, new)

    monkeypatch.setattr(files, "exchange", after_an_edit)

    with pytest.raises(SpinAksError) as caught:
        save.change(path, SET_FORM)

    assert f"{path}: is changed by another program again and again" == str(caught.value)
    assert f"# {save.ATTEMPTS - 1}\n" == path.read_text()
    assert [] == unfinished(path.parent)


def test_a_file_that_is_removed_meanwhile_is_made_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("# old\n")
    real = files.exchange

    def after_removal(path: Path, old: bytes | None, new: bytes) -> bool:
        if old == b"# old\n":
            path.unlink()
            assert not real(path, b"# old\n", new)
            return False
        return real(path, old, new)

    monkeypatch.setattr(files, "exchange", after_removal)

    assert save.change(path, SET_FORM)
    assert 'schema = 1\n\n[image]\nform = "rootfs"\n' == path.read_text()


def test_who_holds_the_file_too_long_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(save, "PATIENCE_S", 0.05)
    other = Lock(path.parent / ".spin-aks" / save.LOCK)
    other.acquire()

    with pytest.raises(LockedError) as caught:
        save.change(path, SET_FORM)
    other.release()

    assert f"{path}: another run is changing it: `" in str(caught.value)
    assert f"process {os.getpid()} on" in str(caught.value)
    assert ("", "") == capfd.readouterr()
    assert save.change(path, SET_FORM)


def test_what_a_killed_run_left_is_swept_and_nothing_else(path: Path) -> None:
    left, others = path.with_name(".aks-spin.toml.k1ll3d_x.tmp"), path.with_name(".other.toml.k1ll3d_x.tmp")
    left.write_text("half")
    others.write_text("half")

    save.change(path, SET_FORM)

    assert not left.exists()
    assert others.exists()


WRITER = """
import pathlib, sys
from spin_aks.settings import save
for number in range(10):
    save.change(pathlib.Path(sys.argv[1]), {("variables", f"{sys.argv[2]}_{number}"): number})
"""


def test_writers_side_by_side_lose_nothing_of_each_other(path: Path) -> None:
    path.write_text("# ours\r\n[variables] # all\r\n")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), f"w{number}"]) for number in range(8)]

    assert [0] * 8 == [writer.wait() for writer in writers]

    assert {"variables": {f"w{one}_{n}": n for one in range(8) for n in range(10)}} == tomllib.loads(path.read_text())
    assert path.read_bytes().startswith(b"# ours\r\n[variables] # all\r\n")
    assert 82 == path.read_bytes().count(b"\r\n") == path.read_bytes().count(b"\n")


FOREVER = """
import itertools, pathlib, sys
from spin_aks.settings import save
save.change(pathlib.Path(sys.argv[1] + ".warm"), {("image", "tag"): 0})
print("ready", flush=True)
for number in itertools.count(int(sys.argv[2])):
    save.change(pathlib.Path(sys.argv[1]), {("image", "tag"): number, ("image", "same"): number})
"""


def test_a_kill_at_any_moment_leaves_one_of_the_versions(path: Path) -> None:
    before = "# mine\n[image] # ours\n" + "# a long file\n" * 500
    path.write_text(before)
    moments = random.Random(4)
    versions = set()
    for round_ in range(30):
        writer = subprocess.Popen(
            [sys.executable, "-c", FOREVER, str(path), str(round_ * 10_000)], stdout=subprocess.PIPE
        )
        assert writer.stdout
        assert b"ready\n" == writer.stdout.readline()
        time.sleep(moments.uniform(0, 0.1))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()

        text = path.read_text()
        image = tomllib.loads(text)["image"]
        added = f"tag = {image['tag']}\nsame = {image['same']}\n" if image else ""
        assert image.get("tag") == image.get("same")
        assert before.replace("ours\n", f"ours\n{added}") == text
        versions.add(image.get("tag"))

    assert len(versions) > 5
    save.change(path, SET_FORM)
    assert [] == unfinished(path.parent)
