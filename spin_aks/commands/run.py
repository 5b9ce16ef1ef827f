"""`spin-aks run TARGET...`: any stage, and what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.commands import pipeline
from spin_aks.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from spin_aks.json_types import JSONObject


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("targets", nargs="+", metavar="TARGET", help="a stage, as `spin-aks list` names it")
    pipeline.configure_run(parser)
    parser.add_argument(
        "--output", choices=("text", "json"), default="text", help="json, for `access`: who may do what, on stdout"
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.output == "json":
        _access(arguments)
    else:
        pipeline.run(arguments, arguments.targets)
    return 0


def _access(arguments: argparse.Namespace) -> None:
    """Brings `access` up to date and prints its rights; also those that are missing, if it ends with an error so."""
    from spin_aks.tasks import access

    if arguments.targets != [access.NAME]:
        hint = "`spin-aks run access --output json` has one, and `spin-aks push --output json`"
        raise UsageError(f"no document tells of {', '.join(arguments.targets)}", hint=hint)
    found: JSONObject = {}
    try:
        plan = pipeline.run(arguments, arguments.targets, lambda context: found.update(access.told(context)))
    except access.LackingError as error:
        terminal.put_json(access.document(error.grants))
        raise
    stage = plan.stage(access.NAME)
    terminal.put_json(found if stage and stage.runs else access.unchanged(found))
