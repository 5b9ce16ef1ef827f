"""The stage `access`: who may do what in Azure. Checked first, and given only where that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import files, terminal
from spin_aks.errors import AzureError
from spin_aks.tasks import resources
from spin_aks.tasks.stage import Stage, existing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spin_aks.azure.roles import Grant, Wanted
    from spin_aks.context import Context

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

    if files.read_json(context.state("access.json")) is None:
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


def _grant(context: Context) -> None:
    from spin_aks.azure import roles

    wanted = _wanted(context)
    checked = roles.check(context.azure, wanted)
    lacking = [one for one, grant in zip(wanted, checked, strict=True) if _lacks(grant)]
    if lacking:
        _may_give(context, lacking)
    given = [roles.give(context.azure, one, resources.watch(context)) for one in wanted]
    for grant in given:
        terminal.say(f"{grant.what}: {grant.role} is {grant.state}")
    files.write_json(context.state("access.json"), {"grants": [grant.to_json() for grant in given]})


def _lacks(grant: Grant) -> bool:
    from spin_aks.azure import roles

    return grant.state == roles.MISSING


def _may_give(context: Context, lacking: Iterable[Wanted]) -> None:
    """Raises AzureError with the flag and the command for each right that nobody allowed to be given."""
    lacking = tuple(lacking)
    for one in lacking:
        terminal.say(f"to be given in Azure: `{one.role.name}` at {one.scope}, so that {one.what}")
    if context.consent.attach_acr:
        return
    if context.consent.ask:
        from spin_aks import prompts

        if prompts.confirm("Give it?", default=True):
            return
    first = lacking[0]
    raise AzureError(
        f"it is not so that {first.what}",
        where=str(first.scope),
        hint=f"`--attach-acr` gives the role `{first.role.name}`; or have somebody who may: `{first.command()}`",
    )
