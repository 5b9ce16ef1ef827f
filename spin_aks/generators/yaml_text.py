"""Pieces of YAML for files that people read: texts in quotes, comments on one line, lines further in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from spin_aks.generators.scalars import reads_as_itself

if TYPE_CHECKING:
    from collections.abc import Iterable

# Not printable in YAML (1.1 and 1.2), or a line break in one of them; JSON writes them as they are.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def quoted(text: str) -> str:
    """`text` in double quotes, as YAML 1.1, YAML 1.2 and JSON all read it."""
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def word(name: str) -> str:
    """`name` as it is, in quotes only where a reader would take it for something else: `on`, `null`, `no`."""
    return name if reads_as_itself(name) else quoted(name)


def comment(text: str) -> str:
    """`text` as one line that can follow `# `: white space made single, whatever can't be printed left out."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def indented(lines: Iterable[str], spaces: int) -> list[str]:
    """Each line further in by `spaces`, empty ones as they are."""
    return [f"{' ' * spaces}{line}" if line else line for line in lines]


def text(lines: Iterable[str]) -> str:
    """The lines of a file, the last one ended too."""
    return "".join(f"{line}\n" for line in lines)
