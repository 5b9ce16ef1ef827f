"""`spin-aks list`: each stage, its state and the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.commands import pipeline

if TYPE_CHECKING:
    import argparse

    from spin_aks.plan import Plan


def configure(parser: argparse.ArgumentParser) -> None:
    pipeline.configure(parser)
    parser.add_argument("--refresh", action="store_true", help="ask the cluster, the registry and Azure, too")
    parser.add_argument("--output", choices=("text", "json"), default="text", help="what to print on stdout")


def run(arguments: argparse.Namespace) -> int:
    plan = inspect(arguments)
    if arguments.output == "json":
        terminal.put_json(plan.to_json())
        return 0
    terminal.put(table(plan))
    terminal.say(
        "seen here, in the cluster, in the registry and in Azure"
        if arguments.refresh
        else "seen here only; `--refresh` asks the cluster, the registry and Azure, too"
    )
    return 0


def inspect(arguments: argparse.Namespace) -> Plan:
    """The plan that `up` would follow, for what these flags describe."""
    with pipeline.entered(arguments) as context:
        from spin_aks import engine
        from spin_aks.tasks.watch import watched

        if arguments.refresh:
            context = watched(context, registry=True)
        return engine.inspect(context)


def table(plan: Plan) -> str:
    """A line a stage: name, state, reasons."""
    name_width = max(len(stage.name) for stage in plan.stages)
    lines = []
    for stage in plan.stages:
        reasons = stage.told if stage.state != "never-run" else ""
        lines.append(f"{stage.name:<{name_width}}  {stage.state:<9}  {reasons}".rstrip())
    return "\n".join(lines)
