"""The stores that are named: Cosmos DB accounts with a container each, and Redis.

They are found or made, and no key of theirs is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spin_aks.errors import AzureError, Problem
from spin_aks.settings import rules
from spin_aks.settings.missing import ways
from spin_aks.tasks import azure_known
from spin_aks.tasks.azure_place import Named, make_group, settled, watch
from spin_aks.tasks.making import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.cosmos import Account
    from spin_aks.azure.redis import Redis
    from spin_aks.context import Context
    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.settings.stores import Store

WHAT = "store"
COSMOS = "cosmos"
FIELDS = ("kind", "subscription", "resource_group", "name", "database", "container")


def named(context: Context) -> tuple[Store, ...]:
    """Every store that has a table; `requirements` tells what one lacks."""
    return context.settings.stores


def values(context: Context) -> dict[str, JSON]:
    """What the stage that finds them depends on."""
    stores = named(context)
    given = {f"store.{store.label}.{name}": getattr(store, name) for store in stores for name in FIELDS}
    return {key: value for key, value in given.items() if value}


def requirements(context: Context) -> tuple[Problem, ...]:
    """What the tables of stores lack, and names that Azure would refuse."""
    return tuple(problem for store in named(context) for problem in _requirements(context, store))


def _requirements(context: Context, store: Store) -> Iterator[Problem]:
    needed = ("kind", "name", *(("database", "container") if store.kind == COSMOS else ()))
    for name in needed:
        if not getattr(store, name):
            yield Problem(f"the store `{store.label}` has no `{name}`", hint=ways(f"store.{store.label}.{name}"))
    if store.kind == COSMOS and store.name and (what := rules.COSMOS.refuses(store.name)):
        yield Problem(what, context.origin(f"store.{store.label}.name", ""))


def place(context: Context, store: Store) -> Named:
    """The account or the Redis behind a label."""
    return Named(store.name, store.resource_group, store.subscription or context.settings.cluster_subscription)


def find(context: Context, store: Store, wanted: Named, beside: str) -> Account | Redis | Missing:
    """New ones are made in the resource group `beside`, the cluster's, where none is given. Raises AzureError, also for
    one that Spin can't use.
    """
    return (_find_cosmos if store.kind == COSMOS else _find_redis)(context, store, wanted, beside)


def _find_cosmos(context: Context, store: Store, wanted: Named, beside: str) -> Account | Missing:
    from spin_aks.azure import cosmos
    from spin_aks.azure.found import NotFoundError

    try:
        found = cosmos.find(context.azure, wanted.subscription, wanted.name, wanted.group)
    except NotFoundError as missing:
        return _new_cosmos(context, store, _new(wanted, beside, cosmos.KIND), missing)
    if not found.sql:
        what = f"Cosmos DB account `{found.id.name}` has another interface than the one for NoSQL, which Spin needs"
        raise AzureError(what, where=str(found.id), hint="name another account")
    container = cosmos.get_container(context.azure, found.id, store.database, store.container)
    if container is not None:
        cosmos.check_fits(found.id, store.database, container)
        return found
    where = found.id.child("sqlDatabases", store.database).child("containers", store.container)
    what = f"there is no container `{store.container}` in database `{store.database}` of `{found.id.name}`"
    return Missing(WHAT, where, (_container(store, found.id),), AzureError(what, where=str(found.id)))


def _new(wanted: Named, beside: str, kind: str) -> ResourceId:
    from spin_aks.azure.arm import ResourceId

    return ResourceId.of(wanted.subscription, wanted.group or beside or wanted.name, kind, wanted.name)


def _container(store: Store, account: ResourceId) -> str:
    return (
        f"container `{store.container}` with the partition key `/id`, which Spin needs, in database "
        f"`{store.database}` of Cosmos DB account `{account.name}`"
    )


def _new_cosmos(context: Context, store: Store, resource: ResourceId, missing: AzureError) -> Missing:
    from spin_aks.azure import cosmos

    if cosmos.is_taken(context.azure, resource.subscription, resource.name):
        what = f"no Cosmos DB account `{resource.name}` can be made: somebody in Azure has one of that name"
        raise AzureError(what, where=str(resource), hint="name another") from missing
    place = f"in resource group `{resource.group}`, {context.settings.location}"
    account = f"Cosmos DB account `{resource.name}` {place}, serverless"
    return Missing(WHAT, resource, (account, _container(store, resource)), missing)


def _find_redis(context: Context, store: Store, wanted: Named, beside: str) -> Redis | Missing:
    from spin_aks.azure import redis
    from spin_aks.azure.found import NotFoundError

    try:
        found = redis.find(context.azure, wanted.subscription, wanted.name, wanted.group)
    except NotFoundError as missing:
        resource = _new(wanted, beside, redis.MANAGED_KIND)
        if what := rules.MANAGED_REDIS.refuses(wanted.name):
            raise AzureError(what, where=context.origin(f"store.{store.label}.name", "")) from missing
        where = f"in resource group `{resource.group}`, {context.settings.location}"
        plan = f"Azure Managed Redis `{resource.name}` {where}, {redis.SKU}"
        return Missing(WHAT, resource, (plan, "Azure Cache for Redis retires on 2028-09-30"), missing)
    if found.managed and redis.database(context.azure, found.id) is None:
        empty = AzureError(f"Redis `{found.id.name}` has no database", where=str(found.id))
        return Missing(WHAT, found.id, (f"the database of Azure Managed Redis `{found.id.name}`",), empty)
    redis.check_usable(context.azure, found)
    return found


def whole(context: Context, store: Store, found: Account | Redis | Missing) -> JSONObject:
    """What is kept of the store in azure.json, once it is there; what is missing is made. Raises AzureError."""
    return (_whole_cosmos if store.kind == COSMOS else _whole_redis)(context, store, found)


def _whole_cosmos(context: Context, store: Store, found: Account | Redis | Missing) -> JSONObject:
    from spin_aks.azure import cosmos

    session, account = context.azure, _account(found.id)
    if isinstance(found, cosmos.Account):
        now = settled(context, found, cosmos.TITLE, lambda: cosmos.get(session, account))
    else:
        make_group(context, account, context.settings.location)
        now = cosmos.create(session, account, context.settings.location, watch(context))
        cosmos.create_store(session, account, store.database, store.container, watch(context))
    told: JSONObject = {"kind": store.kind, "id": str(now.id), "endpoint": now.endpoint, "keys": now.keys}
    return {**told, "database": store.database, "container": store.container}


def _account(resource: ResourceId) -> ResourceId:
    """The account that a container is in, or that account itself."""
    return replace(resource, types=resource.types[:1])


def _whole_redis(context: Context, store: Store, found: Account | Redis | Missing) -> JSONObject:
    from spin_aks.azure import redis

    session = context.azure
    if isinstance(found, redis.Redis):
        now = settled(context, found, redis.TITLE, lambda: redis.again(session, found.id))
    else:
        make_group(context, found.id, context.settings.location)
        now = redis.create(session, found.id, context.settings.location, watch(context))
    port = redis.check_usable(session, now)
    return {"kind": store.kind, "id": str(now.id), "host": now.host, "port": port, "managed": now.managed}


def gone(context: Context) -> dict[str, str]:
    """By `store.LABEL`, a sentence for each store that Azure no longer has; raises AzureError."""
    found = {f"store.{store.label}": _gone(context, store) for store in named(context)}
    return {what: sentence for what, sentence in found.items() if sentence}


def known(context: Context, store: Store) -> JSONObject:
    """What is noted of the store; empty where that is not what is named."""
    noted = azure_known.store(context, store.label, place(context, store))
    told = {"kind": store.kind, "database": store.database, "container": store.container}
    return noted if all(noted.get(key, value) == value for key, value in told.items()) else {}


def _gone(context: Context, store: Store) -> str:
    from spin_aks.azure import cosmos, redis
    from spin_aks.azure.arm import ResourceId

    match known(context, store):
        case {"kind": "cosmos", "id": str(id), "database": str(database), "container": str(container)}:
            account = ResourceId.parse(id)
            if cosmos.get_container(context.azure, account, database, container) is None:
                return f"there is no container `{container}` in Cosmos DB account `{account.name}` any more"
        case {"kind": "redis", "id": str(id)}:
            resource = ResourceId.parse(id)
            if redis.again(context.azure, resource) is None:
                return f"there is no Redis `{resource.name}` in Azure any more"
    return ""
