"""Redis in Azure: Azure Cache for Redis ("classic") as it is found, Azure Managed Redis found and made.

Classic ones are not made any more: they retire on 2028-09-30, and new customers can't make any since 2026-04-01
(https://learn.microsoft.com/azure/azure-cache-for-redis/retirement-faq).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spin_aks.azure import wire
from spin_aks.azure.arm import ResourceId, same
from spin_aks.azure.found import only
from spin_aks.azure.operations import make, taken_up
from spin_aks.azure.problems import if_registered, or_none, reported
from spin_aks.errors import AzureError
from spin_aks.secret import Secret
from spin_aks.side_by_side import side_by_side

if TYPE_CHECKING:
    from azure.core.polling import LROPoller
    from azure.mgmt.redis import RedisManagementClient
    from azure.mgmt.redisenterprise import RedisEnterpriseManagementClient

    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject

CLASSIC_KIND = "Microsoft.Cache/redis"
MANAGED_KIND = "Microsoft.Cache/redisEnterprise"
TITLE = "Redis"
DATABASE = "default"
MANAGED_PORT = 10000
SKU = "Balanced_B0"


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis as it is found. `managed` tells the two kinds; of a managed one, the database is `database`'s to read."""

    id: ResourceId
    location: str
    state: str
    managed: bool
    host: str
    port: int
    keys: bool

    @property
    def kind(self) -> str:
        return "Azure Managed Redis" if self.managed else "Azure Cache for Redis"


@dataclass(frozen=True, slots=True)
class Database:
    """A managed Redis' one database. `clustering` is `NoCluster`, `EnterpriseCluster` or `OSSCluster`."""

    state: str
    port: int
    clustering: str
    keys: bool
    encrypted: bool


def every(session: Session, subscription: str) -> tuple[Redis, ...]:
    """Both kinds, asked side by side; raises AzureError."""

    def classic() -> tuple[Redis, ...]:
        return tuple(
            parse_classic(wire.document(one)) for one in _classic(session, subscription).redis.list_by_subscription()
        )

    def managed() -> tuple[Redis, ...]:
        return tuple(
            parse_managed(wire.document(one)) for one in _managed(session, subscription).redis_enterprise.list()
        )

    def ask(one: Any) -> tuple[Redis, ...]:
        with reported("list what Redis there is", f"/subscriptions/{subscription}", tenant=session.tenant):
            found: tuple[Redis, ...] = one()
            return found

    first, second = side_by_side(ask, (classic, managed))
    return first + second


def find(session: Session, subscription: str, name: str, group: str = "") -> Redis:
    """The one of that name, of whichever kind; raises NotFoundError, AmbiguousError, AzureError."""
    return only(if_registered(lambda: every(session, subscription), ()), TITLE, name, group)


def get(session: Session, resource: ResourceId) -> Redis | None:
    """The managed Redis of that id, or None; raises AzureError."""

    def look() -> Redis:
        with reported(f"look up Redis `{resource.name}`", str(resource), tenant=session.tenant):
            found = _managed(session, resource.subscription).redis_enterprise.get(resource.group, resource.name)
            return parse_managed(wire.document(found))

    return or_none(look)


def again(session: Session, resource: ResourceId) -> Redis | None:
    """The Redis of that id, of whichever kind, or None; raises AzureError."""
    if same(resource.kind, MANAGED_KIND):
        return get(session, resource)
    return next((one for one in every(session, resource.subscription) if one.id == resource), None)


def database(session: Session, resource: ResourceId) -> Database | None:
    """The database of a managed Redis, or None if it has none yet; raises AzureError."""

    def look() -> Database:
        with reported(f"look up the database of Redis `{resource.name}`", str(resource), tenant=session.tenant):
            found = _managed(session, resource.subscription).databases.get(resource.group, resource.name, DATABASE)
            return parse_database(wire.document(found))

    return or_none(look)


def body(location: str) -> JSONObject:
    """The smallest managed Redis."""
    properties: JSONObject = {"minimumTlsVersion": "1.2", "publicNetworkAccess": "Enabled"}
    return {"location": location, "sku": {"name": SKU}, "properties": properties}


def database_body() -> JSONObject:
    """A database that Spin's Redis client can use: it follows no redirections between shards, and logs in by a key.

    Keys are never thrown out for others: a key-value store is no cache.
    """
    return {
        "properties": {
            "clientProtocol": "Encrypted",
            "port": MANAGED_PORT,
            "clusteringPolicy": "EnterpriseCluster",
            "evictionPolicy": "NoEviction",
            "accessKeysAuthentication": "Enabled",
        }
    }


