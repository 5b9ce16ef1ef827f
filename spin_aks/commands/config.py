"""`spin-aks config show|get|set|unset|schema`: what holds, where it comes from, and changing it."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.commands import pipeline
from spin_aks.errors import Problem, UsageError
from spin_aks.settings import arguments as inputs
from spin_aks.settings import layers, loaded, unknown, values
from spin_aks.settings.layers import BUILT_IN
from spin_aks.settings.table import EVERY_ROW, ROWS, default_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from spin_aks.json_types import JSON
    from spin_aks.settings.loaded import Loaded
    from spin_aks.settings.row import Row, Value

NOT_SET = 1
WHERE = ("config", "environment", "manifest")


ACTIONS = {
    "show": "every value, and where it comes from",
    "get": "the value that holds for KEY; exit code 1 if there is none",
    "set": "write VALUE into the file, with `-e` into its overlay",
    "unset": "take KEY out of it",
    "schema": "the JSON schema of the file, for editors",
}


def configure(parser: argparse.ArgumentParser) -> None:
    said = "; ".join(f"{name}: {meaning}" for name, meaning in ACTIONS.items())
    parser.add_argument("action", choices=ACTIONS, metavar="|".join(ACTIONS), help=said)
    parser.add_argument("key", nargs="?", default="", metavar="KEY", help="such as image.form or variables.greeting")
    parser.add_argument("value", nargs="?", default=None, metavar="VALUE", help="what `set` writes")
    parser.add_argument("--output", choices=("text", "json"), default="text", help="what `show` prints on stdout")
    inputs.add(parser)


def run(arguments: argparse.Namespace) -> int:
    _check_words(arguments)
    actions = {"show": _show, "get": _get, "set": _set, "unset": _unset, "schema": _schema}
    return actions[arguments.action](arguments)


def _check_words(arguments: argparse.Namespace) -> None:
    wanted = {"get": 1, "unset": 1, "set": 2}.get(arguments.action, 0)
    given = bool(arguments.key) + (arguments.value is not None)
    usage = f"spin-aks config {arguments.action}{(' KEY', ' KEY VALUE')[wanted - 1] if wanted else ''}"
    if given != wanted:
        raise UsageError(
            f"`config {arguments.action}` takes {('nothing', 'a key', 'a key and a value')[wanted]}", hint=usage
        )
    if arguments.action in ("set", "unset"):
        inputs_given = [
            row.flags[-1] for name, row in ROWS.items() if name not in WHERE and getattr(arguments, name, None)
        ]
        if inputs_given:
            raise UsageError(f"`{inputs_given[0]}` is for one run, and this writes a file", hint=usage)


def _show(arguments: argparse.Namespace) -> int:
    found = pipeline.load(arguments)
    shown = tuple(_values(found))
    if arguments.output == "json":
        document: dict[str, JSON] = {key: {"value": value, "from": where} for key, value, where in shown}
        terminal.put_json({"environment": found.files.environment, "values": document})
        return 0
    for label, path in (("configuration", found.files.base), ("overlay", found.files.overlay)):
        terminal.say(f"{label}: {loaded.seen_from(path, pipeline.here()) if path else 'none'}")
    terminal.say(f"environment: {found.files.environment}")
    terminal.put(_table(shown))
    return 0


def _values(found: Loaded) -> Iterator[tuple[str, Value, str]]:
    """Key, value and origin of everything that somebody gives or that has a default, in the table's order."""
    for name, row in ROWS.items():
        if row.key and not row.is_free and row.key != "schema":
            origin = found.origin(row.key)
            value = getattr(found.settings, name)
            if origin != BUILT_IN or value:
                yield row.key, _as_given(row, value), str(origin)
    for key in sorted(found.given()):
        row_of_key = layers.row_of(key)
        if row_of_key is not None and row_of_key.is_free:
            yield key, _value_of(found, key, row_of_key), str(found.origin(key))


def _as_given(row: Row, value: Value) -> Value:
    """A path as it is from here."""
    if row.kind != "path" or not value:
        return value
    return loaded.seen_from(pipeline.here() / str(value), pipeline.here())


def _value_of(found: Loaded, key: str, row: Row) -> Value:
    layer = next(layer for layer in found.layers if key in layer.raw)
    return layer.read(row, layer.raw[key], layer.folder)


def _table(shown: tuple[tuple[str, Value, str], ...]) -> str:
    texts = [(key, _text(value), where) for key, value, where in shown]
    widths = [max(len(line[column]) for line in texts) for column in (0, 1)]
    return "\n".join(f"{key:<{widths[0]}}  {value:<{widths[1]}}  {where}" for key, value, where in texts)


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _get(arguments: argparse.Namespace) -> int:
    row = _row(arguments.key)
    found = pipeline.load(arguments)
    if found.origin(arguments.key) != BUILT_IN:
        terminal.put(_text(_as_given(row, _value_of(found, arguments.key, row))))
        return 0
    default = next((default_of(name) for name, one in ROWS.items() if one is row and not row.is_free), "")
    if not default:
        terminal.say(f"`{arguments.key}` is not set")
        return NOT_SET
    terminal.put(_text(default))  # type: ignore[arg-type]
    return 0


def _row(key: str) -> Row:
    row = layers.row_of(key)
    if row is None or not row.key:
        near = difflib.get_close_matches(key, [one.key for one in EVERY_ROW if one.key], n=1)
        hint = f"did you mean `{near[0]}`?" if near else "`spin-aks config show` lists what there is"
        raise UsageError(f"there is no key `{key}`", hint=hint)
    return row


def _set(arguments: argparse.Namespace) -> int:
    row = _row(arguments.key)
    place = tuple(arguments.key.split("."))
    path = _path(arguments)
    _check(row, place, arguments.value)
    _write(path, place, _to_write(row, arguments.value, path))
    return 0


def _unset(arguments: argparse.Namespace) -> int:
    _row(arguments.key)
    _write(_path(arguments), tuple(arguments.key.split(".")), None)
    return 0


def _path(arguments: argparse.Namespace) -> Path:
    """The overlay of the environment that was named, else the file itself; there or not."""
    found = pipeline.load(arguments).files
    return found.expected_overlay or found.expected


def _check(row: Row, place: tuple[str, ...], text: str) -> None:
    if row.key.startswith("image.pushed.") or row.key == "schema":
        raise UsageError(f"`{row.key}` is written by spin-aks itself")
    wrong = unknown.name_problem(row, place) or unknown.leak(".".join(place), text)
    if wrong:
        raise UsageError.of([Problem(wrong.what, hint=wrong.hint)])


def _to_write(row: Row, text: str, path: Path) -> Value:
    """The value as it stands in the file; a path there is one from the file's folder."""
    here = pipeline.here()
    try:
        value = values.of_text(row, text, str(here))
    except ValueError as error:
        raise UsageError(str(error), where=row.key) from error
    if row.kind != "path" or os.path.isabs(text):  # noqa: PTH117 - as the user wrote it
        return value
    return os.path.relpath(str(value), path.parent)


def _write(path: Path, place: tuple[str, ...], value: Value | None) -> None:
    from spin_aks.settings import save

    changed = save.change(path, {place: value})
    terminal.say(f"{'wrote' if changed else 'as it was:'} {loaded.seen_from(path, pipeline.here())}")


def _schema(_: argparse.Namespace) -> int:
    from spin_aks.settings import schema

    terminal.put_json(schema.schema())
    return 0
