"""The only place that writes files: a reader sees the whole old file or the whole new one, whatever happens."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from spin_aks.errors import SpinAksError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.json_types import JSON, JSONObject

CHUNK_BYTES = 1 << 20


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
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


@contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A stream whose bytes become `path` in one step when the block ends well, and vanish when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve() if path.is_symlink() else path
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
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


@contextmanager
def refused_as_error(path: Path) -> Iterator[None]:
    """Turns what the system refuses (no room, no right, a folder in the way) into an error that names the path."""
    try:
        yield
    except OSError as error:
        raise SpinAksError(f"can't write `{path}`: {error.strerror or error}", hint=_way_out(error)) from error


def _way_out(error: OSError) -> str:
    import errno

    ways = {
        errno.ENOSPC: "free some room on that disk and run the same command again: what is done is kept",
        errno.EDQUOT: "free some room in your quota and run the same command again: what is done is kept",
        errno.EACCES: "give yourself the right to write there, or name another place",
        errno.EROFS: "that file system is read-only: name another place",
        errno.EISDIR: "a folder of that name is in the way: name another path",
    }
    return ways.get(error.errno or 0, "")


def sha256(path: Path) -> str:
    """The file's digest as OCI writes it: `sha256:` and 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"
