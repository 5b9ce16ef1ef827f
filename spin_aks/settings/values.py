"""A value as it was given -> a value as the program has it, or the sentence why it can't be one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spin_aks.settings.row import Row, Value

SWITCH = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "on": True, "off": False}
WORDS = {"text": "text", "choice": "text", "path": "text", "count": "a whole number", "switch": "true or false"}


def of_text(row: Row, text: str, folder: str) -> Value:
    """The value that a flag, a variable or an answer gives; a path is one from `folder`. Raises ValueError."""
    if row.kind == "count":
        if not (text.isascii() and text.isdecimal()) or int(text[:10]) == 0 or len(text) > 9:
            raise ValueError(f"`{text}` is no whole number from 1 to 999999999")
        return int(text)
    if row.kind == "switch":
        if text.lower() not in SWITCH:
            raise ValueError(f"`{text}` is neither true nor false")
        return SWITCH[text.lower()]
    if row.kind == "choice":
        if text.lower() not in row.choices:
            raise ValueError(f"`{text}` is none of {', '.join(row.choices)}")
        return text.lower()
    return _path(row, text, folder) if row.kind == "path" else _text(row, text)


def of_toml(row: Row, value: object, folder: str) -> Value:
    """The value that a file gives, which has types of its own. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        fits = isinstance(value, bool) and row.kind == "switch"
    else:
        fits = isinstance(value, int) == (row.kind == "count") and row.kind != "switch"
    if not fits:
        raise ValueError(f"has to be {WORDS[row.kind]}, not {_kind_of(value)}")
    return of_text(row, str(value).lower() if isinstance(value, bool) else str(value), folder)


def _kind_of(value: object) -> str:
    """In words; the value itself is not shown, since nobody knows what it is."""
    match value:
        case bool():
            return "true or false"
        case str():
            return "text"
        case int():
            return "a whole number"
        case list():
            return "a list"
        case dict():
            return "a table"
    return "a number with a fraction" if isinstance(value, float) else "a date or time"


def _text(row: Row, text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    if text and row.rule is not None and (why := row.rule.refuses(text)):
        raise ValueError(f"what is given is not {row.rule.form}" if row.secret else why)
    return text


def _path(row: Row, text: str, folder: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    if not text:
        raise ValueError("names no file")
    named = os.path.join(text, row.file_name) if row.file_name and text.endswith(("/", os.sep)) else text  # noqa: PTH118
    # Path.resolve would follow links that the user means.
    return os.path.normpath(os.path.join(folder, named))  # noqa: PTH118
