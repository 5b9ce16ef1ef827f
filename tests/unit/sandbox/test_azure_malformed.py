"""Whatever is sent to the stores of the sandbox's Azure, it is answered: done, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from testbed import azure_sandbox
from testbed.azure_recordings import MANAGEMENT, SUBSCRIPTION

from spin_aks.sandbox.azure.identifiers import TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

PROVIDERS = f"{MANAGEMENT}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers"
ACCOUNT = f"{PROVIDERS}/Microsoft.DocumentDB/databaseAccounts/account"
ACCOUNT_ID = ACCOUNT.removeprefix(MANAGEMENT)
READER = "00000000-0000-0000-0000-000000000001"
VAULT = f"{PROVIDERS}/Microsoft.KeyVault/vaults/vault-1"
GOOD: dict[str, Any] = {
    VAULT: {
        "location": "westus",
        "properties": {
            "tenantId": TENANT,
            "sku": {"family": "A", "name": "standard"},
            "accessPolicies": [{"objectId": azure_sandbox.SOMEBODY, "permissions": {"secrets": ["all"]}}],
            "networkAcls": {"defaultAction": "Allow"},
            "createMode": "default",
        },
    },
    f"{VAULT}/accessPolicies/add": {
        "properties": {"accessPolicies": [{"objectId": azure_sandbox.SOMEBODY, "permissions": {"secrets": ["all"]}}]}
    },
    f"{PROVIDERS}/Microsoft.Cache/redis/cache": {
        "location": "westus",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {}},
        "properties": {"sku": {"name": "Basic", "family": "C", "capacity": 0}, "redisConfiguration": {}},
    },
    f"{PROVIDERS}/Microsoft.Cache/redisEnterprise/managed": {
        "location": "westus",
        "sku": {"name": "Balanced_B0"},
        "properties": {"publicNetworkAccess": "Enabled"},
    },
    f"{PROVIDERS}/Microsoft.Cache/redisEnterprise/managed/databases/default": {
        "properties": {"clusteringPolicy": "NoCluster", "modules": [{"name": "RediSearch"}]}
    },
    ACCOUNT: {
        "location": "westus",
        "properties": {"databaseAccountOfferType": "Standard", "locations": [{"locationName": "westus"}]},
    },
    f"{ACCOUNT}/sqlDatabases/db": {"properties": {"resource": {"id": "db"}}},
    f"{ACCOUNT}/sqlDatabases/db/containers/spin": {
        "properties": {"resource": {"id": "spin", "partitionKey": {"paths": ["/id"]}, "indexingPolicy": {}}}
    },
    f"{ACCOUNT}/sqlRoleAssignments/one": {
        "properties": {
            "roleDefinitionId": f"{ACCOUNT_ID}/sqlRoleDefinitions/{READER}",
            "scope": ACCOUNT_ID,
            "principalId": "me",
        }
    },
}
SECRET = "https://vault-1.vault.azure.net/secrets/name"
SECRET_BODY = {"value": "x", "tags": {"a": "b"}, "attributes": {"enabled": True}, "contentType": "text/plain"}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=2) | st.dictionaries(st.text(max_size=5), children, max_size=2),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with azure_sandbox.opened(tmp_path_factory.mktemp("azure")) as opened:
        azure = azure_sandbox.connected(opened)
        azure.groups.create_or_update("rg", {"location": "westus"})
        for url, body in GOOD.items():
            assert _sent(opened, "PUT", url, body).status_code in (200, 201, 202), url
            for _ in range(3):
                _sent(opened, "GET", url, None)
        yield opened


def _sent(world: Any, method: str, url: str, body: Any) -> requests.Response:
    audience = "https://vault.azure.net" if "vault.azure.net" in url else MANAGEMENT
    token = azure_sandbox.SignedIn(world).get_token(f"{audience}/.default").token
    session = azure_sandbox.connected(world).session
    # The oldest of the services' versions that takes all of these.
    return session.request(
        method, url, json=body, params={"api-version": "2025-07-01"}, headers={"Authorization": f"Bearer {token}"}
    )


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in below for place in _places(item, (*path, key)))]


def _with(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    copy: Any = dict(value) if isinstance(value, dict) else [*value]
    copy[path[0]] = _with(copy[path[0]], path[1:], other)
    return copy


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, Any]:
    """A request with something else in one place."""
    url, body = draw(st.sampled_from([*GOOD.items(), (SECRET, SECRET_BODY)]))
    return url, _with(body, draw(st.sampled_from(_places(body))), draw(ANYTHING))


@given(damaged())
@settings(max_examples=300)
def test_a_damaged_request_is_done_or_refused(world: Any, sent: tuple[str, Any]) -> None:
    url, body = sent
    answer = _sent(world, "PUT", url, body)
    shown = _sent(world, "GET", url, None)

    assert 200 <= answer.status_code < 500
    assert 200 <= shown.status_code < 500
