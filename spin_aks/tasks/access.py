"""The stage `access`: who may do what in Azure. Checked first, and given only where that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import files, terminal
from spin_aks.errors import AzureError, Problem
from spin_aks.tasks import resolving, resources, rights, rights_identity, rights_vault
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
        files=lambda: existing([context.state("azure.json"), resources.making(context)]),
        values={"secrets": True if rights_vault.reads_secrets(context) else None, **rights_identity.values(context)},
        targets=(context.state("access.json").as_posix(),),
        observed=lambda: (*context.observed().access, *_now_allowed(context)),
    )


def drift(context: Context) -> tuple[str, ...]:
    """Which of the rights that were there are gone, in sentences."""
    from spin_aks.azure import roles

    had = {_what(grant) for grant in _grants(context) if grant.get("state") != roles.MISSING}
    if not had or not is_wanted(context) or not resolving.all_known(context):
        return ()
    return tuple(
        f"it is no longer so that {right.now.what}"
        for right in rights.rights(context)
        if right.lacks and _what(right.now.to_json()) in had
    )


def _what(grant: JSONObject) -> tuple[str, ...]:
    return _texts(grant, "what", "scope")


def _whose(grant: JSONObject) -> tuple[str, ...]:
    """What a right is besides how it stands: another cluster of the same name has an identity and an issuer of its
    own. A cluster in which something has to be turned on first has no issuer.
    """
    return *_what(grant), *_texts(grant, "principal_id", "role", "issuer")


def _texts(grant: JSONObject, *keys: str) -> tuple[str, ...]:
    """In lower case: Azure does not always write an id or a name in the same way."""
    return tuple(str(grant.get(key) or "").lower() for key in keys)


def _given_before(context: Context) -> frozenset[tuple[str, ...]]:
    """The rights that this environment gave when it was told to: told once, it keeps them up."""
    return frozenset(_whose(grant) for grant in _grants(context) if grant.get("given") is True)


def _now_allowed(context: Context) -> tuple[str, ...]:
    """What the stage went without when it ran, and may give in this run."""
    if not context.consent.give:
        return ()
    from spin_aks.azure import roles

    lacking = [grant for grant in _grants(context) if grant.get("state") == roles.MISSING]
    allowed = [grant.get("what") for grant in lacking if context.consent.give.issuperset(_flags(grant))]
    return tuple(f"it was not so that {what}, and now that may be changed" for what in allowed)


def _flags(grant: JSONObject) -> list[JSON]:
    """Those that allow a right that was missing."""
    flags = grant.get("flags")
    return flags if isinstance(flags, list) else []


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
    refused = _refused(context, found, before)
    now = [right.now for right in found]
    for place, right in enumerate(found):
        if right.lacks and right not in refused:
            now[place] = _given(right, tuple(now))
            _note(context, found, now, before)  # what was given stays noted if the next one can't be
        terminal.say(f"{now[place].what}: {now[place].role} {_said(now[place])}")
    _note(context, found, now, before)


def _said(grant: Grant) -> str:
    from spin_aks.azure import roles

    return {roles.MADE: "is given now", roles.PRESENT: "is there already"}.get(grant.state, f"is {grant.state}")


def _note(context: Context, found: Iterable[Right], now: Iterable[Grant], before: frozenset[tuple[str, ...]]) -> None:
    noted: list[JSON] = [_noted(right, grant, before) for right, grant in zip(found, now, strict=True)]
    files.write_json(context.state("access.json"), {"grants": noted})


def _noted(right: Right, grant: Grant, before: frozenset[tuple[str, ...]]) -> JSONObject:
    from spin_aks.azure.roles import MADE, MISSING

    noted = _whole(grant)
    flags: JSONObject = {"flags": list(right.flags)} if grant.state == MISSING else {}
    return {**noted, "given": grant.state == MADE or _whose(noted) in before, **flags}


def _whole(grant: Grant) -> JSONObject:
    """What is told of it, and what tells it from others."""
    return {**grant.to_json(), "issuer": grant.issuer} if grant.issuer else grant.to_json()


def _given(right: Right, now: tuple[Grant, ...]) -> Grant:
    """`now` is how all of them stand before."""
    from spin_aks.azure.problems import AzureRefusalError, Kind

    try:
        return right.give()
    except AzureRefusalError as error:
        if error.kind is not Kind.DENIED:
            raise
        raise LackingError(now, error.problems, error.why) from error


def _refused(context: Context, found: tuple[Right, ...], before: frozenset[tuple[str, ...]]) -> list[Right]:
    """Those that are missing, that nobody allows to be given, and that the deployment does without, each told.

    One that was given `before` may be given again.

    Raises LackingError where it does not, with the flag and the command for each.
    """
    lacking = [right for right in found if right.lacks]
    again = [right for right in lacking if _whose(_whole(right.now)) in before]
    for right in lacking:
        show_plan(f"to be given in Azure{' again' if right in again else ''}", right.plan)
    refused = [right for right in lacking if right not in again and not right.allowed(context.consent)]
    if refused and context.consent.ask:
        from spin_aks import prompts

        if prompts.confirm("Give it?" if len(refused) == 1 else "Give them?", default=True):
            return []
    needed = tuple(right.problem() for right in refused if right.needed)
    if needed:
        raise LackingError(tuple(right.now for right in found), needed)
    for right in refused:
        terminal.show_notice(right.problem())
    return refused
