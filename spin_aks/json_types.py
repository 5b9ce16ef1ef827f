"""What a parsed JSON, TOML or YAML document is made of until a parser has given it a type of its own."""

from __future__ import annotations

from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
JSONObject: TypeAlias = "dict[str, JSON]"


def required_text(document: JSONObject, key: str) -> str:
    """The text under `key`; raises KeyError if there is none: for documents that we wrote ourselves."""
    value = document[key]
    if not isinstance(value, str):
        raise KeyError(key)
    return value
