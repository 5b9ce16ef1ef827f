"""What nobody knows, and what must not stand where it stands: said with the way out, and never with a secret in it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.settings import leaks, rules
from spin_aks.settings.table import EVERY_ROW

if TYPE_CHECKING:
    from spin_aks.settings.row import Row
    from spin_aks.settings.rules import Rule

FREE_NAMES: dict[str, Rule] = {
    "variables": rules.VARIABLE_NAME,
    "secrets": rules.VARIABLE_NAME,
    "store": rules.STORE_LABEL,
}
SECRETS_GO = (
    "a secret's value stands in no file: keep it in a Key Vault, and name it with its name there, "
    '`[secrets]` with `NAME = "NAME-IN-THE-VAULT"`'
)


def problem(place: tuple[str, ...], value: object, where: str) -> Problem:
    """Why nobody reads what stands at `place`, with the nearest that somebody does."""
    key, name = ".".join(place), place[-1]
    if leaks.secret_key_name(name) and not isinstance(value, dict):
        return Problem(f"`{key}` would hold a secret", where, SECRETS_GO)
    tables = {row.table for row in EVERY_ROW}
    if ".".join(place[:-1]) in {row.key for row in EVERY_ROW}:
        return Problem(f"`{'.'.join(place[:-1])}` is no table", where, _REFERENCE)
    if key in tables:
        return Problem(f"`{key}` is a table", where, f"write `[{key}]`, and its keys below")
    word = "table" if isinstance(value, dict) else "key"
    near = difflib.get_close_matches(key, _names(place), n=1)
    hint = f"did you mean `{near[0]}`?" if near else _known(place)
    return Problem(f"there is no {word} `{key}`", where, hint)


_REFERENCE = "docs/configuration.md has every key"


def _names(place: tuple[str, ...]) -> list[str]:
    """Every key, with the user's own names in the places of the free ones."""
    found = {row.key_of(place[1]) if row.is_free and len(place) > 1 else row.key for row in EVERY_ROW if row.key}
    return sorted(found | {row.table for row in EVERY_ROW if row.table and not row.is_free})


def _known(place: tuple[str, ...]) -> str:
    table = ".".join(place[:-1])
    keys = [row.name for row in EVERY_ROW if row.key and row.table == table]
    if place[0] == "store":
        keys = [row.name for row in EVERY_ROW if row.key.startswith("store.")]
    if not table or not keys:
        tables = sorted({row.key.partition(".")[0] for row in EVERY_ROW if "." in row.key})
        return f"there are the tables {', '.join(tables)}"
    return f"`[{table}]` has {', '.join(keys)}"


def name_problem(row: Row, place: tuple[str, ...]) -> Problem | None:
    """Why the user's own part of a free key can't be a name."""
    rule = FREE_NAMES.get(place[0]) if row.is_free else None
    why = rule.refuses(place[1]) if rule else ""
    return Problem(why, hint=_REFERENCE) if why else None


def leak(key: str, value: object) -> Problem | None:
    """That a value holds a secret, which is in words what kind, and not the value."""
    found = leaks.secret_in(key, value) if isinstance(value, str) else ""
    return Problem(f"`{key}` holds {found}", hint=SECRETS_GO) if found else None
