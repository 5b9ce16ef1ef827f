"""`spin-aks run TARGET...`: any stage, and what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.commands import pipeline

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("targets", nargs="+", metavar="TARGET", help="a stage, as `spin-aks list` names it")
    pipeline.configure_run(parser)


def run(arguments: argparse.Namespace) -> int:
    pipeline.run(arguments, arguments.targets)
    return 0
