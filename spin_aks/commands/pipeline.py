"""What the commands that run the pipeline have in common: their flags, their context, their last word."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import settings, terminal
from spin_aks.consent import Consent
from spin_aks.context import Context
from spin_aks.errors import ManifestError, SpinAksError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from spin_aks.plan import Plan


REFERENCE = "https://spinframework.dev/manifest-reference has every key of a manifest"


def configure(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that looks at the pipeline."""
    settings.add_arguments(parser)


def configure_run(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that runs it."""
    configure(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="ask nothing: take each question's default")
    parser.add_argument("--no-input", action="store_true", help="ask nothing, as in CI or without a terminal")
    parser.add_argument("--override", action="store_true", help="replace files that were edited by hand")
    parser.add_argument(
        "--force-conflicts", action="store_true", help="take over fields that others set in the cluster"
    )
    parser.add_argument("--offline", action="store_true", help="decide what is stale without asking anybody")
    parser.add_argument("--refresh", action="store_true", help="ask the registry, too, whether all is still there")


def run(arguments: argparse.Namespace, targets: Sequence[str]) -> Plan:
    """Brings `targets` up to date and returns the plan that was followed."""
    with entered(arguments) as context:
        from spin_aks import engine
        from spin_aks.tasks.watch import watched

        if not arguments.offline:
            context = watched(context, registry=arguments.refresh)
        plan = engine.run(context, targets)
    if not any(stage.runs for stage in plan.behind(targets)):
        terminal.say("everything is fresh")
    return plan


def say_where_it_runs(arguments: argparse.Namespace) -> None:
    """The last word of whoever brought the application to the cluster."""
    from spin_aks import files

    with entered(arguments) as context:
        match files.read_json(context.state("applied.json")):
            case {"application": str(name), "namespace": str(namespace), "address": str(address)}:
                terminal.say(_where(name, namespace, address))


def _where(name: str, namespace: str, address: str) -> str:
    if os.environ.get("SPIN_AKS_SANDBOX"):
        return f"{name} is in the namespace {namespace} of the sandbox, where nothing of it really runs"
    return f"{name} runs in the namespace {namespace}{f' at {address}' if address else ''}"


@contextmanager
def entered(arguments: argparse.Namespace) -> Iterator[Context]:
    """The context that the flags describe, from the application's root; errors name files as the user would."""
    started = _here()
    root, rooted = settings.rooted(settings.read(vars(arguments), os.environ))
    _require_kube(rooted.kind)
    os.chdir(root)
    try:
        yield Context(rooted, _consent(arguments))
    except SpinAksError as error:
        if isinstance(error, ManifestError) and not any(problem.hint for problem in error.problems):
            error.problems = tuple(replace(problem, hint=REFERENCE) for problem in error.problems)
        error.problems = tuple(replace(problem, where=_seen_from(started, problem.where)) for problem in error.problems)
        raise
    finally:
        os.chdir(started)


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the folder that you are in is gone", hint="`cd` to the application's folder") from error


def _seen_from(folder: Path, where: str) -> str:
    path, colon, line = where.partition(":")
    if not path or Path(path).is_absolute() or not Path(path).exists():
        return where
    return f"{os.path.relpath(Path(path).absolute(), folder)}{colon}{line}"


def _consent(arguments: argparse.Namespace) -> Consent:
    flags = vars(arguments)
    silent = flags.get("yes", False) or flags.get("no_input", False)
    return Consent(
        override=flags.get("override", False),
        ask=not silent and terminal.is_interactive(),
        force=flags.get("force_conflicts", False),
    )


def _require_kube(kind: str) -> None:
    if kind != "kube":
        raise UsageError(f"`--type {kind}` is not there yet", hint="`--type kube` writes plain Kubernetes files")


def validate(arguments: argparse.Namespace) -> int:
    """`spin-aks validate` without `--manifest-only`: the stage itself, which asks nobody."""
    arguments.offline, arguments.refresh = True, False
    plan = run(arguments, ["validate"])
    if not any(stage.runs for stage in plan.behind(["validate"])):
        _repeat_notices(arguments)
    return 0


def _repeat_notices(arguments: argparse.Namespace) -> None:
    """What a fresh stage said when it ran: whoever asks for it by name wants to know."""
    from spin_aks.tasks.validate import notices

    with entered(arguments) as context:
        for notice in notices(context):
            terminal.show_notice(notice)
