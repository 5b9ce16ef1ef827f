from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spin_aks.azure.arm import ResourceId, lasting_name
from spin_aks.errors import AzureError

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
CLUSTER = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/team/providers/Microsoft.ContainerService/managedClusters/shop"


def test_an_id_is_the_same_in_whatever_case_a_service_writes_it() -> None:
    asked = ResourceId.of(SUBSCRIPTION, "Team", "Microsoft.ContainerService/managedClusters", "shop")

    assert asked == ResourceId.parse(CLUSTER)
    assert hash(asked) == hash(ResourceId.parse(CLUSTER.upper().replace("/SUBSCRIPTIONS", "/subscriptions")))
    assert asked != asked.child("agentPools", "one")


def test_an_id_is_taken_apart_and_written_as_azure_writes_it() -> None:
    found = ResourceId.parse(f"{CLUSTER}/agentPools/one")

    assert ("team", "one", "Microsoft.ContainerService/managedClusters/agentPools") == (
        found.group,
        found.name,
        found.kind,
    )
    assert str(found) == f"{CLUSTER}/agentPools/one".replace("resourcegroups", "resourceGroups")


def test_groups_and_subscriptions_have_ids_too() -> None:
    group = ResourceId.parse(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/team")
    subscription = ResourceId.parse(f"/subscriptions/{SUBSCRIPTION}")

    assert ("team", "Microsoft.Resources/resourceGroups") == (group.name, group.kind)
    assert (SUBSCRIPTION, "Microsoft.Resources/subscriptions") == (subscription.name, subscription.kind)


@pytest.mark.parametrize(
    "text",
    ["", "shop", "/providers/Microsoft.X/y", f"{CLUSTER}/agentPools", "/subscriptions//resourceGroups/x", "/tenants/x"],
)
def test_what_is_no_id_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(AzureError) as refused:
        ResourceId.parse(text)

    assert f"`{text}` is no id of a resource in Azure" == str(refused.value)


NAMES = st.text("abcXYZ019-_.()", min_size=1, max_size=20)


@given(NAMES, NAMES, st.lists(st.tuples(NAMES, NAMES), max_size=3))
def test_an_id_is_read_as_it_was_written(subscription: str, group: str, types: list[tuple[str, str]]) -> None:
    written = ResourceId(subscription, group, "Microsoft.X" if types else "", tuple(types))

    assert written == ResourceId.parse(str(written))


def test_a_name_made_of_parts_lasts_whatever_their_case() -> None:
    first = lasting_name(CLUSTER, "PRINCIPAL", "role")

    assert first == lasting_name(CLUSTER.upper() + "/", "principal", "Role")
    assert first != lasting_name(CLUSTER, "other", "role")
