"""Reading `aks-spin.toml`: its values by full key, or everything that is wrong with it, each with its line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks.errors import ManifestError, Problem, UsageError
from spin_aks.settings import layers, values
from spin_aks.settings.layers import Layer
from spin_aks.settings.table import EVERY_ROW, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spin_aks.settings.row import Row, Value

MOST_BYTES = 1 << 20
REFERENCE = "docs/configuration.md has every key; `spin-aks config schema` tells them to an editor"
_BOM = "\ufeff"


def read(path: Path, kind: str, shown: str) -> Layer:
    """The layer that the file is; `kind` is file or overlay, `shown` the path as the user would name it.

    Raises UsageError naming all that is wrong in it, each with `PATH:LINE`.
    """
    text = text_of(path, shown)
    document = parsed(text, shown)
    raw = dict(_flat(document, ()))
    problems = [problem for key, value in raw.items() for problem in _wrong(key, value, shown, text)]
    if problems:
        raise UsageError.of(sorted(problems, key=_line))
    return Layer(kind, _given(raw), lambda key: at(shown, text, key), _toml, str(path.parent))


def _line(problem: Problem) -> int:
    line = problem.where.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0


def text_of(path: Path, shown: str) -> str:
    """The file's text, with the byte order mark that it may have; raises UsageError where it is none."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror or error}", where=shown) from error
    if len(content) > MOST_BYTES:
        hint = "is it another file? A configuration is some hundred lines"
        raise UsageError(f"has more than {MOST_BYTES >> 20} MiB", where=shown, hint=hint)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError("is no UTF-8 text", where=f"{shown}:{line}", hint="save it as UTF-8") from error


def parsed(text: str, shown: str) -> Mapping[str, object]:
    """The document; raises UsageError with the line for what is no TOML, a key that stands twice among it."""
    from spin_aks.spin import toml

    try:
        document: Mapping[str, object] = toml.document(text.removeprefix(_BOM), Path(shown))
    except ManifestError as error:
        hint = "strings stand in quotes, a key stands once, each on its own line: https://toml.io has the rules"
        raise UsageError.of(Problem(one.what, one.where, hint) for one in error.problems) from error
    return document


def at(shown: str, text: str, key: str) -> str:
    """`PATH:LINE` of a full key, or of what of it there is."""
    from spin_aks.spin import lines

    return f"{shown}:{lines.of(text.removeprefix(_BOM)).line(tuple(key.split('.')))}"


def _flat(table: Mapping[str, object], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Each value by its place. A table stands for itself where a value belongs, or where it is empty."""
    for name, value in table.items():
        place = (*above, name)
        if isinstance(value, dict) and value and not _is_value(place):
            yield from _flat(value, place)
        elif not (value == {} and _is_table(place)):
            yield place, value


def _is_value(place: tuple[str, ...]) -> bool:
    return layers.row_of(".".join(place)) is not None and not any("." in part for part in place)


def _is_table(place: tuple[str, ...]) -> bool:
    return any(_matches(row, place) for row in EVERY_ROW)


def _matches(row: Row, place: tuple[str, ...]) -> bool:
    """Whether `place` is a table on the way to the row's key."""
    parts = row.key.split(".")[:-1]
    return 0 < len(place) <= len(parts) and all(
        one.startswith("<") or one == other for one, other in zip(parts, place, strict=False)
    )


def _given(raw: Mapping[tuple[str, ...], object]) -> dict[str, object]:
    return {".".join(place): value for place, value in raw.items()}


def _wrong(place: tuple[str, ...], value: object, shown: str, text: str) -> Iterator[Problem]:
    from spin_aks.settings import unknown

    key = ".".join(place)
    row = layers.row_of(key) if _is_value(place) else None
    if row is None:
        yield unknown.problem(place, value, at(shown, text, key))
    elif key == "schema" and isinstance(value, int) and value != SCHEMA:
        hint = "a later version of spin-aks wrote it: install that one" if value > SCHEMA else f"write `{SCHEMA}`"
        yield Problem(f"`schema` is {value}, and this version reads {SCHEMA}", at(shown, text, key), hint)
    elif (free := unknown.name_problem(row, place)) or (free := unknown.leak(key, value)):
        yield Problem(free.what, at(shown, text, key), free.hint)
    else:
        try:
            values.of_toml(row, value, "/")
        except ValueError as error:
            yield Problem(f"`{key}`: {error}", at(shown, text, key), REFERENCE)


def _toml(row: Row, value: object, folder: str) -> Value:
    return values.of_toml(row, value, folder)
