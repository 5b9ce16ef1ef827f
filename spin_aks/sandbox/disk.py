"""Files of the sandbox's folder: a reader sees a whole one or none, also after a kill -9."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def replace(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Makes `content` the file's content in one step, and the folders above it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def touch(path: Path) -> None:
    """An empty file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def remove(path: Path) -> bool:
    """True if there was such a file."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
        return True
    return False
