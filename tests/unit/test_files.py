"""Atomic writes: the whole old file or the whole new one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks import files
from spin_aks.errors import SpinAksError


def test_write_makes_the_folders_above_and_says_that_it_changed_something(tmp_path: Path) -> None:
    path = tmp_path / "a/b/c.txt"

    assert [True, False, True] == [files.write(path, "one"), files.write(path, "one"), files.write(path, "two")]
    assert "two" == path.read_text()


def test_an_unchanged_file_keeps_its_time(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(path, "same")
    os.utime(path, ns=(1, 1))

    files.write(path, "same")

    assert 1 == path.stat().st_mtime_ns


def test_a_failed_block_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def half() -> None:
        with files.replacing(path) as stream:
            stream.write(b"half of the new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()

    assert [path] == list(tmp_path.iterdir())
    assert "old" == path.read_text()


def test_a_link_stays_a_link_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")

    files.write(tmp_path / "link", "new")

    assert (tmp_path / "link").is_symlink()
    assert "new" == (tmp_path / "real").read_text()


def test_a_folder_in_the_way_is_an_error_that_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(SpinAksError, match=f"can't write `{tmp_path / 'folder'}`"):
        files.write(tmp_path / "folder", "text")


def test_a_full_disk_is_an_error_that_says_what_to_do_and_leaves_the_old_file(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys; from pathlib import Path; from spin_aks import files\n"
        "from spin_aks.errors import SpinAksError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: files.write(Path(sys.argv[1]), 'x' * 5000)\n"
        "except SpinAksError as error: print(error)\n"
    )
    path = tmp_path / "file"
    path.write_text("old")

    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)

    assert f"can't write `{path}`: File too large\n" == done.stdout
    assert [path] == list(tmp_path.iterdir())
    assert "old" == path.read_text()


def test_a_kill_in_the_middle_of_a_write_leaves_the_old_file(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from spin_aks import files\n"
        "with files.replacing(Path(sys.argv[1])) as stream:\n"
        "    stream.write(b'half'); stream.flush(); os.kill(os.getpid(), 9)\n"
    )
    path = tmp_path / "file"
    path.write_text("old")

    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)

    assert -signal.SIGKILL == done.returncode
    assert "old" == path.read_text()


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00", '"text"'])
def test_a_torn_or_foreign_json_file_reads_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "f.json").write_text(content)

    assert files.read_json(tmp_path / "f.json") is None


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)))
def test_json_reads_back_as_it_was_written(document: dict[str, object]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.json"
        encodable = all("\ud800" > character or character > "\udfff" for character in repr(document))
        if encodable:
            files.write_json(path, document)  # type: ignore[arg-type]
            assert document == files.read_json(path)


def test_the_digest_is_as_oci_writes_it(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    expected = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert expected == files.sha256(tmp_path / "empty")


def test_what_a_killed_run_left_unfinished_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    for name in (".record.json.abc.tmp", "record.json", ".gitignore"):
        (tmp_path / name).touch()

    files.sweep(tmp_path)

    assert {".gitignore", "record.json"} == {path.name for path in tmp_path.iterdir()}
