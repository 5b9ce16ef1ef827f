"""Choosing by name among what Azure has: names are compared as Azure does, without regard to case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from spin_aks.azure.arm import same
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spin_aks.azure.arm import ResourceId

MOST_SHOWN = 10


class Named(Protocol):
    @property
    def id(self) -> ResourceId: ...


N = TypeVar("N", bound=Named)


class NotFoundError(AzureError):
    """Nothing of that name is there; it may be made."""


class AmbiguousError(AzureError):
    """Several have that name, in different groups."""


def only(found: Iterable[N], title: str, name: str, group: str = "") -> N:
    """The one of that name, in `group` if one is given. `title` is as `AKS cluster`.

    Raises NotFoundError saying which there are, AmbiguousError saying in which groups.
    """
    every = tuple(found)
    matching = tuple(one for one in every if same(one.id.name, name) and (not group or same(one.id.group, group)))
    if len(matching) == 1:
        return matching[0]
    place = f" in resource group `{group}`" if group else ""
    if matching:
        groups = ", ".join(f"`{one.id.group}`" for one in matching)
        raise AmbiguousError(
            f"several {_plural(title)} are called `{name}`", hint=f"say which resource group is meant: {groups}"
        )
    shown = sorted(every, key=lambda one: (not same(one.id.name, name), one.id.group.lower(), one.id.name.lower()))
    there = ", ".join(f"`{one.id.name}` (group `{one.id.group}`)" for one in shown[:MOST_SHOWN])
    more = f" and {len(every) - MOST_SHOWN} more" if len(every) > MOST_SHOWN else ""
    hint = f"there are {there}{more}" if every else f"the subscription has no {title}; another subscription may"
    raise NotFoundError(f"there is no {title} `{name}`{place}", hint=hint)


def _plural(title: str) -> str:
    return f"{title[:-1]}ies" if title.endswith("ty") else f"{title}s"
