"""The rows of `[store.<label>]`, of which there is one table for each label of the user's."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from spin_aks.settings import rules
from spin_aks.settings.row import Row, row

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Store:
    """One `[store.<label>]`: what stands behind a label of the application's key-value stores."""

    label: str
    kind: str = row("", Row(
        "store.<label>.kind", "SPIN_AKS_STORE_<LABEL>_KIND", (), "what it is", kind="choice",
        choices=("cosmos", "redis"),
    ))  # fmt: skip
    subscription: str = row("", Row(
        "store.<label>.subscription", "SPIN_AKS_STORE_<LABEL>_SUBSCRIPTION", (), "the subscription it is in",
        metavar="ID", rule=rules.SUBSCRIPTION, without="the cluster's",
    ))  # fmt: skip
    resource_group: str = row("", Row(
        "store.<label>.resource_group", "SPIN_AKS_STORE_<LABEL>_RESOURCE_GROUP", (), "the resource group it is in",
        metavar="NAME", rule=rules.RESOURCE_GROUP, without="whichever has it; for a new one the cluster's",
    ))  # fmt: skip
    name: str = row("", Row(
        "store.<label>.name", "SPIN_AKS_STORE_<LABEL>_NAME", (), "the Redis instance or Cosmos account",
        metavar="NAME", rule=rules.STORE_ACCOUNT,
    ))  # fmt: skip
    database: str = row("", Row(
        "store.<label>.database", "SPIN_AKS_STORE_<LABEL>_DATABASE", (), "the Cosmos database",
        metavar="NAME", rule=rules.COSMOS_DATABASE,
    ))  # fmt: skip
    container: str = row("", Row(
        "store.<label>.container", "SPIN_AKS_STORE_<LABEL>_CONTAINER", (), "the Cosmos container",
        metavar="NAME", rule=rules.COSMOS_CONTAINER,
    ))  # fmt: skip


# To have these methods made of the fields would take longer than to read all configuration: they are written out below.


STORE_ROWS: Mapping[str, Row] = {item.name: item.metadata["row"] for item in fields(Store) if item.metadata}
