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
MOST_PROBLEMS = 50
_BOM = "\ufeff"


def read(path: Path, kind: str, shown: str) -> Layer:
    """The layer that the file is; `kind` is file or overlay, `shown` the path as the user would name it.

    Raises UsageError naming all that is wrong in it, each with `PATH:LINE`, in the order of the lines.
    """
    text = text_of(path, shown)
    document = parsed(text, shown)
    _refuse_later(document, shown, text)
    raw = dict(_entries(document, ()))
    wrong = {place: problem for place, value in raw.items() if (problem := _problem(place, value))}
    if wrong:
        raise UsageError.of(_told(wrong, raw, shown, text))
    given = {".".join(place): value for place, value in raw.items()}
    return Layer(kind, given, lambda key: at(shown, text, tuple(key.split("."))), _toml, str(path.parent))


def text_of(path: Path, shown: str) -> str:
    """The file's text, with the byte order mark that it may have; raises UsageError where it is none."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        hint = "give yourself the right to read it, or name another with `-c PATH`"
        raise UsageError(f"can't be read: {error.strerror or error}", where=shown, hint=hint) from error
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

    body = text.removeprefix(_BOM)
    try:
        document: Mapping[str, object] = toml.document(body, Path(shown))
    except ManifestError as error:
        from spin_aks.settings import syntax

        raise UsageError.of(syntax.explained(one, body) for one in error.problems) from error
    return document


def at(shown: str, text: str, place: tuple[str, ...]) -> str:
    """`PATH:LINE` of a key, or of what of it there is."""
    return f"{shown}:{_line(text, place)}"


def _line(text: str, place: tuple[str, ...]) -> int:
    from spin_aks.spin import lines

    return lines.of(text.removeprefix(_BOM)).line(place)


def _refuse_later(document: Mapping[str, object], shown: str, text: str) -> None:
    """Nobody here knows what else may be in it."""
    schema = document.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        hint = "a later version of spin-aks wrote it: install that one"
        what = f"its `schema` is later than {SCHEMA}, and this version knows no later one"
        raise UsageError(what, where=at(shown, text, ("schema",)), hint=hint)


def _entries(table: Mapping[str, object], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Each value by its place. What is in a table that nobody knows is one value: the table."""
    for name, value in table.items():
        place = (*above, name)
        if isinstance(value, dict) and any(layers.fits(pattern, place) for pattern in _TABLES):
            yield from _entries(value, place)
        else:
            yield place, value


_TABLES = {
    tuple(parts[:length])
    for row in EVERY_ROW
    for parts in (row.key.split(".")[:-1],)
    for length in range(1, len(parts) + 1)
}


def _problem(place: tuple[str, ...], value: object) -> Problem | None:
    """What is wrong with one value; for one that nobody knows only that there is something, since it takes time."""
    row = layers.row_at(place)
    if row is None:
        return _UNKNOWN
    if why := values.refused_name(place):
        return Problem(why)
    key = ".".join(place)
    if key == "schema" and isinstance(value, int) and value != SCHEMA:
        return Problem("there is no such `schema`", hint=f"write `schema = {SCHEMA}`")
    try:
        values.of_toml(row, value, "/")
    except ValueError as error:
        leak = _leak(key, value) if isinstance(value, str) else None
        return Problem(f"`{key}`: {error}", hint=leak.hint if leak else _where_it_goes(row))
    return _leak(key, value) if isinstance(value, str) and value else None


_UNKNOWN = Problem("is not known")


def _where_it_goes(row: Row) -> str:
    from spin_aks.settings import unknown

    return unknown.SECRETS_GO if row.secret else ""


def _leak(key: str, value: str) -> Problem | None:
    from spin_aks.settings import unknown

    return unknown.leak(key, value)


def _told(
    wrong: Mapping[tuple[str, ...], Problem], raw: Mapping[tuple[str, ...], object], shown: str, text: str
) -> Iterator[Problem]:
    """In the order of their lines; of very many, the first."""
    from spin_aks.settings import unknown

    found = sorted((_line(text, place), place) for place in wrong)
    for line, place in found[:MOST_PROBLEMS]:
        problem, where = wrong[place], f"{shown}:{line}"
        if problem is _UNKNOWN:
            yield unknown.problem(place, raw[place], where)
        else:
            yield Problem(problem.what, where, problem.hint or unknown.REFERENCE)
    if len(found) > MOST_PROBLEMS:
        yield Problem(f"{len(found) - MOST_PROBLEMS} more lines are wrong", shown, "is it another program's file?")


def _toml(row: Row, value: object, folder: str) -> Value:
    return values.of_toml(row, value, folder)
