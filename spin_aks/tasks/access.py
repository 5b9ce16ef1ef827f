"""The stage `access`: who may do what in Azure. Checked first, and given only where that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import files, terminal
from spin_aks.errors import AzureError, Problem
from spin_aks.tasks import resources, rights, rights_identity, rights_vault
from spin_aks.tasks.azure_place import show_plan
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spin_aks.azure.roles import Grant
    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.tasks.right import Right

NAME = "access"
KEYS = ("what", "scope", "principal_id", "role", "state")


def is_wanted(context: Context) -> bool:
    """Whether anything of Azure's is to be brought together: a cluster and a registry, or a vault and who uses it."""
    return rights.are_wanted(context)


def stage(context: Context) -> Stage:
    return Stage(
        name=NAME,
        doc="who may do what in Azure: pull from the registry, use vault and stores",
        action=lambda: _grant(context),
        depends_on=(resources.NAME,),
        files=lambda: existing([context.state("azure.json")]),
        values={"secrets": True if rights_vault.reads_secrets(context) else None, **rights_identity.values(context)},
        targets=(context.state("access.json").as_posix(),),
        observed=lambda: (*context.observed().access, *_now_allowed(context)),
    )


def drift(context: Context) -> tuple[str, ...]:
    """Which of the rights that were there are gone, in sentences."""
    from spin_aks.azure import roles

    had = {_what(grant) for grant in _grants(context) if grant.get("state") != roles.MISSING}
    if not had or not is_wanted(context) or not resources.all_known(context):
        return ()
    return tuple(
        f"it is no longer so that {right.now.what}"
        for right in rights.rights(context)
        if right.lacks and _what(right.now.to_json()) in had
    )


def _what(grant: JSONObject) -> tuple[JSON, ...]:
    return grant.get("what"), grant.get("scope")


def _whose(grant: JSONObject) -> tuple[JSON, ...]:
    """What a right is besides how it stands: another cluster of the same name has an identity of its own."""
    return *_what(grant), grant.get("principal_id"), grant.get("role")


def _given_before(context: Context) -> frozenset[tuple[JSON, ...]]:
    """The rights that this environment gave when it was told to: told once, it keeps them up."""
    return frozenset(_whose(grant) for grant in _grants(context) if grant.get("given") is True)


def _now_allowed(context: Context) -> tuple[str, ...]:
    """What the stage went without when it ran, and may give in this run."""
    if not context.consent.give:
        return ()
    from spin_aks.azure import roles

    lacking = [grant.get("what") for grant in _grants(context) if grant.get("state") == roles.MISSING]
    return tuple(f"it was not so that {what}, and now that may be changed" for what in lacking)


def _grants(context: Context) -> list[JSONObject]:
    grants = (files.read_json(context.state("access.json")) or {}).get("grants")
    return [grant for grant in grants if isinstance(grant, dict)] if isinstance(grants, list) else []


class LackingError(AzureError):
    """Rights are missing and could not be given; `grants` are all of them as they are now."""

    def __init__(self, grants: tuple[Grant, ...], problems: tuple[Problem, ...], why: str = "") -> None:
        super().__init__(problems[0].what, why=why)
        self.problems = problems
        self.grants = grants


def document(grants: Iterable[Grant]) -> JSONObject:
    return {"grants": [grant.to_json() for grant in grants]}


def told(context: Context) -> JSONObject:
    """What the stage said when it ran last."""
    return {"grants": [{key: grant.get(key) for key in KEYS} for grant in _grants(context)]}


def unchanged(document: JSONObject) -> JSONObject:
    """The same, of a run that found the stage fresh: it gave nothing, whatever the run before it did."""
    from spin_aks.azure.roles import MADE, PRESENT

    grants = document.get("grants")
    found = [grant for grant in grants if isinstance(grant, dict)] if isinstance(grants, list) else []
    return {"grants": [{**grant, "state": PRESENT} if grant.get("state") == MADE else grant for grant in found]}


def _grant(context: Context) -> None:
    for problem in rights_identity.unseen(context):
        terminal.show_notice(problem)
    found, before = rights.rights(context), _given_before(context)
    checked = tuple(right.now for right in found)
    refused = _refused(context, found, before)
    given = tuple(right.now if right in refused else _given(right, checked) for right in found)
    for grant in given:
        terminal.say(f"{grant.what}: {grant.role} is {grant.state}")
    files.write_json(context.state("access.json"), {"grants": [_noted(grant, before) for grant in given]})


def _noted(grant: Grant, before: frozenset[tuple[JSON, ...]]) -> JSONObject:
    from spin_aks.azure.roles import MADE

    noted = grant.to_json()
    return {**noted, "given": grant.state == MADE or _whose(noted) in before}


def _given(right: Right, checked: tuple[Grant, ...]) -> Grant:
    from spin_aks.azure.problems import AzureRefusalError, Kind

    if not right.lacks:
        return right.now
    try:
        return right.give()
    except AzureRefusalError as error:
        if error.kind is not Kind.DENIED:
            raise
        raise LackingError(checked, error.problems, error.why) from error


def _refused(context: Context, found: tuple[Right, ...], before: frozenset[tuple[JSON, ...]]) -> list[Right]:
    """Those that are missing, that nobody allows to be given, and that the deployment does without, each told.

    One that was given `before` may be given again.

    Raises LackingError where it does not, with the flag and the command for each.
    """
    lacking = [right for right in found if right.lacks]
    again = [right for right in lacking if _whose(right.now.to_json()) in before]
    for right in lacking:
        show_plan(f"to be given in Azure{' again' if right in again else ''}", right.plan)
    refused = [right for right in lacking if right not in again and not right.allowed(context.consent)]
    if refused and context.consent.ask:
        from spin_aks import prompts

        if prompts.confirm("Give it?", default=True):
            return []
    needed = tuple(right.problem() for right in refused if right.needed)
    if needed:
        raise LackingError(tuple(right.now for right in found), needed)
    for right in refused:
        terminal.show_notice(right.problem())
    return refused
