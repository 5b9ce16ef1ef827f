"""Tar archives as parts of a blob: headers in memory, files where they are, nothing copied.

The same entries give the same bytes everywhere: no times, no owners, one order, and headers written here, since what
`tarfile` writes into some fields has changed between versions of Python. The form is POSIX.1-2001 (ustar, with a pax
header where a name or a size does not fit).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.oci.image import FilePart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spin_aks.oci.image import Part

BLOCK_BYTES = 512
FILE_MODE = 0o644
FOLDER_MODE = 0o755
_NAME_BYTES = 100
_PREFIX_BYTES = 155
_SIZE_LIMIT = 8**11
_END = bytes(2 * BLOCK_BYTES)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive: `path` has no leading slash; `content` is a file on disk or the bytes themselves."""

    path: str
    content: Part
    mode: int = FILE_MODE

    @property
    def size_bytes(self) -> int:
        return self.content.size_bytes if isinstance(self.content, FilePart) else len(self.content)


def archive(entries: Iterable[Entry], folders: Iterable[str] = ()) -> tuple[Part, ...]:
    """The parts of an archive of `entries` and every folder above them, and of `folders` even where they are empty.

    All belong to user and group 0, have the time 0, and stand in the order of their paths, a folder before what is
    in it.
    """
    files = {entry.path: entry for entry in entries}
    every_folder = {above for path in files for above in _above(path)}
    every_folder.update(above for folder in folders for above in (folder, *_above(folder)))
    parts = _Joined()
    for path in sorted([*files, *every_folder], key=lambda path: path.split("/")):
        if path in files:
            parts.add(header(path, files[path].size_bytes, files[path].mode))
            parts.add(files[path].content)
            parts.add(bytes(-files[path].size_bytes % BLOCK_BYTES))
        else:
            parts.add(header(f"{path}/", 0, FOLDER_MODE, kind=b"5"))
    parts.add(_END)
    return parts.whole()


def header(path: str, size_bytes: int, mode: int, *, kind: bytes = b"0") -> bytes:
    """The blocks before a file's content, with a pax header first where ustar can't say it."""
    records = b""
    split = _split(path)
    if split is None:
        records += _record("path", path)
        split = ("", path.encode("ascii", "replace")[:_NAME_BYTES].decode())
    if size_bytes >= _SIZE_LIMIT:
        records += _record("size", str(size_bytes))
    block = _block(*split, 0 if size_bytes >= _SIZE_LIMIT else size_bytes, mode, kind)
    if not records:
        return block
    extended = _block("", "PaxHeader", len(records), FILE_MODE, b"x")
    return extended + records + bytes(-len(records) % BLOCK_BYTES) + block


class _Joined:
    """Parts, with neighbours that are bytes made one."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._bytes = bytearray()

    def add(self, part: Part) -> None:
        if isinstance(part, bytes):
            self._bytes += part
            return
        self._flush()
        self._parts.append(part)

    def whole(self) -> tuple[Part, ...]:
        self._flush()
        return tuple(self._parts)

    def _flush(self) -> None:
        if self._bytes:
            self._parts.append(bytes(self._bytes))
            self._bytes.clear()


def _above(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _split(path: str) -> tuple[str, str] | None:
    """The prefix and name that say `path` in ustar, or None where they can't."""
    if not path.isascii():
        return None
    if len(path) <= _NAME_BYTES:
        return "", path
    for cut, character in enumerate(path):
        if character == "/" and 0 < cut <= _PREFIX_BYTES and 0 < len(path) - cut - 1 <= _NAME_BYTES:
            return path[:cut], path[cut + 1 :]
    return None


def _record(key: str, value: str) -> bytes:
    """`LENGTH KEY=VALUE\\n`, where LENGTH counts itself (POSIX.1-2001, pax, "pax Extended Header")."""
    rest = f" {key}={value}\n".encode()
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def _block(prefix: str, name: str, size_bytes: int, mode: int, kind: bytes) -> bytes:
    fields = (
        name.encode().ljust(_NAME_BYTES, b"\0"),
        _octal(mode, 8),
        _octal(0, 8),  # user
        _octal(0, 8),  # group
        _octal(size_bytes, 12),
        _octal(0, 12),  # modified
        b" " * 8,  # the checksum counts itself as blanks
        kind,
        bytes(100),  # linked to
        b"ustar\x0000",
        bytes(32 + 32 + 8 + 8),  # names of the owners, numbers of a device
        prefix.encode().ljust(_PREFIX_BYTES, b"\0"),
        bytes(12),
    )
    block = b"".join(fields)
    return block[:148] + f"{sum(block):06o}\0 ".encode() + block[156:]


def _octal(number: int, width: int) -> bytes:
    return f"{number:0{width - 1}o}\0".encode()
