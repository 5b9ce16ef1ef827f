"""The secrets of a vault, at the vault's own host: https://learn.microsoft.com/rest/api/keyvault/secrets.

A request without a token is answered with the challenge that tells whose token is wanted. A deleted secret is gone at
once, but is seen among the deleted ones only at the second look, as it takes the real one some seconds.
"""

from __future__ import annotations

import re
import secrets as random
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import vault_access
from spin_aks.sandbox.azure.call import RefusedError, answer, empty
from spin_aks.sandbox.azure.deleted_vaults import RETENTION_DAYS
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.azure.vault_names import VAULTS
from spin_aks.sandbox.web import ClientGoneError

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.documents import JSON, Document
    from spin_aks.sandbox.web import Answer

KIND = "secrets"
HOST = "{vault}.vault.azure.net"
NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
LARGEST_BYTES = 25_600
PAGE_SIZE = 25
DAY_S = 86_400


def put(call: Call) -> Answer:
    vault = _vault(call, "set")
    asked = call.document()
    name = call.values["secret"]
    if not NAME.fullmatch(name):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BadParameter", f"The request URI contains an invalid name: {name}")
    value = asked.get("value")
    if not isinstance(value, str):
        message = "The parameter value is not specified."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BadParameter", message)
    if len(value.encode()) > LARGEST_BYTES:
        message = f"The secret value must be between 1 and {LARGEST_BYTES} characters long."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BadParameter", message)
    with call.world.state.lock:
        secret = call.world.state.get(KIND, _key(call)) or {"name": name, "versions": []}
        if secret.get("deleted"):
            raise _still_there(name)
        version = {**_changed({"id": random.token_hex(16), "created": int(time.time())}, asked), "value": value}
        secret["versions"] = [*documents.items(secret, "versions"), version]
        call.world.state.put(KIND, _key(call), secret)
    return answer(_bundle(call, vault, secret, version))


def _changed(version: Document, asked: Document) -> Document:
    """`version` with what was sent of attributes, tags and content type."""
    attributes = documents.mapping(asked, "attributes")
    sent = {name: attributes[name] for name in ("enabled", "nbf", "exp") if attributes.get(name) is not None}
    described = {name: asked[name] for name in ("contentType", "tags") if asked.get(name) is not None}
    return {"enabled": True, **version, **sent, **described, "updated": int(time.time())}


def get(call: Call) -> Answer:
    vault = _vault(call, "get")
    secret, version = _found(call)
    if version.get("enabled") is not True:
        message = "Operation get is not allowed on a disabled secret."
        raise RefusedError(HTTPStatus.FORBIDDEN, "Forbidden", message, extra={"innererror": {"code": "SecretDisabled"}})
    return answer(_bundle(call, vault, secret, version))


def patch(call: Call) -> Answer:
    vault = _vault(call, "update")
    asked = call.document()
    with call.world.state.lock:
        secret, version = _found(call)
        changed = _changed(version, asked)
        every = documents.items(secret, "versions")
        secret["versions"] = [changed if one is version else one for one in every]
        call.world.state.put(KIND, _key(call), secret)
    return answer({name: item for name, item in _bundle(call, vault, secret, changed).items() if name != "value"})


def _found(call: Call) -> tuple[Document, Document]:
    """The secret and the version that is asked for: the newest, unless it is named."""
    name, wanted = call.values["secret"], call.values.get("version", "").lower()
    secret = call.world.state.get(KIND, _key(call))
    if secret is None or secret.get("deleted"):
        raise _not_found(name)
    every = documents.items(secret, "versions")
    version = next((one for one in reversed(every) if wanted in ("", documents.text(one, "id"))), None)
    if version is None:
        raise _not_found(f"{name}/{wanted}")
    return secret, version


