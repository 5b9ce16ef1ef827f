"""What is common to the rooms that find resources in Azure or make them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from spin_aks import terminal
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.operations import Watch
    from spin_aks.context import Context


@dataclass(frozen=True, slots=True)
class Named:
    """A resource as the configuration names it: `group` and `subscription` may be empty, for Azure to tell."""

    name: str
    group: str
    subscription: str

    def within(self, subscription: str) -> Named:
        """The same in that subscription, unless it says its own."""
        return replace(self, subscription=self.subscription or subscription)

    def means(self, found: ResourceId) -> bool:
        """Whether that resource is at the place that is named, as far as one is."""
        from spin_aks.azure.arm import same

        places = (self.name, found.name), (self.group, found.group), (self.subscription, found.subscription)
        return all(not said or same(said, known) for said, known in places)


class Placed(Protocol):
    """A resource as a service's module reads it."""

    @property
    def id(self) -> ResourceId: ...
    @property
    def state(self) -> str: ...


P = TypeVar("P", bound=Placed)


def show_plan(beginning: str, plan: Sequence[str]) -> None:
    """What would be done, a line each: first what it is, below it what it is like and why."""
    terminal.say(f"{beginning}: {plan[0]}")
    for line in plan[1:]:
        terminal.say(f"  {line}")


def watch(context: Context) -> Watch:
    """How long operations in this environment are watched: what is begun is noted, for a run that is cut short."""
    from spin_aks.azure.operations import Journal, Watch

    return Watch(terminal.say, Journal(context.state("operations.json")))


def make_group(context: Context, resource: ResourceId, location: str) -> None:
    """Makes the resource group that a resource is to be in, if it is not there, and says so."""
    from spin_aks.azure import groups
    from spin_aks.azure.arm import ResourceId

    group = ResourceId(resource.subscription, resource.group)
    if groups.get(context.azure, group) is None:
        groups.create(context.azure, group, location, watch(context))
        terminal.say(f"made resource group `{group.group}` in {location}")


def is_whole(found: Placed) -> bool:
    """Whether what was done to it last ended well."""
    return found.state.lower() in ("succeeded", "")


def settled(
    context: Context, found: P, title: str, look: Callable[[], P | None], serves: Callable[[P], bool] = is_whole
) -> P:
    """The resource once what is being done to it is done, by whomever. `title` is as `vault`.

    Raises AzureError for one that is gone then, or that is not whole and does not serve either.
    """
    from spin_aks.azure.operations import FINAL, settle

    task = f"use {title} `{found.id.name}`"
    now: P | None = found
    if found.state.lower() not in FINAL:
        now = settle(watch(context), task, found.id, look)
    if now is None:
        what = f"can't {task}: it was {found.state.lower()}, and is gone"
        raise AzureError(what, where=str(found.id), hint="run the same command again: it is looked for anew")
    if not is_whole(now) and not serves(now):
        remove = f"`az resource delete --ids {now.id}` removes it, with all that is in it"
        hint = f"`az resource show --ids {now.id}` tells more; {remove}"
        what = f"can't {task}: its last operation ended as {now.state}"
        raise AzureError(what, where=str(now.id), why=getattr(now, "problem", ""), hint=hint)
    return now


def compared(what: str, resource: ResourceId, before: str, now: str | None) -> str:
    """A sentence where what tells a resource from others of its name is not as `before`; None: it is gone."""
    if now is None:
        return f"there is no {what} `{resource.name}` in Azure any more"
    return "" if now == before else f"the {what} `{resource.name}` in Azure is another one than before"
