"""What flags, variables and answers give, judged: a file's values are judged where the file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.errors import Problem
from spin_aks.settings import layers, values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.settings.layers import Layer
    from spin_aks.settings.row import Row

# `a://b:c@d` is a URL with a password.
_SHORTEST_SECRET = 9


def problems(layer: Layer, *only: str) -> list[Problem]:
    """Why each value that can't be can't: of the keys `only`, or of all."""
    return [problem for key in only or layer.raw for problem in _problems(layer, key)]


def _problems(layer: Layer, key: str) -> Iterator[Problem]:
    row, where = layers.row_of(key), layer.where(key)
    place = tuple(key.split(".", 1)) if row is None else tuple(key.split("."))
    if why := values.refused_name(place):
        from spin_aks.settings import unknown

        yield Problem(why, where, unknown.REFERENCE)
    elif row is not None:
        try:
            layer.read(row, layer.raw[key], layer.folder)
        except ValueError as error:
            yield _with_hint(str(error), where, row, key, str(layer.raw[key]))
        else:
            yield from _leaks(row, key, str(layer.raw[key]), where)


def _with_hint(what: str, where: str, row: Row, key: str, text: str) -> Problem:
    """What a value has to be is said with what it is not; where a secret goes is not."""
    from spin_aks.settings import unknown

    if row.secret or unknown.leak(key, text):
        return Problem(what, where, unknown.SECRETS_GO)
    return Problem(what, where, "" if text else "leave it out, or give it a value")


def _leaks(row: Row, key: str, text: str, where: str) -> Iterator[Problem]:
    if row.kind in ("text", "path") and (row.is_free or len(text) >= _SHORTEST_SECRET):
        from spin_aks.settings import unknown

        if leak := unknown.leak(key, text):
            yield Problem(leak.what, where, leak.hint)
