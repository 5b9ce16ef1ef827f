"""`spin-aks config show|get|set|unset|schema|reference`: what holds, where it comes from, and changing it."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.commands import pipeline, secret_variables
from spin_aks.errors import SpinAksError, UsageError
from spin_aks.settings import arguments as inputs
from spin_aks.settings import layers, loaded, notices, values
from spin_aks.settings.layers import BUILT_IN, Layer
from spin_aks.settings.table import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spin_aks.json_types import JSON
    from spin_aks.settings.layers import Origin
    from spin_aks.settings.loaded import Loaded
    from spin_aks.settings.row import Row, Value

    Shown = tuple[str, Value, Origin, bool]

NOT_SET = 1
WHERE = ("config", "environment", "manifest")
ACTIONS = {
    "show": "every value that holds, and where it comes from",
    "get": "the value of one key, for scripts; exit code 1 if there is none",
    "set": "write a value into the file, with `-e` into its overlay",
    "unset": "take a key out of it",
    "schema": "the JSON schema of the file, for editors",
    "reference": "every key, flag and variable at length, as Markdown",
}
KEY = "such as image.form or variables.greeting: `spin-aks config reference` has every key"
# What is longer leaves its column: one long value would push all origins out of a terminal of 80 columns.
WIDEST = (25, 24)


def configure(parser: argparse.ArgumentParser) -> None:
    inputs.add(parser, *WHERE)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, meaning in ACTIONS.items():
        action = actions.add_parser(name, help=meaning, description=meaning, allow_abbrev=False)
        if name in ("get", "set", "unset"):
            action.add_argument("key", metavar="KEY", help=KEY)
        if name == "set":
            action.add_argument("value", metavar="VALUE", help="one that begins with `-` stands behind `--`")
        if name == "show":
            action.add_argument("--output", choices=("text", "json"), default="text", help="what to print on stdout")
        # What stands before ACTION is not to be forgotten for what does not stand behind it.
        inputs.add(action, *(() if name in ("show", "get") else WHERE), default=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    actions = {"show": _show, "get": _get, "set": _set, "unset": _unset, "schema": _schema, "reference": _reference}
    return actions[arguments.action](arguments)


def _show(arguments: argparse.Namespace) -> int:
    found = pipeline.load(arguments)
    shown = tuple(_values(found))
    if arguments.output == "json":
        terminal.put_json(_document(found, shown))
        return 0
    files = found.files
    terminal.say(f"configuration: {_file(files.base, files.expected)}")
    if files.expected_overlay:
        terminal.say(f"overlay: {_file(files.overlay, files.expected_overlay)}")
    by = found.origin("SPIN_AKS_ENVIRONMENT")
    terminal.say(f"environment: {files.environment}{f' ({by})' if by != BUILT_IN else ''}")
    terminal.put(_table(shown))
    terminal.say("no other key is set: `spin-aks config reference` has every one")
    for notice in notices.notices(found, os.environ):
        terminal.show_notice(notice)
    return 0


def _file(path: Path | None, expected: Path) -> str:
    shown = loaded.seen_from(expected, pipeline.here())
    return shown if path else f"none (`{shown}` is not there)"


def _values(found: Loaded) -> Iterator[Shown]:
    """Key, value, origin and whether somebody reads it, of all that somebody gives or that has a default: in the
    table's order, then what has names of the user's own.
    """
    for row in ROWS.values():
        if row.key and not row.is_free and row.key != "schema" and (value := _value(found, row.key, row)) is not None:
            yield row.key, value, found.origin(row.key), not row.reserved
    secret = secret_variables.keys(found)
    for key in sorted(found.given()):
        row_of_key = layers.row_of(key)
        if row_of_key is not None and row_of_key.is_free:
            value = secret_variables.NOT_SHOWN if key in secret else found.value(key) or ""
            yield key, value, found.origin(key), not row_of_key.reserved


def _value(found: Loaded, key: str, row: Row) -> Value | None:
    """What holds, a path as one from here; None if nothing does."""
    given = found.value(key)
    if row.is_free:
        return given
    held: Value = next(getattr(found.settings, name) for name, one in ROWS.items() if one is row)
    if row.kind == "path" and held:
        return loaded.seen_from(loaded.manifest_of(found).parent / str(held), pipeline.here())
    return held if held or isinstance(held, bool) else None


def _document(found: Loaded, shown: tuple[Shown, ...]) -> JSON:
    files, here = found.files, pipeline.here()
    every: dict[str, JSON] = {
        key: {"value": value, "from": origin.kind, "where": origin.where, "read": read}
        for key, value, origin, read in shown
    }
    return {
        "configuration": loaded.seen_from(files.base, here) if files.base else None,
        "overlay": loaded.seen_from(files.overlay, here) if files.overlay else None,
        "environment": files.environment,
        "values": every,
    }


def _table(shown: tuple[Shown, ...]) -> str:
    lines = [(key, terminal.on_one_line(_text(value)), str(origin)) for key, value, origin, _ in shown]
    keys, texts = (
        max((len(line[column]) for line in lines if len(line[column]) <= widest), default=0)
        for column, widest in enumerate(WIDEST)
    )
    return "\n".join(f"{f'{key:<{keys}}  {value}':<{keys + 2 + texts}}  {where}" for key, value, where in lines)


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _get(arguments: argparse.Namespace) -> int:
    row = _row(arguments.key)
    found = pipeline.load(arguments)
    if arguments.key in secret_variables.keys(found):
        where, hint = found.origin(arguments.key).where, "take it out there: it stands in plain text"
        raise UsageError(f"`{arguments.key}` is a secret of spin.toml, which is not shown", where=where, hint=hint)
    value = _value(found, arguments.key, row)
    if value is None:
        terminal.say(f"`{arguments.key}` is not set{f'; without it: {row.without}' if row.without else ''}")
        return NOT_SET
    terminal.put(_text(value))
    return 0


def _row(key: str) -> Row:
    """The key's row; raises UsageError with the nearest key."""
    from spin_aks.settings import unknown

    place = tuple(key.split("."))
    row = layers.row_of(key)
    if row is None or not row.key:
        problem = unknown.problem(place, None, "")
        listed = "`spin-aks config show` lists those that are set, `spin-aks config reference` has every key"
        raise UsageError(problem.what, hint=listed if problem.what.endswith("is a table") else problem.hint)
    if why := values.refused_name(place):
        raise UsageError(why, hint=unknown.REFERENCE)
    return row


