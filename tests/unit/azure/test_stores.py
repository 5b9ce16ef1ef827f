"""Redis of both kinds, and Cosmos DB."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from azure.mgmt.redisenterprise.models import Database
from testbed.azure_answers import Reply, Script, recorded, refused, scripted
from testbed.azure_recordings import load

from spin_aks.azure import cosmos, redis
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.found import NotFoundError
from spin_aks.azure.operations import Journal, Watch
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from pathlib import Path

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
CACHE = ResourceId.of(SUBSCRIPTION, "team", redis.MANAGED_KIND, "cache")
ACCOUNT = ResourceId.of(SUBSCRIPTION, "team", cosmos.KIND, "store")
ABSENT = refused(404, "ResourceNotFound", "no")
POLL = {"Azure-AsyncOperation": "https://management.azure.com/poll/1"}


def managed(state: str = "Succeeded") -> dict[str, Any]:
    properties = {"provisioningState": state, "hostName": "cache.westeurope.redis.azure.net"}
    return {
        "id": str(CACHE),
        "name": "cache",
        "location": "x",
        "sku": {"name": "Balanced_B0"},
        "properties": properties,
    }


def database(**more: object) -> dict[str, Any]:
    properties = {"provisioningState": "Succeeded", "port": 10000, "clusteringPolicy": "EnterpriseCluster", **more}
    return {"id": f"{CACHE}/databases/default", "name": "default", "properties": properties}


def test_both_kinds_of_redis_are_found(recordings: Path) -> None:
    classic = load(recordings, "redis-list").answered(next(iter(load(recordings, "redis-list").exchanges)))
    script = Script()
    script.answer("GET", "/Microsoft.Cache/redis$", Reply(200, classic))
    script.answer("GET", "/Microsoft.Cache/redisEnterprise$", Reply(200, {"value": [managed()]}))
    session = scripted(script)

    first, *_, last = redis.every(session, SUBSCRIPTION)

    assert (False, "Azure Cache for Redis", 6380) == (first.managed, first.kind, first.port)
    assert first.host.endswith(".redis.cache.windows.net")
    assert redis.Redis(CACHE, "x", "Succeeded", True, "cache.westeurope.redis.azure.net", 10000, True) == last
    with pytest.raises(NotFoundError):
        redis.find(session, SUBSCRIPTION, "nosuch")


def test_the_url_of_a_classic_redis_has_its_key_quoted() -> None:
    script = Script()
    script.answer("POST", "/listKeys$", Reply(200, {"primaryKey": "a+b/c=", "secondaryKey": "x"}))
    found = redis.parse_classic(
        {
            "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/team/providers/Microsoft.Cache/Redis/old",
            "properties": {"hostName": "old.redis.cache.windows.net", "sslPort": 6380},
        }
    )

    url = redis.url(scripted(script), found)

    assert "rediss://:a%2Bb%2Fc%3D@old.redis.cache.windows.net:6380" == url.reveal()
    assert "***" == str(url)


def test_the_url_of_a_managed_redis_is_that_of_its_database() -> None:
    script = Script()
    script.answer("GET", "/databases/default$", Reply(200, database()))
    script.answer("POST", "/databases/default/listKeys$", Reply(200, {"primaryKey": "k", "secondaryKey": "x"}))

    url = redis.url(scripted(script), redis.parse_managed(managed()))

    assert "rediss://:k@cache.westeurope.redis.azure.net:10000" == url.reveal()


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (Reply(200, database(accessKeysAuthentication="Disabled")), "lets nobody in by a key"),
        (Reply(200, database(clusteringPolicy="OSSCluster")), "spreads its keys by the policy `OSSCluster`"),
        (ABSENT, "has no database"),
    ],
)
def test_a_redis_that_spin_can_not_use_is_told(reply: Reply, what: str) -> None:
    script = Script()
    script.answer("GET", "/databases/default$", reply)

    with pytest.raises(AzureError) as error:
        redis.url(scripted(script), redis.parse_managed(managed()))

    assert what in str(error.value)
    assert ["GET"] == script.methods


def test_a_managed_redis_is_made_with_a_database_that_spin_can_use() -> None:
    script = Script()
    script.answer("GET", "/redisEnterprise/cache$", ABSENT, Reply(200, managed()))
    script.answer("PUT", "/redisEnterprise/cache$", Reply(201, managed("Creating"), POLL))
    script.answer("GET", "/databases/default$", ABSENT, Reply(200, database()))
    script.answer("PUT", "/databases/default$", Reply(201, database(), POLL))
    script.answer("GET", "/poll/1$", Reply(200, {"status": "Succeeded"}))
    journal = Journal()

    made = redis.create(scripted(script), CACHE, "westeurope", Watch(journal=journal))

    cluster, default = script.sent("PUT")
    assert "Succeeded" == made.state
    assert {
        "location": "westeurope",
        "sku": {"name": "Balanced_B0"},
        "properties": {"minimumTlsVersion": "1.2", "publicNetworkAccess": "Enabled"},
    } == cluster.json
    assert {
        "properties": {
            "clientProtocol": "Encrypted",
            "port": 10000,
            "clusteringPolicy": "EnterpriseCluster",
            "evictionPolicy": "NoEviction",
            "accessKeysAuthentication": "Enabled",
        }
    } == default.json
    assert () == journal.underway()


def test_what_is_sent_has_the_shape_of_the_specifications_examples(shared: Path) -> None:
    folder = shared / "azure-spec/redisenterprise-2025-07-01"
    cluster = json.loads((folder / "RedisEnterpriseCreate.json").read_text())["parameters"]["parameters"]
    default = json.loads((folder / "RedisEnterpriseDatabasesNoClusterCacheCreate.json").read_text())["parameters"][
        "parameters"
    ]
    mine: Any = redis.body("x")
    mine_too: Any = redis.database_body()

    assert set(mine) <= set(cluster)
    assert set(mine["properties"]) <= set(cluster["properties"])
    assert {"accessKeysAuthentication"} == set(mine_too["properties"]) - set(default["properties"])
    assert "properties.accessKeysAuthentication" == Database._attribute_map["access_keys_authentication"]["key"]


def test_a_redis_whose_making_was_cut_short_gets_its_database() -> None:
    script = Script()
    script.answer("GET", "/redisEnterprise/cache$", Reply(200, managed()))
    script.answer("GET", "/databases/default$", ABSENT, Reply(200, database()))
    script.answer("PUT", "/databases/default$", Reply(201, database(), POLL))
    script.answer("GET", "/poll/1$", Reply(200, {"status": "Succeeded"}))

    redis.create(scripted(script), CACHE, "westeurope", Watch())

    assert ["databases/default"] == ["/".join(one.path.split("/")[-2:]) for one in script.sent("PUT")]


def test_an_account_is_made_as_azure_recorded_it(recordings: Path) -> None:
    name = "cosmos-account-create-lro"
    exchanges = load(recordings, name).exchanges
    put = next(one for one in exchanges.values() if one.method == "PUT")
    last = list(exchanges.values())[-1].body
    resource = ResourceId.parse(last["id"])
    script = Script()
    script.answer("GET", "/databaseAccounts/", ABSENT, Reply(200, last))
    script.answer("PUT", "/databaseAccounts/", Reply(200, put.body, POLL))
    polls = [Reply(200, {"status": word}) for word in ("Enqueued", "Dequeued", "Succeeded")]
    script.answer("GET", "/poll/1$", *polls)

    made = cosmos.create(scripted(script), resource, "westus", Watch())

    assert (resource, "Succeeded", "https://cli000004.documents.azure.com:443/", True, True) == (
        made.id,
        made.state,
        made.endpoint,
        made.keys,
        made.sql,
    )
    body: Any = script.sent("PUT")[0].json
    assert [{"name": "EnableServerless"}] == body["properties"]["capabilities"]


def test_accounts_are_found_and_their_key_is_read(recordings: Path) -> None:
    listed = next(iter(load(recordings, "cosmos-list-accounts").exchanges.values())).body["value"][0]
    found = cosmos.parse(listed)
    keys, _ = recorded(recordings, "cosmos-list-keys")

    assert "***" == str(cosmos.key(keys, found))
    assert cosmos.key(recorded(recordings, "cosmos-list-keys")[0], found).reveal()


def test_an_account_without_keys_is_told_with_the_other_way() -> None:
    found = cosmos.parse({"id": str(ACCOUNT), "properties": {"disableLocalAuth": True}})

    with pytest.raises(AzureError) as error:
        cosmos.key(scripted(Script()), found)

    assert "Cosmos DB account `store` lets nobody in by a key" in str(error.value)
    assert "leave the key out: the application then uses its workload identity" == error.value.problems[0].hint


def test_a_store_is_made_with_the_partition_key_that_spin_needs(recordings: Path) -> None:
    missing = next(
        one for one in load(recordings, "cosmos-container-create-lro").exchanges.values() if one.status == 404
    )
    script = Script()
    absent = Reply(404, missing.body, {"content-type": "application/json"})
    accepted = Reply(202, {"status": "Enqueued"}, POLL)
    script.answer("GET", "/sqlDatabases/spin$", absent, Reply(200, {"id": "x", "properties": {}}))
    script.answer("GET", "/sqlDatabases/spin/containers/kv$", absent, Reply(200, {"id": "x", "properties": {}}))
    script.answer("PUT", "/sqlDatabases/spin$", accepted)
    script.answer("PUT", "/sqlDatabases/spin/containers/kv$", accepted)
    script.answer("GET", "/poll/1$", Reply(200, {"status": "Succeeded"}))

    made = cosmos.create_store(scripted(script), ACCOUNT, "spin", "kv", Watch())

    first, second = script.sent("PUT")
    assert cosmos.Container("kv", ("/id",)) == made
    assert {"properties": {"resource": {"id": "spin"}}} == first.json
    assert {"properties": {"resource": {"id": "kv", "partitionKey": {"paths": ["/id"], "kind": "Hash"}}}} == second.json


def test_a_container_with_another_partition_key_is_refused() -> None:
    script = Script()
    found = {"id": "x", "properties": {"resource": {"id": "kv", "partitionKey": {"paths": ["/tenant"]}}}}
    script.answer("GET", "/sqlDatabases/spin$", Reply(200, {"id": "x", "properties": {}}))
    script.answer("GET", "/containers/kv$", Reply(200, found))

    with pytest.raises(AzureError) as error:
        cosmos.create_store(scripted(script), ACCOUNT, "spin", "kv", Watch())

    assert "container `kv` has the partition key `/tenant`, and Spin needs `/id`" == error.value.problems[0].what
    assert [] == script.sent("PUT")


def test_a_recorded_container_is_read(recordings: Path) -> None:
    exchanges = list(load(recordings, "cosmos-container-create-lro").exchanges.values())
    found = cosmos.parse_container(exchanges[-2].body)

    assert found.name
    assert 1 == len(found.partition_keys)


def test_whether_a_name_is_taken_is_asked_of_all_azure(recordings: Path) -> None:
    session, _ = recorded(recordings, "cosmos-check-name")

    assert [False, True] == [cosmos.is_taken(session, SUBSCRIPTION, "cli000002") for _ in range(2)]
