"""`spin-aks scaffold [dockerfile|k8s]`: the files that people keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.commands import pipeline

if TYPE_CHECKING:
    import argparse

    from spin_aks.context import Context

PLACES = {"dockerfile": "image.dockerfile", "manifests": "kubernetes.dest"}
STAGES = {"dockerfile": ["dockerfile"], "k8s": ["manifests"], "all": ["dockerfile", "manifests"]}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=STAGES, default="all", help="which files; without it, both")
    pipeline.configure_run(parser)


def run(arguments: argparse.Namespace) -> int:
    stages = STAGES[arguments.what]
    pipeline.run(arguments, stages, lambda context: _note(context, stages))
    return 0


def _note(context: Context, stages: list[str]) -> None:
    from spin_aks.tasks import outputs

    outputs.note_places(context, [PLACES[stage] for stage in stages])
