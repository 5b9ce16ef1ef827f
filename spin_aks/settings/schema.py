"""The JSON schema of the configuration file, made from the table: for editors, which complete and check with it.

It is of draft-07, the newest that the TOML servers of today's editors know: Taplo ("Even Better TOML") checks by it
where a schema names no older one, and Tombi reads it, too. It takes what settings/file.py takes, with these exceptions,
each of which tests hold: it knows no secret by its form; a choice is in lower case; `1.0` is a whole number to JSON; in
the name of a resource group what stands beyond ASCII, up to U+FFFF, counts as a letter, since ECMA-262 knows no other
letters; the label of a store whose table is empty is looked at by the schema alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.settings import rules
from spin_aks.settings.table import EVERY_ROW, OUTPUTS, ROWS, SCHEMA, TABLES, default_of
from spin_aks.settings.values import FREE_NAMES, MOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spin_aks.json_types import JSONObject
    from spin_aks.settings.row import Row
    from spin_aks.settings.rules import Rule

DRAFT = "http://json-schema.org/draft-07/schema#"
ABOUT = "What spin-aks is to do with a Spin application: `spin-aks config reference` says it at length."
NOT_YET = "This version accepts it and does not read it yet."


def schema() -> JSONObject:
    """The schema of `aks-spin.toml` and of its overlays."""
    rows = [(tuple(row.key.split(".")), row) for row in EVERY_ROW if row.key]
    return {"$schema": DRAFT, "title": "aks-spin.toml", **_table("", rows), "description": ABOUT}


def _table(place: str, rows: Sequence[tuple[tuple[str, ...], Row]]) -> JSONObject:
    """The table at `place`; each row comes with what of its key is below that."""
    named: JSONObject = {}
    free: JSONObject = {}
    for name in dict.fromkeys(parts[0] for parts, _ in rows):
        below = [(parts[1:], row) for parts, row in rows if parts[0] == name]
        one = _value(below[0][1]) if below[0][0] == () else _table(f"{place}.{name}".lstrip("."), below)
        if name.startswith("<"):
            free[_whole(FREE_NAMES[place])] = one
        else:
            named[name] = one
    return {
        **_described(_sentence(TABLES.get(place, ""))),
        "type": "object",
        **({"readOnly": True} if place == OUTPUTS else {}),
        **({"properties": named} if named else {}),
        **({"patternProperties": free, "propertyNames": {"maxLength": rules.LONGEST}} if free else {}),
        "additionalProperties": False,
    }


def _value(row: Row) -> JSONObject:
    return {**_described(describe(row)), **_type(row), **_default(row), **_read_only(row)}


def _described(text: str) -> JSONObject:
    return {"description": text} if text else {}


def describe(row: Row) -> str:
    """What the row is for, what holds without it, and what its values are, in sentences."""
    sentences = [row.meaning]
    if row.without:
        sentences.append(f"without it: {row.without}")
    if row.rule is not None:
        sentences.append(f"it has to be {row.rule.form}")
    return " ".join([*map(_sentence, sentences), *([NOT_YET] if row.reserved else [])])


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}." if clause else ""


def _type(row: Row) -> JSONObject:
    if row.key == "schema":
        return {"type": "integer", "enum": [SCHEMA]}
    if row.kind == "count":
        return {"type": "integer", "minimum": 1, "maximum": MOST}
    if row.kind == "switch":
        return {"type": "boolean"}
    if row.kind == "choice":
        return {"type": "string", "enum": list(row.choices)}
    return {"type": "string", **_text(row)}


def _text(row: Row) -> JSONObject:
    """Empty text counts as not given; no text holds a NUL."""
    if row.kind == "path":
        return {"pattern": r"^[^\x00]+$"}
    if row.rule is None:
        return {"pattern": r"^[^\x00]*$"}
    return {"pattern": f"^(?:{_portable(row.rule)})?$", "maxLength": rules.LONGEST}


def _whole(rule: Rule) -> str:
    return f"^(?:{_portable(rule)})$"


def _portable(rule: Rule) -> str:
    return rule.pattern.replace(r"\w", r"A-Za-z0-9_\u0080-\uffff")


def _default(row: Row) -> JSONObject:
    value = default(row)
    return {} if value is None else {"default": value}


def default(row: Row) -> str | int | bool | None:
    """What holds where nobody gives it; None where that is no value, but what the row says in words."""
    for name, one in ROWS.items():
        value = default_of(name)
        if one is row and isinstance(value, str | int) and (value or row.kind == "switch"):
            return value
    return None


def _read_only(row: Row) -> JSONObject:
    return {"readOnly": True} if row.key.startswith(f"{OUTPUTS}.") else {}
