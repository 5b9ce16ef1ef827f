"""Several tenants in the sandbox's Azure: each has tokens of its own, and shows what is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from testbed import azure_sandbox
from testbed.azure_requests import MANAGEMENT, ask, group

from spin_aks.sandbox.azure import directory
from spin_aks.sandbox.azure.call import Caller
from spin_aks.sandbox.azure.identifiers import CLIENT, OBJECT, SUBSCRIPTION, TENANT
from spin_aks.sandbox.azure.trouble import TroubleFileError, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests
    from testbed.azure_recordings import Clients

    from spin_aks.sandbox.azure.world import World

CONTOSO, TEAM = "c0c0c0c0-1111-4000-8000-000000000001", "7ea70000-3333-4000-8000-000000000003"
REGISTRIES = "https://containerregistry.azure.net"
VAULTS = "https://vault.azure.net"
FILE = f"""
[[tenant]]
id = "{CONTOSO.upper()}"
name = "Contoso"
subscriptions = {{ "{TEAM}" = "Team" }}
"""


def token(world: World, tenant: str, audience: str = MANAGEMENT) -> str:
    return world.tokens.issue(Caller(directory.object_id(tenant), tenant, CLIENT, audience))


def asked(azure: Clients, world: World, path: str, tenant: str) -> requests.Response:
    return ask(azure, "GET", path, Authorization=f"Bearer {token(world, tenant)}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with azure_sandbox.opened(tmp_path) as made:
        yield made


@pytest.fixture
def azure(world: World) -> Clients:
    return azure_sandbox.connected(world)


@pytest.fixture
def with_contoso(azure: Clients, world: World) -> Clients:
    (world.folder / "trouble.toml").write_text(FILE)
    return azure


def test_a_tenant_of_the_trouble_file_shows_its_subscriptions_to_its_own_tokens(
    with_contoso: Clients, world: World
) -> None:
    seen = asked(with_contoso, world, "/subscriptions", CONTOSO).json()["value"]
    tenants = asked(with_contoso, world, "/tenants", TENANT).json()["value"]

    assert [(TEAM, "Team", CONTOSO)] == [(one["subscriptionId"], one["displayName"], one["tenantId"]) for one in seen]
    assert {("Contoso", CONTOSO), ("Spin AKS Sandbox", TENANT)} == {
        (one["displayName"], one["tenantId"]) for one in tenants
    }
    assert (200, 401) == tuple(
        asked(with_contoso, world, f"/subscriptions/{TEAM}", one).status_code for one in (CONTOSO, TENANT)
    )


def test_resources_are_made_in_its_subscriptions(with_contoso: Clients, world: World) -> None:
    signed = {"Authorization": f"Bearer {token(world, CONTOSO)}"}
    place = f"/subscriptions/{TEAM}/resourceGroups/team"

    made = ask(with_contoso, "PUT", place, {"location": "eastus"}, **signed)

    assert (201, 401) == (made.status_code, asked(with_contoso, world, place, TENANT).status_code)


def test_a_tenant_that_is_taken_out_of_the_file_is_gone(with_contoso: Clients, world: World) -> None:
    (world.folder / "trouble.toml").write_text("")

    tenants = asked(with_contoso, world, "/tenants", TENANT).json()["value"]
    assert [TENANT] == [one["tenantId"] for one in tenants]
    assert 404 == asked(with_contoso, world, f"/subscriptions/{TEAM}", CONTOSO).status_code


def test_the_own_tenant_can_have_further_subscriptions(azure: Clients, world: World) -> None:
    (world.folder / "trouble.toml").write_text(FILE.replace(CONTOSO.upper(), TENANT))

    seen = asked(azure, world, "/subscriptions", TENANT).json()["value"]
    tenants = asked(azure, world, "/tenants", TENANT).json()["value"]

    assert {SUBSCRIPTION, TEAM} <= {one["subscriptionId"] for one in seen}
    assert ["Spin AKS Sandbox"] == [one["displayName"] for one in tenants]


def test_a_subscription_that_is_managed_by_another_tenant_is_shown_there_too(azure: Clients, world: World) -> None:
    directory.add_tenant(world.state, CONTOSO, "Contoso")
    directory.add_subscription(world.state, TEAM, "Team", CONTOSO, managed_by=TENANT)

    seen = [asked(azure, world, f"/subscriptions/{TEAM}", one) for one in (CONTOSO, TENANT)]

    assert [(200, CONTOSO)] * 2 == [(one.status_code, one.json()["tenantId"]) for one in seen]


def test_a_guest_is_another_object_in_each_tenant() -> None:
    assert OBJECT == directory.object_id(TENANT)
    assert directory.object_id(CONTOSO) not in (OBJECT, directory.object_id(TEAM))
    assert directory.object_id(CONTOSO) == directory.object_id(CONTOSO)


@pytest.mark.parametrize(("tenant", "status"), [(TENANT, 200), (CONTOSO, 401)])
def test_a_registry_takes_tokens_of_its_own_tenant_only(
    with_contoso: Clients, world: World, tenant: str, status: int
) -> None:
    group(with_contoso)
    path = "~/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/teamshop"
    made = ask(with_contoso, "PUT", path, {"location": "eastus", "sku": {"name": "Basic"}, "properties": {}}).json()
    host = made["properties"]["loginServer"]
    form = {"grant_type": "access_token", "service": host, "access_token": token(world, tenant, REGISTRIES)}

    answer = with_contoso.session.post(f"https://{host}/oauth2/exchange", data={**form, "tenant": tenant}, timeout=9)

    assert status == answer.status_code


def test_a_vault_tells_a_token_of_another_tenant_which_one_it_wants(with_contoso: Clients, world: World) -> None:
    group(with_contoso)
    body = {
        "location": "eastus",
        "properties": {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "accessPolicies": []},
    }
    ask(with_contoso, "PUT", "~/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/team-safe", body)

    answer = with_contoso.session.get(
        "https://team-safe.vault.azure.net/secrets/name?api-version=7.4",
        headers={"Authorization": f"Bearer {token(world, CONTOSO, VAULTS)}"},
        timeout=9,
    )

    assert 401 == answer.status_code
    assert (
        f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{TENANT}/, "
        f"found https://sts.windows.net/{CONTOSO}/."
    ) == answer.json()["error"]["message"]
    assert f'authorization="https://login.microsoftonline.com/{TENANT}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[tenant]]\nname = 'x'", "f: tenant 1: there is no `id`"),
        ("[[tenant]]\nid = 'x'", "f: tenant 1: `id` has to be an id"),
        (
            f"[[tenant]]\nid = '{CONTOSO}'\nsubscriptions = {{ x = 'y' }}",
            "f: tenant 1: `subscriptions` has to be a table of names by id",
        ),
        (
            f"[[tenant]]\nid = '{CONTOSO}'\nrefuses = 'no'",
            "f: tenant 1: `refuses` has to be a code such as AADSTS50076",
        ),
        (f"[[tenant]]\nid = '{CONTOSO}'\nguest = true", "f: tenant 1: `guest` is no key of a tenant"),
    ],
)
def test_a_tenant_that_can_not_be_understood_is_told(text: str, problem: str) -> None:
    with pytest.raises(TroubleFileError) as raised:
        parsed(text.encode(), "f")

    assert problem == str(raised.value)
