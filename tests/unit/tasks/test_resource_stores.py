"""What the tables of stores have to say, and what the stage that finds them depends on."""

from __future__ import annotations

import pytest

from spin_aks.context import Context
from spin_aks.settings.stores import Store
from spin_aks.settings.table import Settings
from spin_aks.tasks import resource_stores

REDIS = Store("cart", kind="redis", name="shop-redis")
COSMOS = Store("default", kind="cosmos", name="shop-cosmos", database="shop", container="items")


def context(*stores: Store, **given: object) -> Context:
    return Context(Settings(stores=stores, **given))


def told(*stores: Store) -> list[str]:
    return [problem.what for problem in resource_stores.requirements(context(*stores))]


def test_whole_stores_lack_nothing() -> None:
    assert [] == told(REDIS, COSMOS)


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        (Store("a"), ["the store `a` has no `kind`", "the store `a` has no `name`"]),
        (Store("a", kind="redis"), ["the store `a` has no `name`"]),
        (
            Store("a", kind="cosmos", name="abc"),
            ["the store `a` has no `database`", "the store `a` has no `container`"],
        ),
    ],
)
def test_what_a_store_lacks_is_told_all_at_once(store: Store, expected: list[str]) -> None:
    assert expected == told(store)


def test_what_a_store_lacks_comes_with_the_ways_to_give_it() -> None:
    (problem,) = resource_stores.requirements(context(Store("cart", kind="redis")))

    assert "give `SPIN_AKS_STORE_CART_NAME` or `store.cart.name` in aks-spin.toml" == problem.hint


def test_a_redis_name_is_none_for_a_cosmos_account() -> None:
    (what,) = told(Store("a", kind="cosmos", name="Shop-Cosmos", database="d", container="c"))

    assert what.startswith("`Shop-Cosmos` is not a Cosmos DB account's name: ")


def test_a_stores_subscription_is_its_own_or_the_clusters() -> None:
    elsewhere = Store("b", kind="redis", name="redis2", subscription="2", resource_group="theirs")
    both = context(REDIS, elsewhere, cluster_subscription="1")

    places = [resource_stores.place(both, store) for store in both.settings.stores]

    assert [("shop-redis", "", "1"), ("redis2", "theirs", "2")] == [
        (place.name, place.group, place.subscription) for place in places
    ]


def test_the_stage_depends_on_each_key_by_its_label() -> None:
    assert {
        "store.cart.kind": "redis",
        "store.cart.name": "shop-redis",
        "store.default.kind": "cosmos",
        "store.default.name": "shop-cosmos",
        "store.default.database": "shop",
        "store.default.container": "items",
    } == resource_stores.values(context(REDIS, COSMOS))
