"""A registry's own address: who may push and pull there, and the sandbox's registry behind it.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md: a token of Entra ID is exchanged for a refresh token of the
registry, and that one for an access token to some repositories. In a registry with repository permissions (ABAC) only
the repository roles count; in any other one whoever has signed in may push and pull, as its owner may.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import acr, directory, role_definitions, roles
from spin_aks.sandbox.azure.call import Call, answer
from spin_aks.sandbox.azure.hosts import HOSTS
from spin_aks.sandbox.azure.operations import LOOKS
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.documents import mapping, text
from spin_aks.sandbox.web import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks.sandbox.azure.operations import Finish
    from spin_aks.sandbox.documents import Document

HOST = "{registry}." + acr.DOMAIN
NOBODY = "00000000-0000-0000-0000-000000000000"
REFRESH_S, ACCESS_S = 3 * 3600, 75 * 60
OWN_AUDIENCE = "https://containerregistry.azure.net"
ARM_AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
REPOSITORY = re.compile(r"/v2/(?P<name>.+?)/(?:blobs|manifests|tags)(?:/.*)?")
READS = ("GET", "HEAD")
READER = frozenset({"pull", "metadata_read"})
WRITER = READER | {"push", "metadata_write"}
OWNER = WRITER | {"delete"}
BY_ROLE = {
    role_definitions.REPOSITORY_READER: READER,
    role_definitions.REPOSITORY_WRITER: WRITER,
    role_definitions.REPOSITORY_CONTRIBUTOR: OWNER,
}


def exchange(call: Call) -> Answer:
    form = _form(call)
    registry = _registry(call)
    if form.get("grant_type") != "access_token":
        return _refused(HTTPStatus.BAD_REQUEST, "UNSUPPORTED", "The operation is unsupported.")
    if form.get("service") != call.host:
        return _unauthorized()
    claims = call.world.tokens.claims(form.get("access_token", ""))
    if claims is None or documents.number(claims, "exp") <= time.time() or not _fits(registry, text(claims, "aud")):
        return _unauthorized()
    tenant = text(claims, "tid")
    if form.get("tenant") not in (None, tenant) or not directory.shows(call.world, tenant, text(registry, "id")):
        return _unauthorized()
    return answer({"refresh_token": _signed(call, text(claims, "oid"), REFRESH_S, {"grant_type": "refresh_token"})})


def _fits(registry: Document, audience: str) -> bool:
    """A registry can be told to take no tokens that are for Resource Manager."""
    asked = audience.rstrip("/")
    policy = text(registry, "properties", "policies", "azureADAuthenticationAsArmPolicy", "status")
    return asked == OWN_AUDIENCE or (asked in ARM_AUDIENCES and policy != "disabled")


def token(call: Call) -> Answer:
    """By POST with a refresh token, or by GET with one as the password, as Docker asks."""
    if call.request.method == "POST":
        form = _form(call)
        refresh = form.get("refresh_token", "") if form.get("grant_type") == "refresh_token" else form.get("password")
    else:
        form = dict(call.request.query)
        refresh = _password(call)
    claims = _claims(call, refresh or "", "refresh_token")
    if claims is None:
        return _unauthorized()
    asked = [*filter(None, form.get("scope", "").split(" "))]
    person = text(claims, "sub")
    access: list[documents.JSON] = [_granted(call, person, scope) for scope in asked]
    given = _signed(call, person, ACCESS_S, {"grant_type": "access_token", "access": access})
    return answer({"access_token": given})


def _granted(call: Call, person: str, scope: str) -> Document:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    allowed = _allowed(call, person)
    wanted = actions.split(",")
    return {"type": kind, "name": name, "actions": [one for one in wanted if one in allowed or one == "*"]}


def _allowed(call: Call, person: str) -> frozenset[str]:
    registry = _registry(call)
    if text(registry, "properties", "roleAssignmentMode") != acr.ABAC:
        return OWNER
    mine = roles.of(call.world, person, text(registry, "id"))
    return frozenset().union(*(BY_ROLE.get(role, frozenset()) for role in mine))


def ask_who(call: Call) -> Answer:
    """`/v2/`: whether the token is good at all."""
    if _access(call) is None:
        return _challenged(call, "")
    return answer({})


def repository(call: Call) -> Answer:
    match = REPOSITORY.fullmatch(call.request.path)
    if match is None:
        return call.world.around.registry(call.request)
    _let_builds_end(call)
    needed = "pull" if call.request.method in READS else "delete" if call.request.method == "DELETE" else "push"
    if call.request.method == "DELETE" and "/blobs/uploads/" in call.request.path:
        needed = "push"
    access = _access(call)
    anonymous = needed == "pull" and _anonymous(call)
    if not anonymous and (access is None or not _is_in(access, match["name"], needed)):
        wanted = "pull,push" if needed == "push" else needed
        return _challenged(call, f"repository:{match['name']}:{wanted}")
    found = call.world.around.registry(call.request)
    headers = tuple((name, _with_tls(name, value)) for name, value in found.headers)
    return Answer(found.status, found.content, headers)


def _let_builds_end(call: Call) -> None:
    """One that nobody looks at any more goes on: what it pushes is here once it had the time."""
    for run in call.world.state.all_of(acr.RUN_KIND, text(_registry(call), "id") + "/runs/"):
        for _ in range(LOOKS + 1):
            call.world.operations.look(call.world, text(run, "id"))


def _anonymous(call: Call) -> bool:
    return mapping(_registry(call), "properties").get("anonymousPullEnabled") is True


def _with_tls(name: str, value: str) -> str:
    return value.replace("http://", "https://", 1) if name.lower() == "location" else value


def _is_in(access: list[Document], name: str, action: str) -> bool:
    for one in access:
        actions = one.get("actions")
        if text(one, "name") == name and isinstance(actions, list) and {action, "*"} & {str(item) for item in actions}:
            return True
    return False


def _access(call: Call) -> list[Document] | None:
    """What the request's token gives, by access token or by the refresh token as a password; None without one."""
    scheme, _, value = call.header("Authorization").partition(" ")
    if scheme.lower() == "bearer":
        claims = _claims(call, value, "access_token")
        return None if claims is None else documents.items(claims, "access")
    if scheme.lower() == "basic" and (claims := _claims(call, _password(call), "refresh_token")) is not None:
        match = REPOSITORY.fullmatch(call.request.path)
        allowed: list[documents.JSON] = [*_allowed(call, text(claims, "sub"))]
        return [{"name": match["name"] if match else "", "actions": allowed}]
    return None


