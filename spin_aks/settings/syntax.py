"""What is wrong with a text that is no TOML, in the words of somebody who does not know TOML."""

from __future__ import annotations

import re

from spin_aks.errors import Problem
from spin_aks.settings import unknown

_HINT = "strings stand in quotes, a key stands once, and each on a line of its own: https://toml.io has the rules"
_ONCE = "keep one of them"
# What `tomllib` of Python 3.11 to 3.14 says of what stands twice; its keys are tuples.
_TWICE = re.compile(r"not valid TOML: (?:cannot (?:overwrite|declare|mutate)|can ?not redefine|duplicate inline)")
_KEYS = re.compile(r"\(('[^']*'(?:, '[^']*')*),?\)|key '([^']*)'")
_STATEMENT = re.compile(r"\s*([A-Za-z0-9_.\"'-][^=\[\]{}#\n]*?)\s*=")


def explained(problem: Problem, text: str) -> Problem:
    """The problem that reading `text` ran into, said again: what stands twice by its name, old line ends as such."""
    line = problem.where.rpartition(":")[2]
    if "\r" in text and "\n" not in text:
        return Problem(
            "its lines end as in no text of today (CR alone)", problem.where, "save it with line ends LF or CRLF"
        )
    if _TWICE.match(problem.what):
        return Problem(_twice(problem.what, text, int(line)), problem.where, _ONCE)
    return Problem(problem.what, problem.where, _HINT)


def _twice(what: str, text: str, line: int) -> str:
    """A key, or a table, that is there already. What stands behind a `=` is no part of it."""
    found = _KEYS.search(what)
    if found:
        names = tuple(re.findall("'([^']*)'", found[1])) if found[1] else (found[2],)
        return f"{unknown.spelled(names)} stands here again"
    lines = text.split("\n")
    key = _STATEMENT.match(lines[line - 1]) if line <= len(lines) else None
    return f"`{key[1].strip()[:80]}` stands here again" if key else "a key stands here again"
