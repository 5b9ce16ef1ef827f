"""`spin-aks push`: make the image and push it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import files, terminal
from spin_aks.commands import pipeline

if TYPE_CHECKING:
    import argparse

    from spin_aks.context import Context
    from spin_aks.json_types import JSONObject


def configure(parser: argparse.ArgumentParser) -> None:
    pipeline.configure_run(parser)
    parser.add_argument("--output", choices=("text", "json"), default="text", help="what to print on stdout")


def run(arguments: argparse.Namespace) -> int:
    pushed: JSONObject = {}
    plan = pipeline.run(arguments, ["push"], lambda context: pushed.update(_pushed(context)))
    stage = plan.stage("push")
    if arguments.output == "json":
        terminal.put_json(pushed if stage and stage.runs else _nothing_sent(pushed))
    else:
        terminal.put(str(pushed.get("reference", "")))
    return 0


def _pushed(context: Context) -> JSONObject:
    return files.read_json(context.state("push.json")) or {}


def _nothing_sent(pushed: JSONObject) -> JSONObject:
    """A run that found the stage fresh sent nothing, whatever the run before it did."""
    layers = pushed.get("layers")
    unsent = (
        [{**layer, "sent": False} for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
    )
    return {**pushed, "layers": list(unsent)}
