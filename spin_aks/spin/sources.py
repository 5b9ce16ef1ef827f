"""Which files a component is compiled from: what makes its build stale."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.spin.gitignore import Ignore

# Folders in which tools leave what they made or fetched; nobody edits what is in them.
NEVER_SOURCES = frozenset(
    {".git", ".hg", ".spin", ".spin-aks", ".venv", "venv", "__pycache__", "node_modules", ".tox",
     ".mypy_cache", ".pytest_cache", ".ruff_cache", ".DS_Store", "zig-cache", ".zig-cache"}
)  # fmt: skip
# Cargo, Maven and sbt leave theirs in `target`, which others take for a name like any.
TARGET = "target"
WITH_TARGET = ("Cargo.toml", "pom.xml", "build.sbt", f"{TARGET}/CACHEDIR.TAG")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scope:
    """Where to look, relative to the application's root: below `workdir`, or what matches `watch` in it.

    `outside` are paths (files, or folders with all they hold) that count for nothing: outputs and generated files.
    `folders` are those that components are built in: what is in one below `workdir` is another component's.
    """

    workdir: str
    watch: tuple[str, ...]
    outside: frozenset[str]
    folders: frozenset[str] = frozenset()


def sources(scope: Scope) -> list[str]:
    """The files in scope, relative to the root, with `/`, sorted; those that git ignores are left out."""
    found = _watched(scope) if scope.watch else _below(scope)
    return sorted(found)


def _watched(scope: Scope) -> Iterator[str]:
    """Spin takes `build.watch` relative to the build's workdir (Spin 3.6, src/commands/watch/filters.rs).

    Strings and not Path: there are thousands in a run that does nothing, and a Path costs ten times as much.
    """
    base = clean(scope.workdir or ".")
    for pattern in scope.watch:
        for name in _matches(pattern, base) if glob.has_magic(pattern) else (pattern,):
            path = clean(os.path.join(base, name))  # noqa: PTH118
            if os.path.isfile(path) and not _is_outside(path, base, scope):  # noqa: PTH113
                yield path


def _matches(pattern: str, base: str) -> Iterator[str]:
    return glob.iglob(pattern, root_dir=base, recursive=True, include_hidden=True)  # noqa: PTH207


def _is_outside(path: str, base: str, scope: Scope) -> bool:
    parts = path.split("/")
    above = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return (
        not NEVER_SOURCES.isdisjoint(parts)
        or (TARGET in parts and any(_is_a_tools_target(folder) for folder in above))
        or not scope.outside.isdisjoint(above)
        or any(base == "." or folder.startswith(f"{base}/") for folder in above if folder in scope.folders)
    )


def _is_a_tools_target(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return name == TARGET and any(os.path.isfile(os.path.join(folder, sign)) for sign in WITH_TARGET)  # noqa: PTH113, PTH118


def _below(scope: Scope) -> Iterator[str]:
    base = clean(scope.workdir or ".")
    yield from _walk(base, scope, _ignores_above(base))


def _walk(folder: str, scope: Scope, ignores: tuple[Ignore, ...]) -> Iterator[str]:
    ignores = (*ignores, *_ignore_of(folder))
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        path = entry.name if folder == "." else f"{folder}/{entry.name}"
        if entry.name in NEVER_SOURCES or path in scope.outside or path in scope.folders or _is_a_tools_target(path):
            continue
        if entry.is_dir(follow_symlinks=False):
            if not _ignored(f"{path}/", ignores):
                yield from _walk(path, scope, ignores)
        elif _is_file(entry) and not _ignored(path, ignores):
            yield path


def _is_file(entry: os.DirEntry[str]) -> bool:
    """A link that leads to itself is none, as one that leads nowhere."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _ignored(path: str, ignores: tuple[Ignore, ...]) -> bool:
    """Whether git would ignore it; the deepest .gitignore that says anything decides (gitignore(5))."""
    verdicts = (ignore.verdict(path) for ignore in reversed(ignores))
    return next((verdict for verdict in verdicts if verdict is not None), False)


def _ignore_of(folder: str) -> tuple[Ignore, ...]:
    if not os.path.isfile(f"{folder}/.gitignore"):  # noqa: PTH113
        return ()
    from spin_aks.spin.gitignore import Ignore

    return (Ignore.of(folder),)


def _ignores_above(base: str) -> tuple[Ignore, ...]:
    """The .gitignore files of the folders between the root and `base`, the root's own first."""
    parts = [] if base == "." else base.split("/")
    folders = [".", *("/".join(parts[:length]) for length in range(1, len(parts)))] if parts else []
    return tuple(ignore for folder in folders for ignore in _ignore_of(folder))


def clean(path: str) -> str:
    """`path` in the form in which sources are listed."""
    return os.path.normpath(path).replace(os.sep, "/")
