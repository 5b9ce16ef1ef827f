"""Cosmos DB accounts: https://learn.microsoft.com/rest/api/cosmos-db-resource-provider/database-accounts.

Only their management: nothing listens at an account's endpoint.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import access_keys, placement
from spin_aks.sandbox.azure.call import RefusedError, answer, empty
from spin_aks.sandbox.azure.collection import Collection
from spin_aks.sandbox.azure.operations import gone
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.operations import Finish, Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.web import Answer

KIND = "Microsoft.DocumentDB/databaseAccounts"
ACCOUNTS = Collection(KIND, "account")
ONE = ACCOUNTS.one
STATUS = "~/providers/Microsoft.DocumentDB/locations/{place}/operationsStatus/{{id}}"
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,42})[a-z0-9]")
READ_KEYS = ("primaryReadonlyMasterKey", "secondaryReadonlyMasterKey")
KEYS = ("primaryMasterKey", "secondaryMasterKey", *READ_KEYS)
KEY_BYTES = 64
WAITING = ("Enqueued", "Dequeued")
# What an account has that was made with nothing but a place.
DEFAULTS: Document = {
    "publicNetworkAccess": "Enabled",
    "enableAutomaticFailover": False,
    "enableMultipleWriteLocations": False,
    "enablePartitionKeyMonitor": False,
    "isVirtualNetworkFilterEnabled": False,
    "virtualNetworkRules": [],
    "EnabledApiTypes": "Sql",
    "disableKeyBasedMetadataWriteAccess": False,
    "enableFreeTier": False,
    "enableAnalyticalStorage": False,
    "analyticalStorageConfiguration": {"schemaType": "WellDefined"},
    "databaseAccountOfferType": "Standard",
    "enableFullFidelityChangeFeed": False,
    "networkAclBypass": "None",
    "disableLocalAuth": False,
    "enablePartitionMerge": False,
    "enableBurstCapacity": False,
    "minimalTlsVersion": "Tls12",
    "consistencyPolicy": {"defaultConsistencyLevel": "Session", "maxIntervalInSeconds": 5, "maxStalenessPrefix": 100},
    "configurationOverrides": {"EnablePerRegionPerPartitionAutoscaleOptIn": "True"},
    "cors": [],
    "capabilities": [],
    "ipRules": [],
    "networkAclBypassResourceIds": [],
}


class BareRefusedError(RefusedError):
    """An error as Cosmos DB itself answers it: without the object around it that Resource Manager asks for."""

    @property
    def answer(self) -> Answer:
        return answer({"code": self.code, "message": str(self)}, *self.headers, status=self.status)


def put(call: Call) -> Answer:
    asked = call.document()
    name = call.values["account"]
    if not NAME.fullmatch(name):
        message = (
            f"Database account name '{name}' is not valid. It must be between 3 and 44 characters long and have only "
            f"lower-case letters, digits and '-'.{activity()}"
        )
        raise BareRefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message)
    with call.world.state.lock:
        before = call.world.state.get(KIND, call.fill(ONE))
        if before is None and ACCOUNTS.named(call.world, name):
            message = (
                f"Dns record for {name} under zone Document is already taken. Please use a different name for the "
                f"account.{activity()}"
            )
            raise BareRefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message)
        check_idle(call)
        account = call.world.state.put(KIND, call.fill(ONE), _account(call, asked, before))
    return answer(account, *_followed(call, account, "cosmos.ready"))


def check_idle(call: Call) -> None:
    if call.world.operations.running(call.fill(ONE)):
        message = (
            "There is already an operation in progress which requires exclusive lock on this service "
            f"{call.values['account']}. Please retry the operation after sometime.{activity()}"
        )
        raise BareRefusedError(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", message)


def _followed(call: Call, account: Document, finish: str) -> tuple[tuple[str, str], ...]:
    place = placement.region(documents.text(account, "location"))
    status, result = call.fill(STATUS, place=place), call.fill(ONE + "/operationResults/{{id}}")
    begin = call.world.operations.begin
    return begin(call, call.fill(ONE), KIND, finish, status=status, result=result, words=WAITING)


def _account(call: Call, asked: Document, before: Document | None) -> Document:
    location = placement.place(asked, before)
    sent = documents.mapping(asked, "properties")
    old = documents.mapping(before, "properties")
    if documents.text(sent, "databaseAccountOfferType") != "Standard" and not old:
        message = f"The parameter databaseAccountOfferType has to be Standard.{activity()}"
        raise BareRefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message)
    known = {name: sent[name] for name in DEFAULTS if sent.get(name) is not None}
    places = documents.items(sent, "locations") or documents.items(old, "locations")
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
    keys: Document = {name: {"generationTime": now} for name in KEYS}
    identity = documents.mapping(asked, "identity") or documents.mapping(before, "identity") or {"type": "None"}
    return {
        "id": call.fill(ONE),
        "name": call.values["account"],
        "location": placement.shown(location),
        "type": KIND,
        "kind": documents.text(asked, "kind") or "GlobalDocumentDB",
        "tags": documents.mapping(asked, "tags"),
        "systemData": documents.mapping(before, "systemData") or {"createdAt": now},
        "properties": {
            "provisioningState": "Updating" if before else "Creating",
            **DEFAULTS,
            "instanceId": str(uuid.uuid4()),
            "defaultIdentity": "",
            "backupPolicy": _backup("Invalid"),
            "keysMetadata": keys,
            **old,
            **known,
            **_regions(call.values["account"], places or [{"locationName": location}]),
        },
        "identity": identity,
    }


def _regions(account: str, places: list[Document]) -> Document:
    """One region is written to, and all are read, in the order of failover."""
    regions: list[JSON] = []
    failover: list[JSON] = []
    for number, place in enumerate(places):
        name = documents.text(place, "locationName")
        where: Document = {
            "id": f"{account}-{placement.region(name)}",
            "locationName": placement.shown(name),
            "failoverPriority": documents.number(place, "failoverPriority", default=number),
        }
        failover.append(where)
        zones = place.get("isZoneRedundant") is True
        regions.append({**where, "provisioningState": "Creating", "isZoneRedundant": zones})
    return {
        "writeLocations": regions[:1],
        "readLocations": regions,
        "locations": regions,
        "failoverPolicies": failover,
    }


def _backup(redundancy: str) -> Document:
    mode: Document = {
        "backupIntervalInMinutes": 240,
        "backupRetentionIntervalInHours": 8,
        "backupStorageRedundancy": redundancy,
    }
    return {"type": "Periodic", "periodicModeProperties": mode}


def ready(world: World, operation: Operation) -> None:
    account = world.state.get(KIND, operation.target)
    if account is None:
        return
    properties = documents.child(account, "properties")
    properties.update(provisioningState="Succeeded", defaultIdentity="FirstPartyIdentity", backupPolicy=_backup("Geo"))
    for name in ("documentEndpoint", "sqlEndpoint"):
        properties[name] = endpoint(documents.text(account, "name"))
    for group in ("writeLocations", "readLocations", "locations"):
        for region in documents.items(properties, group):
            region.update(provisioningState="Succeeded", documentEndpoint=endpoint(documents.text(region, "id")))
    world.state.put(KIND, operation.target, account)


def endpoint(name: str) -> str:
    return f"https://{name}.documents.azure.com:443/"


def patch(call: Call) -> Answer:
    asked = call.document()
    with call.world.state.lock:
        before = ACCOUNTS.existing(call)
        check_idle(call)
        sent: Document = {"tags": documents.mapping(before, "tags"), "kind": before["kind"], **asked}
        account = call.world.state.put(KIND, call.fill(ONE), _account(call, sent, before))
    return answer(account, *_followed(call, account, "cosmos.ready"))


def delete(call: Call) -> Answer:
    account = call.world.state.get(KIND, call.fill(ONE))
    if account is None:
        return empty(HTTPStatus.NO_CONTENT)
    check_idle(call)
    documents.child(account, "properties")["provisioningState"] = "Deleting"
    call.world.state.put(KIND, call.fill(ONE), account)
    return answer({"status": "Enqueued"}, *_followed(call, account, "cosmos.gone"), status=HTTPStatus.ACCEPTED)


def list_keys(call: Call) -> Answer:
    ACCOUNTS.existing(call)
    return answer(access_keys.of(call.world, call.fill(ONE), KEYS, KEY_BYTES))


def list_read_keys(call: Call) -> Answer:
    ACCOUNTS.existing(call)
    keys = access_keys.of(call.world, call.fill(ONE), KEYS, KEY_BYTES)
    return answer({name: keys[name] for name in READ_KEYS})


def has_name(call: Call) -> Answer:
    return empty(HTTPStatus.OK if ACCOUNTS.named(call.world, call.values["account"]) else HTTPStatus.NOT_FOUND)


def activity() -> str:
    """How each message of Cosmos DB ends."""
    return f"\r\nActivityId: {uuid.uuid4()}, Microsoft.Azure.Documents.Common/2.14.0"


ROUTES = (
    Route("HEAD", "/providers/Microsoft.DocumentDB/databaseAccountNames/{account}", has_name),
    *ACCOUNTS.reading,
    Route("PUT", ONE, put),
    Route("PATCH", ONE, patch),
    Route("DELETE", ONE, delete),
    Route("POST", ONE + "/listKeys", list_keys),
    Route("POST", ONE + "/readonlykeys", list_read_keys),
    Route("GET", ONE + "/readonlykeys", list_read_keys),
)
FINISHES: dict[str, Finish] = {"cosmos.ready": ready, "cosmos.gone": gone}