def _set(arguments: argparse.Namespace) -> int:
    row = _row(arguments.key)
    path = _path(arguments)
    _write(path, arguments.key, _to_write(arguments.key, row, arguments.value, path))
    _say_who_wins(arguments, path)
    return 0


def _unset(arguments: argparse.Namespace) -> int:
    """Also of a key that nobody knows, if it is there."""
    if not _write(_path(arguments), arguments.key, None):
        _row(arguments.key)
    return 0


def _path(arguments: argparse.Namespace) -> Path:
    """The overlay of the environment that was named, else the file itself; there or not, and whatever is in it."""
    files = loaded.find(vars(arguments), os.environ, pipeline.here())
    return files.expected_overlay or files.expected


def _to_write(key: str, row: Row, text: str, path: Path) -> Value:
    """The value as it stands in the file; a path there is one from the file's folder."""
    from spin_aks.settings import checked

    if row.key.startswith("image.pushed.") or row.key == "schema":
        raise UsageError(f"`{row.key}` is written by spin-aks itself", hint=f"`spin-aks config get {row.key}` shows it")
    given = Layer("argument", {key: text}, lambda _key: key, layers.of_text, str(pipeline.here()))
    if problems := checked.problems(given):
        raise UsageError.of(replace(one, where="") if one.what.startswith(f"`{key}`") else one for one in problems)
    value = values.of_text(row, text, given.folder)
    if row.kind != "path" or os.path.isabs(text):  # noqa: PTH117 - as the user wrote it
        return value
    return os.path.relpath(str(value), path.parent)


def _write(path: Path, key: str, value: Value | None) -> bool:
    """Whether the file changed; errors name it as the user would."""
    from spin_aks.settings import save

    shown = loaded.seen_from(path, pipeline.here())
    try:
        changed = save.change(path, {tuple(key.split(".")): value})
    except SpinAksError as error:
        error.problems = tuple(replace(one, where=one.where.replace(str(path), shown, 1)) for one in error.problems)
        raise
    if changed or path.exists():
        terminal.say(f"{'wrote' if changed else 'as it was:'} {shown}")
    else:
        terminal.say(f"there is no {shown}")
    return changed


def _say_who_wins(arguments: argparse.Namespace, path: Path) -> None:
    """What was written may hold for nobody."""
    try:
        origin = pipeline.load(arguments).origin(arguments.key)
    except UsageError:
        return  # the next run says what is wrong
    own = loaded.seen_from(path, pipeline.here())
    if origin != BUILT_IN and origin.where.rpartition(":")[0] != own:
        terminal.warn(f"{origin} gives `{arguments.key}` as well, and wins")


def _schema(_: argparse.Namespace) -> int:
    from spin_aks.settings import schema

    terminal.put_json(schema.schema())
    return 0


def _reference(_: argparse.Namespace) -> int:
    from spin_aks.settings import reference

    terminal.put(reference.page().rstrip("\n"))
    return 0
