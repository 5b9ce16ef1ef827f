from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spin_aks import files
from spin_aks.errors import SpinAksError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("before", [None, b"old", b"ne", b"longer than new"])
def test_the_target_becomes_the_same_bytes_and_their_digest_is_told(tmp_path: Path, before: bytes | None) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.write_bytes(b"new")
    if before is not None:
        target.parent.mkdir()
        target.write_bytes(before)

    digest = files.copy(source, target, mode=0o640)

    assert (b"new", 0o640, files.sha256(source)) == (target.read_bytes(), target.stat().st_mode & 0o777, digest)
    assert ["target"] == [path.name for path in target.parent.iterdir()]


def test_a_target_that_is_the_same_already_is_left_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"x" * (files.CHUNK_BYTES + 1))
    digest = files.copy(source, target)
    before = target.stat().st_ino, target.stat().st_mtime_ns

    again = files.copy(source, target)

    assert (digest, before) == (again, (target.stat().st_ino, target.stat().st_mtime_ns))


def test_a_target_that_is_a_link_is_replaced_and_what_it_leads_to_is_not(tmp_path: Path) -> None:
    source, target, theirs = tmp_path / "source", tmp_path / "target", tmp_path / "theirs"
    source.write_bytes(b"new")
    theirs.write_bytes(b"new")
    target.symlink_to(theirs)

    files.copy(source, target)

    assert [False, b"new"] == [target.is_symlink(), theirs.read_bytes()]


def test_a_source_that_is_not_there_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(SpinAksError) as caught:
        files.copy(tmp_path / "source", tmp_path / "target")

    assert f"can't read `{tmp_path}/source`: No such file or directory" == str(caught.value)
    assert [] == list(tmp_path.iterdir())
