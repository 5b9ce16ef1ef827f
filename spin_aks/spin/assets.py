"""Which files of the application's folder a component sees, and under which names.

Spin has two ways to hand files to a component, and they differ for one form of entry. `spin registry push` copies them,
one by one, so globs, single files and `exclude_files` work (`resolve`). The containerd shim mounts folders as they are
(`resolve_mounted`); what it can't mount, we copy beforehand by the first rules. A folder named as a bare string
(`files = ["dir"]`) lands at `dir/dir` when copied and at `/dir` when mounted.
Source: spin 3.6.3, crates/loader/src/local.rs (`copy_glob_or_path`, `copy_file_or_directory`, `resolve_direct_mount`).

One difference from Spin: what this tool keeps in `.spin-aks/` is never an asset, however wide the glob.
"""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks.errors import ManifestError, Problem
from spin_aks.spin.globs import GlobError, LoopError, compile_glob, find, looks_like_glob
from spin_aks.spin.model import FilePattern

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from spin_aks.spin.model import Application, Component, FilePlacement
    from spin_aks.spin.shapes import Place

    _Naming: TypeAlias = Callable[[str], str]

OUR_FOLDER = ".spin-aks"
_INSIDE_HINT = "move the files below the folder of spin.toml, or copy them there in the component's build command"
_PATTERN_HINT = 'to take a whole folder, write `{ source = "FOLDER", destination = "/" }` or a glob that ends in `**/*`'


@dataclass(frozen=True, slots=True, order=True)
class Asset:
    """A file that a component sees as `path` (no leading slash); `source` is relative to the application's folder."""

    path: str
    source: Path


def resolve(app: Application, component: Component) -> tuple[Asset, ...]:
    """The component's files as `spin registry push` copies them, sorted by path.

    Reads folders, no file's content. Raises ManifestError with every problem, each at its line of the manifest: a file
    that is missing, outside the application's folder (itself or through a symbolic link) or unreadable, a bad glob.
    """
    return _Resolution(app, component, bare_folder_twice=True).assets()


def resolve_mounted(app: Application, component: Component) -> tuple[Asset, ...]:
    """The component's files as its folders show them when mounted, the rest copied; otherwise as `resolve`."""
    return _Resolution(app, component, bare_folder_twice=False).assets()


def resolve_all(
    app: Application, rule: Callable[[Application, Component], tuple[Asset, ...]]
) -> dict[str, tuple[Asset, ...]]:
    """The files of every component by id, by `resolve` or `resolve_mounted`; raises all that is wrong with any."""
    found: dict[str, tuple[Asset, ...]] = {}
    problems: list[Problem] = []
    for component in app.components:
        try:
            found[component.id] = rule(app, component)
        except ManifestError as error:
            problems.extend(error.problems)
    if problems:
        raise ManifestError.of(problems)
    return found


