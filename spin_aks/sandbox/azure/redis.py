"""Azure Cache for Redis: https://learn.microsoft.com/rest/api/redis/redis.

Only its management: nothing listens at a cache's host name. Keys are given out also where the cache does not take them
(`disableAccessKeyAuthentication`).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import access_keys, identities, placement
from spin_aks.sandbox.azure.call import RefusedError, answer, empty, page
from spin_aks.sandbox.azure.collection import Collection
from spin_aks.sandbox.azure.operations import gone
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.operations import Finish, Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.web import Answer

# Requests spell it in lower case, ids do not.
KIND, SPELLED = "Microsoft.Cache/Redis", "Microsoft.Cache/redis"
CACHES = Collection(SPELLED)
ONE = CACHES.one
ID = ONE.replace(SPELLED, KIND)
STATUS = "~/providers/Microsoft.Cache/locations/{place}/asyncOperations/{{id}}"
KEYS, KEY_BYTES = ("primaryKey", "secondaryKey"), 33
PORT, TLS_PORT, FIRST_NODE_PORT = 6379, 6380, 15_000
# Family and capacity -> clients, and megabytes that are held back; those of C0 and P1 are recorded.
SIZES = {
    **{"C0": (256, 30), "C1": (1_000, 125), "C2": (2_000, 299), "C3": (5_000, 642)},
    **{"C4": (10_000, 1_330), "C5": (15_000, 2_665), "C6": (20_000, 5_365)},
    **{"P1": (7_500, 642), "P2": (15_000, 1_330), "P3": (30_000, 2_665), "P4": (40_000, 5_365), "P5": (40_000, 12_000)},
}
TIERS = {"basic": ("Basic", "C", 1), "standard": ("Standard", "C", 2), "premium": ("Premium", "P", 2)}
GIVEN = ("minimumTlsVersion", "tenantSettings", "staticIP", "subnetId", "shardCount", "replicasPerMaster")
# https://learn.microsoft.com/azure/azure-cache-for-redis/cache-configure-role-based-access-control
POLICIES = {
    "Data Owner": "+@all allkeys",
    "Data Contributor": "+@all -@dangerous +cluster|info +cluster|nodes +cluster|slots allkeys",
    "Data Reader": "+@read +@connection +cluster|info +cluster|nodes +cluster|slots allkeys",
}


def put(call: Call) -> Answer:
    asked = call.document()
    with call.world.state.lock:
        before = call.world.state.get(KIND, call.fill(ID))
        if before is None and CACHES.named(call.world, call.values["name"]):
            raise taken()
        if before is not None and call.world.operations.running(call.fill(ID)):
            raise busy()
        cache = _cache(call, asked, before)
        call.world.state.put(KIND, call.fill(ID), cache)
    keys = access_keys.of(call.world, call.fill(ID), KEYS, KEY_BYTES)
    shown: Document = {**cache, "properties": {**documents.mapping(cache, "properties"), "accessKeys": keys}}
    status = HTTPStatus.OK if before else HTTPStatus.CREATED
    return answer(shown, *_followed(call, documents.text(cache, "location"), "redis.ready"), status=status)


def _followed(call: Call, location: str, finish: str) -> tuple[tuple[str, str], ...]:
    status = call.fill(STATUS, place=quote(location))
    headers = call.world.operations.begin(call, call.fill(ID), KIND, finish, status=status)
    return (*headers, ("Location", call.url(call.fill(ONE))))


def _cache(call: Call, asked: Document, before: Document | None) -> Document:
    location = placement.shown(placement.place(asked, before))
    sent = {**documents.mapping(before, "properties"), **documents.mapping(asked, "properties")}
    name, family, nodes = _tier(sent)
    capacity = documents.number(sent, "sku", "capacity")
    clients, reserved = SIZES[f"{family}{capacity}"]
    held: Document = dict.fromkeys(
        ("maxmemory-reserved", "maxfragmentationmemory-reserved", "maxmemory-delta"), str(reserved)
    )
    plain: Document = {key: sent[key] for key in GIVEN if key in sent}
    return {
        "id": call.fill(ID),
        "location": location,
        "name": call.values["name"],
        "type": KIND,
        "tags": documents.mapping(asked, "tags"),
        "properties": {
            "provisioningState": "Updating" if before else "Creating",
            "redisVersion": "6.0",
            "sku": {"name": name, "family": family, "capacity": capacity},
            "enableNonSslPort": sent.get("enableNonSslPort") is True,
            "instances": _instances(nodes, primary=False),
            "publicNetworkAccess": documents.text(sent, "publicNetworkAccess") or "Enabled",
            **plain,
            "redisConfiguration": {"maxclients": str(clients), **held, **documents.mapping(sent, "redisConfiguration")},
            "accessKeys": None,
            "hostName": f"{call.values['name'].lower()}.redis.cache.windows.net",
            "port": PORT,
            "sslPort": TLS_PORT,
            "linkedServers": [],
            "updateChannel": documents.text(sent, "updateChannel") or "Stable",
            "disableAccessKeyAuthentication": sent.get("disableAccessKeyAuthentication") is True,
        },
        **_identity(call, asked, before),
    }


def _identity(call: Call, asked: Document, before: Document | None) -> Document:
    """The identity with the numbers of whom it names; RefusedError for one that there is not."""
    if "identity" not in asked:
        return {"identity": before["identity"]} if before and "identity" in before else {}
    named: Document = {}
    for resource_id in documents.mapping(asked, "identity", "userAssignedIdentities"):
        found = documents.mapping(call.world.state.get(identities.KIND, resource_id), "properties")
        if not found:
            message = f"The identity '{resource_id}' was not found."
            raise RefusedError(HTTPStatus.BAD_REQUEST, "FailedIdentityOperation", message)
        named[resource_id] = {"principalId": found["principalId"], "clientId": found["clientId"]}
    return {"identity": {"type": documents.text(asked, "identity", "type"), "userAssignedIdentities": named}}


def _tier(sent: Document) -> tuple[str, str, int]:
    """The SKU's name, its family, and how many nodes it has."""
    tier = TIERS.get(documents.text(sent, "sku", "name").lower())
    family = documents.text(sent, "sku", "family").upper()
    size = f"{family}{documents.number(sent, 'sku', 'capacity', default=-1)}"
    if tier is None or family != tier[1] or size not in SIZES:
        message = "The value of the parameter 'properties.sku' is invalid."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidRequestBody", message)
    return tier


