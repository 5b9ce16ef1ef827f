"""`spin-aks why STAGE`: in full sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.commands import list as list_command
from spin_aks.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from spin_aks.plan import Plan, PlannedStage


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stage", metavar="STAGE", help="a stage, as `spin-aks list` names it")
    list_command.configure(parser)


def run(arguments: argparse.Namespace) -> int:
    plan = list_command.inspect(arguments)
    stage = _find(plan, arguments.stage)
    if arguments.output == "json":
        terminal.put_json(stage.to_json())
    else:
        terminal.put(explained(stage))
    return 0


def explained(stage: PlannedStage) -> str:
    """Why the stage would run, or that it would not, a sentence a line."""
    if not stage.runs:
        since = f" since {stage.last_run}" if stage.last_run else ""
        return f"`{stage.name}` would not run: nothing that it depends on has changed{since}."
    return "\n".join([f"`{stage.name}` would run:", *(f"- {reason.sentence}." for reason in stage.reasons)])


def _find(plan: Plan, name: str) -> PlannedStage:
    stage = plan.stage(name)
    if stage is None:
        known = ", ".join(stage.name for stage in plan.stages)
        raise UsageError(f"there is no stage `{name}`", hint=f"there are: {known}")
    return stage
