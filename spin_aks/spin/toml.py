"""A TOML document as Python has it, or an error that names the line."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from spin_aks.errors import ManifestError

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.json_types import JSONObject

_DEEP = "Spin reads 80 levels of tables and arrays at most"
# Not compiled here: reading a sound document, with lines of a bearable length, takes none of them.
_AT = r"\s*\(at (?:line (?P<line>\d+), column \d+|end of document)\)$"


# `tomllib` takes time by the square of a key's parts, and of a number's digits. Only a line as long as this can have
# enough of them to matter.
_LONG_LINE = 4_000
_LONG_KEY = r"(?<![A-Za-z0-9_\"-])(?:[A-Za-z0-9_\"-]++[ \t]*+\.[ \t]*+){500}"
_LONG_NUMBER = r"[0-9_]{500}"
_STRING = r"""\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*"""


def document(text: str, path: Path) -> JSONObject:
    """What `text` holds; raises ManifestError with `PATH:LINE` if it is not TOML."""
    _refuse_endless_lines(text, path)
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ManifestError("is nested too deeply", where=f"{path}:1", hint=_DEEP) from error
    except ValueError as error:
        lines = text.removesuffix("\n").split("\n")
        match = re.search(_AT, str(error))
        number = int(match["line"]) if match and match["line"] else len(lines)
        what = re.sub(_AT, "", str(error))
        raise ManifestError(
            f"not valid TOML: {what[:1].lower()}{what[1:]}",
            where=f"{path}:{number}",
            hint=_hint(lines[number - 1] if number <= len(lines) else ""),
        ) from error


def _refuse_endless_lines(text: str, path: Path) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) <= _LONG_LINE:
            continue
        bare = re.sub(_STRING, '""', line)
        if re.search(_LONG_KEY, bare):
            raise ManifestError("is nested too deeply", where=f"{path}:{number}", hint=_DEEP)
        if re.search(_LONG_NUMBER, bare):
            raise ManifestError("a number has more than 64 bits", where=f"{path}:{number}")


def _hint(line: str) -> str:
    if "{{" in line:
        return "`{{ ... }}` outside of a string is for templates of `spin new`: make an application of it first"
    return "strings stand in quotes, and each key on a line of its own: https://toml.io has the rules"
