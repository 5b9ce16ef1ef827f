"""Vaults, secrets and stores through the sandbox's proxy: another process, its SDKs and its sign-in unchanged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from testbed import azure_sandbox

from spin_aks.sandbox.azure.identifiers import OBJECT
from spin_aks.sandbox.azure.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """
import json, os, uuid
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.cosmosdb import CosmosDBManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.redis import RedisManagementClient
from azure.mgmt.redisenterprise import RedisEnterpriseManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

credential, subscription = DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"]

def client(made):
    return made(credential, subscription)

client(ResourceManagementClient).resource_groups.create_or_update("rg", {"location": "westeurope"})
vault = client(KeyVaultManagementClient).vaults.begin_create_or_update("rg", "vault-1", {
    "location": "westeurope",
    "properties": {"tenantId": os.environ["AZURE_TENANT_ID"], "sku": {"family": "A", "name": "standard"}},
}).result()
secrets = SecretClient(vault.properties.vault_uri, credential)
seen = {"vault": vault.properties.provisioning_state}
try:
    secrets.set_secret("name", "value")
except HttpResponseError as error:
    seen["before"] = error.status_code
officer = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
client(AuthorizationManagementClient).role_assignments.create(vault.id, str(uuid.uuid4()), {"properties": {
    "roleDefinitionId": f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{officer}",
    "principalId": os.environ["WHO"],
    "principalType": "ServicePrincipal",
}})
secrets.set_secret("name", "value")
seen["secret"] = secrets.get_secret("name").value
secrets.begin_delete_secret("name").wait()
secrets.begin_recover_deleted_secret("name").wait()
seen["recovered"] = secrets.get_secret("name").value

redis = client(RedisManagementClient).redis
body = {"location": "westeurope", "properties": {"sku": {"name": "Basic", "family": "C", "capacity": 0}}}
seen["redis"] = redis.begin_create("rg", "cache", body).result().provisioning_state

managed = client(RedisEnterpriseManagementClient)
managed.redis_enterprise.begin_create("rg", "managed", {
    "location": "westeurope",
    "sku": {"name": "Balanced_B0"},
    "properties": {"minimumTlsVersion": "1.2", "publicNetworkAccess": "Enabled"},
}).result()
database = managed.databases.begin_create("rg", "managed", "default", {"properties": {"clusteringPolicy": "NoCluster"}})
seen["managed"] = database.result().provisioning_state

cosmos = client(CosmosDBManagementClient)
cosmos.database_accounts.begin_create_or_update("rg", "account", {
    "location": "westeurope",
    "properties": {"databaseAccountOfferType": "Standard", "locations": [{"locationName": "westeurope"}]},
}).result()
sql = cosmos.sql_resources
sql.begin_create_update_sql_database("rg", "account", "db", {"properties": {"resource": {"id": "db"}}}).result()
resource = {"id": "spin", "partitionKey": {"paths": ["/id"]}}
container = sql.begin_create_update_sql_container("rg", "account", "db", "spin", {"properties": {"resource": resource}})
seen["cosmos"] = [*container.result().resource.partition_key.paths]
print(json.dumps(seen))
"""


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    with azure_sandbox.opened(tmp_path) as world:
        started = Proxy(tmp_path, lambda: world)
        yield started
        started.stop()


def ran(proxy: Proxy, program: str) -> Any:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")},
        **proxy.environment,
        "WHO": OBJECT,
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
    return json.loads(done.stdout)


def test_unchanged_sdks_make_and_use_a_vault_and_stores(proxy: Proxy) -> None:
    seen = ran(proxy, PROGRAM)

    assert {
        "vault": "Succeeded",
        "before": 403,
        "secret": "value",
        "recovered": "value",
        "redis": "Succeeded",
        "managed": "Succeeded",
        "cosmos": ["/id"],
    } == seen
