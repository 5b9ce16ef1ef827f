from __future__ import annotations

from spin_aks.azure.arm import ResourceId
from spin_aks.azure.providers import Provider
from spin_aks.azure.quota import Usage
from spin_aks.errors import AzureError
from spin_aks.tasks.azure_providers import needed, plan, too_few
from spin_aks.tasks.making import Missing

ONE, OTHER = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


def missing(kind: str, subscription: str = ONE) -> Missing:
    resource = ResourceId.of(subscription, "shop", kind, "shop")
    return Missing("thing", resource, ("a plan",), AzureError("no shop"))


def test_a_cluster_needs_what_its_nodes_are_made_of_and_everything_else_its_own_service() -> None:
    wanted = [
        missing("Microsoft.ContainerService/managedClusters"),
        missing("Microsoft.ManagedIdentity/userAssignedIdentities"),
        missing("Microsoft.Cache/redisEnterprise"),
        missing("Microsoft.Cache/redisEnterprise"),
        missing("Microsoft.ContainerRegistry/registries", OTHER),
    ]

    assert (
        (ONE, "Microsoft.ContainerService"),
        (ONE, "Microsoft.Compute"),
        (ONE, "Microsoft.Network"),
        (ONE, "Microsoft.ManagedIdentity"),
        (ONE, "Microsoft.Cache"),
        (OTHER, "Microsoft.ContainerRegistry"),
    ) == needed(wanted)
    assert () == needed([])


def test_the_container_of_a_store_needs_its_accounts_service() -> None:
    container = ResourceId.of(ONE, "shop", "Microsoft.DocumentDB/databaseAccounts", "shop").child("sqlDatabases", "db")

    assert ((ONE, "Microsoft.DocumentDB"),) == needed([Missing("store", container, (), AzureError("none"))])


def test_the_plan_has_a_line_for_each_subscription() -> None:
    lacking = [Provider(ONE, "A.A", "NotRegistered"), Provider(OTHER, "A.A", "x"), Provider(ONE, "B.B", "Registering")]

    assert [
        f"the subscription `{ONE}` registered for `A.A` and `B.B`, once and for all; that costs nothing",
        f"the subscription `{OTHER}` registered for `A.A`, once and for all; that costs nothing",
    ] == list(plan(lacking))
    assert [] == list(plan([]))


def test_a_quota_that_does_not_suffice_is_told_with_all_its_numbers() -> None:
    short = [Usage("cores", "Total Regional vCPUs", 9, 10), Usage("x", "Standard DSv5 Family vCPUs", 5, 0)]

    notice = too_few("2 x Standard_D2s_v5 is 4 vCPUs", "eastus2", short)

    assert (
        "2 x Standard_D2s_v5 is 4 vCPUs, and `eastus2` has 1 of 10 left (Total Regional vCPUs) and 0 of 0 left "
        "(Standard DSv5 Family vCPUs): the cluster may be refused"
    ) == notice.what
    assert notice.hint.startswith("ask for more (`az quota`, or Quotas in the portal), or choose another region")
