"""The flags that the table makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.settings.table import ROWS

if TYPE_CHECKING:
    import argparse

GLOBALS = ("config", "environment")


def add(parser: argparse.ArgumentParser, *names: str) -> None:
    """Gives `parser` the flags of the rows of these names, of every row if none is named."""
    group = parser.add_argument_group("inputs")
    for name in names or ROWS:
        row = ROWS[name]
        if row.flags:
            group.add_argument(
                *row.flags,
                dest=name,
                default=None,
                action="append" if row.is_free else "store",
                type=str.lower if row.choices else str,
                choices=row.choices or None,
                metavar=row.metavar or None,
                help=f"{row.meaning} [{row.variable}]",
            )
