"""Cosmos DB accounts for Spin's key-value stores: account, database, container, key.

Spin asks for a container whose partition key is `/id`: spinframework/spin, crates/key-value-azure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spin_aks.azure import wire
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.found import only
from spin_aks.azure.operations import follow, make, taken_up
from spin_aks.azure.problems import if_registered, or_none, reported
from spin_aks.errors import AzureError
from spin_aks.secret import Secret

if TYPE_CHECKING:
    from azure.core.polling import LROPoller
    from azure.mgmt.cosmosdb import CosmosDBManagementClient

    from spin_aks.azure.operations import Watch
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject

KIND = "Microsoft.DocumentDB/databaseAccounts"
TITLE = "Cosmos DB account"
PARTITION_KEY = "/id"


@dataclass(frozen=True, slots=True)
class Account:
    """`keys`: its keys let somebody in; else only roles do. `sql`: it is one that Spin can use."""

    id: ResourceId
    location: str
    state: str
    endpoint: str
    keys: bool
    sql: bool
    public: bool


@dataclass(frozen=True, slots=True)
class Container:
    """`partition_keys` are paths such as `/id`."""

    name: str
    partition_keys: tuple[str, ...]

    @property
    def fits_spin(self) -> bool:
        return self.partition_keys == (PARTITION_KEY,)


def accounts(session: Session, subscription: str) -> tuple[Account, ...]:
    """All of a subscription; raises AzureError."""
    with reported("list Cosmos DB accounts", f"/subscriptions/{subscription}", tenant=session.tenant):
        return tuple(parse(wire.document(one)) for one in management(session, subscription).database_accounts.list())


def find(session: Session, subscription: str, name: str, group: str = "") -> Account:
    """The one of that name, in whatever group if none is given; raises NotFoundError, AmbiguousError, AzureError."""
    if group:
        found = get(session, ResourceId.of(subscription, group, KIND, name))
        if found is not None:
            return found
    return only(if_registered(lambda: accounts(session, subscription), ()), TITLE, name, group)


def get(session: Session, resource: ResourceId) -> Account | None:
    """The account, or None if there is none; raises AzureError."""

    def look() -> Account:
        with reported(f"look up Cosmos DB account `{resource.name}`", str(resource), tenant=session.tenant):
            found = management(session, resource.subscription).database_accounts.get(resource.group, resource.name)
            return parse(wire.document(found))

    return or_none(look)


def is_taken(session: Session, subscription: str, name: str) -> bool:
    """Whether anybody in Azure has an account of that name; raises AzureError."""
    with reported(f"see whether the name `{name}` is free", KIND, tenant=session.tenant):
        return bool(management(session, subscription).database_accounts.check_name_exists(name))


def body(location: str) -> JSONObject:
    """An account that costs by request, which nothing has to be sized for."""
    return {
        "location": location,
        "kind": "GlobalDocumentDB",
        "properties": {
            "databaseAccountOfferType": "Standard",
            "locations": [{"locationName": location, "failoverPriority": 0}],
            "capabilities": [{"name": "EnableServerless"}],
        },
    }


def database_body(name: str) -> JSONObject:
    return {"properties": {"resource": {"id": name}}}


def container_body(name: str) -> JSONObject:
    return {"properties": {"resource": {"id": name, "partitionKey": {"paths": [PARTITION_KEY], "kind": "Hash"}}}}


def create(session: Session, resource: ResourceId, location: str, watch: Watch) -> Account:
    """Makes the account, or gives the one that is there; two to three minutes. Raises AzureError."""
    operations = management(session, resource.subscription).database_accounts

    def begin(token: str | None) -> LROPoller[Any]:
        sent: Any = body(location)
        return operations.begin_create_or_update(resource.group, resource.name, sent, **taken_up(token))

    return make(watch, f"make Cosmos DB account `{resource.name}`", resource, lambda: get(session, resource), begin)


def create_store(session: Session, account: ResourceId, database: str, container: str, watch: Watch) -> Container:
    """Makes the database and the container that Spin needs, or leaves those that are there; half a minute each.

    Raises AzureError, also for a container that is there and has another partition key: that can't be changed.
    """
    sql = management(session, account.subscription).sql_resources
    where = account.child("sqlDatabases", database)
    if not _has_database(session, account, database):

        def begin_database(token: str | None) -> LROPoller[Any]:
            sent: Any = database_body(database)
            return sql.begin_create_update_sql_database(account.group, account.name, database, sent, **taken_up(token))

        follow(watch, f"make database `{database}` in `{account.name}`", where, begin_database)
    found = get_container(session, account, database, container)
    if found is None:

        def begin_container(token: str | None) -> LROPoller[Any]:
            sent: Any = container_body(container)
            return sql.begin_create_update_sql_container(
                account.group, account.name, database, container, sent, **taken_up(token)
            )

        follow(
            watch,
            f"make container `{container}` in `{database}`",
            where.child("containers", container),
            begin_container,
        )
        return Container(container, (PARTITION_KEY,))
    check_fits(account, database, found)
    return found


def check_fits(account: ResourceId, database: str, found: Container) -> None:
    """Raises AzureError for a container that Spin can't use: its partition key can't be changed."""
    if not found.fits_spin:
        keys = ", ".join(found.partition_keys)
        what = f"container `{found.name}` has the partition key `{keys}`, and Spin needs `/id`"
        where = account.child("sqlDatabases", database).child("containers", found.name)
        raise AzureError(what, where=str(where), hint="name another container")


def _has_database(session: Session, account: ResourceId, name: str) -> bool:
    def look() -> bool:
        with reported(f"look up database `{name}`", str(account), tenant=session.tenant):
            management(session, account.subscription).sql_resources.get_sql_database(account.group, account.name, name)
        return True

    return or_none(look) or False


def get_container(session: Session, account: ResourceId, database: str, name: str) -> Container | None:
    """The container, or None if there is none, or no such database; raises AzureError."""

    def look() -> Container:
        with reported(f"look up container `{name}`", str(account), tenant=session.tenant):
            found = management(session, account.subscription).sql_resources.get_sql_container(
                account.group, account.name, database, name
            )
            return parse_container(wire.document(found))

    return or_none(look)


def key(session: Session, account: Account) -> Secret:
    """The key that reads and writes; raises AzureError where keys let nobody in."""
    if not account.keys:
        what = f"Cosmos DB account `{account.id.name}` lets nobody in by a key"
        hint = "leave the key out: the application then uses its workload identity"
        raise AzureError(what, where=str(account.id), hint=hint)
    with reported(f"read the key of `{account.id.name}`", str(account.id), tenant=session.tenant):
        found = management(session, account.id.subscription).database_accounts.list_keys(
            account.id.group, account.id.name
        )
    return Secret(str(found.primary_master_key or ""))


def management(session: Session, subscription: str) -> CosmosDBManagementClient:
    """The client for a subscription's accounts."""
    from azure.mgmt.cosmosdb import CosmosDBManagementClient

    return session.client(CosmosDBManagementClient, subscription)


def parse(document: JSONObject) -> Account:
    """An account from the JSON of Microsoft.DocumentDB/databaseAccounts."""
    properties = wire.at(document, "properties")
    return Account(
        id=wire.resource(document),
        location=wire.text(document, "location"),
        state=wire.text(properties, "provisioningState"),
        endpoint=wire.text(properties, "documentEndpoint"),
        keys=not wire.flag(properties, "disableLocalAuth"),
        sql=wire.text(document, "kind").lower() in ("", "globaldocumentdb"),
        public=wire.text(properties, "publicNetworkAccess").lower() != "disabled",
    )


def parse_container(document: JSONObject) -> Container:
    resource = wire.at(document, "properties", "resource")
    paths = wire.at(resource, "partitionKey", "paths")
    return Container(wire.text(resource, "id"), tuple(str(path) for path in paths) if isinstance(paths, list) else ())
