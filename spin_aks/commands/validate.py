"""`spin-aks validate`: is the manifest one, and can the target run it?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from spin_aks import terminal
from spin_aks.commands import pipeline
from spin_aks.errors import ManifestError, UsageError

if TYPE_CHECKING:
    import argparse

    from spin_aks.json_types import JSON
    from spin_aks.spin.model import Application


def configure(parser: argparse.ArgumentParser) -> None:
    pipeline.configure_run(parser)
    parser.add_argument("--manifest-only", action="store_true", help="judge spin.toml alone: no other file, no target")
    parser.add_argument(
        "--spin", metavar="VERSION", default="", help="with --manifest-only: judge as this Spin does, not the newest"
    )
    parser.add_argument(
        "--output", choices=("text", "json"), default="text", help="json: the normalised manifest on stdout"
    )


def run(arguments: argparse.Namespace) -> int:
    if not arguments.manifest_only:
        return _with_target(arguments)
    from spin_aks.spin import manifest, versions

    spin = versions.Version.parse(arguments.spin) if arguments.spin else versions.NEWEST_SPIN
    try:
        application = manifest.read(_manifest(arguments), spin=spin)
    except ManifestError as error:
        show(error)
        return error.exit_code
    show_application(application)
    if arguments.output == "json":
        terminal.put_json(cast("JSON", application.normalised))
    return 0


def show(error: ManifestError) -> None:
    """A line a problem, `PATH:LINE: what is wrong`, as editors and CI read them, then what to do about it."""
    for problem in error.problems:
        terminal.say(str(problem))
    for hint in dict.fromkeys(problem.hint for problem in error.problems if problem.hint) or (pipeline.REFERENCE,):
        terminal.say(f"hint: {hint}")


def show_application(application: Application) -> None:
    """What was read, in a few words: enough to see that it was the right file."""
    version = f" {application.version}" if application.version else ""
    terminal.say(f"{application.path}: `{application.name}`{version}, manifest version {application.manifest_version}")
    for component in application.components:
        triggers = ", ".join(_trigger(kind, config) for kind, config in _uses(application, component.id))
        terminal.say(f"  component {component.id}: {triggers or 'no trigger'}")
    for variable in application.variables:
        kind = "required" if variable.default is None else "has a default"
        terminal.say(f"  variable {variable.name}: {kind}{', secret' if variable.secret else ''}")


def _uses(application: Application, component: str) -> list[tuple[str, str]]:
    return [
        (trigger.type, str(trigger.config.get("route") or trigger.config.get("channel") or ""))
        for trigger in application.triggers
        if trigger.component == component
    ]


def _trigger(kind: str, config: str) -> str:
    return f"{kind} {config}".rstrip()


def _manifest(arguments: argparse.Namespace) -> Path:
    return Path(arguments.manifest or os.environ.get("SPIN_AKS_APP_MANIFEST") or "spin.toml")


def _with_target(arguments: argparse.Namespace) -> int:
    if arguments.spin:
        raise UsageError("`--spin` goes with `--manifest-only`", hint="`--shim VERSION` says what runs on the cluster")
    code = pipeline.validate(arguments)
    if code == 0 and arguments.output == "json":
        from spin_aks.spin import manifest

        terminal.put_json(cast("JSON", manifest.read(_manifest(arguments)).normalised))
    return code
