"""Microsoft's own examples of its REST API, where there is no recorded traffic: what the sandbox is held to instead.

An example says what is sent and what is answered, by status; it becomes a recording whose exchanges have the statuses
as numbers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from testbed.azure_recordings import MANAGEMENT, SUBSCRIPTION, Exchange, Recording, Step, Story

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from testbed.azure_recordings import Clients

CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"
# What the examples write where the sandbox, as Azure does, takes nothing that could not be.
PLACEHOLDERS = {
    "mySubscriptionId": SUBSCRIPTION,
    "subid": SUBSCRIPTION,
    "e7b5a9d2-6b6a-4d2f-9143-20d9a10f5b8f": SUBSCRIPTION,
    "myAccountName": "myaccount",
    "myRoleDefinitionId": CONTRIBUTOR,
}


@dataclass(frozen=True)
class Example:
    """`path` is where the request goes, below the subscription; `body` names the parameter that is the body."""

    file: str
    method: str
    path: str
    story: Story
    body: str = "parameters"


def load(folder: Path, example: Example) -> Recording:
    text = (folder / f"{example.file}.json").read_text(encoding="utf-8")
    for placeholder, name in PLACEHOLDERS.items():
        text = text.replace(placeholder, name)
    document = json.loads(text)
    url = f"{MANAGEMENT}/subscriptions/{SUBSCRIPTION}/{example.path}"
    sent = document["parameters"].get(example.body)
    json_type = {"content-type": "application/json"}
    exchanges = {
        int(status): Exchange(int(status), example.method, url, sent, int(status), json_type, response.get("body"))
        for status, response in document["responses"].items()
    }
    return Recording(example.file, exchanges)


def _one(file: str, status: int, call: Callable[[Clients, Any], object], given: Any = (), **differs: str) -> Story:
    """The one call of an example; `differs` are properties and why."""
    step = Step("answer", lambda clients, recording: call(clients, recording.sent(status)))
    return Story(file, (status,), (step,), given, {f"answer: {name}": reason for name, reason in differs.items()})


RG, CLUSTER = "rg1", "cache1"
CLUSTERS = f"resourceGroups/{RG}/providers/Microsoft.Cache/redisEnterprise"
DATABASE = f"{CLUSTERS}/{CLUSTER}/databases/default"
OWN_NAME = "the example has a made-up domain"
NEWER = "the example is of an older Redis"
SMALL = {
    "location": "West US",
    "sku": {"name": "Balanced_B0"},
    "properties": {"minimumTlsVersion": "1.2", "publicNetworkAccess": "Enabled"},
}
EVICTING = {
    "clientProtocol": "Encrypted",
    "clusteringPolicy": "OSSCluster",
    "evictionPolicy": "AllKeysLRU",
    "port": 10000,
}


def group(sandbox: Clients, _: Recording) -> None:
    sandbox.groups.create_or_update(RG, {"location": "westus"})


def cluster(sandbox: Clients, _: Recording) -> None:
    sandbox.redis_enterprise.redis_enterprise.begin_create(RG, CLUSTER, SMALL).result()


def database(properties: dict[str, Any]) -> Callable[[Clients, Recording], None]:
    def make(sandbox: Clients, _: Recording) -> None:
        body = {"properties": properties}
        sandbox.redis_enterprise.databases.begin_create(RG, CLUSTER, "default", body).result()

    return make


ACCOUNT_GROUP, ACCOUNT, ASSIGNMENT = "myResourceGroupName", "myaccount", "myRoleAssignmentId"
ACCOUNTS = f"resourceGroups/{ACCOUNT_GROUP}/providers/Microsoft.DocumentDB/databaseAccounts"


def account(sandbox: Clients, _: Recording) -> None:
    sandbox.groups.create_or_update(ACCOUNT_GROUP, {"location": "westus"})
    place = {"locationName": "westus", "failoverPriority": 0}
    properties = {"databaseAccountOfferType": "Standard", "locations": [place]}
    body = {"location": "westus", "properties": properties}
    sandbox.cosmos.database_accounts.begin_create_or_update(ACCOUNT_GROUP, ACCOUNT, body).result()


EXAMPLES = (
    Example(
        "redisenterprise-2025-07-01/RedisEnterpriseCreate",
        "PUT",
        f"{CLUSTERS}/{CLUSTER}",
        _one(
            "RedisEnterpriseCreate",
            201,
            lambda clients, sent: clients.redis_enterprise.redis_enterprise.begin_create(
                RG, CLUSTER, sent, polling=False
            ).result(),
            (group,),
            host_name=OWN_NAME,
            redis_version=NEWER,
        ),
    ),
    Example(
        "redisenterprise-2025-07-01/RedisEnterpriseDatabasesNoClusterCacheCreate",
        "PUT",
        DATABASE,
        _one(
            "RedisEnterpriseDatabasesNoClusterCacheCreate",
            201,
            lambda clients, sent: clients.redis_enterprise.databases.begin_create(
                RG, CLUSTER, "default", sent, polling=False
            ).result(),
            (group, cluster),
            redis_version=NEWER,
        ),
    ),
    Example(
        "redisenterprise-2025-07-01/RedisEnterpriseDatabasesListKeys",
        "POST",
        f"{DATABASE}/listKeys",
        _one(
            "RedisEnterpriseDatabasesListKeys",
            200,
            lambda clients, _: clients.redis_enterprise.databases.list_keys(RG, CLUSTER, "default"),
            (group, cluster, database({"clusteringPolicy": "NoCluster"})),
        ),
    ),
    Example(
        "redisenterprise-2024-02-01/RedisEnterpriseDatabasesListByCluster",
        "GET",
        f"{CLUSTERS}/{CLUSTER}/databases",
        _one(
            "RedisEnterpriseDatabasesListByCluster",
            200,
            lambda clients, _: [*clients.redis_enterprise.databases.list_by_cluster(RG, CLUSTER)],
            (
                group,
                cluster,
                database(
                    {
                        **EVICTING,
                        "persistence": {"rdbEnabled": True, "rdbFrequency": "12h"},
                        "modules": [{"name": "RediSearch"}],
                    }
                ),
            ),
            redis_version="the example is of an api-version that does not tell it",
            defer_upgrade="the example is of an api-version that does not tell it",
            access_keys_authentication="the example is of an api-version that does not tell it",
        ),
    ),
    Example(
        "redisenterprise-2024-02-01/RedisEnterpriseList",
        "GET",
        "providers/Microsoft.Cache/redisEnterprise",
        _one(
            "RedisEnterpriseList",
            200,
            lambda clients, _: [*clients.redis_enterprise.redis_enterprise.list()],
            (group, cluster),
            host_name=OWN_NAME,
            redis_version=NEWER,
            sku="the example's SKU can't be made any more",
            kind="the example is of an api-version that does not tell it",
            high_availability="the example is of an api-version that does not tell it",
            public_network_access="the example is of an api-version that does not tell it",
        ),
    ),
    Example(
        "redis-2024-03-01/RedisCacheCheckNameAvailability",
        "POST",
        "providers/Microsoft.Cache/CheckNameAvailability",
        _one(
            "RedisCacheCheckNameAvailability",
            200,
            lambda clients, sent: clients.redis.redis.check_name_availability(sent),
        ),
    ),
    Example(
        "keyvault-2023-07-01/checkVaultNameAvailability",
        "POST",
        "providers/Microsoft.KeyVault/checkNameAvailability",
        _one("checkVaultNameAvailability", 200, lambda clients, sent: clients.vaults.check_name_availability(sent)),
        "vaultName",
    ),
    Example(
        "cosmos-2024-05-15/CosmosDBSqlRoleAssignmentCreateUpdate",
        "PUT",
        f"{ACCOUNTS}/{ACCOUNT}/sqlRoleAssignments/{ASSIGNMENT}",
        _one(
            "CosmosDBSqlRoleAssignmentCreateUpdate",
            200,
            lambda clients, sent: clients.cosmos.sql_resources.begin_create_update_sql_role_assignment(
                ASSIGNMENT, ACCOUNT_GROUP, ACCOUNT, sent
            ).result(),
            (account,),
        ),
        "createUpdateSqlRoleAssignmentParameters",
    ),
)
