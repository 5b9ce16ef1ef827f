"""Every input of the table as a test gives it: possible values, and each way to give one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import strategies as st

from spin_aks.settings import leaks, unknown
from spin_aks.settings.layers import identity
from spin_aks.settings.table import SCHEMA

if TYPE_CHECKING:
    from spin_aks.settings.row import Row, Value

Toml: TypeAlias = "Value | float | list[int]"

ANSWER, FLAG, VARIABLE, OVERLAY, FILE = WAYS = ("answer", "flag", "variable", "overlay", "file")
"""From the highest to the lowest. Somebody is asked only where all others give nothing, or an empty text."""

ANY_TEXT = {
    "build.profile",
    "cluster.context",
    "container_registry.server",
    "image.pushed.digest",
    "image.pushed.registry",
    "image.pushed.repository",
    "image.pushed.tag",
    "variables.<name>",
}
"""Texts without a rule, each by a decision; another such row has to be decided, too."""

MADE = {
    "app.manifest": ("spin.toml", "other.toml", "below/spin.toml", "below"),
    "SPIN_AKS_CONFIG": ("first.toml", "below/second.toml"),
}
"""Paths that have to be there."""


@dataclass(frozen=True)
class Input:
    """A row with the user's own name in it, where it has one."""

    row: Row
    name: str

    @property
    def key(self) -> str:
        return self.row.key_of(self.name) if self.row.is_free else identity(self.row)

    @property
    def variable(self) -> str:
        return self.row.variable_of(self.name) if self.row.is_free else self.row.variable

    def ways(self) -> tuple[str, ...]:
        row = self.row
        can = {
            FLAG: row.flags,
            VARIABLE: row.variable,
            OVERLAY: row.key,
            FILE: row.key,
            ANSWER: row.key and row.variable,
        }
        return tuple(way for way in WAYS if can[way])


def word(value: Toml) -> str:
    """The value as a shell has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def flag(one: Input, value: Toml, spelling: int) -> list[str]:
    name = one.row.flags[spelling % len(one.row.flags)]
    text = f"{one.name}={word(value)}" if one.row.is_free else word(value)
    return [f"{name}={text}" if name.startswith("--") else f"{name}{text}"]


def toml(key: str, value: Toml) -> str:
    """A table with this key alone; it stands in the last line."""
    *tables, name = key.split(".")
    header = f"[{'.'.join(quoted(part) for part in tables)}]\n" if tables else ""
    shown = quoted(value) if isinstance(value, str) else str(value).lower()
    return f"{header}{quoted(name)} = {shown}\n"


def quoted(text: str) -> str:
    shown = (
        each if each.isascii() and each.isprintable() and each not in '"\\' else f"\\U{ord(each):08X}" for each in text
    )
    return f'"{"".join(shown)}"'


def values(row: Row) -> st.SearchStrategy[Value]:
    """Values that can be; a row that this knows nothing of is one to be taught here."""
    if row.key == "schema":
        return st.just(SCHEMA)
    if identity(row) in MADE:
        return st.sampled_from(MADE[identity(row)])
    match row.kind:
        case "count":
            return st.integers(1, 999_999_999)
        case "switch":
            return st.booleans()
        case "choice":
            return st.sampled_from(row.choices)
        case "path":
            part = st.from_regex(r"[a-z\u00e4 ][A-Za-z0-9 ._-]{0,8}", fullmatch=True)
            return st.lists(part, min_size=1, max_size=3).map("/".join)
        case "text" if row.rule is not None:
            return st.from_regex(without_conditions(row.rule.pattern), fullmatch=True).filter(row.rule.accepts)
        case "text" if row.key in ANY_TEXT:
            return st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)
    pytest.fail(f"teach the strategies this row: {identity(row)}")


def without_conditions(pattern: str) -> str:
    """Without what stands ahead of it in `(?=...)` and `(?!...)`, which texts are made much faster for."""
    while pattern.startswith(("(?=", "(?!")):
        depths = accumulate({"(": 1, ")": -1}.get(each, 0) for each in pattern)
        pattern = pattern[1 + next(at for at, depth in enumerate(depths) if depth == 0) :]
    return pattern


def names(row: Row) -> st.SearchStrategy[str]:
    """The user's own part of a free key."""
    if not row.is_free:
        return st.just("")
    rule = unknown.FREE_NAMES.get(row.key.partition(".")[0])
    if rule is None:
        pytest.fail(f"teach the strategies this row's names: {row.key}")
    return st.from_regex(rule.pattern, fullmatch=True).filter(rule.accepts)


@st.composite
def inputs(draw: st.DrawFn, row: Row, count: int) -> tuple[Input, list[Value]]:
    """An input of this row, and so many different values of it, none of which looks like a secret."""
    one = Input(row, draw(names(row)))
    fit = values(row).filter(lambda value: not leaks.secret_in(one.key, str(value)))
    found = draw(st.lists(fit, min_size=count, max_size=count, unique=True))
    return one, found
