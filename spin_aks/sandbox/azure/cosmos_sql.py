"""Databases and containers of a Cosmos DB account for NoSQL, as Resource Manager makes them.

https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/sql-resources. What is made is there when its operation
has ended, and not before. There are no items in a container.
"""

from __future__ import annotations

import base64
import secrets
import time
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import cosmos, placement
from spin_aks.sandbox.azure.call import answer, page
from spin_aks.sandbox.azure.cosmos import BareRefusedError
from spin_aks.sandbox.azure.operations import gone
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.operations import Finish, Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.web import Answer

DATABASE_KIND = cosmos.KIND + "/sqlDatabases"
CONTAINER_KIND = DATABASE_KIND + "/containers"
DATABASES = cosmos.ONE + "/sqlDatabases"
DATABASE = DATABASES + "/{database}"
CONTAINERS = DATABASE + "/containers"
CONTAINER = CONTAINERS + "/{container}"
EVERYTHING: Document = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/*"}],
    "excludedPaths": [],
}
NO_ETAG: Document = {"path": '/"_etag"/?'}
NEWEST_WINS: Document = {"mode": "LastWriterWins", "conflictResolutionPath": "/_ts"}
COUNTED: Document = {
    "id": "0",
    "sizeInKB": 0,
    "documentCount": 0,
    "sampledDistinctPartitionKeyCount": 0,
    "partitionKeys": [],
}


def put_database(call: Call) -> Answer:
    asked = _resource(call, "database")
    cosmos.ACCOUNTS.existing(call)
    before = call.world.state.get(DATABASE_KIND, call.fill(DATABASE))
    rid = documents.text(before, "properties", "resource", "_rid") or _random_id(4)
    resource: Document = {
        "id": documents.text(asked, "id"),
        **_written(rid, f"dbs/{rid}/"),
        "_colls": "colls/",
        "_users": "users/",
    }
    return _begun(call, call.fill(DATABASE), DATABASE_KIND, resource)


def put_container(call: Call) -> Answer:
    asked = _resource(call, "container")
    database = _existing(call, DATABASE_KIND, call.fill(DATABASE))
    before = call.world.state.get(CONTAINER_KIND, call.fill(CONTAINER))
    old = documents.mapping(before, "properties", "resource")
    key = documents.mapping(asked, "partitionKey") or documents.mapping(old, "partitionKey")
    if not key.get("paths"):
        raise _refused("The partition key definition of the container is missing.")
    if old and key.get("paths") != documents.mapping(old, "partitionKey").get("paths"):
        raise _refused("Document collection partition key cannot be changed.")
    rid = documents.text(old, "_rid") or _random_id(8)
    where = f"{documents.text(database, 'properties', 'resource', '_self')}colls/{rid}/"
    return _begun(call, call.fill(CONTAINER), CONTAINER_KIND, _container(asked, key, rid, where))


def _container(asked: Document, key: Document, rid: str, where: str) -> Document:
    indexing: Document = {**EVERYTHING, **documents.mapping(asked, "indexingPolicy")}
    excluded: list[JSON] = [*documents.items(indexing, "excludedPaths")]
    indexing["excludedPaths"] = excluded if NO_ETAG in excluded else [*excluded, NO_ETAG]
    conflicts: Document = {**NEWEST_WINS, **documents.mapping(asked, "conflictResolutionPolicy")}
    unique = documents.mapping(asked, "uniqueKeyPolicy") or {"uniqueKeys": []}
    lifetime: Document = {"defaultTtl": asked["defaultTtl"]} if asked.get("defaultTtl") is not None else {}
    return {
        "id": documents.text(asked, "id"),
        "indexingPolicy": indexing,
        "partitionKey": {"kind": "Hash", **key},
        **lifetime,
        "uniqueKeyPolicy": unique,
        "conflictResolutionPolicy": {**conflicts, "conflictResolutionProcedure": ""},
        "geospatialConfig": {"type": "Geography"},
        **_written(rid, where),
        "_docs": "docs/",
        "_sprocs": "sprocs/",
        "_triggers": "triggers/",
        "_udfs": "udfs/",
        "_conflicts": "conflicts/",
        "computedProperties": [],
    }


def _resource(call: Call, what: str) -> Document:
    resource = documents.mapping(call.document(), "properties", "resource")
    if documents.text(resource, "id") != call.values[what]:
        raise _refused(f"The id of the resource has to be '{call.values[what]}', as it is in the request's address.")
    return resource


def _written(rid: str, where: str) -> Document:
    return {"_rid": rid, "_self": where, "_etag": f'"{uuid.uuid4()}"', "_ts": int(time.time())}


def _random_id(size_bytes: int) -> str:
    return base64.b64encode(secrets.token_bytes(size_bytes)).decode().replace("/", "-")


def _begun(call: Call, target: str, kind: str, resource: Document) -> Answer:
    account = cosmos.ACCOUNTS.existing(call)
    made: Document = {
        "id": target,
        "type": kind,
        "name": documents.text(resource, "id"),
        "properties": {"resource": resource},
    }
    return begun(call, account, target, kind, made)


def begun(call: Call, account: Document, target: str, kind: str, made: Document) -> Answer:
    """Answers that `made` will be at `target`, and lets it be there at the end of the operation."""
    place = placement.region(documents.text(account, "location"))
    status = call.fill(cosmos.STATUS, place=place)
    begin = call.world.operations.begin
    result = f"{target}/operationResults/{{id}}"
    note: Document = {"made": made}
    headers = begin(
        call, target, kind, "cosmos_sql.made", status=status, result=result, words=cosmos.WAITING, note=note
    )
    return answer({"status": "Enqueued"}, *headers, status=HTTPStatus.ACCEPTED)


def made(world: World, operation: Operation) -> Document:
    return world.state.put(operation.kind, operation.target, documents.mapping(operation.note, "made"))


def get_database(call: Call) -> Answer:
    cosmos.ACCOUNTS.existing(call)
    return answer(_existing(call, DATABASE_KIND, call.fill(DATABASE)))


def get_container(call: Call) -> Answer:
    cosmos.ACCOUNTS.existing(call)
    found = _existing(call, CONTAINER_KIND, call.fill(CONTAINER))
    documents.child(found, "properties", "resource")["statistics"] = [COUNTED]
    return answer(found)


def list_databases(call: Call) -> Answer:
    cosmos.ACCOUNTS.existing(call)
    return page(call, call.world.state.all_of(DATABASE_KIND, call.fill(DATABASES) + "/"))


def list_containers(call: Call) -> Answer:
    cosmos.ACCOUNTS.existing(call)
    _existing(call, DATABASE_KIND, call.fill(DATABASE))
    return page(call, call.world.state.all_of(CONTAINER_KIND, call.fill(CONTAINERS) + "/"))


def delete_database(call: Call) -> Answer:
    return _end(call, DATABASE_KIND, call.fill(DATABASE))


def delete_container(call: Call) -> Answer:
    return _end(call, CONTAINER_KIND, call.fill(CONTAINER))


def _end(call: Call, kind: str, target: str) -> Answer:
    account = cosmos.ACCOUNTS.existing(call)
    _existing(call, kind, target)
    status = call.fill(cosmos.STATUS, place=placement.region(documents.text(account, "location")))
    begin = call.world.operations.begin
    headers = begin(call, target, kind, "cosmos_sql.gone", status=status, words=cosmos.WAITING)
    return answer({"status": "Enqueued"}, *headers, status=HTTPStatus.ACCEPTED)


def _existing(call: Call, kind: str, target: str) -> Document:
    found = call.world.state.get(kind, target)
    if found is None:
        raise not_found()
    return found


def not_found() -> BareRefusedError:
    """A JSON text in a JSON text in a JSON text, as the service answers it."""
    reason = r'{"Errors":["Resource Not Found. Learn more: https:\/\/aka.ms\/cosmosdb-tsg-not-found"]}'
    inner = documents.dump({"code": "NotFound", "message": f"Message: {reason}{cosmos.activity()}"}).decode()
    return BareRefusedError(HTTPStatus.NOT_FOUND, "NotFound", f"Message: {inner}")


def _refused(why: str) -> BareRefusedError:
    return BareRefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", f"{why}{cosmos.activity()}")


ROUTES = (
    Route("GET", DATABASES, list_databases),
    Route("PUT", DATABASE, put_database),
    Route("GET", DATABASE, get_database),
    Route("DELETE", DATABASE, delete_database),
    Route("GET", CONTAINERS, list_containers),
    Route("PUT", CONTAINER, put_container),
    Route("GET", CONTAINER, get_container),
    Route("DELETE", CONTAINER, delete_container),
)
FINISHES: dict[str, Finish] = {"cosmos_sql.made": made, "cosmos_sql.gone": gone}
