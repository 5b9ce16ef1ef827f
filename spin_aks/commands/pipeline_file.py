"""`spin-aks pipeline-file`: where the doit file is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.settings import arguments

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """The same for every configuration; `-c` and `-e` are taken as by every command."""
    arguments.add(parser, *arguments.GLOBALS)


def run(_: argparse.Namespace) -> int:
    from importlib.util import find_spec

    found = find_spec("dodo_spin_aks")
    terminal.put(str(found.origin) if found else "")
    return 0
