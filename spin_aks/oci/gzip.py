"""Gzip that is the same bytes everywhere, because it compresses nothing.

What zlib makes of the same input differs between its versions and rebuilds (zlib-ng, hardware support), so a digest of
its output would say nothing about the input. Deflate's stored blocks leave no choice to anybody. RFC 1951 §3.2.4,
RFC 1952 §2.3.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BLOCK_MOST_BYTES = 0xFFFF
# no flags, no time, no hint at the effort, system unknown
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_EMPTY_BLOCK = b"\x01\x00\x00\xff\xff"


def stored(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The gzip member whose content is `chunks`; how they are cut changes nothing."""
    yield _HEADER
    checksum, length = 0, 0
    for block in _blocks(chunks):
        checksum = zlib.crc32(block, checksum)
        length += len(block)
        yield struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF) + block
    yield _LAST_EMPTY_BLOCK + struct.pack("<II", checksum, length & 0xFFFFFFFF)


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        whole = len(pending) - len(pending) % _BLOCK_MOST_BYTES
        for start in range(0, whole, _BLOCK_MOST_BYTES):
            yield bytes(pending[start : start + _BLOCK_MOST_BYTES])
        del pending[:whole]
    if pending:
        yield bytes(pending)
