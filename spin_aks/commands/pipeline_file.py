"""`spin-aks pipeline-file`: where the doit file is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import terminal

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """It takes no flags."""


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - every command has this form
    from importlib.util import find_spec

    found = find_spec("dodo_spin_aks")
    terminal.put(str(found.origin) if found else "")
    return 0
