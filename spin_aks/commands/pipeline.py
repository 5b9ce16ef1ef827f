"""What the commands that run the pipeline have in common: their flags, their context, their last word."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import asking, context, terminal
from spin_aks.asking import Asking
from spin_aks.consent import Consent
from spin_aks.errors import ManifestError, SpinAksError, UsageError
from spin_aks.settings import arguments as inputs
from spin_aks.settings import found, loaded, notices

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from spin_aks.context import Context
    from spin_aks.plan import Plan
    from spin_aks.settings.loaded import Loaded


MAKEABLE = {
    "cluster": "make the AKS cluster if it is not there",
    "registry": "make the registry if it is not there",
    "keyvault": "make the Key Vault if it is not there",
    "identity": "make the managed identity if it is not there",
    "store": "make each store that is not there",
}
GIVABLE = {
    "--attach-acr": "give the cluster the right to pull, if it lacks that",
    "--attach-keyvault": "give the rights to the vault's secrets that are missing",
    "--attach-identity": "let the application's pods sign in as the identity",
    "--attach-store": "give the identity the rights to the stores' items that are missing",
    "--enable-keyvault-addon": "turn on the cluster's Key Vault add-on, if it is needed",
    "--enable-workload-identity": "turn on the cluster's workload identity, if it is needed",
}
REFERENCE = "https://spinframework.dev/manifest-reference has every key of a manifest"


def configure(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that looks at the pipeline."""
    inputs.add(parser)


def configure_run(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that runs it."""
    configure(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="ask nothing: take each question's default")
    parser.add_argument("--no-input", action="store_true", help="ask nothing, as in CI or without a terminal")
    parser.add_argument("--override", action="store_true", help="replace files that were edited by hand")
    parser.add_argument(
        "--force-conflicts", action="store_true", help="take over fields that others set in the cluster"
    )
    made = parser.add_argument_group("what may be made and given in Azure")
    for what, meaning in MAKEABLE.items():
        made.add_argument(f"--create-{what}", action="store_true", help=meaning)
    made.add_argument("--create", action="store_true", help="make whatever is named and not there")
    made.add_argument("--recover-keyvault", action="store_true", help="bring the Key Vault back if it was deleted")
    for flag, meaning in GIVABLE.items():
        made.add_argument(flag, action="append_const", const=flag, dest="give", help=meaning)
    parser.add_argument("--offline", action="store_true", help="decide what is stale without asking anybody")
    parser.add_argument(
        "--refresh", action="store_true", help="ask the registry and Azure, too, whether all is still there"
    )


def nothing(_context: Context) -> None:
    """What most commands do after a run."""


def run(arguments: argparse.Namespace, targets: Sequence[str], then: Callable[[Context], None] = nothing) -> Plan:
    """Brings `targets` up to date and returns the plan that was followed; asks for what is missing, if it may.

    `then` has the last word, with what was loaded for the run: a file that is changed meanwhile is for the next one.
    """
    answers: dict[str, str] = {}
    while True:
        try:
            return _run(arguments, targets, answers, then)
        except UsageError as error:
            if not error.missing:
                raise
            from spin_aks.commands import asked

            answers |= asked.answers(error, arguments, answers)


def _run(
    arguments: argparse.Namespace,
    targets: Sequence[str],
    answers: Mapping[str, str],
    then: Callable[[Context], None],
) -> Plan:
    started = here()
    with entered(arguments, answers) as current:
        from spin_aks import engine
        from spin_aks.tasks.watch import watched

        if current.loaded is not None and not answers:
            _tell(current.loaded, started)
        if not arguments.offline:
            current = watched(current, registry=arguments.refresh)
        try:
            plan = engine.run(current, targets)
            if not any(stage.runs for stage in plan.behind(targets)):
                terminal.say("everything is fresh")
            then(current)
        finally:
            current.lock.release()  # whoever is asked for what is missing keeps nobody else waiting
    return plan


def _tell(loaded_with: Loaded, started: Path) -> None:
    """What is worth a word before anything runs."""
    base = loaded_with.files.base
    if base is not None and base.parent != Path(os.path.realpath(started)):
        terminal.say(f"configuration: {found.seen_from(base, started)}")
    for notice in notices.notices(loaded_with, os.environ):
        terminal.show_notice(notice)


def say_where_it_runs(context: Context) -> None:
    """The last word of whoever brought the application to the cluster."""
    from spin_aks import files

    match files.read_json(context.state("applied.json")):
        case {"application": str(name), "namespace": str(namespace), "address": str(address)}:
            terminal.say(_where(name, namespace, address))


def _where(name: str, namespace: str, address: str) -> str:
    if os.environ.get("SPIN_AKS_SANDBOX"):
        return f"{name} is in the namespace {namespace} of the sandbox, where nothing of it really runs"
    return f"{name} runs in the namespace {namespace}{f' at {address}' if address else ''}"


def load(arguments: argparse.Namespace, answers: Mapping[str, str] | None = None) -> Loaded:
    """All that is given, in the folder that the user is in."""
    return loaded.load(vars(arguments), os.environ, here(), answers)


@contextmanager
def entered(arguments: argparse.Namespace, answers: Mapping[str, str] | None = None) -> Iterator[Context]:
    """The context that the flags describe, from the application's root; errors name files as the user would."""
    started = here()
    root, rooted = loaded.rooted(load(arguments, answers))
    _require_kube(rooted)
    os.chdir(root)
    try:
        yield context.of(root, rooted, _consent(arguments))
    except SpinAksError as error:
        if isinstance(error, ManifestError) and not any(problem.hint for problem in error.problems):
            error.problems = tuple(replace(problem, hint=REFERENCE) for problem in error.problems)
        error.problems = tuple(replace(problem, where=seen_from(started, problem.where)) for problem in error.problems)
        raise
    finally:
        os.chdir(started)


def here() -> Path:
    """The folder that the user is in; raises UsageError if it is gone."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the folder that you are in is gone", hint="`cd` to the application's folder") from error


def seen_from(folder: Path, where: str) -> str:
    """`PATH` or `PATH:LINE` from here, as somebody in `folder` would name it; anything else as it is."""
    path, colon, line = where.partition(":")
    if not path or Path(path).is_absolute() or not Path(path).exists():
        return where
    return f"{os.path.relpath(Path(path).absolute(), folder)}{colon}{line}"


def mode(arguments: argparse.Namespace) -> Asking:
    """Who answers questions, by these flags."""
    flags = vars(arguments)
    return asking.mode(yes=flags.get("yes", False), no_input=flags.get("no_input", False))


def _consent(arguments: argparse.Namespace) -> Consent:
    flags = vars(arguments)
    return Consent(
        override=flags.get("override", False),
        ask=mode(arguments) is Asking.SOMEBODY_ANSWERS,
        force=flags.get("force_conflicts", False),
        create=frozenset(what for what in MAKEABLE if flags.get("create", False) or flags.get(f"create_{what}", False)),
        recover=frozenset({"keyvault"} if flags.get("recover_keyvault", False) else ()),
        give=frozenset(GIVABLE if flags.get("yes", False) else flags.get("give") or ()),
    )


def _require_kube(rooted: Loaded) -> None:
    kind = rooted.settings.kind
    if kind != "kube":
        where = rooted.origin("kubernetes.type").where
        raise UsageError(
            f"the type `{kind}` is not there yet", where=where, hint="`kube` writes plain Kubernetes files"
        )


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

    with entered(arguments) as current:
        for notice in notices(current):
            terminal.show_notice(notice)