class _RefusedError(Exception):
    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class _Resolution:
    def __init__(self, app: Application, component: Component, *, bare_folder_twice: bool) -> None:
        self._app = app
        self._component = component
        self._bare_folder_twice = bare_folder_twice
        self._real_root = Path(os.path.realpath(app.root))
        self._inside_folders: dict[Path, bool] = {}
        self._problems: list[Problem] = []

    def assets(self) -> tuple[Asset, ...]:
        self._excludes = tuple(self._excluded())
        found: dict[str, Path] = {}
        for index, entry in enumerate(self._component.files):
            try:
                found.update((asset.path, asset.source) for asset in self._entry(entry))
            except _RefusedError as refused:
                self._report(("files", index), refused.what, refused.hint)
        assets = tuple(Asset(path, found[path]) for path in sorted(found))
        self._check_no_file_is_a_folder(assets)
        if self._problems:
            raise ManifestError.of(self._problems)
        return assets

    def _excluded(self) -> Iterator[re.Pattern[str]]:
        for index, text in enumerate(self._component.exclude_files):
            try:
                yield compile_glob(text)
            except GlobError as error:
                self._report(("exclude_files", index), f"`exclude_files` has `{text}`, which is no glob: {error}")

    def _report(self, place: Place, what: str, hint: str = "") -> None:
        where = self._app.where((*self._component.place, *place))
        self._problems.append(Problem(f"component `{self._component.id}`: {what}", where, hint))

    def _entry(self, entry: FilePattern | FilePlacement) -> Iterator[Asset]:
        if isinstance(entry, FilePattern):
            return self._pattern(entry.pattern)
        return self._placement(entry.source, entry.destination)

    def _pattern(self, text: str) -> Iterator[Asset]:
        last = text.rpartition("/")[2]
        if last in (".", ".."):
            raise _RefusedError(f"the file pattern `{text}` can't end in `{last}`", _PATTERN_HINT)
        plain = self._inside(text)
        path = self._app.root / text
        if path.is_dir():
            prefix = plain if plain != "." else ""
            destination = prefix if self._bare_folder_twice else ""
            yield from self._folder(plain, lambda found: posixpath.join(destination, prefix, found))
        elif path.exists():
            yield self._file(plain, plain)
        elif looks_like_glob(text):
            yield from self._globbed(text)
        else:
            raise _RefusedError(
                f"`{text}` does not exist and is no glob",
                f"create `{text}` (does a build command make it?), or take it out of `files`",
            )

    def _placement(self, source: str, destination: str) -> Iterator[Asset]:
        plain = self._inside(source)
        target = destination.strip("/")
        if ".." in target.split("/"):
            raise _RefusedError(f"the destination `{destination}` leaves the component's own folder")
        path = self._app.root / source
        if path.is_dir():
            yield from self._folder(plain, lambda found: posixpath.join(_tidy(target), found))
        elif not path.exists():
            raise _RefusedError(
                f"the file or folder `{source}` does not exist",
                f"create `{source}` (does a build command make it?), or take it out of `files`",
            )
        elif not target or destination.endswith(("/", "/.")):
            raise _RefusedError(
                f"`{destination}` is no name for the file `{source}`",
                f'write the whole name: `destination = "{destination.rstrip("/.")}/{path.name}"`',
            )
        else:
            yield self._file(plain, _tidy(target))

    def _inside(self, text: str) -> str:
        plain = posixpath.normpath(text or ".")
        if text.startswith("/") or plain == ".." or plain.startswith("../"):
            raise _RefusedError(f"`{text}` is outside the application's folder", _INSIDE_HINT)
        return plain

    def _folder(self, folder: str, named: _Naming) -> Iterator[Asset]:
        for found in self._found(self._app.root / folder, "**/*"):
            source = posixpath.normpath(posixpath.join(folder, found))
            if not self._left_out(source):
                yield self._file(source, named(found))

    def _globbed(self, pattern: str) -> Iterator[Asset]:
        for found in self._found(self._app.root, pattern):
            source = posixpath.normpath(found)
            if not self._left_out(source):
                yield self._file(source, source)

    def _found(self, root: Path, pattern: str) -> Iterator[str]:
        try:
            yield from find(root, pattern)
        except GlobError as error:
            raise _RefusedError(f"`{pattern}` is no glob: {error}") from error
        except LoopError as error:
            raise _RefusedError(f"the symbolic link `{error.filename}` leads back to a folder above it") from error
        except OSError as error:
            raise _RefusedError(f"can't read the folder `{error.filename}`: {error.strerror}") from error

    def _left_out(self, source: str) -> bool:
        ours = source.startswith(f"{OUR_FOLDER}/")
        return ours or any(exclude.fullmatch(source) for exclude in self._excludes)

    def _file(self, source: str, path: str) -> Asset:
        if not self._stays_inside(self._app.root / source):
            raise _RefusedError(
                f"`{source}` leads out of the application's folder through a symbolic link", _INSIDE_HINT
            )
        try:
            path.encode()
        except UnicodeEncodeError:
            raise _RefusedError(f"the name of the file {os.fsencode(source)!r} is no UTF-8") from None
        return Asset(path, Path(source))

    def _stays_inside(self, path: Path) -> bool:
        if path.is_symlink():
            return Path(os.path.realpath(path)).is_relative_to(self._real_root)
        inside = self._inside_folders.get(path.parent)
        if inside is None:
            inside = Path(os.path.realpath(path.parent)).is_relative_to(self._real_root)
            self._inside_folders[path.parent] = inside
        return inside

    def _check_no_file_is_a_folder(self, assets: tuple[Asset, ...]) -> None:
        folders = {folder for asset in assets for folder in _folders_above(asset.path)}
        for asset in assets:
            if asset.path in folders:
                self._report(
                    ("files",),
                    f"`{asset.path}` would be a file (from `{asset.source}`) and a folder at the same time",
                    "give one of them another destination",
                )


def _tidy(path: str) -> str:
    plain = posixpath.normpath(path)
    return "" if plain == "." else plain


def _folders_above(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path
