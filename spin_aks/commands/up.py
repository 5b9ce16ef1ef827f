"""`spin-aks up`: the final target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.commands import pipeline

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    pipeline.configure_run(parser)


def run(arguments: argparse.Namespace) -> int:
    pipeline.run(arguments, ["up"], pipeline.say_where_it_runs)
    return 0
