"""`spin-aks scaffold [dockerfile|k8s]`: the files that people keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.commands import pipeline

if TYPE_CHECKING:
    import argparse

STAGES = {"dockerfile": ["dockerfile"], "k8s": ["manifests"], "all": ["dockerfile", "manifests"]}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=STAGES, default="all", help="which files; without it, both")
    pipeline.configure_run(parser)


def run(arguments: argparse.Namespace) -> int:
    pipeline.run(arguments, STAGES[arguments.what])
    return 0