def list_all(call: Call) -> Answer:
    vault = _vault(call, "list")
    found = [secret for secret in _every(call) if not secret.get("deleted")]
    return _page(call, [_item(call, vault, secret, documents.items(secret, "versions")[-1], "") for secret in found])


def list_versions(call: Call) -> Answer:
    vault = _vault(call, "list")
    secret = call.world.state.get(KIND, _key(call))
    if secret is None or secret.get("deleted"):
        raise _not_found(call.values["secret"])
    every = sorted(documents.items(secret, "versions"), key=lambda one: documents.text(one, "id"))
    return _page(call, [_item(call, vault, secret, one, documents.text(one, "id")) for one in every])


def delete(call: Call) -> Answer:
    vault = _vault(call, "delete")
    with call.world.state.lock:
        secret, _ = _found(call)
        now = int(time.time())
        secret["deleted"] = {"on": now, "purge_on": now + _retention_days(vault) * DAY_S, "seen": False}
        call.world.state.put(KIND, _key(call), secret)
    return answer(_deleted(call, vault, secret))


def list_deleted(call: Call) -> Answer:
    vault = _vault(call, "list")
    return _page(call, [_deleted(call, vault, secret) for secret in _every(call) if _is_seen(call, secret)])


def get_deleted(call: Call) -> Answer:
    vault = _vault(call, "get")
    secret = call.world.state.get(KIND, _key(call))
    if secret is None or not _is_seen(call, secret):
        raise _no_deleted(call.values["secret"])
    return answer(_deleted(call, vault, secret))


def recover(call: Call) -> Answer:
    vault = _vault(call, "recover")
    with call.world.state.lock:
        secret = _gone(call)
        del secret["deleted"]
        call.world.state.put(KIND, _key(call), secret)
    newest = documents.items(secret, "versions")[-1]
    return answer(_item(call, vault, secret, newest, documents.text(newest, "id")))


def purge(call: Call) -> Answer:
    vault = _vault(call, "purge")
    if documents.mapping(vault, "properties").get("enablePurgeProtection") is True:
        message = (
            'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service '
            "will automatically purge it after the retention period has passed."
        )
        inner: Document = {"innererror": {"code": "ForbiddenByPolicy"}}
        raise RefusedError(HTTPStatus.FORBIDDEN, "Forbidden", message, extra=inner)
    with call.world.state.lock:
        _gone(call)
        call.world.state.delete(KIND, _key(call))
    return empty(HTTPStatus.NO_CONTENT)


def _gone(call: Call) -> Document:
    secret = call.world.state.get(KIND, _key(call))
    if secret is None or not secret.get("deleted"):
        raise _no_deleted(call.values["secret"])
    return secret


def _is_seen(call: Call, secret: Document) -> bool:
    """Whether a deleted secret is among the deleted ones yet; this look lets the next one find it."""
    gone = documents.mapping(secret, "deleted")
    if gone and gone.get("seen") is not True:
        changed: Document = {**secret, "deleted": {**gone, "seen": True}}
        call.world.state.put(KIND, f"{call.host}/{documents.text(secret, 'name')}", changed)
        return False
    return bool(gone)


def _vault(call: Call, permission: str) -> Document:
    """The vault of this host, which lets the caller do that."""
    vault = VAULTS.named(call.world, call.values["vault"])
    if vault is None:
        # It was deleted since the client connected.
        raise ClientGoneError
    if not call.query("api-version"):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "BadParameter", "api-version is a required parameter")
    vault_access.check(call, vault, permission, call.values.get("secret", ""))
    return vault


def _key(call: Call) -> str:
    return f"{call.host}/{call.values['secret']}"


def _every(call: Call) -> list[Document]:
    return call.world.state.all_of(KIND, f"{call.host}/")


def _bundle(call: Call, vault: Document, secret: Document, version: Document) -> Document:
    return {"value": version["value"], **_item(call, vault, secret, version, documents.text(version, "id"))}


