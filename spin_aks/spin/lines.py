"""On which line of a TOML document a value stands.

`tomllib` tells no positions, and reading with a library that does costs seconds for a large manifest. So the document
is parsed by `tomllib`, and only when somebody asks for a line are the tables looked for by their headers, and the one
table concerned gone through key by key. The document is known to be valid TOML by then.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.spin.shapes import Place

_STRINGS_AND_COMMENTS = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'(?:.)*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|\#[^\n]*', re.DOTALL
)
_HEADER = re.compile(
    r"^[ \t]*(?P<open>\[\[?)(?P<keys>(?:[^\[\]\n\"'#]|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*')+)\]", re.MULTILINE
)
_BARE_KEYS = re.compile(r"[ \t]*[A-Za-z0-9_-]+(?:[ \t]*\.[ \t]*[A-Za-z0-9_-]+)*[ \t]*")
_KEY = re.compile(r'[ \t]*(?:"(?P<basic>(?:\\.|[^"\\])*)"|\'(?P<literal>[^\']*)\'|(?P<bare>[A-Za-z0-9_-]+))[ \t]*')
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'(?:.)*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|\#[^\n]*|[\[\]{},=\n]|[^\s\[\]{},=#"\']+',
    re.DOTALL,
)


@dataclass(slots=True)
class Lines:
    """The lines of one document, counted from 1; nothing is looked for before it is asked for."""

    text: str
    _tables: _Tables | None = None
    _breaks: list[int] | None = None

    def line(self, place: Place) -> int:
        """Where `place` stands, or the nearest thing around it that stands somewhere; 1 for the document itself."""
        if self._tables is None:
            self._tables = _Tables.of(self.text)
        for length in range(len(place), 0, -1):
            found = self._tables.offset(place[:length])
            if found is not None:
                return self._line_at(found)
        return 1

    def _line_at(self, offset: int) -> int:
        if self._breaks is None:
            self._breaks = [match.start() for match in re.finditer("\n", self.text)]
        return bisect_left(self._breaks, offset) + 1


@lru_cache(maxsize=4)
def of(text: str) -> Lines:
    """The lines of `text`; for a text that was asked about lately, with all that was found in it."""
    return Lines(text)


@dataclass(slots=True)
class _Tables:
    """The tables of a document by their paths, each with the offset of its header; the document itself is `()`."""

    text: str
    offsets: list[int]
    numbers: dict[Place, int]
    around: dict[Place, int]
    inside: dict[int, dict[Place, int]]

    @classmethod
    def of(cls, text: str) -> _Tables:
        offsets = [0]
        numbers: dict[Place, int] = {(): 0}
        around: dict[Place, int] = {}
        for place, offset in _headers(text):
            numbers.setdefault(place, len(offsets))
            offsets.append(offset)
            for length in range(1, len(place)):
                around.setdefault(place[:length], offset)
        return cls(text, offsets, numbers, around, {})

    def offset(self, place: Place) -> int | None:
        """Where `place` is written: by its header, as a key, or as a part of the path of another's header."""
        for length in range(len(place), -1, -1):
            number = self.numbers.get(place[:length])
            if number is None:
                continue
            if length == len(place):
                return self.offsets[number]
            found = self._body(number).get(place[length:])
            if found is not None:
                return found
        return self.around.get(place)

    def _body(self, number: int) -> dict[Place, int]:
        if number not in self.inside:
            start = self.offsets[number]
            end = self.offsets[number + 1] if number + 1 < len(self.offsets) else len(self.text)
            if number:
                start = _end_of_line(self.text, start)
            places = self.inside[number] = {}
            for place, offset in _Body(self.text, start, end).places():
                places.setdefault(place, offset)
        return self.inside[number]


def _headers(text: str) -> Iterator[tuple[Place, int]]:
    counts: dict[Place, int] = {}
    for match in _HEADER.finditer(_without_strings(text)):
        keys = _split(text[match.start("keys") : match.end("keys")])
        if keys is None:
            continue
        place: Place = ()
        for key in keys[:-1]:
            place = (*place, key)
            if place in counts:
                place = (*place, counts[place])
        place = (*place, keys[-1])
        if match["open"] == "[[":
            counts[place] = counts.get(place, -1) + 1
            place = (*place, counts[place])
        yield place, match.start("open")


