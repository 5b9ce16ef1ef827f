"""Azure Managed Redis: https://learn.microsoft.com/rest/api/redis/redisenterprisecache.

There is no recorded traffic of it: what is answered here follows the examples and the OpenAPI file of api-versions
2024-02-01 and 2025-07-01. Only its management: nothing listens at a cluster's host name.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import access_keys, placement, redis
from spin_aks.sandbox.azure.call import RefusedError, answer, empty, not_found, page
from spin_aks.sandbox.azure.collection import Collection
from spin_aks.sandbox.azure.operations import gone
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.operations import Finish, Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

KIND = "Microsoft.Cache/redisEnterprise"
DATABASE_KIND = KIND + "/databases"
CLUSTERS = Collection(KIND, "cluster")
ONE = CLUSTERS.one
DATABASES = ONE + "/databases"
DATABASE = DATABASES + "/{database}"
STATUS = "~/providers/Microsoft.Cache/locations/{place}/operationsStatus/{{id}}"
KEYS, KEY_BYTES = ("primaryKey", "secondaryKey"), 32
PORT = 10_000
POLICIES = frozenset({"EnterpriseCluster", "OSSCluster", "NoCluster"})


def put(call: Call) -> Answer:
    asked = call.document()
    with call.world.state.lock:
        before = call.world.state.get(KIND, call.fill(ONE))
        if before is None and CLUSTERS.named(call.world, call.values["cluster"]):
            raise redis.taken()
        if before is not None and call.world.operations.running(call.fill(ONE)):
            raise redis.busy()
        cluster = call.world.state.put(KIND, call.fill(ONE), _cluster(call, asked, before))
    return _begun(call, cluster, KIND, call.fill(ONE), isnew=before is None)


def _begun(call: Call, resource: Document, kind: str, target: str, *, isnew: bool) -> Answer:
    cluster = call.world.state.get(KIND, call.fill(ONE))
    status = call.fill(STATUS, place=placement.region(documents.text(cluster, "location")))
    headers = call.world.operations.begin(call, target, kind, "redis_enterprise.ready", status=status)
    return answer(resource, *headers, status=HTTPStatus.CREATED if isnew else HTTPStatus.OK)


def _cluster(call: Call, asked: Document, before: Document | None) -> Document:
    location = placement.place(asked, before)
    sku = documents.mapping(asked, "sku")
    sent = documents.mapping(asked, "properties")
    if not documents.text(sku, "name"):
        raise _missing("sku.name")
    if call.api_version >= "2025-07-01" and not documents.text(sent, "publicNetworkAccess"):
        raise _missing("properties.publicNetworkAccess")
    zones: Document = {"zones": asked["zones"]} if "zones" in asked else {}
    # The older kind has no choice of it.
    older = documents.text(sku, "name").startswith("Enterprise")
    copies: Document = {} if older else {"highAvailability": documents.text(sent, "highAvailability") or "Enabled"}
    state = "Updating" if before else "Creating"
    return {
        "id": call.fill(ONE),
        "name": call.values["cluster"],
        "type": KIND,
        "location": placement.shown(location),
        "kind": "v1" if older else "v2",
        "sku": sku,
        **zones,
        "tags": documents.mapping(asked, "tags"),
        "properties": {
            "hostName": f"{call.values['cluster'].lower()}.{location}.redis.azure.net",
            "redisVersion": "7.4",
            "minimumTlsVersion": documents.text(sent, "minimumTlsVersion") or "1.2",
            **copies,
            "publicNetworkAccess": documents.text(sent, "publicNetworkAccess") or "Enabled",
            "provisioningState": state,
            "resourceState": state,
        },
    }


def put_database(call: Call) -> Answer:
    asked = documents.mapping(call.document(), "properties")
    with call.world.state.lock:
        CLUSTERS.existing(call)
        target = call.fill(DATABASE)
        before = call.world.state.get(DATABASE_KIND, target)
        if call.world.operations.running(call.fill(ONE)) or call.world.operations.running(target):
            raise redis.busy()
        database = call.world.state.put(DATABASE_KIND, target, _database(call, asked, before))
    return _begun(call, database, DATABASE_KIND, target, isnew=before is None)


def _database(call: Call, asked: Document, before: Document | None) -> Document:
    old = documents.mapping(before, "properties")
    sent: Document = {**old, **asked}
    policy = documents.text(sent, "clusteringPolicy") or "OSSCluster"
    if policy not in POLICIES:
        message = f"The value '{policy}' of the parameter 'properties.clusteringPolicy' is invalid."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message)
    if old and policy != documents.text(old, "clusteringPolicy"):
        message = "The property 'clusteringPolicy' can't be updated after the database is created."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message)
    extra: Document = {name: sent[name] for name in ("persistence", "geoReplication") if name in sent}
    if modules := documents.items(sent, "modules"):
        extra["modules"] = [{"args": "", "version": "1.0.0", **module} for module in modules]
    state = "Updating" if before else "Creating"
    return {
        "id": call.fill(DATABASE),
        "name": f"{call.values['cluster']}/{call.values['database']}",
        "type": DATABASE_KIND,
        "properties": {
            "clientProtocol": documents.text(sent, "clientProtocol") or "Encrypted",
            "port": documents.number(sent, "port", default=PORT),
            "provisioningState": state,
            "resourceState": state,
            "clusteringPolicy": policy,
            "evictionPolicy": documents.text(sent, "evictionPolicy") or "VolatileLRU",
            **extra,
            "deferUpgrade": "NotDeferred",
            "redisVersion": "7.4",
            "accessKeysAuthentication": documents.text(sent, "accessKeysAuthentication") or "Enabled",
        },
    }


def ready(world: World, operation: Operation) -> None:
    resource = world.state.get(operation.kind, operation.target)
    if resource is not None:
        documents.child(resource, "properties").update(provisioningState="Succeeded", resourceState="Running")
        world.state.put(operation.kind, operation.target, resource)


def get_database(call: Call) -> Answer:
    return answer(_existing_database(call))


def delete(call: Call) -> Answer:
    return _end(call, KIND, call.fill(ONE))


def delete_database(call: Call) -> Answer:
    return _end(call, DATABASE_KIND, call.fill(DATABASE))


def _end(call: Call, kind: str, target: str) -> Answer:
    resource = call.world.state.get(kind, target)
    if resource is None:
        return empty(HTTPStatus.NO_CONTENT)
    if call.world.operations.running(target):
        raise redis.busy()
    documents.child(resource, "properties").update(provisioningState="Deleting", resourceState="Deleting")
    call.world.state.put(kind, target, resource)
    status = call.fill(STATUS, place=placement.region(documents.text(CLUSTERS.existing(call), "location")))
    headers = call.world.operations.begin(call, target, kind, "redis_enterprise.gone", status=status)
    return empty(HTTPStatus.ACCEPTED, *headers)


def list_keys(call: Call) -> Answer:
    """Given out also where the database does not take them (`accessKeysAuthentication`)."""
    _existing_database(call)
    return answer(access_keys.of(call.world, call.fill(DATABASE), KEYS, KEY_BYTES))


def list_databases(call: Call) -> Answer:
    CLUSTERS.existing(call)
    return page(call, call.world.state.all_of(DATABASE_KIND, call.fill(DATABASES) + "/"))


def _existing_database(call: Call) -> Document:
    CLUSTERS.existing(call)
    found = call.world.state.get(DATABASE_KIND, call.fill(DATABASE))
    if found is None:
        raise not_found(DATABASE_KIND, f"{call.values['cluster']}/{call.values['database']}", call.values["group"])
    return found


def _missing(what: str) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", f"The required property '{what}' is missing.")


ROUTES = (
    *CLUSTERS.reading,
    Route("PUT", ONE, put),
    Route("DELETE", ONE, delete),
    Route("GET", DATABASES, list_databases),
    Route("PUT", DATABASE, put_database),
    Route("GET", DATABASE, get_database),
    Route("DELETE", DATABASE, delete_database),
    Route("POST", DATABASE + "/listKeys", list_keys),
)
FINISHES: dict[str, Finish] = {"redis_enterprise.ready": ready, "redis_enterprise.gone": gone}