def _item(call: Call, vault: Document, secret: Document, version: Document, shown: str) -> Document:
    described: Document = {name: version[name] for name in ("contentType", "tags") if name in version}
    times: Document = {name: version[name] for name in ("nbf", "exp") if name in version}
    return {
        **described,
        "id": f"https://{call.host}/secrets/{documents.text(secret, 'name')}" + (f"/{shown}" if shown else ""),
        "attributes": {
            "enabled": version["enabled"],
            **times,
            "created": version["created"],
            "updated": version["updated"],
            "recoveryLevel": _recovery_level(vault),
            "recoverableDays": _retention_days(vault),
        },
    }


def _deleted(call: Call, vault: Document, secret: Document) -> Document:
    newest = documents.items(secret, "versions")[-1]
    gone = documents.mapping(secret, "deleted")
    return {
        "recoveryId": f"https://{call.host}/deletedsecrets/{documents.text(secret, 'name')}",
        "deletedDate": gone["on"],
        "scheduledPurgeDate": gone["purge_on"],
        **_item(call, vault, secret, newest, documents.text(newest, "id")),
    }


def _retention_days(vault: Document) -> int:
    return documents.number(vault, "properties", "softDeleteRetentionInDays", default=RETENTION_DAYS)


def _recovery_level(vault: Document) -> str:
    custom = "Customized" if _retention_days(vault) != RETENTION_DAYS else ""
    protected = documents.mapping(vault, "properties").get("enablePurgeProtection") is True
    return f"{custom}Recoverable" + ("" if protected else "+Purgeable")


def _page(call: Call, found: list[Document]) -> Answer:
    """A list as Key Vault answers it: `nextLink` is null at the end, and names the port before."""
    begin, size = (int(text) if text.isdigit() else 0 for text in (call.query("$skiptoken"), call.query("maxresults")))
    end = begin + (min(size, PAGE_SIZE) or PAGE_SIZE)
    value: list[JSON] = [*found[begin:end]]
    link: JSON = None
    if end < len(found):
        wanted = f"&maxresults={size}" if size else ""
        address = f"https://{call.host}:443{call.request.path}"
        link = f"{address}?api-version={call.api_version}&$skiptoken={end}{wanted}"
    return answer({"value": value, "nextLink": link})


def _not_found(name: str) -> RefusedError:
    message = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may "
        "be able to recover it using the correct recovery command. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125182"
    )
    return RefusedError(HTTPStatus.NOT_FOUND, "SecretNotFound", message)


def _no_deleted(name: str) -> RefusedError:
    return RefusedError(HTTPStatus.NOT_FOUND, "SecretNotFound", f"Deleted Secret not found: {name}")


def _still_there(name: str) -> RefusedError:
    message = (
        f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, "
        "the secret can only be recovered or purged."
    )
    inner: Document = {"innererror": {"code": "ObjectIsDeletedButRecoverable"}}
    return RefusedError(HTTPStatus.CONFLICT, "Conflict", message, extra=inner)


ROUTES = (
    Route("GET", "/secrets", list_all, HOST),
    Route("PUT", "/secrets/{secret}", put, HOST),
    Route("GET", "/secrets/{secret}", get, HOST),
    Route("PATCH", "/secrets/{secret}", patch, HOST),
    Route("DELETE", "/secrets/{secret}", delete, HOST),
    Route("GET", "/secrets/{secret}/versions", list_versions, HOST),
    Route("GET", "/secrets/{secret}/{version}", get, HOST),
    Route("PATCH", "/secrets/{secret}/{version}", patch, HOST),
    Route("GET", "/deletedsecrets", list_deleted, HOST),
    Route("GET", "/deletedsecrets/{secret}", get_deleted, HOST),
    Route("DELETE", "/deletedsecrets/{secret}", purge, HOST),
    Route("POST", "/deletedsecrets/{secret}/recover", recover, HOST),
)
FINISHES: dict[str, Finish] = {}
