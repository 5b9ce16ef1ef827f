"""Which configuration files hold: the one named or found, and the one of the environment over it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("aks-spin.toml", "spin-aks.toml")
DEFAULT_ENVIRONMENT = "default"


@dataclass(frozen=True, slots=True)
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
    """The files for what `-c` and `-e` say (empty: not given); `manifest` is what `-f` names, likewise.

    Raises UsageError where two files could be meant, or the one that was named can't be read as a file.
    """
    if config:
        base = Path(config)
        if base.is_dir():
            hint = f"name the file in it: `-c {base / NAMES[0]}`"
            raise UsageError("the configuration is a folder", where=config, hint=hint)
    else:
        base = _searched(manifest, here)
    return _files(base, bool(config), environment)


def _files(base: Path, named: bool, environment: str) -> Files:
    own = base.stem if named and base.name not in NAMES else ""
    overlay = base.with_name(f"{base.stem}.{environment}{base.suffix}") if environment else None
    return Files(
        base=base if base.is_file() else None,
        overlay=overlay if overlay and overlay.is_file() else None,
        environment=environment or own or DEFAULT_ENVIRONMENT,
        expected=base,
        expected_overlay=overlay,
        folder_name=".".join(filter(None, [own, environment])) or DEFAULT_ENVIRONMENT,
    )


def _searched(manifest: str, here: Path) -> Path:
    """The nearest configuration; where there is none, where one would be made: beside spin.toml."""
    home = _folder_of(manifest, here)
    for folder in dict.fromkeys(_folders(home, here)):
        there = [folder / name for name in NAMES if (folder / name).exists()]
        if len(there) > 1:
            raise UsageError.of([_two(there)])
        if there:
            if there[0].is_dir():
                raise UsageError("the configuration is a folder", where=str(there[0]), hint="give it another name")
            return there[0]
    return home / NAMES[0]


def _two(there: list[Path]) -> Problem:
    one, other = (path.name for path in there)
    hint = f"keep one of them, or name the one that is meant: `-c {one}`"
    return Problem(f"both `{one}` and `{other}` are there, and only one can hold", str(there[0].parent), hint)


def _folder_of(manifest: str, here: Path) -> Path:
    if not manifest:
        return here
    named = Path(manifest)
    return named if named.is_dir() else named.parent


def _folders(home: Path, here: Path) -> Iterator[Path]:
    """From the working folder up to the repository's root; an application below it that was named comes first."""
    if home != here and home.is_relative_to(here):
        yield from (folder for folder in (home, *home.parents) if folder.is_relative_to(here) and folder != here)
    yield from _up(here)
    yield from _up(home)


def _up(folder: Path) -> Iterator[Path]:
    """Up to the folder with `.git`; without a repository only `folder` itself, or a file of anybody's might hold."""
    above = (folder, *folder.parents)
    root = next((one for one in above if (one / ".git").exists()), folder)
    yield from above[: above.index(root) + 1]
