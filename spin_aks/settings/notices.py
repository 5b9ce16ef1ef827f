"""What is worth a word before a run: what was given and is not acted on, and files that are not the ones expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.settings import layers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spin_aks.settings.found import Files
    from spin_aks.settings.loaded import Loaded


def notices(loaded: Loaded, environment: Mapping[str, str]) -> Iterator[Problem]:
    """Each with where it stands; none of them stops anything."""
    for variable, near in layers.unread(environment):
        yield Problem("nobody reads this variable", variable, f"did you mean `{near}`?" if near else "")
    for key in loaded.given():
        row = layers.row_of(key)
        if row is not None and row.reserved:
            yield Problem(f"`{key}` is not read by this version", loaded.origin(key).where)
    yield from _without_overlay(loaded.files)


def _without_overlay(files: Files) -> Iterator[Problem]:
    """Where environments have overlays, one without is a slip of the pen more often than not."""
    if files.base is None or files.expected_overlay is None or files.overlay is not None:
        return
    others = others_of(files)
    if others:
        import difflib

        near = difflib.get_close_matches(files.environment, others, n=1)
        hint = f"did you mean `-e {near[0]}`?" if near else f"there are overlays for {', '.join(others)}"
        what = f"there is no `{files.expected_overlay.name}`: `{files.base.name}` alone holds for this environment"
        yield Problem(what, hint=hint)


def others_of(files: Files) -> tuple[str, ...]:
    """The environments that have an overlay beside the file."""
    if files.base is None:
        return ()
    before, after = f"{files.base.stem}.", files.base.suffix
    names = (name for name in _names_in(files.base.parent) if name.startswith(before) and name.endswith(after))
    found = (name[len(before) : len(name) - len(after)] for name in names)
    return tuple(sorted(filter(None, found)))


def _names_in(folder: Path) -> list[str]:
    """None for a folder that may be gone through and not be listed."""
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []
