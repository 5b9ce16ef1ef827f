"""Which subscription is meant, where a resource's place does not say one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spin_aks.context import Context
    from spin_aks.tasks.azure_place import Named


def chosen(context: Context, named: Sequence[Named]) -> str:
    """The cluster's, or the one that whoever signed in sees or chooses; empty where each of `named` says its own."""
    from spin_aks.azure import subscriptions

    given = context.settings.cluster_subscription
    if given:
        return subscriptions.get(context.azure, given).id
    if all(one.subscription for one in named):
        return ""
    found = subscriptions.subscriptions(context.azure)
    usable = [one for one in found if one.usable]
    if len(usable) > 1 and context.consent.ask:
        from spin_aks import prompts

        options = [prompts.Option(one.id, one.name, one.id) for one in usable]
        return prompts.select("Subscription", options)
    only = subscriptions.choose(found, "", context.azure.tenant)
    terminal.say(f"subscription `{only.name}` ({only.id})")
    return only.id
