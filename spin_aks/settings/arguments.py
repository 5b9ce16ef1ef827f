"""The flags that the table makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.settings.table import ROWS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

GLOBALS = ("config", "environment")


def add(parser: argparse.ArgumentParser, *names: str, default: str | None = None) -> None:
    """Gives `parser` the flags of the rows of these names, of every row if none is named.

    Their values are judged with those of the files (`settings.loaded`), not here. `default` is what argparse leaves
    where a flag is not given: None, or `argparse.SUPPRESS`.
    """
    group = parser.add_argument_group("inputs")
    for name in names or ROWS:
        row = ROWS[name]
        if row.flags:
            group.add_argument(
                *row.flags,
                dest=name,
                default=default,
                action="append" if row.is_free else "store",
                metavar=row.metavar or "|".join(row.choices) or None,
                help=f"{row.meaning} [{row.variable}]",
            )


def unrecognized(words: Sequence[str]) -> str:
    """The words that no flag takes, on one line; what is or may be a secret among them stays unseen."""
    from spin_aks.settings import leaks

    shown: list[str] = []
    for word, before in zip(words, ["", *words], strict=False):
        flag, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
        name = flag or before if before.startswith("-") or flag else ""
        secret = leaks.secret_key_name(name.strip("-")) or leaks.secret_in("", value)
        shown.append(f"{flag}{equals}..." if value and secret else word)
    return " ".join(shown)
