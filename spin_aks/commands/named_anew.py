"""Names for what is to be made in Azure, and where: asked for until Azure can have nothing against them."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from spin_aks import prompts
from spin_aks.commands.refused_answers import refuses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.session import Session
    from spin_aks.azure.subscriptions import Location
    from spin_aks.context import Context

LOCATION = "cluster.location"
LONGEST_NAME = 32
"""Of what is offered: names of clusters and groups become parts of longer ones in Azure."""
HASH_DIGITS = 8
CANDIDATES = 3
MOST_SHOWN = 10


def cluster(context: Context, there: Sequence[ResourceId]) -> str:
    """A name that none of those that are `there` has."""
    from spin_aks.generators.names import kubernetes_name

    taken = {one.name.lower(): one for one in there}

    def refused(text: str) -> str:
        if text.lower() in taken:
            return f"there is a cluster `{text}` already, in the group `{taken[text.lower()].group}`"
        return refuses("cluster.name")(text)

    base = kubernetes_name(context.application.name)[:LONGEST_NAME].rstrip("-")
    candidates = (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3)))
    default = next(one for one in candidates if one not in taken)
    return prompts.text("Name of the new cluster", default=default, refuses=refused)


def registry(context: Context, session: Session, subscription: str) -> str:
    """One that Azure says is free: all the world's registries share their names."""
    from spin_aks.azure import acr

    asked: dict[str, str] = {}

    def refused(text: str) -> str:
        if (why := refuses("container_registry.name")(text)) or text in asked:
            return why or asked[text]
        asked[text] = acr.why_not(session, subscription, text)
        return asked[text]

    candidates = registry_names(context.application.name, subscription)
    default = next((one for one in candidates if not refused(one)), "")
    return prompts.text("Name of the new registry", default=default, refuses=refused)


def registry_names(application: str, subscription: str) -> Iterator[str]:
    """The application's name with a hash behind it, a few times another one: the same ones each time."""
    base = re.sub(r"[^a-z0-9]", "", application.lower())[:LONGEST_NAME]
    for number in range(CANDIDATES):
        whole = f"{subscription} {application} {number}".lower().encode()
        yield f"{base}{hashlib.sha256(whole).hexdigest()[:HASH_DIGITS]}"


def region(context: Context, session: Session, subscription: str, near: str = "") -> dict[str, str]:
    """Where to make it, `near` something if that can be, unless somebody says where; by full key.

    Nobody has to know how a region is spelled. Raises AzureError.
    """
    from spin_aks.azure import subscriptions

    if says_where(context):
        return {}
    known = subscriptions.locations(session, subscription)
    usual = _usual_region((near, context.settings.location), known)
    answer = prompts.text("Region", default=usual, refuses=lambda text: _no_region(text, known))
    return {LOCATION: _region_named(answer, known) or answer}


def says_where(context: Context) -> bool:
    """Whether somebody gave the region."""
    return context.loaded is not None and context.loaded.value(LOCATION) is not None


def _usual_region(wanted: Sequence[str], known: Sequence[Location]) -> str:
    """The first that is wanted and that the subscription has, else the first that it has."""
    names = [one.name for one in known]
    return next((one for one in wanted if one and (one in names or not names)), names[0] if names else "")


def _region_named(text: str, known: Sequence[Location]) -> str:
    """Its short name; empty if the subscription has none of that name or title."""
    sought = text.casefold().replace(" ", "")
    return next((one.name for one in known if sought in (one.name, one.title.casefold().replace(" ", ""))), "")


def _no_region(text: str, known: Sequence[Location]) -> str:
    if not known:
        return refuses(LOCATION)(text)
    if _region_named(text, known):
        return ""
    from spin_aks.settings import unknown

    names = [one.name for one in known]
    near = unknown.nearest(text.lower(), names)
    some = ", ".join(f"`{name}`" for name in names[:MOST_SHOWN])
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return f"the subscription has no region `{text}`: " + (
        f"did you mean `{near}`?" if near else f"it has {some}{more}"
    )
