"""Which fields of a live object are ours, and what they hold: from its `managedFields`.

Server-side apply keeps there, for each manager, the set of fields it owns; a field that somebody else changes leaves
our set (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management). The form of the set,
FieldsV1, is structured-merge-diff's: `f:NAME` a member, `k:{KEYS}` a list item by its keys, `v:VALUE` an item of a set,
`i:INDEX` an item by its place, `.` the thing itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from spin_aks.cluster import fields
from spin_aks.cluster.connection import FIELD_MANAGER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.json_types import JSON, JSONObject

DIGEST_DIGITS = 12
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def owned(document: JSONObject) -> dict[str, str]:
    """Each field that `spin-aks` applied, as `spec.ports[port=80,protocol=TCP].name`, with a digest of its value.

    Empty if we own nothing in it. A Secret's values are not digested (a short one could be guessed from its digest):
    its resource version stands for all of them.
    """
    entry = next((entry for entry in _entries(document) if _is_ours(entry)), None)
    if entry is None:
        return {}
    found = dict(_leaves(fields.mapping(entry, "fieldsV1"), document, ""))
    if document.get("kind") == "Secret":
        version = fields.text(document, "metadata", "resourceVersion")
        return dict.fromkeys(found, version)
    return {path: _digest(value) for path, value in found.items()}


def others(document: JSONObject) -> dict[str, str]:
    """Each field that somebody else owns, with that manager's name: the last who changed it."""
    found: dict[str, str] = {}
    for entry in sorted(_entries(document), key=lambda entry: fields.text(entry, "time")):
        if not _is_ours(entry) and entry.get("subresource") != "status":
            for path, _ in _leaves(fields.mapping(entry, "fieldsV1"), document, ""):
                found[path] = fields.text(entry, "manager")
    return found


def appliers(document: JSONObject) -> tuple[str, ...]:
    """Who else applies this object as a whole: by server-side apply, `kubectl apply` or Helm."""
    return tuple(
        manager
        for entry in _entries(document)
        if (manager := fields.text(entry, "manager")) != FIELD_MANAGER
        and (entry.get("operation") == "Apply" or manager in {"kubectl-client-side-apply", "helm", "Helm"})
    )


def is_ours(document: JSONObject) -> bool:
    """Whether `spin-aks` still owns anything in it."""
    return any(_is_ours(entry) for entry in _entries(document))


def _entries(document: JSONObject) -> tuple[JSONObject, ...]:
    return fields.objects(document, "metadata", "managedFields")


def _is_ours(entry: JSONObject) -> bool:
    return entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" and "subresource" not in entry


def _leaves(owned_fields: JSONObject, value: JSON, path: str) -> Iterator[tuple[str, JSON]]:
    for key, below in owned_fields.items():
        if key == ".":
            continue
        step, child = _step(key, value)
        place = f"{path}{step}".removeprefix(".")
        deeper = below if isinstance(below, dict) else {}
        if set(deeper) <= {"."}:
            yield place, child if not deeper else None
        else:
            yield from _leaves(deeper, child, place)


def _step(key: str, value: JSON) -> tuple[str, JSON]:
    kind, _, rest = key.partition(":")
    if kind == "f":
        return (f".{rest}" if _PLAIN.fullmatch(rest) else f"[{rest}]"), fields.at(value, rest)
    if kind == "k":
        keys = _parsed(rest)
        named = keys if isinstance(keys, dict) else {}
        items = value if isinstance(value, list) else []
        match = next((i for i in items if isinstance(i, dict) and all(i.get(k) == v for k, v in named.items())), None)
        return "[" + ",".join(f"{name}={_text(wanted)}" for name, wanted in sorted(named.items())) + "]", match
    if kind == "v":
        wanted = _parsed(rest)
        return f"[{_text(wanted)}]", wanted if isinstance(value, list) and wanted in value else None
    items = value if isinstance(value, list) else []
    index = int(rest) if rest.isdecimal() else -1
    return f"[{rest}]", items[index] if 0 <= index < len(items) else None


def _parsed(text: str) -> JSON:
    try:
        document: JSON = json.loads(text)
    except ValueError:
        return None
    return document


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _digest(value: JSON) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:DIGEST_DIGITS]