def create(session: Session, resource: ResourceId, location: str, watch: Watch) -> Redis:
    """Makes a managed Redis and its database, or gives what is there; takes minutes. Raises AzureError."""
    clusters = _managed(session, resource.subscription).redis_enterprise
    databases = _managed(session, resource.subscription).databases
    group, name = resource.group, resource.name

    def begin(token: str | None) -> LROPoller[Any]:
        return clusters.begin_create(group, name, wire.content(body(location)), **taken_up(token))

    def begin_database(token: str | None) -> LROPoller[Any]:
        return databases.begin_create(group, name, DATABASE, wire.content(database_body()), **taken_up(token))

    made = make(watch, f"make Redis `{name}`", resource, lambda: get(session, resource), begin)
    child = resource.child("databases", DATABASE)
    make(watch, f"make the database of Redis `{name}`", child, lambda: database(session, resource), begin_database)
    return made


def url(session: Session, found: Redis) -> Secret:
    """`rediss://:KEY@HOST:PORT`, all that Spin's Redis store is told; raises AzureError where no key opens it."""
    port = check_usable(session, found)
    with reported(f"read the key of Redis `{found.id.name}`", str(found.id), tenant=session.tenant):
        listed = (_managed_key if found.managed else _classic_key)(session, found.id)
    return Secret(f"rediss://:{quote(str(listed.primary_key or ''), safe='')}@{found.host}:{port}")


def check_usable(session: Session, found: Redis) -> int:
    """The port that Spin's Redis store can use it at; raises AzureError where it can't. Reads no key."""
    if not found.managed:
        _check_keys(found, found.keys)
        return found.port
    named = database(session, found.id)
    if named is None:
        what = f"Redis `{found.id.name}` has no database"
        raise AzureError(what, where=str(found.id), hint="make one, or wait until it is made")
    if named.clustering.lower() == "osscluster":
        what = f"Redis `{found.id.name}` spreads its keys by the policy `OSSCluster`, which Spin's client can't follow"
        hint = "make one with the policy `EnterpriseCluster` or `NoCluster`: `--create-store` does"
        raise AzureError(what, where=str(found.id), hint=hint)
    _check_keys(found, named.keys)
    return named.port


def _check_keys(found: Redis, keys: bool) -> None:
    if not keys:
        what = f"{found.kind} `{found.id.name}` lets nobody in by a key, and Spin's Redis store has no other way"
        raise AzureError(what, where=str(found.id), hint="turn access keys on there, or choose another store")


def _classic_key(session: Session, resource: ResourceId) -> Any:
    return _classic(session, resource.subscription).redis.list_keys(resource.group, resource.name)


def _managed_key(session: Session, resource: ResourceId) -> Any:
    return _managed(session, resource.subscription).databases.list_keys(resource.group, resource.name, DATABASE)


def _classic(session: Session, subscription: str) -> RedisManagementClient:
    from azure.mgmt.redis import RedisManagementClient

    return session.client(RedisManagementClient, subscription)


def _managed(session: Session, subscription: str) -> RedisEnterpriseManagementClient:
    from azure.mgmt.redisenterprise import RedisEnterpriseManagementClient

    return session.client(RedisEnterpriseManagementClient, subscription)


def parse_classic(document: JSONObject) -> Redis:
    properties = wire.at(document, "properties")
    return Redis(
        id=wire.resource(document),
        location=wire.text(document, "location"),
        state=wire.text(properties, "provisioningState"),
        managed=False,
        host=wire.text(properties, "hostName"),
        port=wire.number(properties, "sslPort") or 6380,
        keys=not wire.flag(properties, "disableAccessKeyAuthentication"),
    )


def parse_managed(document: JSONObject) -> Redis:
    properties = wire.at(document, "properties")
    return Redis(
        id=wire.resource(document),
        location=wire.text(document, "location"),
        state=wire.text(properties, "provisioningState"),
        managed=True,
        host=wire.text(properties, "hostName"),
        port=MANAGED_PORT,
        keys=True,
    )


def parse_database(document: JSONObject) -> Database:
    """Where Azure leaves out how to log in, keys are on, as they were before there was another way."""
    properties = wire.at(document, "properties")
    return Database(
        state=wire.text(properties, "provisioningState"),
        port=wire.number(properties, "port") or MANAGED_PORT,
        clustering=wire.text(properties, "clusteringPolicy") or "OSSCluster",
        keys=wire.text(properties, "accessKeysAuthentication").lower() != "disabled",
        encrypted=wire.text(properties, "clientProtocol").lower() != "plaintext",
    )
