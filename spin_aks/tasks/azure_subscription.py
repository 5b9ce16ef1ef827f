"""Which subscription is meant, where a resource's place does not say one, and in which tenant all of them are."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spin_aks import files, terminal
from spin_aks.errors import AzureError, Problem
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spin_aks.azure.tenants import Everywhere, Seen
    from spin_aks.context import Context
    from spin_aks.prompts import Option
    from spin_aks.tasks.azure_place import Named


@dataclass(frozen=True, slots=True)
class Meant:
    """`subscription` is for what names none of its own; empty where each does. `tenant` shows it, and all that are
    named; empty for the sign-in's own.
    """

    subscription: str
    tenant: str


def meant(context: Context, named: Sequence[Named]) -> Meant:
    """The cluster's subscription, or the one that whoever signed in sees or chooses, and the tenant that shows it.

    Says what nobody named, and which tenant it is if not the sign-in's own. Raises AzureError.
    """
    ours = context.settings.cluster_subscription
    tenant = _holding(context, (ours, *(one.subscription for one in named)))
    if ours or all(one.subscription for one in named):
        return Meant(ours, tenant or "")
    return _choose(context) if tenant is None else _within(context.in_tenant(tenant))


def _choose(context: Context) -> Meant:
    """The one subscription that whoever signed in can use, in whichever of their tenants, or the one they choose.

    Says which. Raises AzureError for none, and for several where nobody can be asked.
    """
    from spin_aks.azure import tenants

    pinned = context.settings.cluster_tenant
    if pinned:
        return _within(context)
    found = tenants.everywhere(context.azure_in(""))
    _tell_refused(found)
    one = _one_of(context, found)
    return Meant(one.subscription.id, found.tenant(one))


def _within(context: Context) -> Meant:
    """As `_choose`, among what one tenant shows: that is pinned, or has what is named by its subscription."""
    from spin_aks.azure import subscriptions, tenants

    own = context.settings.cluster_tenant or context.found_tenant
    here = tenants.Tenant(own)
    seen = (tenants.Seen(one, here) for one in subscriptions.subscriptions(context.azure))
    found = tenants.Everywhere(tuple(seen), (), own)
    if context.settings.cluster_tenant and not found.usable:
        what = f"tenant `{own}` shows whoever signed in no subscription that can be used"
        raise AzureError(what, hint="without `--tenant` (`cluster.tenant`) all of your tenants are looked at")
    return Meant(_one_of(context, found).subscription.id, own)


def _one_of(context: Context, found: Everywhere) -> Seen:
    from spin_aks.azure import tenants

    usable = {one.subscription.id: one for one in found.usable}
    if len(usable) > 1 and context.consent.ask:
        from spin_aks import prompts

        options = [_option(found, one) for one in usable.values()]
        before = _before(context).lower()
        usual = next((one for one in usable if one.lower() == before), "")
        return usable[prompts.select("Subscription", options, default=usual)]
    only = tenants.the_only(found)
    terminal.say(f"subscription {found.described(only)}")
    return only


def _before(context: Context) -> str:
    """The subscription that an earlier run found the first of what is named in; empty if none did."""
    from spin_aks.azure.arm import ResourceId

    for noted in (files.read_json(context.state("azure.json")) or {}).values():
        match noted:
            case {"id": str(id)}:
                with suppress(AzureError):  # what is no id of ours tells nothing
                    return ResourceId.parse(id).subscription
    return ""


def _option(found: Everywhere, one: Seen) -> Option:
    from spin_aks import prompts

    place = f", tenant {found.place(one)}" if found.place(one) else ""
    return prompts.Option(one.subscription.id, f"{one.subscription.name}{place}", one.subscription.id)


def _holding(context: Context, named: Iterable[str]) -> str | None:
    """The tenant that shows every subscription that is named; None where none is. Raises AzureError."""
    wanted = tuple({one.lower(): one for one in named if one}.values())
    if not wanted:
        return None
    from spin_aks.azure import subscriptions, tenants

    pinned = context.settings.cluster_tenant
    if pinned:
        side_by_side(lambda one: subscriptions.get(context.azure, one), wanted)
        return pinned
    tenant, shown = tenants.showing(context.azure_in(""), wanted, context.found_tenant)
    if tenant:
        terminal.say(f"subscription `{shown[0].name}` ({shown[0].id}) is seen through tenant `{tenant}`")
    return tenant


def _tell_refused(found: Everywhere) -> None:
    if not found.refused:
        return
    reasons = "; ".join(f"`{one.tenant.title}`: {one.error.problems[0].what}" for one in found.refused)
    hint = "; ".join(one.hint for one in found.refused)
    terminal.show_notice(Problem(f"subscriptions of these tenants are left out: {reasons}", hint=hint))
