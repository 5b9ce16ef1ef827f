"""What an SDK returned, as plain values, and without what Azure chooses: for two of them to be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import Enum


def plain(value: object) -> object:
    """The value with every model as its class's name and its properties."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (datetime, date, timedelta)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode(errors="replace")
    if hasattr(value, "as_dict"):
        return {"model": type(value).__name__, **value.as_dict()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return {"model": type(value).__name__, **_properties(value)}


def _properties(value: object) -> dict[str, object]:
    kind = type(value)
    found = [name for name in dir(kind) if not name.startswith("_") and isinstance(getattr(kind, name), property)]
    return {name: plain(getattr(value, name)) for name in found}


GUID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE
)
HEX_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
# Cosmos DB goes on with seven kilobytes of that one server's own figures.
DIAGNOSTICS = re.compile(r"ActivityId: .*", re.DOTALL)
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")
# What Azure chooses: random, of the moment, of whoever asks, or scrubbed in the recording.
CHOSEN = re.compile(
    r"_?etag|_rid|_self|_ts|resource_?guid|instance_?id"
    r"|(created|last_?modified)_?(by|by_?type)|(created|updated|deleted|scheduled_purge|deletion)(_on|_date)|created|updated"
    r"|(primary|secondary)(_?readonly)?(_?master)?_?key",
    re.IGNORECASE,
)


def masked(value: object) -> object:
    """Without what Azure chooses: ids, times, etags, keys, who asked. Names stay: the sandbox is given the same."""
    if isinstance(value, dict):
        return {_masked_text(key): _masked_item(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return _masked_text(value) if isinstance(value, str) else value


def _masked_item(key: str, item: object) -> object:
    chosen = CHOSEN.fullmatch(key) and item is not None and not isinstance(item, (dict, list))
    return f"<{key}>" if chosen else masked(item)


def _masked_text(text: str) -> str:
    text = DIAGNOSTICS.sub("ActivityId: <diagnostics>", text)
    return TIME.sub("<time>", HEX_ID.sub("<id>", GUID.sub("<guid>", text)))


def forget(results: dict[str, object], pattern: str) -> list[object]:
    """Takes out what the pattern is about, and gives it."""
    title, _, path = pattern.partition(": ")
    return [found for step, result in results.items() if title == step for found in _removed(result, path.split("."))]


def _removed(value: object, path: list[str]) -> list[object]:
    name, below = path[0], path[1:]
    if isinstance(value, list):
        return [found for item in value for found in _removed(item, path)]
    if not isinstance(value, dict) or name not in value:
        return []
    return _removed(value[name], below) if below else [value.pop(name)]
