"""Redis, Managed Redis and Cosmos DB of the sandbox's Azure, through the SDKs."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from testbed import azure_sandbox
from testbed.azure_recordings import SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.azure_recordings import Clients

    from spin_aks.sandbox.azure.world import World

CONTRIBUTOR = "00000000-0000-0000-0000-000000000002"
PROVIDERS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers"
ACCOUNT = f"{PROVIDERS}/Microsoft.DocumentDB/databaseAccounts/account"
BASIC = {"name": "Basic", "family": "C", "capacity": 0}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with azure_sandbox.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def azure(world: World) -> Clients:
    azure = azure_sandbox.connected(world)
    for group in ("rg", "other"):
        azure.groups.create_or_update(group, {"location": "westeurope"})
    return azure


def code(error: pytest.ExceptionInfo[HttpResponseError]) -> tuple[int | None, str | None]:
    return error.value.status_code, error.value.error.code if error.value.error else None


def cache(azure: Clients, name: str = "cache", group: str = "rg", **more: object) -> Any:
    body = {"location": "westeurope", "properties": {"sku": BASIC, **more}}
    return azure.redis.redis.begin_create(group, name, body).result()


def test_a_cache_is_reached_by_tls_with_a_key_that_stays_the_same(azure: Clients) -> None:
    made = cache(azure, minimumTlsVersion="1.2")
    keys = [azure.redis.redis.list_keys("rg", "cache").primary_key for _ in range(2)]

    assert ("cache.redis.cache.windows.net", 6380, "1.2") == (made.host_name, made.ssl_port, made.minimum_tls_version)
    assert keys[0] == keys[1]
    assert 44 == len(keys[0])


def test_a_cache_made_anew_has_another_key(azure: Clients) -> None:
    cache(azure)
    first = azure.redis.redis.list_keys("rg", "cache").primary_key
    azure.redis.redis.begin_delete("rg", "cache").result()
    cache(azure)

    assert first != azure.redis.redis.list_keys("rg", "cache").primary_key


def test_a_cache_is_creating_until_its_operation_has_ended(azure: Clients, world: World) -> None:
    (world.folder / "trouble.toml").write_text('[[rule]]\npath = "*/redis/cache"\nmethod = "PUT"\nslow_s = 60\n')
    azure.redis.redis.begin_create(
        "rg", "cache", {"location": "westeurope", "properties": {"sku": BASIC}}, polling=False
    )
    states = [azure.redis.redis.get("rg", "cache").provisioning_state for _ in range(3)]
    with pytest.raises(ResourceExistsError) as error:
        cache(azure)

    assert ["Creating"] * 3 == states
    assert (409, "Conflict") == code(error)


def test_the_name_of_a_cache_is_taken_in_every_group(azure: Clients) -> None:
    cache(azure)
    with pytest.raises(ResourceExistsError) as made:
        cache(azure, group="other")
    with pytest.raises(ResourceExistsError) as asked:
        azure.redis.redis.check_name_availability({"name": "cache", "type": "Microsoft.Cache/redis"})

    assert (409, "NameNotAvailable") == code(made) == code(asked)


@pytest.mark.parametrize("sku", [{"name": "Basic", "family": "P", "capacity": 1}, {"name": "Huge", "family": "C"}])
def test_a_size_that_there_is_not(azure: Clients, sku: dict[str, object]) -> None:
    with pytest.raises(HttpResponseError) as error:
        cache(azure, sku={"capacity": 0, **sku})

    assert 400 == error.value.status_code


def test_what_is_patched_changes_and_the_rest_stays(azure: Clients) -> None:
    cache(azure, minimumTlsVersion="1.2")
    changed = azure.redis.redis.begin_update("rg", "cache", {"properties": {"enableNonSslPort": True}}).result()

    assert (True, "1.2", "Succeeded") == (
        changed.enable_non_ssl_port,
        changed.minimum_tls_version,
        changed.provisioning_state,
    )
    assert changed.instances[0].is_primary is True


def test_a_cache_that_is_not_there(azure: Clients) -> None:
    with pytest.raises(ResourceNotFoundError) as error:
        azure.redis.redis.list_keys("rg", "cache")

    assert (404, "ResourceNotFound") == code(error)
    assert "'Microsoft.Cache/redis/cache' under resource group 'rg'" in error.value.message


def managed(azure: Clients, name: str = "managed", group: str = "rg", **more: object) -> Any:
    body = {
        "location": "westeurope",
        "sku": {"name": "Balanced_B0"},
        "properties": {"minimumTlsVersion": "1.2", "publicNetworkAccess": "Enabled"},
        **more,
    }
    return azure.redis_enterprise.redis_enterprise.begin_create(group, name, body).result()


def database(azure: Clients, **properties: object) -> Any:
    body = {"properties": properties}
    return azure.redis_enterprise.databases.begin_create("rg", "managed", "default", body).result()


def test_managed_redis_is_a_cluster_with_one_database(azure: Clients) -> None:
    cluster = managed(azure)
    made = database(azure, clusteringPolicy="NoCluster", accessKeysAuthentication="Enabled")
    keys = azure.redis_enterprise.databases.list_keys("rg", "managed", "default")

    assert "managed.westeurope.redis.azure.net" == cluster.host_name
    assert ("Succeeded", "Running") == (cluster.provisioning_state, cluster.resource_state)
    assert (10000, "NoCluster", "Encrypted") == (made.port, made.clustering_policy, made.client_protocol)
    assert keys.primary_key != keys.secondary_key


def test_a_database_whose_policy_nobody_chose_needs_a_client_that_knows_clusters(azure: Clients) -> None:
    managed(azure)

    assert "OSSCluster" == database(azure).clustering_policy


def test_the_clustering_policy_of_a_database_stays(azure: Clients) -> None:
    managed(azure)
    database(azure, clusteringPolicy="NoCluster")
    with pytest.raises(HttpResponseError) as error:
        database(azure, clusteringPolicy="EnterpriseCluster")

    assert (400, "BadRequest") == code(error)


def test_a_database_needs_its_cluster(azure: Clients) -> None:
    with pytest.raises(ResourceNotFoundError) as error:
        database(azure)

    assert (404, "ResourceNotFound") == code(error)


def test_a_cluster_that_is_still_made_takes_no_database(azure: Clients, world: World) -> None:
    (world.folder / "trouble.toml").write_text('[[rule]]\npath = "*/managed"\nmethod = "PUT"\nslow_s = 60\n')
    managed_body = {
        "location": "westeurope",
        "sku": {"name": "Balanced_B0"},
        "properties": {"publicNetworkAccess": "Enabled"},
    }
    azure.redis_enterprise.redis_enterprise.begin_create("rg", "managed", managed_body, polling=False)
    with pytest.raises(ResourceExistsError) as error:
        database(azure)

    assert (409, "Conflict") == code(error)


def test_a_cluster_without_saying_who_may_reach_it_is_refused(azure: Clients) -> None:
    with pytest.raises(HttpResponseError) as error:
        managed(azure, properties={"minimumTlsVersion": "1.2"})

    assert 400 == error.value.status_code
    assert "publicNetworkAccess" in error.value.message


def test_a_cluster_goes_with_its_database(azure: Clients) -> None:
    managed(azure)
    database(azure)
    azure.redis_enterprise.redis_enterprise.begin_delete("rg", "managed").result()
    managed(azure)

    assert [] == [*azure.redis_enterprise.databases.list_by_cluster("rg", "managed")]


def test_the_name_of_a_cluster_is_taken_in_every_group(azure: Clients) -> None:
    managed(azure)
    with pytest.raises(ResourceExistsError) as error:
        managed(azure, group="other")

    assert (409, "NameNotAvailable") == code(error)


def account(azure: Clients, name: str = "account", group: str = "rg", **more: object) -> Any:
    place = {"locationName": "westeurope", "failoverPriority": 0}
    properties = {"databaseAccountOfferType": "Standard", "locations": [place], **more}
    body = {"location": "westeurope", "properties": properties}
    return azure.cosmos.database_accounts.begin_create_or_update(group, name, body).result()


def sql_database(azure: Clients, name: str = "db") -> Any:
    body = {"properties": {"resource": {"id": name}}}
    return azure.cosmos.sql_resources.begin_create_update_sql_database("rg", "account", name, body).result()


def container(azure: Clients, key: str = "/id", **more: object) -> Any:
    resource = {"id": "spin", "partitionKey": {"paths": [key], "kind": "Hash"}, **more}
    body = {"properties": {"resource": resource}}
    return azure.cosmos.sql_resources.begin_create_update_sql_container("rg", "account", "db", "spin", body).result()


def test_an_account_database_and_container_for_spin(azure: Clients) -> None:
    made = account(azure, capabilities=[{"name": "EnableServerless"}])
    sql_database(azure)
    spin = container(azure)
    keys = azure.cosmos.database_accounts.list_keys("rg", "account")

    assert "https://account.documents.azure.com:443/" == made.document_endpoint
    assert ["EnableServerless"] == [one.name for one in made.capabilities]
    assert ["/id"] == [*spin.resource.partition_key.paths]
    assert 64 == len(base64.b64decode(keys.primary_master_key))


def test_the_partition_key_of_a_container_stays(azure: Clients) -> None:
    account(azure)
    sql_database(azure)
    container(azure)
    with pytest.raises(HttpResponseError) as error:
        container(azure, "/other")

    assert (400, "BadRequest") == code(error)
    assert "partition key cannot be changed" in error.value.message


def test_a_container_without_a_partition_key_is_refused(azure: Clients) -> None:
    account(azure)
    sql_database(azure)
    with pytest.raises(HttpResponseError) as error:
        container(azure, partitionKey={})

    assert (400, "BadRequest") == code(error)


def test_a_container_needs_its_database_and_a_database_its_account(azure: Clients) -> None:
    with pytest.raises(ResourceNotFoundError) as no_account:
        sql_database(azure)
    account(azure)
    with pytest.raises(ResourceNotFoundError) as no_database:
        container(azure)

    assert (404, "ResourceNotFound") == code(no_account)
    assert (404, "NotFound") == code(no_database)


def test_a_database_is_there_when_its_operation_has_ended_and_not_before(azure: Clients) -> None:
    account(azure)
    body = {"properties": {"resource": {"id": "db"}}}
    poller = azure.cosmos.sql_resources.begin_create_update_sql_database("rg", "account", "db", body, polling=False)
    with pytest.raises(ResourceNotFoundError):
        azure.cosmos.sql_resources.get_sql_database("rg", "account", "db")

    assert poller.done()
    assert "db" == azure.cosmos.sql_resources.get_sql_database("rg", "account", "db").name


def test_the_name_of_an_account_is_taken_in_every_group(azure: Clients) -> None:
    account(azure)
    with pytest.raises(HttpResponseError) as error:
        account(azure, group="other")

    assert (400, "BadRequest") == code(error)
    assert "Dns record for account under zone Document is already taken" in error.value.message


@pytest.mark.parametrize("name", ["Account", "a", "ab", "account_1"])
def test_a_name_that_cosmos_does_not_take(azure: Clients, name: str) -> None:
    azure.cosmos.database_accounts._serialize.client_side_validation = False
    with pytest.raises(HttpResponseError) as error:
        account(azure, name)

    assert 400 == error.value.status_code


def test_two_changes_of_an_account_at_once_are_refused(azure: Clients) -> None:
    place = {"locationName": "westeurope", "failoverPriority": 0}
    properties = {"databaseAccountOfferType": "Standard", "locations": [place]}
    body = {"location": "westeurope", "properties": properties}
    azure.cosmos.database_accounts.begin_create_or_update("rg", "account", body, polling=False)
    with pytest.raises(HttpResponseError) as error:
        account(azure)

    assert (412, "PreconditionFailed") == code(error)


def assign(azure: Clients, **more: str) -> Any:
    properties = {
        "roleDefinitionId": f"{ACCOUNT}/sqlRoleDefinitions/{CONTRIBUTOR}",
        "scope": ACCOUNT,
        "principalId": azure.object_id,
        **more,
    }
    return azure.cosmos.sql_resources.begin_create_update_sql_role_assignment(
        "8d4f1b4c-5a7e-4ed3-9d70-5c8b1f4e7a10", "rg", "account", {"properties": properties}
    ).result()


def test_a_keyless_store_is_given_by_an_assignment_of_the_accounts_own_role(azure: Clients) -> None:
    account(azure, disableLocalAuth=True)
    assign(azure)
    listed = [*azure.cosmos.sql_resources.list_sql_role_assignments("rg", "account")]

    assert [azure.object_id] == [one.principal_id for one in listed]
    assert azure.cosmos.database_accounts.get("rg", "account").disable_local_auth is True


def test_an_assignment_that_is_deleted_is_gone(azure: Clients) -> None:
    account(azure)
    made = assign(azure)
    azure.cosmos.sql_resources.begin_delete_sql_role_assignment(made.name, "rg", "account").result()

    assert [] == [*azure.cosmos.sql_resources.list_sql_role_assignments("rg", "account")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"roleDefinitionId": f"{ACCOUNT}/sqlRoleDefinitions/9d4f1b4c-5a7e-4ed3-9d70-5c8b1f4e7a10"},
        {"scope": f"{PROVIDERS}/Microsoft.DocumentDB/databaseAccounts/account2"},
        {"principalId": ""},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_assignment_of_what_there_is_not_is_refused(azure: Clients, wrong: dict[str, str]) -> None:
    account(azure)
    with pytest.raises(HttpResponseError) as error:
        assign(azure, **wrong)

    assert (400, "BadRequest") == code(error)


def test_the_built_in_roles_of_an_account(azure: Clients) -> None:
    account(azure)
    roles = [*azure.cosmos.sql_resources.list_sql_role_definitions("rg", "account")]

    assert ["Cosmos DB Built-in Data Reader", "Cosmos DB Built-in Data Contributor"] == [one.role_name for one in roles]


def test_stores_go_with_their_group(azure: Clients) -> None:
    cache(azure)
    managed(azure)
    account(azure)
    azure.groups.begin_delete("rg").result()

    assert [] == [*azure.redis.redis.list_by_subscription()]
    assert [] == [*azure.redis_enterprise.redis_enterprise.list()]
    assert [] == [*azure.cosmos.database_accounts.list()]


def test_an_operation_that_fails_leaves_the_store_failed(azure: Clients, world: World) -> None:
    rule = (
        '[[rule]]\npath = "*/redis/cache"\nmethod = "PUT"\nfail = { code = "OutOfCapacity", message = "none left" }\n'
    )
    (world.folder / "trouble.toml").write_text(rule)
    with pytest.raises(HttpResponseError) as error:
        cache(azure)

    assert "OutOfCapacity" == error.value.error.code
    assert "Failed" == azure.redis.redis.get("rg", "cache").provisioning_state
