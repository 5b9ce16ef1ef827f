"""What a value of a manifest may look like: small checks that are put together to whole schemas.

A shape takes the value as TOML gives it and returns it as Spin's own parser writes it back (what is empty left out),
noting whatever is wrong. The schemas made of them stand in `schema_v1` and `schema_v2`; they are as strict as serde's
`deny_unknown_fields` makes Spin (crates/manifest/src/schema).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from spin_aks.spin.versions import Version, nearest_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.json_types import JSON

MAX_DEPTH = 80  # what the toml crate of Spin reads
_EVER = Version(0)
_NEVER = Version(1_000_000)

Place: TypeAlias = tuple[str | int, ...]
"""Where a value stands: keys and, from 0, positions in arrays."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at `place`, not yet given a line."""

    place: Place
    what: str
    hint: str = ""


@dataclass(slots=True)
class Reading:
    """One reading of one file, as `spin` judges it; `faults` and `secrets` (what nobody may see) grow."""

    spin: Version
    faults: list[Fault] = field(default_factory=list)
    secrets: list[Fault] = field(default_factory=list)

    def fault(self, place: Place, what: str, hint: str = "") -> None:
        self.faults.append(Fault(place, what, hint))


Shape: TypeAlias = Callable[[object, Place, Reading], "JSON"]
Rule: TypeAlias = Callable[[str, Reading], str]
"""Judges a string: what is wrong with it, or nothing."""


def text(value: object, place: Place, reading: Reading) -> JSON:
    if isinstance(value, str):
        return value
    return _mismatch(value, place, reading, "a string")


def boolean(value: object, place: Place, reading: Reading) -> JSON:
    if isinstance(value, bool):
        return value
    return _mismatch(value, place, reading, "true or false")


def ruled_text(rule: Rule) -> Shape:
    """A string that `rule` finds nothing wrong with."""

    def check(value: object, place: Place, reading: Reading) -> JSON:
        if not isinstance(value, str):
            return _mismatch(value, place, reading, "a string")
        wrong = rule(value, reading)
        if wrong:
            reading.fault(place, wrong)
        return value

    return check


def array(of: Shape, *, hint: str = "") -> Shape:
    """Any number of one shape; `hint` is for who wrote something else."""

    def check(value: object, place: Place, reading: Reading) -> JSON:
        if not isinstance(value, list):
            return _mismatch(value, place, reading, "an array", hint)
        return [of(item, (*place, index), reading) for index, item in enumerate(value)]

    return check


def table_of(of: Shape, key_rule: Rule | None = None) -> Shape:
    """A table with any keys (`key_rule` judges them) whose values are all of one shape."""

    def check(value: object, place: Place, reading: Reading) -> JSON:
        if not isinstance(value, dict):
            return _mismatch(value, place, reading, "a table")
        checked: dict[str, JSON] = {}
        for key, item in value.items():
            here = (*place, key)
            if key_rule is not None and (wrong := key_rule(key, reading)):
                reading.fault(here, wrong)
            checked[key] = of(item, here, reading)
        return checked

    return check


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a record, known from Spin `since` until `until`; Spin writes it back empty only with `keep_empty`."""

    shape: Shape
    required: bool = False
    keep_empty: bool = False
    since: Version = _EVER
    until: Version = _NEVER


def record(fields: Mapping[str, Field], *, rest: Shape | None = None) -> Shape:
    """A table with these keys and no others, unless `rest` says what others hold.

    Without `rest` an array will do as well, its values in the order of `fields`: serde reads a struct from a sequence,
    and there are manifests that hold one (`build = ["make"]`).
    """
    known_to: dict[Version, dict[str, Field]] = {}

    def check(value: object, place: Place, reading: Reading) -> JSON:
        known = known_to.get(reading.spin)
        if known is None:
            known = known_to[reading.spin] = _known(fields, reading.spin)
        if isinstance(value, list) and rest is None:
            value = dict(zip(known, value, strict=False))
        if not isinstance(value, dict):
            return _mismatch(value, place, reading, "a table")
        checked: dict[str, JSON] = {}
        for key, item in value.items():
            entry = known.get(key)
            if entry is not None:
                kept = entry.shape(item, (*place, key), reading)
                if kept or entry.required or entry.keep_empty:
                    checked[key] = kept
            elif rest is not None:
                checked[key] = rest(item, (*place, key), reading)
            else:
                _unknown(key, place, fields, reading)
        _require(known, value, place, reading)
        return checked

    return check


def _known(fields: Mapping[str, Field], spin: Version) -> dict[str, Field]:
    return {name: entry for name, entry in fields.items() if entry.since <= spin < entry.until}


def _require(known: Mapping[str, Field], value: Mapping[str, object], place: Place, reading: Reading) -> None:
    for key, entry in known.items():
        if entry.required and key not in value:
            reading.fault(place, f"`{key}` is missing{_of(place)}")


def free(value: object, place: Place, reading: Reading) -> JSON:
    """Anything at all, as JSON has it: a date becomes a string, and what is no number, null."""
    if len(place) > MAX_DEPTH:
        reading.fault(place[:MAX_DEPTH], f"`{_name(place[:3])}` is nested more than {MAX_DEPTH} levels deep")
        return None
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            reading.fault(place, f"`{_name(place)}` does not fit into 64 bits")
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [free(item, (*place, index), reading) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: free(item, (*place, key), reading) for key, item in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def free_table(value: object, place: Place, reading: Reading) -> JSON:
    if isinstance(value, dict):
        return free(value, place, reading)
    return _mismatch(value, place, reading, "a table")


def kind_of(value: object) -> str:
    """What TOML calls a value of this kind, with its article."""
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a float"),
        (str, "a string"),
        (list, "an array"),
        (dict, "a table"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "a date or time")


def _mismatch(value: object, place: Place, reading: Reading, wanted: str, hint: str = "") -> JSON:
    reading.fault(place, f"`{_name(place)}` has to be {wanted}, not {kind_of(value)}", hint)
    return None


def _unknown(key: str, place: Place, fields: Mapping[str, Field], reading: Reading) -> None:
    entry = fields.get(key)
    if entry is not None and reading.spin < entry.since:
        hint = f"Spin {entry.since.short} brought it; this is judged as Spin {reading.spin}"
    elif entry is not None:
        hint = f"Spin {entry.until.short} dropped it; this is judged as Spin {reading.spin}"
    else:
        known = tuple(_known(fields, reading.spin))
        near = nearest_name(key, known)
        hint = f"did you mean `{near}`?" if near else "it may hold " + ", ".join(f"`{name}`" for name in known)
    reading.fault((*place, key), f"unknown key `{key}`{_of(place)}", hint)


def _of(place: Place) -> str:
    return f" in `{dotted(place)}`" if place else ""


def _name(place: Place) -> str:
    """The last key on the way to a value: what a person calls it."""
    return str(next((part for part in reversed(place) if isinstance(part, str)), "the manifest"))


def dotted(place: Place) -> str:
    """`component.hello.files[2]`: a place as people write it."""
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return shown.removeprefix(".")
