"""What stands in the way of making something in Azure, found before anything is made: services that a subscription is
not registered for, and quotas that don't suffice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.errors import AzureError, Problem
from spin_aks.side_by_side import side_by_side
from spin_aks.tasks import making
from spin_aks.tasks.azure_place import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from spin_aks.azure.providers import Provider
    from spin_aks.azure.quota import Usage
    from spin_aks.context import Context
    from spin_aks.tasks.making import Missing


def allow(context: Context, missing: Sequence[Missing]) -> None:
    """As `making.allow`; whoever allows the making of a resource allows the registration that it needs, which is shown
    with it and done first. Raises AzureError, and nothing was made then. Asks Azure nothing where all is there.
    """
    from spin_aks.azure import providers

    if not missing:
        return
    lacking = _looked_up(context, missing)
    for line in plan(lacking):
        terminal.say(f"to be made in Azure: {line}")
    making.allow(context.consent, missing)
    if lacking:
        providers.register(context.azure, lacking, watch(context))


def _looked_up(context: Context, missing: Sequence[Missing]) -> tuple[Provider, ...]:
    """What is to be registered; says what seems too little, of which only Azure can be sure."""
    from spin_aks.azure import providers

    looks: tuple[Callable[[], Iterable[Provider | Problem]], ...] = (
        lambda: providers.lacking(context.azure, needed(missing)),
        lambda: tuple(_short(context, missing)),
    )
    found = [one for answer in side_by_side(lambda look: look(), looks) for one in answer]
    for one in found:
        if isinstance(one, Problem):
            terminal.show_notice(one)
    return tuple(one for one in found if not isinstance(one, Problem))


def needed(missing: Iterable[Missing]) -> tuple[tuple[str, str], ...]:
    """The subscription, and the namespace that it has to be registered for, of all that is to be made."""
    from spin_aks.azure import aks_body, providers

    wanted = (
        (one.id.subscription, namespace)
        for one in missing
        for namespace in (providers.CLUSTER if one.id.kind == aks_body.KIND else (one.id.namespace,))
    )
    return tuple(dict.fromkeys(wanted))


def plan(lacking: Sequence[Provider]) -> Iterator[str]:
    """A line for each subscription."""
    from spin_aks.azure.providers import enumerated

    for subscription in dict.fromkeys(one.subscription for one in lacking):
        namespaces = [f"`{one.namespace}`" for one in lacking if one.subscription == subscription]
        what = f"the subscription `{subscription}` registered for {enumerated(namespaces)}"
        yield f"{what}, once and for all; that costs nothing"


def _short(context: Context, missing: Iterable[Missing]) -> Iterator[Problem]:
    """What may be too little for the clusters that are to be made; nothing where Azure does not tell."""
    from spin_aks.azure import aks_body, quota

    given = context.settings
    size = quota.size(given.node_size)
    for one in missing:
        if size is None or one.id.kind != aks_body.KIND:
            continue
        try:
            found = quota.usages(context.azure, one.id.subscription, given.location)
        except AzureError:  # Whoever makes the cluster will be told.
            continue
        if short := quota.short(found, size, given.node_count):
            what = f"{given.node_count} x {given.node_size} is {given.node_count * size.vcpus} vCPUs"
            yield too_few(what, given.location, short)


def too_few(what: str, location: str, short: Iterable[Usage]) -> Problem:
    """`what` says what is needed."""
    from spin_aks.azure.refusals import MORE_ROOM

    left = " and ".join(f"{one.left} of {one.limit} left ({one.title})" for one in short)
    return Problem(f"{what}, and `{location}` has {left}: the cluster may be refused", hint=MORE_ROOM)