def _without_strings(text: str) -> str:
    """`text` with what is in strings of several lines blanked, so that no header is seen in one."""
    if '"""' not in text and "'''" not in text:
        return text

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        return re.sub(r"[^\n]", " ", found) if found[:3] in ('"""', "'''") else found

    return _STRINGS_AND_COMMENTS.sub(blank, text)


def _split(keys: str) -> tuple[str, ...] | None:
    """`a."b c".d` in its parts; None for what is no key."""
    if _BARE_KEYS.fullmatch(keys):
        return tuple(part.strip() for part in keys.split("."))
    parts: list[str] = []
    position = 0
    while True:
        match = _KEY.match(keys, position)
        if match is None:
            return None
        parts.append(_spelled(match))
        position = match.end()
        if position == len(keys):
            return tuple(parts)
        if keys[position] != ".":
            return None
        position += 1


def _spelled(match: re.Match[str]) -> str:
    if match["bare"] is not None:
        return match["bare"]
    if match["literal"] is not None:
        return match["literal"]
    if "\\" not in match["basic"]:
        return match["basic"]
    import tomllib

    try:
        return next(iter(tomllib.loads(f'"{match["basic"]}" = 0')))
    except ValueError:  # an escape that is none: no key has that name, and none is looked for
        return match["basic"]


def _end_of_line(text: str, start: int) -> int:
    found = text.find("\n", start)
    return len(text) if found < 0 else found


@dataclass(slots=True)
class _Body:
    """A walk over the tokens of one table's body: a stack of what is open, from the outside in."""

    text: str
    start: int
    end: int
    stack: list[tuple[str, Place, int]] = field(default_factory=list)
    base: Place = ()
    key: Place = ()
    key_from: int = -1
    in_value: bool = False

    def places(self) -> Iterator[tuple[Place, int]]:
        for match in _TOKEN.finditer(self.text, self.start, self.end):
            part, offset = match[0], match.start()
            if part[0] == "#":
                continue
            if part == "\n":
                self._break()
            elif self.in_value or (self.stack and self.stack[-1][0] == "["):
                yield from self._value(part, offset)
            else:
                yield from self._name(part, offset)

    def _break(self) -> None:
        if not self.stack:
            self.base, self.key, self.key_from, self.in_value = (), (), -1, False

    def _name(self, part: str, offset: int) -> Iterator[tuple[Place, int]]:
        if part == "=":
            keys = _split(self.text[self.key_from : offset].strip()) or ()
            for length in range(1, len(keys) + 1):
                yield (*self.base, *keys[:length]), self.key_from
            self.key, self.in_value = (*self.base, *keys), True
        elif part == "}" and self.stack:
            self._close()
        elif part == ",":
            self.key_from = -1
        elif self.key_from < 0:
            self.key_from = offset

    def _value(self, part: str, offset: int) -> Iterator[tuple[Place, int]]:
        """A part of a value: an element of an array is a place of its own."""
        here = self.key
        if self.stack and self.stack[-1][0] == "[" and part not in "],":
            _, place, index = self.stack[-1]
            here = (*place, index)
            yield here, offset
        if part in ("[", "{"):
            self.stack.append((part, here, 0))
            self.base, self.key_from, self.in_value = here, -1, False
        elif part in ("]", "}"):
            self._close()
        elif part == ",":
            self._next()

    def _next(self) -> None:
        if not self.stack:
            return
        kind, place, index = self.stack[-1]
        if kind == "[":
            self.stack[-1] = (kind, place, index + 1)
        self.base, self.key_from, self.in_value = place, -1, False

    def _close(self) -> None:
        if not self.stack:
            return
        self.stack.pop()
        kind, place, _ = self.stack[-1] if self.stack else ("", (), 0)
        self.base, self.in_value = place, kind != "["
