"""What nobody gave: said with every way to give it."""

from __future__ import annotations

from spin_aks.errors import Problem
from spin_aks.settings import layers


def missing(key: str, what: str, *, where: str = "", more: str = "") -> Problem:
    """The problem that nobody gives the input of this full key; `more` is another way out."""
    return Problem(what, where, ways(key) + (f"; {more}" if more else ""), key)


def ways(key: str) -> str:
    """Flag, variable and key of an input, as a clause."""
    row = layers.row_of(key)
    if row is None:
        raise KeyError(key)
    name = key.split(".")[1] if row.is_free else ""
    value = f"{name}=VALUE" if row.metavar == "NAME=VALUE" else row.metavar or "|".join(row.choices)
    flag = [f"`{row.flags[-1]} {value}`"] if row.flags else []
    variable = [f"`{row.variable_of(name) if name else row.variable}`"]
    return f"give {', '.join([*flag, *variable])} or `{key}` in aks-spin.toml"
