"""Changing `aks-spin.toml` on the disk: one writer at a time, the whole old file or the whole new one.

What an editor saves meanwhile is not lost: the file is read again right before it is replaced, and the change is made
anew in what stands there then.
"""

from __future__ import annotations

import glob
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spin_aks import files
from spin_aks.errors import LockedError, SpinAksError, UsageError
from spin_aks.lock import Lock
from spin_aks.settings import edit, file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spin_aks.settings.edit import Place, Value

STATE = ".spin-aks"
# Begins as no environment's folder does.
LOCK = ".configuration.lock"
PATIENCE_S = 30.0
ATTEMPTS = 20
_OTHER = "move it away, or name another file with `-c PATH`"


def change(path: Path, values: Mapping[Place, Value | None]) -> bool:
    """Gives the configuration file these values, None taking a key out; true if the file changed.

    A missing file is made, with the schema's version. One that is there keeps its mode, and a link stays a link.
    Raises UsageError for a file that can't be changed as it is (`settings.edit`: with `PATH:LINE`; no text, a folder,
    too large), SpinAksError where it can't be written; then the old file is as it was.
    """
    before = _content(path)
    if _changed(before, values, path) == before:
        return False
    with _alone(path):
        for _ in range(ATTEMPTS):
            before = _content(path)
            after = _changed(before, values, path)
            if after is None or after == before:
                return False
            if files.exchange(path, before, after):
                return True
    raise SpinAksError(
        "is changed by another program again and again",
        where=str(path),
        hint="end what writes to it, and run the same command again",
    )


def _content(path: Path) -> bytes | None:
    """The file's bytes, which are a text of bearable length; None without a file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror or error}", where=str(path), hint=_OTHER) from error
    if not stat.S_ISREG(mode):
        what = "is a folder" if stat.S_ISDIR(mode) else "is no file"
        raise UsageError(what, where=str(path), hint=_OTHER)
    return file.text_of(path, str(path)).encode()


def _changed(before: bytes | None, values: Mapping[Place, Value | None], path: Path) -> bytes | None:
    """What the file is to hold; None for no file."""
    given = {place: value for place, value in values.items() if value is not None}
    if before is None and not given:
        return None
    text = edit.new_file(given) if before is None else edit.set_values(before.decode(), given, path=path)
    for place in values.keys() - given.keys():
        text = edit.unset(text, place, path=path)
    after = text.encode()
    if len(after) > file.MOST_BYTES:
        hint = "take out what is not needed any more"
        raise UsageError(f"would have more than {file.MOST_BYTES >> 20} MiB", where=str(path), hint=hint)
    return after


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds the lock that all writers of configurations in this folder take; it lies in the folder that git ignores.

    It is the folder where the bytes are: writers that come by different links exclude each other.
    """
    target = path.resolve()
    folder = target.parent / STATE
    with files.refused_as_error(folder if folder.exists() else path):
        folder.mkdir(parents=True, exist_ok=True)
    lock = Lock(folder / LOCK)
    try:
        _acquire(lock, path)
        files.write(folder / ".gitignore", "*\n")
        files.sweep(target.parent, f"{glob.escape(target.name)}.")
        yield
    finally:
        lock.release()


def _acquire(lock: Lock, path: Path) -> None:
    try:
        lock.acquire(patience_s=PATIENCE_S)
    except LockedError as error:
        holder = error.problems[0].what.partition(": ")[2]
        hint = "wait for it to end, and run the same command again"
        raise LockedError(f"another run is changing it: {holder}", where=str(path), hint=hint) from error
