"""Changes to `aks-spin.toml` that leave every other byte as it was: comments, order, layout, line ends, the byte order
mark.

Each takes the text and returns it changed; `settings.save` writes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from spin_aks import toml_change, toml_text
from spin_aks.errors import Problem, SpinAksError, UsageError
from spin_aks.settings import file
from spin_aks.settings.table import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Value: TypeAlias = str | int | bool
Place: TypeAlias = tuple[str, ...]

PATH = Path("aks-spin.toml")


def new_file(values: Mapping[Place, Value]) -> str:
    """A file of its own: the schema's version, then a table a group, in the order of `values`."""
    return set_values(f"schema = {SCHEMA}\n", values)


def set_values(text: str, values: Mapping[Place, Value], *, path: Path = PATH) -> str:
    """`text` with these values, new keys in the order of `values`; a value that it has already keeps its spelling.

    `path` is named in errors. Raises UsageError, each with `PATH:LINE`, where `text` is no TOML, or a table stands
    where a value is set or the other way round; SpinAksError for a text that can't be changed without changing more.
    """
    mark, changed = toml_text.without_mark(text)
    body, before = changed, file.parsed(text, str(path))
    expected, problems = before, list[Problem]()
    for place, value in values.items():
        problem = _problem(expected, place, value)
        if problem:
            problems.append(Problem(problem.what, _at(path, body, place), problem.hint))
        elif not _same(_get(expected, place), value):
            changed = toml_change.put(changed, expected, place, value)
            expected = _with(expected, place, value)
    if problems:
        raise UsageError.of(problems)
    if expected is not before:
        _check(changed, expected, path, values)
    return mark + changed


def unset(text: str, place: Place, *, path: Path = PATH) -> str:
    """`text` without the key at `place`; one that is not there changes nothing.

    Its line goes, with the comment behind it. The header of a table goes with its last key, unless a comment belongs to
    that table. What `set_values` put in is taken out again, byte for byte; only a header that stood there before it,
    above nothing at all, is not told from one that was put in. Raises as `set_values`.
    """
    mark, body = toml_text.without_mark(text)
    document = file.parsed(text, str(path))
    found = _get(document, place)
    if found is None:
        return text
    if _is_table(found):
        problem = _table(place, found)
        raise UsageError(problem.what, where=_at(path, body, place), hint=problem.hint)
    changed = toml_change.removed(body, place)
    _check(changed, _with(document, place, None), path, [place])
    return mark + changed


def _problem(document: Mapping[str, object], place: Place, value: Value) -> Problem | None:
    """Why `value` can't be put at `place`."""
    for length in range(1, len(place)):
        found = _get(document, place[:length])
        if found is not None and not isinstance(found, dict):
            return _no_table(place, place[:length], found)
    found = _get(document, place)
    if _is_table(found):
        return _table(place, found)
    if any(_is_torn(text) for text in (*place, value)):
        hint = "give it in UTF-8"
        return Problem(f"what is given for {_name(place)} is no Unicode text", hint=hint)
    return None


def _table(place: Place, found: object) -> Problem:
    keys = [_name((*place, key)) for key in found] if isinstance(found, dict) else []
    named = f"name a key in it, such as {keys[0]}" if keys else "take the table out, or name a key in it"
    return Problem(f"{_name(place)} is a table here, not a value", hint=named)


def _no_table(place: Place, around: Place, found: object) -> Problem:
    kind = "a list" if isinstance(found, list) else "a value"
    return Problem(
        f"{_name(around)} is {kind} here, not a table, so {_name(place)} can't stand in it",
        hint=f"take {_name(around)} out of the file, and run the same command again",
    )


def _is_table(found: object) -> bool:
    """A table, or the several of `[[...]]`."""
    return isinstance(found, dict) or (
        isinstance(found, list) and found != [] and all(isinstance(one, dict) for one in found)
    )


def _is_torn(text: object) -> bool:
    """Whether it holds half a character, as a shell's argument that is no UTF-8 does."""
    return isinstance(text, str) and any("\ud800" <= character <= "\udfff" for character in text)


def _check(text: str, expected: Mapping[str, object], path: Path, places: Iterable[Place]) -> None:
    """Raises SpinAksError if `text` is not `expected`: then nothing is written, and a person has to."""
    if not _holds(text, expected, path, places):
        raise SpinAksError(
            "this file is written in a way that can't be changed without changing more of it",
            where=str(path),
            hint=f"change {', '.join(map(_name, places))} in it with an editor",
        )


def _holds(text: str, expected: Mapping[str, object], path: Path, places: Iterable[Place]) -> bool:
    try:
        found = file.parsed(text, str(path))
    except UsageError:
        return False
    for place in places:
        found, expected = _pruned(found, place), _pruned(expected, place)
    return _same(found, expected)


def _pruned(document: Mapping[str, object], place: Place) -> Mapping[str, object]:
    """Without the tables on the way to `place` that are empty: a header may go with the last key below it."""
    for length in range(len(place) - 1, 0, -1):
        if _get(document, place[:length]) == {}:
            document = _with(document, place[:length], None)
    return document


def _get(document: Mapping[str, object], place: Place) -> object:
    """What is there; None for nothing, which TOML can't say."""
    found: object = document
    for key in place:
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return found


def _with(document: Mapping[str, object], place: Place, value: Value | None) -> dict[str, object]:
    """A document of its own with `value` at `place`; None takes out what is there."""
    key, *below = place
    rest = {name: found for name, found in document.items() if name != key or below or value is not None}
    if below:
        inner = document.get(key)
        rest[key] = _with(inner if isinstance(inner, dict) else {}, tuple(below), value)
    elif value is not None:
        rest[key] = value
    return rest


def _same(one: object, other: object) -> bool:
    """Equal, and of one type all the way down: `1` is neither `true` nor `1.0`, and `nan` is `nan`."""
    pairs = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        if type(left) is not type(right):
            return False
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            pairs += [(left[key], right[key]) for key in left]
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pairs += zip(left, right, strict=True)
        elif left != right and (left == left or right == right):
            return False
    return True


def _name(place: Place) -> str:
    return f"`{toml_change.spelled(place)}`"


def _at(path: Path, body: str, place: Place) -> str:
    from spin_aks.spin import lines

    return f"{path}:{lines.of(body).line(place)}"
