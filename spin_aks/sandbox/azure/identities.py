"""User-assigned managed identities and their federated credentials, and everybody whom a role can be given to.

https://learn.microsoft.com/rest/api/managedidentity
"""

from __future__ import annotations

import time
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import groups
from spin_aks.sandbox.azure.call import Call, RefusedError, answer, empty, located, page
from spin_aks.sandbox.azure.collection import Collection
from spin_aks.sandbox.azure.routes import Route

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.azure.state import State
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

KIND = "Microsoft.ManagedIdentity/userAssignedIdentities"
FEDERATED = f"{KIND}/federatedIdentityCredentials"
IDENTITIES = Collection(KIND)
ONE = IDENTITIES.one
CREDENTIALS = ONE + "/federatedIdentityCredentials"
CREDENTIAL = CREDENTIALS + "/{credential}"
PRINCIPALS = "principals"
MOST_CREDENTIALS = 20


def add_principal(state: State, object_id: str, kind: str = "ServicePrincipal") -> None:
    """Makes somebody known to the directory: `kind` is ServicePrincipal, User or Group."""
    state.put(PRINCIPALS, object_id, {"id": object_id, "type": kind, "born": time.time()})


def born(state: State, object_id: str) -> float:
    """When the directory learned of somebody, in seconds of the epoch; 0 for whom it does not know."""
    found = documents.at(state.get(PRINCIPALS, object_id), "born")
    return float(found) if isinstance(found, int | float) else 0.0


def principal_kind(state: State, object_id: str) -> str:
    """Empty for whom the directory does not know."""
    return documents.text(state.get(PRINCIPALS, object_id), "type")


def make(state: State, resource_id: str, location: str, tenant: str, tags: Document | None = None) -> Document:
    """The identity with this resource id, made unless it is there."""
    with state.lock:
        found = state.get(KIND, resource_id)
        if found is not None:
            return found
        principal = str(uuid.uuid4())
        add_principal(state, principal)
        identity: Document = {
            "id": resource_id,
            "name": resource_id.rsplit("/", 1)[-1],
            "type": KIND,
            "location": location,
            "tags": tags or {},
            "properties": {"tenantId": tenant, "principalId": principal, "clientId": str(uuid.uuid4())},
        }
        return state.put(KIND, resource_id, identity)


def remove(state: State, resource_id: str) -> bool:
    """With its credentials, and from the directory."""
    with state.lock:
        identity = state.get(KIND, resource_id)
        if identity is None:
            return False
        state.delete(PRINCIPALS, documents.text(identity, "properties", "principalId"))
        state.delete_below(f"{resource_id}/")
        return state.delete(KIND, resource_id)


def put(call: Call) -> Answer:
    asked = call.document()
    state = call.world.state
    with state.lock:
        before = state.get(KIND, call.fill(ONE))
        location = located(asked, before)
        tags = documents.mapping(asked, "tags")
        group = groups.existing(call.world, call.fill(groups.ONE))
        # As Microsoft's examples show these ids: with this segment in lower case.
        resource_id = call.fill(ONE.replace("resourceGroups", "resourcegroups"), group=documents.text(group, "name"))
        identity = make(state, resource_id, location, call.who.tenant_id, tags)
        if before is not None:
            identity = state.put(KIND, resource_id, {**before, "tags": tags})
    return answer(identity, status=HTTPStatus.OK if before else HTTPStatus.CREATED)


def delete(call: Call) -> Answer:
    return empty(HTTPStatus.OK if remove(call.world.state, call.fill(ONE)) else HTTPStatus.NO_CONTENT)


def put_credential(call: Call) -> Answer:
    asked = documents.mapping(call.document(), "properties")
    IDENTITIES.existing(call)
    state, key = call.world.state, call.fill(CREDENTIAL)
    with state.lock:
        _check_credential(call, asked)
        before = state.get(FEDERATED, key)
        credential: Document = {
            "id": key.replace("/resourceGroups/", "/resourcegroups/"),
            "name": call.values["credential"],
            "type": FEDERATED,
            "properties": {name: asked[name] for name in ("issuer", "subject", "audiences")},
        }
        state.put(FEDERATED, key, credential)
    return answer(credential, status=HTTPStatus.OK if before else HTTPStatus.CREATED)


def _check_credential(call: Call, asked: Document) -> None:
    if missing := [name for name in ("issuer", "subject", "audiences") if not asked.get(name)]:
        message = f"Federated Identity Credential: the property '{missing[0]}' is required."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message)
    others = [
        one
        for one in call.world.state.all_of(FEDERATED, call.fill(CREDENTIALS) + "/")
        if documents.text(one, "name").lower() != call.values["credential"].lower()
    ]
    for one in others:
        properties = documents.mapping(one, "properties")
        if properties.get("issuer") == asked["issuer"] and properties.get("subject") == asked["subject"]:
            message = "Issuer and subject combination already exists for this Managed Identity."
            raise RefusedError(HTTPStatus.CONFLICT, "Conflict", message)
    if len(others) >= MOST_CREDENTIALS:
        message = f"Too many Federated Identity Credentials: a Managed Identity has {MOST_CREDENTIALS} at most."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message)


def get_credential(call: Call) -> Answer:
    IDENTITIES.existing(call)
    found = call.world.state.get(FEDERATED, call.fill(CREDENTIAL))
    if found is None:
        message = "The specified Federated Identity Credential could not be found."
        raise RefusedError(HTTPStatus.NOT_FOUND, "NotFound", message)
    return answer(found)


def list_credentials(call: Call) -> Answer:
    IDENTITIES.existing(call)
    return page(call, call.world.state.all_of(FEDERATED, call.fill(CREDENTIALS) + "/"))


def delete_credential(call: Call) -> Answer:
    gone = call.world.state.delete(FEDERATED, call.fill(CREDENTIAL))
    return empty(HTTPStatus.OK if gone else HTTPStatus.NO_CONTENT)


ROUTES = (
    *IDENTITIES.reading,
    Route("PUT", ONE, put),
    Route("DELETE", ONE, delete),
    Route("GET", CREDENTIALS, list_credentials),
    Route("PUT", CREDENTIAL, put_credential),
    Route("GET", CREDENTIAL, get_credential),
    Route("DELETE", CREDENTIAL, delete_credential),
)
FINISHES: dict[str, Finish] = {}
