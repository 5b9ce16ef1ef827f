"""Which configuration files hold: the one named or found, and the one of the environment over it."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks.errors import UsageError
from spin_aks.settings import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("aks-spin.toml", "spin-aks.toml")
DEFAULT_ENVIRONMENT = "default"
_MOVE = "move it away, or name another configuration with `-c PATH`"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Files:
    """`base` and `overlay` are absolute, None where there is no such file; `environment` is the environment's name.

    `expected` is where the base would be made, and `expected_overlay` the overlay (None without a name for one).
    `folder_name` is what the environment's state is kept under.
    """

    base: Path | None
    overlay: Path | None
    environment: str
    expected: Path
    expected_overlay: Path | None
    folder_name: str


def find(config: str, environment: str, manifest: str, here: Path) -> Files:
    """The files for what `-c` and `-e` say (empty: not given); `manifest` is what `-f` names, likewise. Paths are
    absolute.

    Raises UsageError where two files could be meant, or what is there can't be read as a file.
    """
    base = Path(config) if config else _searched(environment, manifest, here)
    return _files(_in_real_folder(base), bool(config), environment, here)


def seen_from(path: Path, here: Path) -> str:
    """The path as somebody in the folder `here` would name it."""
    relative = os.path.relpath(path, here)
    return str(path) if relative.startswith("../../../..") else relative


def _in_real_folder(path: Path) -> Path:
    """By whatever links it was reached, a file has one name, so that its state is one. It may be a link itself."""
    return Path(os.path.realpath(path.parent), path.name)


def _files(base: Path, named: bool, environment: str, here: Path) -> Files:
    is_there = _is_there(base, here)
    own = base.stem if named and base.name not in NAMES else ""
    if own and (why := rules.ENVIRONMENT.refuses(own)):
        hint = "rename the file"
        raise UsageError(f"an environment is called like its file, and {why}", where=seen_from(base, here), hint=hint)
    overlay = _overlay(base, environment) if environment else None
    return Files(
        base=base if is_there else None,
        overlay=overlay if overlay and _is_there(overlay, here) else None,
        environment=environment or own or DEFAULT_ENVIRONMENT,
        expected=base,
        expected_overlay=overlay,
        folder_name=".".join(filter(None, [own, environment])) or DEFAULT_ENVIRONMENT,
    )


def _overlay(base: Path, environment: str) -> Path:
    return base.with_name(f"{base.stem}.{environment}{base.suffix}")


def _is_there(path: Path, here: Path) -> bool:
    """Raises UsageError for what is there and is no file, such as a pipe, on which a reader would wait for ever."""
    where = seen_from(path, here)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise UsageError("is a link to nothing", where=where, hint=_MOVE) from None
        return False
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise UsageError(f"can't be read: {error.strerror or error}", where=where, hint=_MOVE) from error
    if stat.S_ISDIR(mode):
        raise UsageError(
            "is a folder, not a configuration", where=where, hint=f"name the file in it: `-c {where}/{NAMES[0]}`"
        )
    if not stat.S_ISREG(mode):
        raise UsageError("is no regular file", where=where, hint=_MOVE)
    return True


def _searched(environment: str, manifest: str, here: Path) -> Path:
    """The nearest configuration; where there is none, where one would be made: beside spin.toml.

    An overlay alone is one, too, but not where there is a file that it could lie over.
    """
    home = _folder_of(manifest, here)
    folders = tuple(dict.fromkeys(_folders(home, here)))
    for names in ([""], [environment] if environment else []):
        for folder in folders:
            there = [folder / name for name in NAMES if any(_exists(folder / name, one) for one in names)]
            _refuse_two(folder, there, environment, here)
            if there:
                return there[0]
    return home / NAMES[0]


def _exists(base: Path, environment: str) -> bool:
    """Whatever it is; what nobody lets us look at is not there."""
    return os.path.lexists(_overlay(base, environment) if environment else base)


def _refuse_two(folder: Path, there: list[Path], environment: str, here: Path) -> None:
    """Both names, or the one's file with the other's overlay: only one can hold, and the other would be ignored."""
    if not there:
        return
    rest = [folder / name for name in NAMES if folder / name != there[0]]
    besides = [*there[1:], *(_overlay(one, environment) for one in rest if environment and _exists(one, environment))]
    if besides:
        one, other = there[0] if os.path.lexists(there[0]) else _overlay(there[0], environment), besides[0]
        hint = f"keep one of them, or name the one that is meant: `-c {seen_from(there[0], here)}`"
        if other not in there:
            hint = f"`{one.name}` goes with `{_overlay(there[0], environment).name}`: rename it"
        raise UsageError(
            f"both `{one.name}` and `{other.name}` are there, and only one can hold",
            where=seen_from(folder, here),
            hint=hint,
        )


def _folder_of(manifest: str, here: Path) -> Path:
    if not manifest:
        return here
    return Path(manifest if os.path.isdir(manifest) else os.path.dirname(manifest))  # noqa: PTH112, PTH120 - never raise


def _folders(home: Path, here: Path) -> Iterator[Path]:
    """Beside the application that was named; from the working folder up to the repository's root; at last from the
    application up.
    """
    yield home
    if home.is_relative_to(here):
        yield from (folder for folder in home.parents if folder.is_relative_to(here) and folder != here)
    yield from _up(here)
    yield from _up(home)


def _up(folder: Path) -> Iterator[Path]:
    """Up to the folder with `.git`; without a repository only `folder` itself, or a file of anybody's might hold."""
    above = (folder, *folder.parents)
    root = next((one for one in above if os.path.lexists(one / ".git")), folder)
    yield from above[: above.index(root) + 1]
