"""What an earlier run found in Azure is used only as long as it is what is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from spin_aks.context import Context
from spin_aks.settings.table import Settings
from spin_aks.tasks import azure_known
from spin_aks.tasks.azure_place import Named

if TYPE_CHECKING:
    from pathlib import Path

SUBSCRIPTION, OTHER = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
CLUSTER = {
    "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Shop/providers/Microsoft.ContainerService/managedClusters/aks1"
}
STORE = {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Shop/providers/Microsoft.Cache/redis/cart"}


def context(folder: Path, document: object, **settings: object) -> Context:
    (folder / "azure.json").write_text(json.dumps(document))
    return Context(Settings(**settings), folder)


@pytest.mark.parametrize(
    ("named", "is_it"),
    [
        (Named("aks1", "", ""), True),
        (Named("AKS1", "sHOP", SUBSCRIPTION.upper()), True),
        (Named("aks2", "", ""), False),
        (Named("aks1", "others", ""), False),
        (Named("aks1", "", OTHER), False),
        (None, False),
    ],
)
def test_a_resource_that_was_found_is_known_by_name_group_and_subscription(
    tmp_path: Path, named: Named | None, is_it: bool
) -> None:
    known = azure_known.entry(context(tmp_path, {"cluster": CLUSTER}), "cluster", named)

    assert (CLUSTER if is_it else {}) == known


@pytest.mark.parametrize(
    ("found_in", "pinned", "is_it"),
    [("contoso", "", True), ("contoso", "Contoso", True), ("contoso", "fabrikam", False), ("", "fabrikam", False)],
)
def test_what_was_found_in_another_tenant_is_not_known(tmp_path: Path, found_in: str, pinned: str, is_it: bool) -> None:
    document = {"cluster": CLUSTER, **({"tenant": found_in} if found_in else {})}
    given = context(tmp_path, document, cluster_tenant=pinned)

    assert is_it == bool(azure_known.entry(given, "cluster", Named("aks1", "", "")))


def test_a_store_is_known_by_its_label(tmp_path: Path) -> None:
    given, cart = context(tmp_path, {"stores": {"cart": STORE}}), Named("cart", "", "")

    assert (STORE, {}) == (azure_known.store(given, "cart", cart), azure_known.store(given, "default", cart))


@pytest.mark.parametrize("torn", [{"cluster": "aks1"}, {"cluster": {"id": "aks1"}}, {"cluster": {}}, {"stores": []}])
def test_what_is_no_document_of_ours_is_not_known(tmp_path: Path, torn: object) -> None:
    given, named = context(tmp_path, torn), Named("aks1", "", "")

    assert ({}, {}) == (azure_known.entry(given, "cluster", named), azure_known.store(given, "cart", named))
