"""Who gave which values: flags, environment, overlay, file. Each is a layer; the first that has a key gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks.settings.row import PREFIX, Row
from spin_aks.settings.table import EVERY_ROW, OTHER_VARIABLES, ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from spin_aks.settings.row import Value


@dataclass(frozen=True, slots=True)
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
    exact = _BY_IDENTITY.get(key)
    if exact is not None:
        return exact
    parts = key.split(".")
    return next((row for row in _FREE if _fits(row.key.split("."), parts)), None)


_BY_IDENTITY = {identity(row): row for row in EVERY_ROW if not row.is_free}
_FREE = [row for row in EVERY_ROW if row.is_free]


def _fits(pattern: list[str], parts: list[str]) -> bool:
    return len(pattern) == len(parts) and all(
        one.startswith("<") or one == other for one, other in zip(pattern, parts, strict=True)
    )


def from_flags(flags: Mapping[str, object], folder: str) -> Layer:
    """What argparse left in `flags` (None: not given); raises ValueError for a pair that is none."""
    raw: dict[str, object] = {}
    named: dict[str, str] = {}
    for name, row in ROWS.items():
        given = flags.get(name)
        if isinstance(given, list):
            for text in given:
                part, equals, value = str(text).partition("=")
                if not equals or not part:
                    raise ValueError(f"{row.flags[-1]}: `{_shown(part, equals)}` is not of the form NAME=VALUE")
                raw[row.key_of(part)] = value
                named[row.key_of(part)] = row.flags[-1]
        elif isinstance(given, str):
            raw[identity(row)] = given
            named[identity(row)] = row.flags[-1]
    return Layer("flag", raw, named.__getitem__, of_text, folder)


def _shown(name: str, equals: str) -> str:
    """A pair that lacks its name holds a value that need not be seen."""
    return name if not equals else "=..."


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


def unread(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each variable of our prefix that nobody reads, with the nearest name that somebody does (or empty)."""
    for variable in sorted(environment):
        if variable.startswith(PREFIX) and variable not in OTHER_VARIABLES and not key_of_variable(variable):
            import difflib

            near = difflib.get_close_matches(variable, [*_BY_VARIABLE, *OTHER_VARIABLES], n=1)
            yield variable, near[0] if near else ""


def of_text(row: Row, value: object, folder: str) -> Value:
    """Reads a value that is text whatever it stands for."""
    from spin_aks.settings import values

    return values.of_text(row, str(value), folder)
