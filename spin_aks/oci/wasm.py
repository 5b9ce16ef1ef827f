"""Whether a file is WebAssembly, and of which kind: what decides if a pod can start with it.

A pod whose wasm is missing, empty, torn or something else dies without a word, so it is looked at before it is pushed.
Source: the core binary format (module = magic, version 1, sections) and the component model's Binary.md (version 0xd,
layer 1); both are a preamble of 8 bytes and sections of an id, a length in LEB128 and that many bytes.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, BinaryIO

from spin_aks.errors import Problem, SpinAksError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spin_aks.spin.model import Application

_MAGIC = b"\0asm"
_LENGTH_MOST_BYTES = 5


class Kind(Enum):
    """A core module (which the shim makes a component of when it starts) or a component."""

    MODULE = b"\x01\x00\x00\x00"
    COMPONENT = b"\x0d\x00\x01\x00"


def kind(path: Path) -> Kind:
    """What `path` holds; raises SpinAksError if that is no WebAssembly, or only the beginning of one.

    Reads the preamble and each section's length, not what is in the sections.
    """
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as stream:
            return _inspected(path, stream, size_bytes)
    except FileNotFoundError:
        raise SpinAksError(f"`{path}` does not exist", hint="build it: `spin-aks build`") from None
    except OSError as error:
        raise SpinAksError(f"can't read `{path}`: {error.strerror or error}") from error


def problems(app: Application, files: Mapping[str, Path]) -> Iterator[Problem]:
    """What is wrong with the wasm of each component, by id; a component without an entry has none."""
    for component in app.components:
        where = app.where((*component.place, "source"))
        path = files.get(component.id)
        if path is None:
            yield Problem(f"component `{component.id}` has no wasm", where, "build it: `spin-aks build`")
            continue
        try:
            kind(path)
        except SpinAksError as error:
            found = error.problems[0]
            yield Problem(f"component `{component.id}`: {found.what}", where, found.hint)


def check(app: Application, files: Mapping[str, Path]) -> None:
    """Raises SpinAksError with all that `problems` finds, if it finds anything."""
    found = tuple(problems(app, files))
    if found:
        raise SpinAksError.of(found)


def _inspected(path: Path, stream: BinaryIO, size_bytes: int) -> Kind:
    preamble = stream.read(8)
    if not preamble:
        raise SpinAksError(f"`{path}` is empty", hint="build it again: `spin-aks build`")
    if preamble[:4] != _MAGIC:
        raise SpinAksError(
            f"`{path}` is not a WebAssembly file: it begins with {preamble[:4]!r}",
            hint=_not_wasm_hint(preamble),
        )
    try:
        found = Kind(preamble[4:])
    except ValueError:
        raise SpinAksError(
            f"`{path}` is WebAssembly of a version that no Spin knows ({preamble[4:].hex(' ') or 'none'})",
            hint="build it for `wasm32-wasip1` or as a component",
        ) from None
    if not _whole(stream, size_bytes):
        raise SpinAksError(
            f"`{path}` is only the beginning of a WebAssembly file ({size_bytes} bytes)",
            hint="build it again: `spin-aks build`",
        )
    return found


def _whole(stream: BinaryIO, size_bytes: int) -> bool:
    while stream.read(1):
        length = _length(stream)
        if length is None or stream.seek(length, 1) > size_bytes:
            return False
    return True


def _length(stream: BinaryIO) -> int | None:
    length = 0
    for position in range(_LENGTH_MOST_BYTES):
        byte = stream.read(1)
        if not byte:
            return None
        length |= (byte[0] & 0x7F) << (7 * position)
        if byte[0] < 0x80:
            return length
    return None


def _not_wasm_hint(preamble: bytes) -> str:
    if preamble.startswith(b"\x7fELF") or preamble[:4] in (b"\xcf\xfa\xed\xfe", b"MZ\x90\x00"):
        return "it is a program for this machine: build it for a `wasm32` target"
    if preamble.lstrip().startswith(b"(mod") or preamble.lstrip().startswith(b"(com"):
        return "it is WebAssembly text: `wasm-tools parse` makes the binary of it"
    return "check `source` in spin.toml against what the build command writes"
