"""All layers together: what holds, who said so, and where the application and its state are."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spin_aks.errors import Problem, UsageError
from spin_aks.settings import file, found, layers
from spin_aks.settings.layers import BUILT_IN, Layer, Origin
from spin_aks.settings.table import DEFAULTS, ROWS, STORE_ROWS, Settings, Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from spin_aks.settings.found import Files
    from spin_aks.settings.row import Row, Value


@dataclass(frozen=True, slots=True)
class Loaded:
    """`settings` with absolute paths, from `layers` in the order of their precedence."""

    settings: Settings
    files: Files
    layers: tuple[Layer, ...]

    def origin(self, key: str) -> Origin:
        """Who gives the value of this full key."""
        layer = _giver(self.layers, key)
        return Origin(layer.kind, layer.where(key)) if layer else BUILT_IN

    def given(self) -> tuple[str, ...]:
        """Every full key that somebody gives."""
        return tuple(dict.fromkeys(key for layer in self.layers for key in layer.raw))


def load(
    flags: Mapping[str, object], environment: Mapping[str, str], here: Path, answers: Mapping[str, str] | None = None
) -> Loaded:
    """Reads all that is given: flags as argparse leaves them (None: not given), variables, the configuration's files,
    and `answers` by full key, to what nobody else gives.

    Raises UsageError naming every value that can't be: what it was, where it came from.
    """
    folder = str(here)
    try:
        outer = (layers.from_flags(flags, folder), layers.from_environment(environment, folder))
    except ValueError as error:
        raise UsageError(str(error)) from error
    named, problems = _values(outer, ("SPIN_AKS_CONFIG", "SPIN_AKS_ENVIRONMENT", "app.manifest"))
    if problems:
        raise UsageError.of(problems)
    files = found.find(
        str(named.get("SPIN_AKS_CONFIG", "")),
        str(named.get("SPIN_AKS_ENVIRONMENT", "")),
        str(named.get("app.manifest", "")),
        here,
    )
    every = (*outer, *_from_files(files, here), *_answered(answers, folder))
    settings = _settings(every, files)
    return Loaded(_with_manifest(settings, every, files, here), files, every)


def _from_files(files: Files, here: Path) -> Iterator[Layer]:
    """Raises UsageError for all that is wrong in both."""
    problems: list[Problem] = []
    for kind, path in (("overlay", files.overlay), ("file", files.base)):
        if path is not None:
            try:
                yield file.read(path, kind, seen_from(path, here))
            except UsageError as error:
                problems += error.problems
    if problems:
        raise UsageError.of(problems)


def _answered(answers: Mapping[str, str] | None, folder: str) -> Iterator[Layer]:
    if answers:
        yield Layer("answer", answers, lambda _key: "asked", layers.of_text, folder)


def seen_from(path: Path, here: Path) -> str:
    """The path as somebody in the folder `here` would name it."""
    relative = os.path.relpath(path, here)
    return str(path) if relative.startswith("../../../..") else relative


def _giver(every: Iterable[Layer], key: str) -> Layer | None:
    return next((layer for layer in every if key in layer.raw), None)


def _values(every: tuple[Layer, ...], keys: Iterable[str]) -> tuple[dict[str, Value], list[Problem]]:
    """The value of each key that somebody gives, and why those that can't be can't."""
    read: dict[str, Value] = {}
    problems: list[Problem] = []
    for key in keys:
        layer, row = _giver(every, key), layers.row_of(key)
        if layer is None or row is None:
            continue
        try:
            read[key] = layer.read(row, layer.raw[key], layer.folder)
        except ValueError as error:
            problems.append(Problem(str(error), layer.where(key)))
            continue
        problems += _leaks(key, layer) if layer.kind in ("flag", "variable", "answer") else ()
    return read, problems


def _leaks(key: str, layer: Layer) -> Iterator[Problem]:
    """A file's are found where the file is read."""
    raw = str(layer.raw[key])
    if len(raw) > _TOO_SHORT_FOR_A_SECRET:
        from spin_aks.settings import unknown

        if leak := unknown.leak(key, raw):
            yield Problem(leak.what, layer.where(key), leak.hint)


_TOO_SHORT_FOR_A_SECRET = 15


