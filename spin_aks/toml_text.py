"""Where things stand in the text of a TOML document, so that one of them can be changed and no other byte.

The text is known to be valid TOML (`tomllib` has read it), without a byte order mark. Offsets count characters.
Syntax: https://toml.io/en/v1.0.0; what 1.1 allows in inline tables besides is understood, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

BOM = "\ufeff"

# Compiled when first used: most runs edit nothing.
_STRING = (
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'"
)  # fmt: skip
_ONE_KEY = r'[ \t]*(?:"(?P<basic>(?:\\.|[^"\\\n])*)"|\'(?P<literal>[^\'\n]*)\'|(?P<bare>[A-Za-z0-9_-]+))[ \t]*'
_BRACKET = rf"(?s:{_STRING})|#[^\n]*|(?P<open>[\[{{])|(?P<close>[\]}}])"
_SCALAR = r"[^,\]}#\r\n]+"
_GAP = r"(?:[\s,]|#[^\n]*)*"


@dataclass(frozen=True, slots=True)
class Entry:
    """`KEY = VALUE`, from `start` to `end`; `keys` are the parts of a dotted key as they are meant, without quotes."""

    keys: tuple[str, ...]
    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or the several that a value takes; `end` is behind its line break.

    `keys` are a header's, or the entry's. `comment` is whether there is one behind it.
    """

    kind: Literal["blank", "comment", "header", "array", "entry"]
    start: int
    end: int
    keys: tuple[str, ...] = ()
    entry: Entry | None = None
    comment: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below one header, up to the next; `lines` begins with the header, save in the first section.

    The first is the document's own: its `place` is `()`. `is_array` is one of `[[...]]`.
    """

    place: tuple[str, ...]
    is_array: bool
    lines: tuple[Line, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(line.entry for line in self.lines if line.entry)


def without_mark(text: str) -> tuple[str, str]:
    """The byte order mark, if there is one, and the text without it."""
    return (BOM, text[1:]) if text.startswith(BOM) else ("", text)


def newline(text: str) -> str:
    """How the first line of `text` ends; `\\n` where none does."""
    match = re.search(r"\r?\n", text)
    return match[0] if match else "\n"


@lru_cache(maxsize=4)
def sections(text: str) -> tuple[Section, ...]:
    """All of the document, in its order."""
    found: list[Section] = []
    place, is_array, lines = (), False, []  # type: tuple[str, ...], bool, list[Line]
    for line in _lines(text):
        if line.kind in ("header", "array"):
            found.append(Section(place, is_array, tuple(lines)))
            place, is_array, lines = line.keys, line.kind == "array", []
        lines.append(line)
    return (*found, Section(place, is_array, tuple(lines)))


def _lines(text: str) -> Iterator[Line]:
    start = 0
    while start < len(text):
        first = _first(text, start)
        line = _line(text, start, first)
        yield line
        start = line.end


def _line(text: str, start: int, first: int) -> Line:
    mark = text[first : first + 1]
    if mark in ("", "\r", "\n"):
        return Line("blank", start, _end_of_line(text, first))
    if mark == "#":
        return Line("comment", start, _end_of_line(text, first), comment=True)
    if mark == "[":
        is_array = text.startswith("[[", first)
        keys, after = _keys(text, first + 1 + is_array)
        after += 1 + is_array
        kind: Literal["header", "array"] = "array" if is_array else "header"
        return Line(
            kind, start, _end_of_line(text, after), keys, comment="#" in text[after : _end_of_line(text, after)]
        )
    entry = _entry(text, first)
    end = _end_of_line(text, entry.end)
    return Line("entry", start, end, entry.keys, entry, comment="#" in text[entry.end : end])


def _first(text: str, start: int) -> int:
    """Where something other than a space stands, from `start`."""
    while text[start : start + 1] in (" ", "\t"):
        start += 1
    return start


def _end_of_line(text: str, start: int) -> int:
    found = text.find("\n", start)
    return len(text) if found < 0 else found + 1


def inside(text: str, table: Entry) -> tuple[Entry, ...]:
    """What stands in the inline table that is the value of `table`."""
    found: list[Entry] = []
    gap = re.compile(_GAP)
    position = _skipped(gap, text, table.value + 1)
    while text[position] != "}":
        found.append(_entry(text, position))
        position = _skipped(gap, text, found[-1].end)
    return tuple(found)


def _skipped(gap: re.Pattern[str], text: str, position: int) -> int:
    match = gap.match(text, position)
    return match.end() if match else position


def _entry(text: str, start: int) -> Entry:
    keys, equals = _keys(text, start)
    value = _first(text, equals + 1)
    return Entry(keys, start, value, _end_of_value(text, value))


def _end_of_value(text: str, start: int) -> int:
    if text[start] in "[{":
        return _end_of_brackets(text, start)
    match = re.compile(_STRING, re.DOTALL).match(text, start)
    if match:
        return match.end()
    match = re.compile(_SCALAR).match(text, start)
    return start + len(match[0].rstrip(" \t")) if match else start


def _end_of_brackets(text: str, start: int) -> int:
    depth = 0
    for match in re.compile(_BRACKET).finditer(text, start):
        depth += bool(match["open"]) - bool(match["close"])
        if depth == 0:
            return match.end()
    return len(text)


def _keys(text: str, start: int) -> tuple[tuple[str, ...], int]:
    """The parts of a dotted key that begins at `start`, and where it ends, spaces behind it included."""
    one = re.compile(_ONE_KEY)
    parts: list[str] = []
    while match := one.match(text, start):
        parts.append(_spelled(match))
        start = match.end()
        if text[start] != ".":
            break
        start += 1
    return tuple(parts), start


def _spelled(match: re.Match[str]) -> str:
    if match["bare"] is not None:
        return match["bare"]
    if match["literal"] is not None:
        return match["literal"]
    if "\\" not in match["basic"]:
        return match["basic"]
    import tomllib

    return next(iter(tomllib.loads(f'"{match["basic"]}" = 0')))