def _claims(call: Call, value: str, grant: str) -> Document | None:
    claims = call.world.tokens.claims(value)
    if claims is None or documents.number(claims, "exp") <= time.time() or text(claims, "aud") != call.host:
        return None
    return claims if text(claims, "grant_type") == grant else None


def _password(call: Call) -> str:
    """Of basic authentication with the user name that stands for nobody."""
    scheme, _, value = call.header("Authorization").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        name, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password if name == NOBODY else ""


def _signed(call: Call, person: str, lifetime_s: int, more: Document) -> str:
    now = int(time.time())
    own: Document = {"sub": person, "aud": call.host, "iss": "Azure Container Registry", "iat": now, "nbf": now}
    return call.world.tokens.sign({**own, "exp": now + lifetime_s, **more})


def _registry(call: Call) -> Document:
    found = call.world.state.get(HOSTS, call.host)
    return mapping(call.world.state.get(acr.KIND, text(found, "resource")))


def _form(call: Call) -> Mapping[str, str]:
    return {name: values[0] for name, values in parse_qs(call.raw().decode("utf-8", "replace")).items()}


def _challenged(call: Call, scope: str) -> Answer:
    challenge = f'Bearer realm="https://{call.host}/oauth2/token",service="{call.host}"'
    if scope:
        challenge += f',scope="{scope}"'
    return _unauthorized(("Www-Authenticate", challenge))


def _unauthorized(*headers: tuple[str, str]) -> Answer:
    message = "authentication required, visit https://aka.ms/acr/authorization for more information."
    return _refused(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", message, *headers)


def _refused(status: int, code: str, message: str, *headers: tuple[str, str]) -> Answer:
    errors: Document = {"errors": [{"code": code, "message": message, "detail": None}]}
    return answer(errors, ("Access-Control-Expose-Headers", "Docker-Content-Digest"), *headers, status=status)


WRITES = ("POST", "PUT", "PATCH", "DELETE")
ROUTES = (
    Route("POST", "/oauth2/exchange", exchange, host=HOST),
    Route("POST", "/oauth2/token", token, host=HOST),
    Route("GET", "/oauth2/token", token, host=HOST),
    Route("GET", "/v2", ask_who, host=HOST),
    *(Route(method, "/v2/{rest+}", repository, host=HOST) for method in ("HEAD", "GET", *WRITES)),
)
FINISHES: dict[str, Finish] = {}