def _settings(every: tuple[Layer, ...], files: Files) -> Settings:
    keys = dict.fromkeys(key for layer in every for key in layer.raw)
    read, problems = _values(every, keys)
    if problems:
        raise UsageError.of(problems)
    given: dict[str, Any] = {  # each of its field's own type: `Layer.read` sees to it
        name: read[layers.identity(row)] for name, row in ROWS.items() if layers.identity(row) in read
    }
    given |= {name: _named(read, row) for name, row in ROWS.items() if row.is_free}
    given["stores"] = tuple(_stores(read))
    given["environment"] = files.environment
    given["config"] = str(files.base or "")
    return replace(DEFAULTS, **given)


def _named(read: Mapping[str, Value], row: Row) -> tuple[tuple[str, str], ...]:
    """A free table's pairs, sorted by name."""
    before = row.key.partition("<")[0]
    return tuple(sorted((key.removeprefix(before), str(read[key])) for key in read if key.startswith(before)))


def _stores(read: Mapping[str, Value]) -> Iterator[Store]:
    for label in sorted({key.split(".")[1] for key in read if key.startswith("store.")}):
        keys = {name: row.key_of(label) for name, row in STORE_ROWS.items()}
        yield Store(label, **{name: str(read[key]) for name, key in keys.items() if key in read})


def _with_manifest(settings: Settings, every: tuple[Layer, ...], files: Files, here: Path) -> Settings:
    """Where nobody names the manifest it is the one here, else the one beside the configuration; paths that nobody
    gives are the application's own.
    """
    if _giver(every, "app.manifest") is None:
        mine = here / settings.manifest
        beside = files.base.parent / settings.manifest if files.base else mine
        manifest = beside if beside.is_file() and not mine.is_file() else mine
        return replace(settings, manifest=str(manifest))
    return settings


def rooted(loaded: Loaded) -> tuple[Path, Loaded]:
    """The manifest's folder, and the same with paths relative to it; `manifest` is then the file's name.

    Raises UsageError if there is no such manifest.
    """
    manifest = Path(loaded.settings.manifest)
    if manifest.is_dir():
        manifest = manifest / "spin.toml"
    if not manifest.is_file():
        hint = "name it with `-f PATH`, or run this in the application's folder"
        shown = manifest.name if loaded.origin("app.manifest") == BUILT_IN else str(manifest)
        raise UsageError(f"there is no `{shown}`", where=_where(loaded), hint=hint)
    root = manifest.parent.resolve()
    moved: dict[str, Any] = {
        name: below(root, getattr(loaded.settings, name))
        for name, row in ROWS.items()
        if row.kind == "path" and Path(getattr(loaded.settings, name)).is_absolute()
    }
    return root, replace(loaded, settings=replace(loaded.settings, **{**moved, "manifest": manifest.name}))


def _where(loaded: Loaded) -> str:
    origin = loaded.origin("app.manifest")
    return origin.where if origin.kind in ("file", "overlay", "variable") else ""


def below(root: Path, path: str) -> str:
    """`path` from `root`, if it is there or beside it, so that state stays true when the whole tree is moved."""
    relative = os.path.relpath(path, root)
    return path if relative.startswith("../../") else relative


def home(loaded: Loaded, root: Path) -> Path:
    """The folder in which the state of the environment stands: beside the configuration that names the application or
    stands beside it, else beside its spin.toml. Two applications that share one configuration share no state.
    """
    base = loaded.files.base
    if base is None:
        return root
    folder = base.parent.resolve()
    of_file = loaded.origin("app.manifest").kind in ("file", "overlay")
    return folder if folder == root or of_file else root


def require_environment(loaded: Loaded) -> None:
    """Raises UsageError where the configuration wants the environment named, and nobody named one."""
    if not loaded.settings.require_environment:
        return
    given = loaded.origin("SPIN_AKS_ENVIRONMENT"), loaded.origin("SPIN_AKS_CONFIG")
    if given == (BUILT_IN, BUILT_IN):
        raise UsageError(
            "this configuration wants the environment named",
            where=loaded.origin("require_environment").where,
            hint="name it with `-e NAME`, or its file with `-c PATH`",
        )


def no_such_file(loaded: Loaded) -> None:
    """Raises UsageError where the configuration that was named is not there."""
    if loaded.files.base is None and loaded.origin("SPIN_AKS_CONFIG") != BUILT_IN:
        hint = "`spin-aks config set KEY VALUE` makes one, or leave `-c` out"
        raise UsageError("there is no such file", where=loaded.origin("SPIN_AKS_CONFIG").where, hint=hint)
