"""One value put into the text of a TOML document, changed or taken out, and every other character left as it was.

A value is replaced where it stands. A new key is one piece put in: below the last key of its table, in its inline
table, beside its dotted sisters, or in a new table. tomlkit writes keys and values. It does not place them, since it
moves or loses text around tables out of order and dotted keys (its issues 495, 556 and 588).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from spin_aks import toml_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spin_aks.toml_text import Entry, Line, Section

Value: TypeAlias = str | int | bool
Place: TypeAlias = tuple[str, ...]


def put(text: str, document: Mapping[str, object], place: Place, value: Value) -> str:
    """`text`, which holds `document`, with `value` at `place`.

    Nothing but tables may lead there, and no table may be there; both are for the caller to know.
    """
    owner = _owner(text, place)
    if owner is None:
        return _put_in_tables(text, document, place, value)
    at, entry = owner
    if at == place:
        return text[: entry.value] + _written(value) + text[entry.end :]
    return _put_inline(text, entry, f"{spelled(place[len(at) :])} = {_written(value)}")


def removed(text: str, place: Place) -> str:
    """`text` without the value at `place`, to which nothing but tables lead, or as it is where there is none.

    The line goes, with the comment behind it. A header goes with its table's last key, and an empty line with it,
    unless a comment belongs to that table: as `git config --unset` does it. So what `put` put in is taken out again.
    """
    for section in toml_text.sections(text):
        for entry in section.entries:
            at = section.place + entry.keys
            if at == place:
                return _without_line(text, section, entry)
            if _leads(at, place):
                return _removed_inline(text, entry, place[len(at) :])
    return text


def _owner(text: str, place: Place) -> tuple[Place, Entry] | None:
    """The key on the way to `place` that is written out, with its own place: the value, or the innermost inline table
    around it. None where there are only tables with headers, or dotted keys.
    """
    written = [(section.place, section.entries) for section in toml_text.sections(text)]
    owner: tuple[Place, Entry] | None = None
    while found := next(
        ((at + entry.keys, entry) for at, entries in written for entry in entries if _leads(at + entry.keys, place)),
        None,
    ):
        owner = found
        if owner[0] == place:
            break
        written = [(owner[0], toml_text.inside(text, owner[1]))]
    return owner


def _leads(way: Place, place: Place) -> bool:
    return place[: len(way)] == way


def _put_inline(text: str, table: Entry, new: str) -> str:
    """Behind the last key of `{ a = 1 }`. An empty one keeps the spaces that it has, for the sake of `unset`."""
    there = toml_text.inside(text, table)
    if there:
        return _inserted(text, there[-1].end, f", {new}")
    space = "" if text[table.value + 1] == "}" else " "
    return _inserted(text, table.value + 1, space + new)


def _put_in_tables(text: str, document: Mapping[str, object], place: Place, value: Value) -> str:
    sections = toml_text.sections(text)
    parent = place[:-1]
    known = _known(document, parent)
    line = f"{spelled(place[-1:])} = {_written(value)}"
    for section in sections:
        if section.place == parent and not section.is_array:
            return _put_line(text, section, section.entries, line)
    for section in sections:
        sisters = [entry for entry in section.entries if _leads(known, section.place + entry.keys)]
        if sisters and len(section.place) < len(known):
            return _put_line(text, section, sisters, f"{spelled(place[len(section.place) :])} = {_written(value)}")
    return _put_table(text, sections[: _before(sections, known, parent)], [f"[{spelled(parent)}]", line])


def _known(document: Mapping[str, object], place: Place) -> Place:
    """How much of `place` there is."""
    for length, key in enumerate(place):
        below = document.get(key)
        if not isinstance(below, dict):
            return place[:length]
        document = below
    return place


def _put_line(text: str, section: Section, entries: Sequence[Entry], new: str) -> str:
    """Below the last of `entries`, as far to the right; in a table without any, at its top."""
    if entries:
        last = next(line for line in section.lines if line.entry == entries[-1])
        return _put_lines(text, last, [text[last.start : entries[-1].start] + new])
    if section.place:
        return _put_lines(text, section.lines[0], [new])
    content = _content(section, text)
    return _put_lines(text, content[-1], [new]) if content else _put_first(text, [new])


def _before(sections: Sequence[Section], known: Place, parent: Place) -> int:
    """The number of the section that a new table `parent` stands before.

    One whose subtables are there comes above the first; others come below the last that belongs to the same table.
    """
    family = [number for number, section in enumerate(sections) if _leads(known, section.place)]
    return family[0] if known == parent else family[-1] + 1


def _put_table(text: str, above: Sequence[Section], new: list[str]) -> str:
    """Below the last section of `above`. An empty line comes with it; those that are there stay where they are."""
    content = _content(above[-1], text)
    return _put_lines(text, content[-1], ["", *new]) if content else _put_first(text, new)


def _content(section: Section, text: str) -> tuple[Line, ...]:
    """Its lines up to the last that says something. A comment right above the next header is that one's."""
    lines = section.lines
    is_last = not lines or lines[-1].end == len(text)
    while not is_last and lines and lines[-1].kind == "comment":
        lines = lines[:-1]
    while lines and lines[-1].kind == "blank":
        lines = lines[:-1]
    return lines


