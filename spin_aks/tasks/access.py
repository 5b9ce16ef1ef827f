"""The stage `access`: who may do what in Azure. Checked first, and given only where that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import files, terminal
from spin_aks.errors import AzureError, Problem
from spin_aks.tasks import resources
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spin_aks.azure.roles import Grant, Wanted
    from spin_aks.context import Context
    from spin_aks.json_types import JSONObject

NAME = "access"


def is_wanted(context: Context) -> bool:
    """Whether there are a cluster and a registry of Azure's to bring together."""
    return resources.cluster(context) is not None and resources.registry(context) is not None


def stage(context: Context) -> Stage:
    return Stage(
        name=NAME,
        doc="let the cluster pull from the registry",
        action=lambda: _grant(context),
        depends_on=(resources.NAME,),
        files=lambda: existing([context.state("azure.json")]),
        targets=(context.state("access.json").as_posix(),),
        observed=lambda: context.observed().access,
    )


def drift(context: Context) -> tuple[str, ...]:
    """Which of the rights that were there are gone, in sentences."""
    from spin_aks.azure import roles

    given = files.read_json(context.state("access.json")) is not None
    if not (given and is_wanted(context) and resources.known(context) >= {"cluster", "registry"}):
        return ()
    return tuple(
        f"it is no longer so that {grant.what}"
        for grant in roles.check(context.azure, _wanted(context))
        if _lacks(grant)
    )


def _wanted(context: Context) -> tuple[Wanted, ...]:
    from spin_aks.azure import acr, aks, grants

    cluster_id, registry_id = resources.resource_id(context, "cluster"), resources.resource_id(context, "registry")
    cluster, registry = aks.get(context.azure, cluster_id), acr.get(context.azure, registry_id)
    for found, resource in ((cluster, cluster_id), (registry, registry_id)):
        if found is None:
            raise AzureError("it is gone", where=str(resource), hint=f"spin-aks run {resources.NAME} --refresh")
    if cluster is None or registry is None:
        return ()
    return (grants.pull(cluster, registry),)


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
    return files.read_json(context.state("access.json")) or document(())


def unchanged(document: JSONObject) -> JSONObject:
    """The same, of a run that found the stage fresh: it gave nothing, whatever the run before it did."""
    from spin_aks.azure.roles import MADE, PRESENT

    grants = document.get("grants")
    found = [grant for grant in grants if isinstance(grant, dict)] if isinstance(grants, list) else []
    return {"grants": [{**grant, "state": PRESENT} if grant.get("state") == MADE else grant for grant in found]}


def _grant(context: Context) -> None:
    from spin_aks.azure import roles

    wanted = _wanted(context)
    checked = roles.check(context.azure, wanted)
    _may_give(context, wanted, checked)
    given = tuple(_given(context, one, checked) for one in wanted)
    for grant in given:
        terminal.say(f"{grant.what}: {grant.role} is {grant.state}")
    files.write_json(context.state("access.json"), document(given))


def _given(context: Context, wanted: Wanted, checked: tuple[Grant, ...]) -> Grant:
    from spin_aks.azure import roles
    from spin_aks.azure.problems import AzureRefusalError, Kind

    try:
        return roles.give(context.azure, wanted, resources.watch(context))
    except AzureRefusalError as error:
        if error.kind is not Kind.DENIED:
            raise
        raise LackingError(checked, error.problems, error.why) from error


def _lacks(grant: Grant) -> bool:
    from spin_aks.azure import roles

    return grant.state == roles.MISSING


def _may_give(context: Context, wanted: tuple[Wanted, ...], checked: tuple[Grant, ...]) -> None:
    """Raises LackingError with the flag and the command for each right that nobody allowed to be given."""
    lacking = [one for one, grant in zip(wanted, checked, strict=True) if _lacks(grant)]
    for one in lacking:
        terminal.say(f"to be given in Azure: `{one.role.name}` at {one.scope}, so that {one.what}")
    if not lacking or context.consent.attach_acr:
        return
    if context.consent.ask:
        from spin_aks import prompts

        if prompts.confirm("Give it?", default=True):
            return
    raise LackingError(checked, tuple(_problem(one) for one in lacking))


def _problem(lacking: Wanted) -> Problem:
    hint = f"`--attach-acr` gives the role `{lacking.role.name}`; or have somebody who may: `{lacking.command()}`"
    return Problem(f"it is not so that {lacking.what}", str(lacking.scope), hint)
