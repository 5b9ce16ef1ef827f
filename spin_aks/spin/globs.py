"""Globs as Spin understands them: the patterns of the Rust crate `glob` 0.3 with its default options.

`?` is one character, `*` any number of them, `[abc]`, `[a-z]`, `[!a]` a set, `**` as a whole step of the path any
number of folders. Dot files are like others; there are no braces and no escapes. Matched against a whole path
(`exclude_files`), `*` and `?` cross `/`; looked up on disk (`files`), each step of the path is matched by itself.
Source: rust-lang/glob, src/lib.rs, `Pattern` and `Paths`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SPECIAL = frozenset("?*[]")
_ANY_FOLDERS = "**"
_FOLDERS = "(?:.*/)?"


class GlobError(ValueError):
    """The text is no glob; the message says why, in the words of the crate."""


class LoopError(OSError):
    """A symbolic link leads back to a folder that is being walked; `filename` is the link."""


def looks_like_glob(text: str) -> bool:
    """Whether Spin takes `text` for a glob where no file of that name exists."""
    return not _SPECIAL.isdisjoint(text)


@lru_cache(maxsize=1024)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """The expression whose `fullmatch` is the crate's `Pattern::matches`; raises GlobError."""
    pieces: list[str] = []
    position = 0
    while position < len(pattern):
        piece, position = _piece(pattern, position)
        pieces.append(piece)
    return re.compile("".join(pieces), re.DOTALL)


def _piece(pattern: str, start: int) -> tuple[str, int]:
    character = pattern[start]
    if character == "?":
        return ".", start + 1
    if character == "*":
        return _stars(pattern, start)
    if character == "[":
        return _character_set(pattern, start)
    return re.escape(character), start + 1


def _stars(pattern: str, start: int) -> tuple[str, int]:
    end = start
    while end < len(pattern) and pattern[end] == "*":
        end += 1
    if end - start == 1:
        return ".*", end
    if end - start > 2:
        raise GlobError("wildcards are either regular `*` or recursive `**`")
    if (start and pattern[start - 1] != "/") or (end < len(pattern) and pattern[end] != "/"):
        raise GlobError("recursive wildcards must form a single path component")
    return _FOLDERS, min(end + 1, len(pattern))


def _character_set(pattern: str, start: int) -> tuple[str, int]:
    negated = pattern.startswith("!", start + 1)
    first = start + (2 if negated else 1)
    end = pattern.find("]", first + 1)
    if end < 0:
        raise GlobError("invalid range pattern")
    members = _members(pattern[first:end])
    if negated:
        return (f"[^{members}]" if members else "."), end + 1
    return (f"[{members}]" if members else "(?!)"), end + 1


def _members(text: str) -> str:
    members: list[str] = []
    position = 0
    while position < len(text):
        if text[position + 1 : position + 2] == "-" and position + 2 < len(text):
            low, high = text[position], text[position + 2]
            members.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
            position += 3
        else:
            members.append(re.escape(text[position]))
            position += 1
    return "".join(members)


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a pattern: a name as it stands, an expression for a name, or any number of folders (neither)."""

    name: str | None = None
    expression: re.Pattern[str] | None = None


def find(root: Path, pattern: str) -> Iterator[str]:
    """The files below `root` that `pattern` names, as paths relative to `root`, each at least once, in no order.

    Symbolic links are followed, links that lead nowhere are no files. Names that are no UTF-8 match no wildcard.
    Raises GlobError, LoopError, and OSError for a folder that can't be read.
    """
    compile_glob(pattern)
    steps = _steps(pattern)
    if pattern.endswith("/") or not steps:
        return
    yield from _matches(root, "", steps, ())


def _steps(pattern: str) -> tuple[_Step, ...]:
    return tuple(_step(part) for part in pattern.split("/") if part not in ("", "."))


def _step(part: str) -> _Step:
    if part == _ANY_FOLDERS:
        return _Step()
    expression = compile_glob(part)
    return _Step(expression=expression) if not _SPECIAL.isdisjoint(part) else _Step(name=part)


def _matches(root: Path, folder: str, steps: tuple[_Step, ...], above: tuple[str, ...]) -> Iterator[str]:
    step, rest = steps[0], steps[1:]
    if step.name is not None:
        yield from _descend(root, _join(folder, step.name), rest, above)
    elif step.expression is not None:
        for entry in _entries(root, folder):
            if step.expression.fullmatch(entry.name) and _is_text(entry.name):
                yield from _descend(root, _join(folder, entry.name), rest, above)
    elif rest:
        yield from _matches(root, folder, rest, above)
        yield from _below(root, folder, steps, above)


def _below(root: Path, folder: str, steps: tuple[_Step, ...], above: tuple[str, ...]) -> Iterator[str]:
    for entry in _entries(root, folder):
        if not entry.is_dir():
            continue
        path = _join(folder, entry.name)
        if entry.is_symlink():
            yield from _matches(root, path, steps, (*above, _entered(root, folder, path, above)))
        else:
            yield from _matches(root, path, steps, above)


def _entered(root: Path, folder: str, link: str, above: tuple[str, ...]) -> str:
    real = os.path.realpath(root / link)
    here = os.path.realpath(root / folder)
    if real in above or f"{here}/".startswith(f"{real.rstrip('/')}/"):
        raise LoopError(0, "the link leads back to a folder above it", link)
    return real


def _descend(root: Path, path: str, rest: tuple[_Step, ...], above: tuple[str, ...]) -> Iterator[str]:
    if not rest:
        if (root / path).is_file():
            yield path
    elif (root / path).is_dir():
        yield from _matches(root, path, rest, above)


def _entries(root: Path, folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(root / folder if folder else root) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
