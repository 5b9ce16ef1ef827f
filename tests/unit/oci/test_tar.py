from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from spin_aks.oci.image import Blob, FilePart
from spin_aks.oci.tar import Entry, archive, header

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

NAMES = st.text(
    alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0"), min_size=1, max_size=60
).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=6).map("/".join)


def packed(entries: list[Entry], folders: tuple[str, ...] = ()) -> bytes:
    return b"".join(Blob.of("tar", archive(entries, folders)).chunks())


def members(content: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        return opened.getmembers()


@given(st.dictionaries(PATHS, st.binary(max_size=1500), max_size=5))
def test_what_goes_in_comes_out(files: dict[str, bytes]) -> None:
    files = {path: held for path, held in files.items() if not any(other.startswith(f"{path}/") for other in files)}

    content = packed([Entry(path, held) for path, held in files.items()])

    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        found = {member.name: opened.extractfile(member).read() for member in opened if member.isfile()}  # type: ignore[union-attr]
    assert files == found
    assert 0 == len(content) % 512


@given(st.dictionaries(PATHS, st.binary(max_size=10), max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_the_entries_changes_nothing(files: dict[str, bytes], random: Random) -> None:
    entries = [Entry(path, held) for path, held in files.items()]
    shuffled = list(entries)
    random.shuffle(shuffled)

    assert packed(entries) == packed(shuffled)


def test_folders_come_before_what_is_in_them_and_nobody_owns_anything() -> None:
    found = members(packed([Entry("b/c/x", b"1"), Entry("a", b"2")], folders=("b/empty",)))

    assert [("a", 0o644), ("b", 0o755), ("b/c", 0o755), ("b/c/x", 0o644), ("b/empty", 0o755)] == [
        (member.name, member.mode) for member in found
    ]
    assert {(0, 0, "", "", 0)} == {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in found}
    assert [False, True, True, False, True] == [member.isdir() for member in found]


def test_a_file_on_disk_is_referred_to_and_not_copied(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"x" * 600)

    parts = archive([Entry("x", FilePart(file, 600))])

    assert [bytes, FilePart, bytes] == [type(part) for part in parts]
    assert [512, 600, 424 + 1024] == [len(p) if isinstance(p, bytes) else p.size_bytes for p in parts]


def test_a_short_name_needs_no_pax_header_and_has_these_bytes() -> None:
    block = header("etc/x", 5, 0o644)

    assert 512 == len(block)
    assert b"etc/x" + bytes(95) + b"0000644\x000000000\x000000000\x0000000000005\x0000000000000\x00" == block[:148]
    assert b"\x30" + bytes(100) + b"ustar\x0000" == block[156:265]


def test_a_name_that_ustar_can_split_is_split() -> None:
    path = "a" * 120 + "/" + "b" * 99

    assert [512, path] == [len(header(path, 0, 0o644)), members(packed([Entry(path, b"")]))[-1].name]


def test_a_file_beyond_8_gib_says_its_size_in_a_pax_header() -> None:
    size_bytes = 9 << 30

    block = header("big.wasm", size_bytes, 0o644)

    with tarfile.open(fileobj=io.BytesIO(block)) as opened:
        member = opened.next()
    assert member is not None
    assert [3 * 512, size_bytes, "big.wasm"] == [len(block), member.size, member.name]
