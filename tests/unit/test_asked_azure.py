from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.commands import asked_azure, named_anew
from spin_aks.context import Context
from spin_aks.settings import Settings, rules

SUBSCRIPTION = "00000000-1111-4222-8333-444444444444"
OTHER = "99999999-1111-4222-8333-444444444444"
PLACE = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/shop-rg/providers"
CLUSTER = f"{PLACE}/Microsoft.ContainerService/managedClusters/shop-aks"
REGISTRY = f"{PLACE}/microsoft.containerregistry/registries/shopregistry"
IN_CLUSTER = {"cluster.name": "shop-aks", "cluster.resource_group": "shop-rg", "cluster.subscription": SUBSCRIPTION}
IN_REGISTRY = {"container_registry.name": "shopregistry", "container_registry.resource_group": "shop-rg"}


NOTHING_GIVEN = Context(Settings())


@given(st.text())
def test_each_name_that_is_offered_for_a_registry_is_one_and_the_same_again(application: str) -> None:
    names = list(named_anew.registry_names(application, SUBSCRIPTION))

    assert [] == [why for name in names if (why := rules.REGISTRY_NAME.refuses(name))]
    assert len(set(names)) == len(names) == named_anew.CANDIDATES
    assert names == list(named_anew.registry_names(application, SUBSCRIPTION.upper()))
    assert not set(names) & set(named_anew.registry_names(application, OTHER))


def test_an_application_s_name_can_be_told_in_the_registry_s() -> None:
    first = next(named_anew.registry_names("My Shop (new)", SUBSCRIPTION))

    assert "myshopnew" == first[: -named_anew.HASH_DIGITS]


def test_a_remembered_cluster_is_named_by_its_keys() -> None:
    assert IN_CLUSTER == asked_azure.cluster_keys(NOTHING_GIVEN, CLUSTER)


@pytest.mark.parametrize(
    ("beside", "more"),
    [
        (SUBSCRIPTION, {}),
        (SUBSCRIPTION.upper(), {}),
        (OTHER, {"container_registry.subscription": SUBSCRIPTION}),
        ("", {"container_registry.subscription": SUBSCRIPTION}),
    ],
)
def test_a_remembered_registry_says_its_subscription_where_that_is_not_the_cluster_s(
    beside: str, more: dict[str, str]
) -> None:
    assert IN_REGISTRY | more == asked_azure.registry_keys(NOTHING_GIVEN, REGISTRY, beside)


@pytest.mark.parametrize(
    "remembered",
    [
        "",
        "https://shop.example.com:443",
        "shop-aks",
        f"/subscriptions/{SUBSCRIPTION}",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop-rg",
        f"{PLACE}/Microsoft.KeyVault/vaults/shop",
        "/subscriptions/",
        "/subscriptions//resourceGroups//providers/a/managedClusters/b",
    ],
)
def test_what_is_no_id_of_a_cluster_or_a_registry_names_none(remembered: str) -> None:
    assert {} == asked_azure.cluster_keys(NOTHING_GIVEN, remembered)
    assert {} == asked_azure.registry_keys(NOTHING_GIVEN, remembered, SUBSCRIPTION)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"cluster_subscription": SUBSCRIPTION.upper()}, IN_CLUSTER),
        ({"cluster_resource_group": "SHOP-RG"}, IN_CLUSTER),
        ({"cluster_subscription": OTHER}, {}),
        ({"cluster_resource_group": "other-rg"}, {}),
    ],
)
def test_a_remembered_cluster_that_is_not_where_somebody_says_is_none(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    assert expected == asked_azure.cluster_keys(Context(Settings(**given)), CLUSTER)


@pytest.mark.parametrize("given", [{"registry_subscription": OTHER}, {"registry_resource_group": "other-rg"}])
def test_a_remembered_registry_that_is_not_where_somebody_says_is_none(given: dict[str, str]) -> None:
    assert {} == asked_azure.registry_keys(Context(Settings(**given)), REGISTRY, SUBSCRIPTION)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("shopregistry.azurecr.io", True),
        ("ShopRegistry-a1b2c3d4.azurecr.io", True),
        ("other.azurecr.io", False),
        ("shopregistry", False),
        ("shopregistry.example.com", False),
        ("", False),
    ],
)
def test_a_registry_s_own_host_is_known_with_and_without_a_hash(host: str, expected: bool) -> None:
    assert expected is asked_azure.is_host_of(REGISTRY, host)