def _instances(nodes: int, *, primary: bool) -> list[JSON]:
    return [
        {"sslPort": FIRST_NODE_PORT + node, "isMaster": primary and node == 0, "isPrimary": primary and node == 0}
        for node in range(nodes)
    ]


def ready(world: World, operation: Operation) -> None:
    cache = world.state.get(KIND, operation.target)
    if cache is not None:
        properties = documents.child(cache, "properties")
        properties["provisioningState"] = "Succeeded"
        properties["instances"] = _instances(len(documents.items(properties, "instances")), primary=True)
        world.state.put(KIND, operation.target, cache)


def patch(call: Call) -> Answer:
    asked = call.document()
    with call.world.state.lock:
        before = CACHES.existing(call)
        if call.world.operations.running(call.fill(ID)):
            raise busy()
        changed = _cache(call, {"tags": documents.mapping(before, "tags"), **asked}, before)
        documents.child(changed, "properties")["provisioningState"] = "Succeeded"
        documents.child(changed, "properties")["instances"] = documents.at(before, "properties", "instances")
        return answer(call.world.state.put(KIND, call.fill(ID), changed))


def delete(call: Call) -> Answer:
    cache = call.world.state.get(KIND, call.fill(ID))
    if cache is None:
        return empty(HTTPStatus.NO_CONTENT)
    if call.world.operations.running(call.fill(ID)):
        raise busy()
    documents.child(cache, "properties")["provisioningState"] = "Deleting"
    call.world.state.put(KIND, call.fill(ID), cache)
    status = call.fill(STATUS, place=quote(documents.text(cache, "location")))
    return empty(
        HTTPStatus.ACCEPTED, *call.world.operations.begin(call, call.fill(ID), KIND, "redis.gone", status=status)
    )


def list_keys(call: Call) -> Answer:
    CACHES.existing(call)
    return answer(access_keys.of(call.world, call.fill(ID), KEYS, KEY_BYTES))


def list_policies(call: Call) -> Answer:
    where = documents.text(CACHES.existing(call), "id")
    found: list[Document] = [
        {
            "id": f"{where}/accessPolicies/{name}",
            "name": name,
            "type": f"{KIND}/accessPolicies",
            "properties": {"permissions": permissions, "type": "BuiltIn", "provisioningState": "Succeeded"},
        }
        for name, permissions in POLICIES.items()
    ]
    return page(call, found)


def check_name(call: Call) -> Answer:
    if CACHES.named(call.world, documents.text(call.document(), "name")):
        raise taken()
    return empty(HTTPStatus.OK)


def taken() -> RefusedError:
    """As users report it: https://github.com/Azure/azure-service-operator/issues/852."""
    message = (
        "An error occured when trying to reserve the DNS name for the cache instance. This may be a temporary issue if "
        "a cache instance of this name was recently deleted. Please choose a different name or try again later."
    )
    return RefusedError(HTTPStatus.CONFLICT, "NameNotAvailable", message)


def busy() -> RefusedError:
    message = (
        "The resource is busy processing a previous update request or is undergoing system maintenance. As such, it is "
        "currently unable to accept the update request. Please try again later."
    )
    return RefusedError(HTTPStatus.CONFLICT, "Conflict", message)


ROUTES = (
    *CACHES.reading,
    Route("POST", "~/providers/Microsoft.Cache/checkNameAvailability", check_name),
    Route("PUT", ONE, put),
    Route("PATCH", ONE, patch),
    Route("DELETE", ONE, delete),
    Route("POST", ONE + "/listKeys", list_keys),
    Route("GET", ONE + "/accessPolicies", list_policies),
)
FINISHES: dict[str, Finish] = {"redis.ready": ready, "redis.gone": gone}
