"""A value as it was given -> a value as the program has it, or the sentence why it can't be one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from spin_aks.settings import rules

if TYPE_CHECKING:
    from spin_aks.settings.row import Row, Value
    from spin_aks.settings.rules import Rule

MOST = 999_999_999
SWITCH = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "on": True, "off": False}
WORDS = {"text": "text", "choice": "text", "path": "text", "count": "a whole number", "switch": "true or false"}
FREE_NAMES: dict[str, Rule] = {
    "variables": rules.VARIABLE_NAME,
    "secrets": rules.VARIABLE_NAME,
    "store": rules.STORE_LABEL,
}
"""What the user's own names may be, by the table that they stand in."""


def of_text(row: Row, text: str, folder: str) -> Value:
    """The value that a flag, a variable or an answer gives; a path is one from `folder`.

    Raises ValueError, whose text shows no secret.
    """
    _refuse_torn(text)
    if row.kind == "count":
        return _count(text)
    if row.kind == "switch":
        if text.lower() not in SWITCH:
            raise ValueError(f"{rules.shown(text)} is neither true nor false")
        return SWITCH[text.lower()]
    if row.kind == "choice":
        if text.lower() not in row.choices:
            raise ValueError(f"{rules.shown(text)} is none of {', '.join(row.choices)}")
        return text.lower()
    return _path(row, text, folder) if row.kind == "path" else _text(row, text)


def of_toml(row: Row, value: object, folder: str) -> Value:
    """The value that a file gives, which has types of its own. Raises ValueError as `of_text`."""
    match value:
        case bool() if row.kind == "switch":
            return value
        case int() if row.kind == "count" and not isinstance(value, bool):
            return _count(str(value) if -MOST <= value <= MOST else "what is given")
        case str() if row.kind not in ("count", "switch"):
            return of_text(row, value, folder)
    quoted = ": write it in quotes" if WORDS[row.kind] == "text" and not isinstance(value, list | dict) else ""
    bare = ": write it without quotes" if WORDS[row.kind] != "text" and isinstance(value, str) else ""
    raise ValueError(f"has to be {WORDS[row.kind]}, not {_kind_of(value)}{quoted}{bare}")


def refused_name(place: tuple[str, ...]) -> str:
    """Why the user's own part of a key can't be a name; empty if it can, or if there is none in it."""
    rule = FREE_NAMES.get(place[0]) if len(place) > 1 else None
    return rule.refuses(place[1]) if rule else ""


def _count(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= len(str(MOST)) and int(text):
        return int(text)
    given = text if text == "what is given" else rules.shown(text)
    raise ValueError(f"{given} is no whole number from 1 to {MOST}")


def _kind_of(value: object) -> str:
    """In words; the value itself is not shown, since nobody knows what it is."""
    match value:
        case bool():
            return "true or false"
        case str():
            return "text"
        case int():
            return "a whole number"
        case float():
            return "a number that is not whole"
        case list():
            return "a list"
        case dict():
            return "a table"
    return "a date or time"


def _text(row: Row, text: str) -> str:
    # An empty text takes back what a file gives. What no file gives was meant to be named: `-e "$NAME"`, NAME unset.
    if row.rule is not None and (text or not row.key) and (why := row.rule.refuses(text)):
        raise ValueError(f"what is given is not {row.rule.form}" if row.secret else why)
    return text


def _path(row: Row, text: str, folder: str) -> str:
    if not text:
        raise ValueError("names no file")
    named = os.path.join(text, row.file_name) if row.file_name and text.endswith(("/", os.sep)) else text  # noqa: PTH118
    # Path.resolve would follow links that the user means.
    return os.path.normpath(os.path.join(folder, named))  # noqa: PTH118


def _refuse_torn(text: str) -> None:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("is no UTF-8 text")
