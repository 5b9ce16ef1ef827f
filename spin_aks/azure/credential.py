"""Signing in, by whatever azure-identity's DefaultAzureCredential finds.

Its chain and what steers it (`AZURE_TOKEN_CREDENTIALS`, `AZURE_TENANT_ID`, ...):
https://learn.microsoft.com/azure/developer/python/sdk/authentication/credential-chains
"""

from __future__ import annotations

import base64
import json
import logging
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from spin_aks import clock
from spin_aks.azure import session as sessions
from spin_aks.azure import sign_in_problems
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

    from spin_aks.azure.session import Cloud, Session, Transport

RENEW_S = 300.0
"""A token is renewed so long before it ends."""

MARK_OF_A_PERSON = ("scp", "upn", "unique_name", "preferred_username")


class Source(Protocol):
    """What can be asked for a token: one of azure-identity's credentials."""

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken: ...


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in. `kind` is ARM's word, `User` or `ServicePrincipal` (a managed identity is one, too)."""

    object_id: str
    tenant: str
    name: str
    kind: str


class Credential:
    """A credential that keeps its tokens, since `az` takes half a second for each, and stays in the chosen tenant.

    It is what the SDK calls a TokenCredential and a SupportsTokenInfo; any number of threads may use it.
    """

    def __init__(self, source: Source, tenant: str = "") -> None:
        self.tenant = tenant
        self._source = source
        self._kept: dict[tuple[object, ...], AccessToken] = {}
        self._lock = threading.Lock()

    def in_tenant(self, tenant: str) -> Credential:
        return self if tenant == self.tenant else Credential(self._source, tenant)

    def forget(self) -> bool:
        """Drops the tokens that are kept; false if there are none, so that asking again can give nothing new."""
        with self._lock:
            some = bool(self._kept)
            self._kept.clear()
            return some

    def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, enable_cae: bool = False, **_: Any
    ) -> AccessToken:
        """The token for these scopes, kept or new; raises what the source raises."""
        tenant = tenant_id or self.tenant or None  # a vault names its own
        key = (scopes, tenant, enable_cae)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and not claims and kept.expires_on - clock.now().timestamp() > RENEW_S:
                return kept
            self._kept[key] = self._asked(scopes, claims, tenant, enable_cae)
            return self._kept[key]

    def _asked(self, scopes: tuple[str, ...], claims: str | None, tenant: str | None, enable_cae: bool) -> AccessToken:
        from spin_aks.azure.problems import SignInError
        from spin_aks.azure.sign_in_problems import log_in

        try:
            return self._source.get_token(*scopes, claims=claims, tenant_id=tenant, enable_cae=enable_cae)
        except ValueError as error:  # the SDK's word for a tenant, a client id or a scope that can't be one
            what = f"can't sign in to Azure: {' '.join(str(error).split())}"
            raise SignInError(
                what, hint=f"check the tenant and the AZURE_... variables; `{log_in('TENANT')}`"
            ) from error

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        from azure.core.credentials import AccessTokenInfo

        given = options or {}
        token = self.get_token(
            *scopes,
            claims=given.get("claims"),
            tenant_id=given.get("tenant_id"),
            enable_cae=bool(given.get("enable_cae")),
        )
        return AccessTokenInfo(token.token, token.expires_on)

    def close(self) -> None:
        """Nothing of ours is open."""


def sign_in(tenant: str = "", *, cloud: Cloud | None = None, transport: Transport | None = None) -> Session:
    """A session for `tenant` (its id or a domain of its), or for the credential's own tenant; asks nobody yet.

    A guest in several tenants names one; each of a person's tenants is reached by `Session.in_tenant`. Raises
    SignInError for variables that azure-identity can make nothing of.
    """
    from azure.identity import DefaultAzureCredential

    # Else each failed attempt is logged to the terminal; the error says them all.
    for name in ("azure", "msal"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    chosen = cloud or sessions.cloud()
    options: dict[str, Any] = {} if transport is None else {"transport": transport}
    try:
        source = DefaultAzureCredential(
            authority=chosen.authority, additionally_allowed_tenants=["*"], process_timeout=30, **options
        )
    except ValueError as error:
        raise sign_in_problems.unusable_variables(str(error), os.environ) from error
    return sessions.Session(Credential(source, tenant), cloud=chosen, transport=transport)


def who(session: Session) -> Person:
    """Who the session's token for the Resource Manager is for, by the token's own claims; raises AzureError."""
    from spin_aks.azure.problems import reported

    with reported("sign in to Azure", session.cloud.arm, tenant=session.tenant):
        token = session.credential.get_token(session.cloud.scope)
    return person(token.token)


def tenant(session: Session) -> str:
    """The id of the tenant that the session's tokens are for, whether it was chosen or not; raises AzureError."""
    from spin_aks.azure.problems import reported

    with reported("sign in to Azure", session.cloud.arm, tenant=session.tenant):
        token = session.credential.get_token(session.cloud.scope)
    return str(claims(token.token).get("tid", ""))


def person(token: str) -> Person:
    """Reads a token's claims, which are not checked: it is only sent to whom it is for.

    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    found = claims(token)
    is_person = found.get("idtyp", "") != "app" and any(found.get(name) for name in MARK_OF_A_PERSON)
    object_id, tenant = str(found.get("oid", "")), str(found.get("tid", ""))
    if not object_id:
        raise AzureError("the token from the sign-in does not say who signed in", hint="`az login` signs in anew")
    names = (found.get(name) for name in ("upn", "unique_name", "preferred_username", "app_displayname", "appid"))
    name = next((str(one) for one in names if one), object_id)
    return Person(object_id, tenant, name, "User" if is_person else "ServicePrincipal")


def claims(token: str) -> dict[str, Any]:
    """What a token (a JWT) says, unchecked; nothing for a token that can't be read."""
    try:
        middle = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
