"""What nobody knows, and what must not stand where it stands: said with the way out, and never with a secret in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.settings import leaks
from spin_aks.settings.layers import fits, row_at
from spin_aks.settings.table import EVERY_ROW
from spin_aks.settings.values import FREE_NAMES as FREE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRETS_GO = (
    "a secret's value stands in no file: keep it in a Key Vault, and name it with its name there, "
    '`[secrets]` with `NAME = "NAME-IN-THE-VAULT"`'
)
REFERENCE = "`spin-aks config reference` has every key; `spin-aks config schema` tells them to an editor"
_LONGEST = 80


def problem(place: tuple[str, ...], value: object, where: str) -> Problem:
    """Why nobody reads what stands at `place`, with the nearest that somebody does; no part of `value` is shown."""
    key, above = spelled(place), ".".join(place[:-1])
    table = isinstance(value, dict)
    if (leaks.secret_key_name(place[-1]) and not table) or _holds_secrets(value):
        what = f"there is no table {key}, and it holds a secret" if table else f"{key} would hold a secret"
        return Problem(what, where, SECRETS_GO)
    if len(place) > 1 and row_at(place[:-1]):
        return Problem(f"`{above}` is no table", where, REFERENCE)
    if ".".join(place) in _tables():
        return Problem(f"{key} is a table", where, f"write {_header(place)} once, and its keys below it")
    hint = _written_in_quotes(place) or _nearest(place) or _known(place)
    return Problem(f"there is no {'table' if table else 'key'} {key}", where, hint)


def spelled(place: tuple[str, ...]) -> str:
    """The key in backticks as it is written in the file: on one line, cut where it is very long."""
    key = ".".join(_part(part) for part in place)
    return f"`{key if len(key) <= _LONGEST else f'{key[:_LONGEST]}...'}`"


def leak(key: str, value: object) -> Problem | None:
    """That a value holds a secret, which is in words what kind, and not the value."""
    found = leaks.secret_in(key, value) if isinstance(value, str) else ""
    return Problem(f"`{key}` holds {found}", hint=SECRETS_GO) if found else None


def nearest(word: str, words: Iterable[str]) -> str:
    """The one of `words` that `word` was probably meant to be; empty if none is near."""
    import difflib

    return next(iter(difflib.get_close_matches(word[:_LONGEST], words, n=1)), "")


def _part(part: str) -> str:
    if part and part.isascii() and part.replace("-", "").replace("_", "").isalnum():
        return part
    import json

    return json.dumps(part[: _LONGEST + 1], ensure_ascii=not part.isprintable())


def _holds_secrets(value: object) -> bool:
    return isinstance(value, dict) and any(
        leaks.secret_key_name(name) for name, below in value.items() if not isinstance(below, dict)
    )


def _keys() -> set[str]:
    return {row.key for row in EVERY_ROW if row.key}


def _tables() -> set[str]:
    """Every table, those around others and around the user's own names included."""
    parts = [row.key.split(".")[:-1] for row in EVERY_ROW]
    return {".".join(names[:length]) for names in parts for length in range(1, len(names) + 1)}


def _header(place: tuple[str, ...]) -> str:
    return "`[store.LABEL]`" if place == ("store",) else f"`[{'.'.join(place)}]`"


def _written_in_quotes(place: tuple[str, ...]) -> str:
    key = ".".join(place)
    there = key in _keys() | _tables() and any("." in part for part in place)
    return f"write `{key}` without quotes, or the key below its table's header" if there else ""


def _nearest(place: tuple[str, ...]) -> str:
    *above, name = place
    siblings = _siblings(tuple(above))
    if siblings:
        near = ".".join([*above, near]) if (near := nearest(name, siblings)) else ""
    else:
        near = nearest(".".join(place), [*sorted(_keys() | _tables()), *_own_keys(place)])
    if not near:  # `replicas` at the top, `[resources]`: the right name in the wrong place
        near = next((key for key in sorted(_keys() | _tables()) if key.rpartition(".")[2] == name), "")
    return f"did you mean `{f'[{near}]' if near in _tables() else near}`?" if near else ""


def _siblings(above: tuple[str, ...]) -> list[str]:
    """The names of what may stand in a table; none for a table that nobody knows."""
    parts = [row.key.split(".") for row in EVERY_ROW if row.key]
    return sorted(
        {names[len(above)] for names in parts if len(names) > len(above) and fits(names[: len(above)], above)}
    )


def _own_keys(place: tuple[str, ...]) -> list[str]:
    """The keys with the user's own name in them that could have been meant."""
    return [row.key_of(place[1]) for row in EVERY_ROW if row.is_free and len(place) == row.key.count(".") + 1]


def _known(place: tuple[str, ...]) -> str:
    table = ".".join(place[:-1])
    keys = [row.name for row in EVERY_ROW if row.key and row.table == table]
    if place[0] == "store" and len(place) > 1:
        table, keys = "store.LABEL", [row.name for row in EVERY_ROW if row.key.startswith("store.")]
    if not table or not keys:
        tables = sorted({row.key.partition(".")[0] for row in EVERY_ROW if "." in row.key})
        return f"there are the tables {', '.join(tables)}"
    return f"`[{table}]` has {', '.join(keys)}"
