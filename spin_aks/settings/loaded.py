"""All layers together: what holds, who said so, and where the application and its state are."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spin_aks.errors import Problem, UsageError
from spin_aks.settings import checked, file, found, layers
from spin_aks.settings.found import seen_from as seen_from
from spin_aks.settings.layers import BUILT_IN, Layer, Origin
from spin_aks.settings.stores import STORE_ROWS, Store
from spin_aks.settings.table import DEFAULTS, ROWS, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from spin_aks.settings.found import Files
    from spin_aks.settings.row import Row, Value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Loaded:
    """`settings` with absolute paths, from `layers` in the order of their precedence."""

    settings: Settings
    files: Files
    layers: tuple[Layer, ...]

    def origin(self, key: str) -> Origin:
        """Who gives the value of this full key."""
        layer = _giver(self.layers, key)
        return Origin(layer.kind, layer.where(key)) if layer else BUILT_IN

    def value(self, key: str) -> Value | None:
        """What somebody gives for this full key, a path as an absolute one; None if nobody does."""
        layer = _giver(self.layers, key)
        return _value(layer, key) if layer else None

    def wins(self, key: str, *others: str) -> bool:
        """Whether `key` is given, and by none further away than whoever gives one of `others`: of inputs that exclude
        each other the one that was said last counts.
        """
        own = self._rank(key)
        return own < len(self.layers) and all(own <= self._rank(other) for other in others)

    def _rank(self, key: str) -> int:
        return next((rank for rank, layer in enumerate(self.layers) if key in layer.raw), len(self.layers))

    def given(self) -> tuple[str, ...]:
        """Every full key that somebody gives."""
        return tuple(dict.fromkeys(key for layer in self.layers for key in layer.raw))


def load(
    flags: Mapping[str, object], environment: Mapping[str, str], here: Path, answers: Mapping[str, str] | None = None
) -> Loaded:
    """Reads all that is given: flags as argparse leaves them (None: not given), variables, the configuration's files,
    and `answers` by full key, which win: only what nobody gives is asked for.

    Raises UsageError naming every value that can't be, whether another wins over it or not: what it was, where it came
    from.
    """
    outer, problems = _outer(flags, environment, here)
    try:
        files = _there(_find(outer, here), outer, here)
        inner = tuple(_from_files(files, here))
    except UsageError as error:
        raise UsageError.of(dict.fromkeys([*problems, *error.problems])) from error
    inner_keys = frozenset(key for layer in inner for key in layer.raw)
    every = (*(layers.aligned(layer, inner_keys) for layer in outer), *inner)
    if answers:
        asked = Layer("answer", answers, lambda _key: "asked", layers.of_text, str(here))
        problems += checked.problems(asked)
        every = (asked, *every)  # where somebody was asked, others gave an empty value at most
    if problems:
        raise UsageError.of(problems)
    return Loaded(_with_manifest(_settings(every, files), every, files, here), files, every)


def find(flags: Mapping[str, object], environment: Mapping[str, str], here: Path) -> Files:
    """The files that `load` would read, whatever is in them; raises UsageError as far as they can't be told."""
    return _find(_outer(flags, environment, here)[0], here)


def _outer(
    flags: Mapping[str, object], environment: Mapping[str, str], here: Path
) -> tuple[tuple[Layer, Layer], list[Problem]]:
    """What stands in no file, and all that is wrong with it."""
    outer = (layers.from_flags(flags, str(here)), layers.from_environment(environment, str(here)))
    return outer, [*layers.bad_pairs(flags), *(problem for layer in outer for problem in checked.problems(layer))]


def _find(outer: tuple[Layer, Layer], here: Path) -> Files:
    keys = ("SPIN_AKS_CONFIG", "SPIN_AKS_ENVIRONMENT", "app.manifest")
    given = {key: layer for key in keys if (layer := _giver(outer, key))}
    problems = [problem for key, layer in given.items() for problem in checked.problems(layer, key)]
    if problems:
        raise UsageError.of(problems)
    config, environment, manifest = (str(_value(given[key], key)) if key in given else "" for key in keys)
    return found.find(config, environment, manifest, here)


def _there(files: Files, outer: tuple[Layer, Layer], here: Path) -> Files:
    """Raises UsageError where the configuration that was named is not there."""
    named = _giver(outer, "SPIN_AKS_CONFIG")
    if files.base is None and named:
        hint = "`spin-aks config set KEY VALUE` makes one, or name another with `-c PATH`"
        what = f"there is no file `{seen_from(files.expected, here)}`"
        raise UsageError(what, where=named.where("SPIN_AKS_CONFIG"), hint=hint)
    return files


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


def _giver(every: Iterable[Layer], key: str) -> Layer | None:
    return next((layer for layer in every if key in layer.raw), None)


def _value(layer: Layer, key: str) -> Value:
    row = layers.row_of(key)
    assert row is not None  # nothing else comes into a layer that was checked
    return layer.read(row, layer.raw[key], layer.folder)


def _settings(every: tuple[Layer, ...], files: Files) -> Settings:
    read = {key: _value(layer, key) for layer in reversed(every) for key in layer.raw}
    given: dict[str, Any] = {  # each of its field's own type: `Layer.read` sees to it
        name: value for name, row in ROWS.items() if (value := read.get(layers.identity(row), "")) != ""
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
        manifest = beside if os.path.isfile(beside) and not os.path.isfile(mine) else mine  # noqa: PTH113 - never raises
        return replace(settings, manifest=str(manifest))
    return settings


def rooted(loaded: Loaded) -> tuple[Path, Loaded]:
    """The manifest's folder, and the same with paths relative to it; `manifest` is then the file's name.

    Raises UsageError if there is no such manifest.
    """
    manifest = manifest_of(loaded)
    if not os.path.isfile(manifest):  # noqa: PTH113 - never raises
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


def manifest_of(loaded: Loaded) -> Path:
    """The application's spin.toml, there or not."""
    named = Path(loaded.settings.manifest)
    return named / "spin.toml" if os.path.isdir(named) else named  # noqa: PTH112 - never raises


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
    return base.parent.resolve() if base is not None and is_own(loaded, root) else root


def is_own(loaded: Loaded, root: Path) -> bool:
    """Whether the configuration, there or to be made, is that of the application in `root` alone."""
    of_file = loaded.origin("app.manifest").kind in ("file", "overlay")
    return of_file or loaded.files.expected.parent.resolve() == root


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
