"""The only place that writes files: a reader sees the whole old file or the whole new one, whatever happens."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from spin_aks.errors import SpinAksError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.json_types import JSON, JSONObject

CHUNK_BYTES = 1 << 20
UNFINISHED = ".tmp"


def write(path: Path, content: str | bytes, *, mode: int = 0o644) -> bool:
    """Writes `content` (text as UTF-8, line ends as they are) and makes the folders above; true if the file changed.

    A file that holds these bytes already is left alone, its times included. Raises SpinAksError naming the path.
    """
    new = content.encode() if isinstance(content, str) else content
    with refused_as_error(path):
        if path.is_file() and path.stat().st_size == len(new) and path.read_bytes() == new:
            return False
        with replacing(path, mode=mode) as stream:
            stream.write(new)
    return True


def write_json(path: Path, document: JSON, *, mode: int = 0o644) -> bool:
    """Writes `document` with sorted keys, two spaces of indent and a final newline; true if the file changed."""
    return write(path, json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n", mode=mode)


def read_json(path: Path) -> JSONObject | None:
    """The JSON object in `path`, or None if there is no file, or none that holds an object (a torn or foreign file)."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A stream whose bytes become `path` in one step when the block ends well, and vanish when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve() if path.is_symlink() else path
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=UNFINISHED, dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def exchange(path: Path, old: bytes | None, new: bytes) -> bool:
    """Writes `new` where `old` stands (None: where no file is); false, with nothing written, if that is so no more.

    The file keeps its mode. Raises SpinAksError naming the path, also for a file that this user may not write, though
    its folder could be.
    """
    with refused_as_error(path):
        if path.exists() != (old is not None):
            return False
        if old is not None and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        mode = 0o644 if old is None else stat.S_IMODE(path.stat().st_mode)
        try:
            with replacing(path, mode=mode) as stream:
                stream.write(new)
                stream.flush()
                os.fsync(stream.fileno())  # here already: between this look and the exchange is next to no time
                if (path.read_bytes() if path.exists() else None) != old:
                    raise _OvertakenError
        except _OvertakenError:
            return False
    return True


class _OvertakenError(Exception):
    """Somebody else has written."""


@contextmanager
def refused_as_error(path: Path) -> Iterator[None]:
    """Turns what the system refuses (no room, no right, a folder in the way) into an error that names the path."""
    try:
        yield
    except OSError as error:
        raise SpinAksError(f"can't write `{path}`: {error.strerror or error}", hint=_way_out(error)) from error


def copy(source: Path, target: Path, *, mode: int = 0o644) -> str:
    """Makes `target` the same bytes as `source` and gives their digest; one that is the same already is left alone.

    Not forced to the disk: for what can be made again. Raises SpinAksError naming the path.
    """
    try:
        stream = source.open("rb")
    except OSError as error:
        raise SpinAksError(f"can't read `{source}`: {error.strerror or error}") from error
    with stream, refused_as_error(target):
        if not target.is_symlink() and target.is_file() and _same(stream, target):
            target.chmod(mode)
            return sha256(target)
        stream.seek(0)
        return _copied(stream, target, mode)


def _same(stream: BinaryIO, target: Path) -> bool:
    if os.fstat(stream.fileno()).st_size != target.stat().st_size:
        return False
    with target.open("rb") as other:
        while chunk := stream.read(CHUNK_BYTES):
            if chunk != other.read(CHUNK_BYTES):
                return False
    return True


def _copied(stream: BinaryIO, target: Path, mode: int) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    temporary = target.with_name(f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.tmp")
    try:
        with temporary.open("wb") as written:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                written.write(chunk)
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return f"sha256:{digest.hexdigest()}"


def _way_out(error: OSError) -> str:
    ways = {
        errno.ENOSPC: "free some room on that disk and run the same command again: what is done is kept",
        errno.EDQUOT: "free some room in your quota and run the same command again: what is done is kept",
        errno.EFBIG: "raise the limit on the size of files (`ulimit -f`) and run the same command again",
        errno.EACCES: "give yourself the right to write there, or name another place",
        errno.EROFS: "that file system is read-only: name another place",
        errno.EISDIR: "a folder of that name is in the way: name another path",
    }
    return ways.get(error.errno or 0, "")


def sweep(folder: Path, name: str = "") -> None:
    """Removes what a killed run left unfinished in `folder`; for whoever is alone in writing there.

    With `name` only of that file, for whoever is alone in writing that.
    """
    for path in folder.glob(f".{name}*{UNFINISHED}"):
        path.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Where this user's programs keep what can be had again (XDG Base Directory Specification, `XDG_CACHE_HOME`).

    Raises SpinAksError where the user has no home.
    """
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (given if given.is_absolute() else Path.home() / ".cache") / "spin-aks"
    except RuntimeError as error:
        hint = "set XDG_CACHE_HOME to a folder to keep it in"
        raise SpinAksError("there is no home folder to keep in what can be had again", hint=hint) from error


def read_text(path: Path) -> str:
    """The UTF-8 text in `path`, a byte order mark left out; raises SpinAksError naming the path."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpinAksError(f"`{path}` is no UTF-8 text", where=str(path), hint="save it as UTF-8") from error
    except OSError as error:
        raise SpinAksError(f"can't read `{path}`: {error.strerror or error}") from error


def sha256(path: Path) -> str:
    """The file's digest as OCI writes it: `sha256:` and 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"
