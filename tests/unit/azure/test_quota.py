from __future__ import annotations

import pytest
from testbed.azure_answers import Reply, Script, refused, scripted

from spin_aks.azure import quota
from spin_aks.azure.quota import Size, Usage
from spin_aks.errors import AzureError

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
# As the Azure CLI shows them: https://learn.microsoft.com/azure/virtual-machines/quotas.
ANSWER = {
    "value": [
        {"unit": "Count", "currentValue": 0, "limit": 2500, "name": {"value": "availabilitySets"}},
        {
            "unit": "Count",
            "currentValue": 8,
            "limit": 10,
            "name": {"value": "cores", "localizedValue": "Total Regional vCPUs"},
        },
        {
            "unit": "Count",
            "currentValue": 4,
            "limit": 50,
            "name": {"value": "standardDSv5Family", "localizedValue": "Standard DSv5 Family vCPUs"},
        },
    ]
}
REGION = Usage("cores", "Total Regional vCPUs", 8, 10)
FAMILY = Usage("standardDSv5Family", "Standard DSv5 Family vCPUs", 4, 50)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Standard_D2s_v5", Size(2, "standardDSv5Family")),
        ("Standard_D16ads_v6", Size(16, "standardDADSv6Family")),
        ("Standard_D4_v3", Size(4, "standardDv3Family")),
        ("Standard_E8bs_v5", Size(8, "standardEBSv5Family")),
        ("Standard_F4s_v2", Size(4, "standardFSv2Family")),
        ("Standard_DC2s_v3", Size(2, "standardDCSv3Family")),
        # 4 vCPUs, 2 vCPUs, 2 vCPUs, vCPUs that are off, an accelerator, no version.
        ("Standard_DS3_v2", None),
        ("Standard_D11_v2", None),
        ("Standard_GS1_v2", None),
        ("Standard_E16-4s_v5", None),
        ("Standard_NC4as_T4_v3", None),
        ("Standard_B2ms", None),
        ("Basic_A1", None),
        ("", None),
    ],
)
def test_a_size_is_read_off_its_name_where_that_is_sure(name: str, expected: Size | None) -> None:
    assert expected == quota.size(name)


@pytest.mark.parametrize(
    ("nodes", "found", "expected"),
    [
        (1, (REGION, FAMILY), ()),
        (2, (REGION, FAMILY), (REGION,)),
        (24, (REGION, FAMILY), (REGION, FAMILY)),
        (2, (FAMILY,), ()),
        (9, (Usage("standardDv5Family", "Standard Dv5 Family vCPUs", 0, 0),), ()),
        (
            1,
            (Usage("STANDARDDSV5FAMILY", "as Azure likes", 10, 0),),
            (Usage("STANDARDDSV5FAMILY", "as Azure likes", 10, 0),),
        ),
        (3, (), ()),
    ],
)
def test_too_little_is_what_the_region_or_the_family_has_left(
    nodes: int, found: tuple[Usage, ...], expected: tuple[Usage, ...]
) -> None:
    assert expected == quota.short(found, Size(2, "standardDSv5Family"), nodes)


def test_the_usages_of_a_region_are_asked_for_in_one_request() -> None:
    script = Script()
    script.answer("GET", "/locations/eastus2/usages$", Reply(200, ANSWER))

    found = quota.usages(scripted(script), SUBSCRIPTION, "eastus2")

    assert (REGION, FAMILY) == found[1:]
    assert [
        "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Compute/locations/eastus2/usages"
    ] == [one.path for one in script.asked]
    assert script.asked[0].url.endswith("?api-version=2024-07-01")
    assert "Bearer token 1" == script.asked[0].headers["Authorization"]


@pytest.mark.parametrize(
    "answer",
    [refused(409, "MissingSubscriptionRegistration", "no"), Reply(200, "<html>"), refused(403, "Denied", "no")],
)
def test_an_answer_that_does_not_tell_is_an_error_of_azure(answer: Reply) -> None:
    script = Script()
    script.answer("GET", "/usages$", answer)

    with pytest.raises(AzureError, match="can't look up the quota of vCPUs in `eastus2`"):
        quota.usages(scripted(script), SUBSCRIPTION, "eastus2")


@pytest.mark.parametrize("answer", [[], {}, {"value": None}, '"text"'])
def test_json_of_another_shape_is_refused(answer: object) -> None:
    script = Script()
    script.answer("GET", "/usages$", Reply(200, answer))

    with pytest.raises(AzureError, match="what answered is not Azure, for its JSON is not what Azure answers"):
        quota.usages(scripted(script), SUBSCRIPTION, "eastus2")


def test_what_is_no_usage_counts_nothing() -> None:
    script = Script()
    script.answer("GET", "/usages$", Reply(200, {"value": [1, {"name": "x"}]}))

    assert () == quota.short(quota.usages(scripted(script), SUBSCRIPTION, "eastus2"), Size(2, "x"), 1)
