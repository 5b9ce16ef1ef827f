"""Asking for what nobody gave: the questions of the inputs' table, with the last choices as their defaults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.asking import Asking
from spin_aks.commands import pipeline
from spin_aks.errors import SpinAksError, UsageError
from spin_aks.prompts import Option

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from spin_aks.choices import Choices
    from spin_aks.context import Context
    from spin_aks.settings.row import Row


def answers(error: UsageError, arguments: argparse.Namespace, given: Mapping[str, str]) -> dict[str, str]:
    """An answer to each input that `error` misses, by full key; offers to keep those that a person gave.

    Raises `error` again, without what was answered, if one of them nobody can or may answer.
    """
    asking, here = pipeline.mode(arguments), pipeline.here()
    if asking is Asking.NOTHING_IS_ASKED:
        raise error
    with pipeline.entered(arguments, given) as context:
        found = {key: _ask(asking, key, context) for key in dict.fromkeys(problem.key for problem in error.problems)}
        known = {key: value for key, value in found.items() if value is not None}
        if len(known) < len(found):
            raise UsageError.of(problem for problem in error.problems if problem.key not in known)
        if asking is Asking.SOMEBODY_ANSWERS:
            _keep(asking, known, context, here)
    return known


def _ask(asking: Asking, key: str, context: Context) -> str | None:
    from spin_aks import choices
    from spin_aks.settings import layers

    row = layers.row_of(key)
    if row is None:
        return None
    last = choices.read()
    if key == "cluster.context":
        return _ask_context(asking, row, context, last)
    question = row.ask or f"Value of the variable `{key.removeprefix('variables.')}`"
    return asking.text(question, last=_last_registry(context, last) if row.ask else "", refuses=_refuses(key, row))


def _refuses(key: str, row: Row) -> Callable[[str], str]:
    """Why an answer can't be this input's value, as the same value in a file or a flag would be refused."""
    from spin_aks.settings import unknown, values

    def refuses(text: str) -> str:
        try:
            values.of_text(row, text, "/")
            if key == "container_registry.server":
                _as_registry(text)
        except UsageError as error:
            return ": ".join(filter(None, (str(error), error.problems[0].hint)))
        except ValueError as error:
            return str(error)
        leak = unknown.leak(key, text)
        return f"{leak.what}: {leak.hint}" if leak else ""

    return refuses


def _as_registry(text: str) -> None:
    from spin_aks.oci.reference import Destination

    Destination.parse(text)


def _last_registry(context: Context, last: Choices) -> str:
    """The registry of this application's last deployment, else the last of all; a sandbox's is no choice."""
    from spin_aks.choices import ApplicationKey
    from spin_aks.oci.reference import is_loopback

    manifest = str(Path(context.settings.manifest).absolute())
    own = last.applications.get(ApplicationKey(context.application.name, manifest))
    candidates = [own.registry if own else "", last.registry]
    return next((name for name in candidates if name and not is_loopback(name.partition("/")[0])), "")


def _ask_context(asking: Asking, row: Row, context: Context, last: Choices) -> str | None:
    from spin_aks.cluster import kubeconfig

    known = kubeconfig.contexts(context.settings.kubeconfig)
    options = [Option(one.name, one.name, one.server) for one in known]
    before = next((one.name for one in known if one.target.identity == last.cluster), "")
    return asking.select(row.ask, options, last=before)


def _keep(asking: Asking, known: Mapping[str, str], context: Context, here: Path) -> None:
    """`here` is the folder that the person is in, who sees the file from there."""
    from spin_aks.settings.found import seen_from
    from spin_aks.tasks import outputs

    path, kept = outputs.configuration_file(context), outputs.keepable(context, known)
    but = "" if len(kept) == len(known) else ", but for the variables"
    if path is None or not kept or not asking.confirm(f"Keep this in `{seen_from(path, here)}`{but}?", default=True):
        return
    try:
        outputs.write(path, kept)
    except SpinAksError as error:
        problem = error.problems[0]
        where = pipeline.seen_from(here, problem.where)
        terminal.show_notice(replace(problem, what=f"not kept: {problem.what}", where=where))
    else:
        terminal.say(f"wrote   {seen_from(path, here)}")