def _put_lines(text: str, above: Line, new: list[str]) -> str:
    """Below the line `above`, and with its kind of line end; none at the end of a text that has none there."""
    written = text[above.start : above.end]
    if written.endswith("\n"):
        end = "\r\n" if written.endswith("\r\n") else "\n"
        return _inserted(text, above.end, "".join(line + end for line in new))
    end = toml_text.newline(text)
    return _inserted(text, above.end, "".join(end + line for line in new))


def _put_first(text: str, new: list[str]) -> str:
    end = toml_text.newline(text)
    return "".join(line + end for line in new) + (end + text if text else "")


def _inserted(text: str, at: int, new: str) -> str:
    return text[:at] + new + text[at:]


def _removed_inline(text: str, table: Entry, place: Place) -> str:
    entries = toml_text.inside(text, table)
    number, entry = next((number, one) for number, one in enumerate(entries) if _leads(one.keys, place))
    if entry.keys != place:
        return _removed_inline(text, entry, place[len(entry.keys) :])
    if number:
        return text[: entries[number - 1].end] + text[entry.end :]
    if len(entries) > 1:
        return text[: entry.start] + text[entries[1].start :]
    return text[: table.value + 1] + text[entry.end :].removeprefix(",")


def _without_line(text: str, section: Section, entry: Entry) -> str:
    every = [line for one in toml_text.sections(text) for line in one.lines]
    first = last = next(number for number, line in enumerate(every) if line.entry == entry)
    above = _above(every, section)
    if _is_all(section, entry, text) and above != "comment":
        if section.place:
            first = every.index(section.lines[0]) - (above == "blank")
        if first == 0 and above != "blank" and last + 1 < len(every) and every[last + 1].kind == "blank":
            last += 1
    return _cut(text, every[first].start, every[last].end)


def _above(every: Sequence[Line], section: Section) -> str:
    """What kind of line stands above the header."""
    header = every.index(section.lines[0])
    return every[header - 1].kind if section.place and header else ""


def _is_all(section: Section, entry: Entry, text: str) -> bool:
    """Whether the entry is all that its section says, comments included."""
    return all(line.entry == entry or not (line.entry or line.comment) for line in _content(section, text))


def _cut(text: str, start: int, end: int) -> str:
    """Without the lines from `start` to `end`; a text that has no line end at its end has none then, either."""
    above = text[:start]
    if end == len(text) and not text.endswith("\n"):
        above = above.removesuffix("\n").removesuffix("\r")
    return above + text[end:]


def _written(value: Value) -> str:
    import tomlkit

    return tomlkit.item(value).as_string()


def spelled(place: Place) -> str:
    """The dotted key, with the quotes that it needs."""
    import tomlkit

    return ".".join(tomlkit.key(part).as_string() if part else '""' for part in place)
