"""Who gave which values: flags, environment, overlay, file. Each is a layer; the first that has a key gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.settings.row import PREFIX, Row
from spin_aks.settings.table import EVERY_ROW, OTHER_VARIABLES, ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from spin_aks.settings.row import Value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Layer:
    """`kind` is flag, variable, overlay, file or answer. `raw` has what was given by full key (`variables.greeting`),
    before anybody looked at it; `where` says where a key's value stands (`--form`, `aks-spin.toml:12`). `read` is how
    its values are read: `values.of_text` or `values.of_toml`. Paths are relative to `folder`.
    """

    kind: str
    raw: Mapping[str, object]
    where: Callable[[str], str]
    read: Callable[[Row, object, str], Value]
    folder: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: `kind` as a layer's, or `built-in`."""

    kind: str
    where: str = ""

    def __str__(self) -> str:
        return self.where or "built-in"


BUILT_IN = Origin("built-in")


def identity(row: Row) -> str:
    """What the row's value goes by among the layers: its key, or its variable if no file can give it."""
    return row.key or row.variable


def row_of(key: str) -> Row | None:
    """The row of a full key, such as `variables.greeting` or `store.orders.kind`; None if there is none."""
    return _BY_IDENTITY.get(key) or _free_row(key.split("."))


def row_at(place: tuple[str, ...]) -> Row | None:
    """The same for a place in a document, whose names may hold dots."""
    exact = _BY_IDENTITY.get(".".join(place)) if not any("." in part for part in place) else None
    return exact or _free_row(place)


_BY_IDENTITY = {identity(row): row for row in EVERY_ROW if not row.is_free}
_FREE = [row for row in EVERY_ROW if row.is_free]


def _free_row(parts: Sequence[str]) -> Row | None:
    return next((row for row in _FREE if fits(row.key.split("."), parts)), None)


def fits(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether `parts` are those of a key's `pattern`, in which `<...>` is any name."""
    return len(pattern) == len(parts) and all(
        one.startswith("<") or one == other for one, other in zip(pattern, parts, strict=True)
    )


def from_flags(flags: Mapping[str, object], folder: str) -> Layer:
    """What argparse left in `flags` (None: not given); what is no pair is left to `bad_pairs`."""
    raw: dict[str, object] = {}
    named: dict[str, str] = {}
    for name, row in ROWS.items():
        given = flags.get(name)
        if isinstance(given, list):
            for part, value in _pairs(given):
                raw[row.key_of(part)] = value
                named[row.key_of(part)] = row.flags[-1]
        elif isinstance(given, str):
            raw[identity(row)] = given
            named[identity(row)] = row.flags[-1]
    return Layer("flag", raw, named.__getitem__, of_text, folder)


def _pairs(given: Iterable[object]) -> Iterator[tuple[str, str]]:
    for text in given:
        name, equals, value = str(text).partition("=")
        if name and equals:
            yield name, value


def bad_pairs(flags: Mapping[str, object]) -> Iterator[Problem]:
    """What was given where `NAME=VALUE` belongs, and is none."""
    for name, row in ROWS.items():
        given = flags.get(name)
        for text in given if isinstance(given, list) else ():
            if not next(_pairs([text]), None):
                from spin_aks.settings import rules

                # What stands behind a `=` is a value, which need not be seen.
                what = "`=...`" if str(text).startswith("=") else rules.shown(str(text))
                hint = f"write `{row.flags[-1]} NAME=VALUE`; `NAME=` for an empty value"
                yield Problem(f"{what} is not of the form {row.metavar}", row.flags[-1], hint)


def from_environment(environment: Mapping[str, str], folder: str) -> Layer:
    """What the variables give; an empty one gives nothing."""
    raw: dict[str, object] = {}
    named: dict[str, str] = {}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or not environment[variable]:
            continue
        key = key_of_variable(variable)
        if key:
            raw[key] = environment[variable]
            named[key] = variable
    return Layer("variable", raw, named.__getitem__, of_text, folder)


def key_of_variable(variable: str) -> str:
    """The key that an environment variable gives; empty if it gives none.

    A free name is lower case there: `SPIN_AKS_VARIABLES_API_HOST` is `variables.api_host`. A store's label ends where
    one of its keys begins.
    """
    exact = _BY_VARIABLE.get(variable)
    if exact is not None:
        return identity(exact)
    for row in _FREE:
        before, _, after = row.variable.partition("<")
        after = after.partition(">")[2]
        name = variable[len(before) : len(variable) - len(after)]
        if name and variable.startswith(before) and variable.endswith(after):
            return row.key_of(name.lower())
    return ""


_BY_VARIABLE = {row.variable: row for row in EVERY_ROW if row.variable and not row.is_free}


def aligned(layer: Layer, keys: Iterable[str]) -> Layer:
    """A layer of variables with the stores' labels as `keys` (those of the files) spell them: a variable can't tell
    `store.my-orders.kind` from `store.my_orders.kind`.
    """
    labels = sorted({key.split(".")[1] for key in keys if key.startswith("store.")})
    moved = {
        key: own for key in layer.raw if labels and key.startswith("store.") and (own := _spelled(key, labels)) != key
    }
    if not moved:
        return layer
    named = {moved.get(key, key): layer.where(key) for key in layer.raw}
    raw = {moved.get(key, key): value for key, value in layer.raw.items()}
    return Layer(layer.kind, raw, named.__getitem__, layer.read, layer.folder)


def _spelled(key: str, labels: Sequence[str]) -> str:
    table, label, name = key.split(".")
    same = [one for one in labels if one.lower().replace("-", "_") == label]
    return key if label in same or not same else f"{table}.{same[0]}.{name}"


def unread(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each variable of our prefix that nobody reads, with the nearest name that somebody does (or empty)."""
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable in OTHER_VARIABLES or not environment[variable]:
            continue
        if not key_of_variable(variable):
            from spin_aks.settings import unknown

            known = [*_BY_VARIABLE, *OTHER_VARIABLES, *_free_variables(variable)]
            near = unknown.nearest(variable.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known])
            yield variable, f"{PREFIX}{near}" if near else ""


def _free_variables(variable: str) -> Iterator[str]:
    """What variables of the user's own names could have been meant: `SPIN_AKS_VARIABLE_X` is `SPIN_AKS_VARIABLES_X`."""
    table, _, name = variable.removeprefix(PREFIX).partition("_")
    for row in _FREE:
        before, _, after = row.variable.partition("<")
        if table and name and before.startswith(f"{PREFIX}{table[:2]}"):
            yield f"{before}{name}" if after.endswith(">") else row.variable


def of_text(row: Row, value: object, folder: str) -> Value:
    """Reads a value that is text whatever it stands for."""
    from spin_aks.settings import values

    return values.of_text(row, str(value), folder)
