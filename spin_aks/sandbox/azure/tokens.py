"""Access tokens: well-formed JWTs, signed with a key of this sandbox's own, so that nobody else can make one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from spin_aks.sandbox import disk, documents
from spin_aks.sandbox.azure import known_troubles
from spin_aks.sandbox.azure.call import Caller, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.documents import Document

# The file with the key that signs them, below the folder of the sandbox's Azure.
TOKEN_KEY = "token-key"  # noqa: S105 (a file's name)
LIFETIME_S = 3600
HEADER: Document = {"typ": "JWT", "alg": "HS256", "kid": "spin-aks-sandbox"}


class Tokens:
    """The key is kept in the file at `path`, which only its owner may read."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            disk.replace(path, secrets.token_hex(32).encode())
        self._key = path.read_bytes()

    @property
    def client_secret(self) -> str:
        """What the sandbox's own service principal signs in with."""
        return hashlib.sha256(self._key + b"client secret").hexdigest()

    def issue(self, caller: Caller, *, lifetime_s: float = LIFETIME_S) -> str:
        now = int(time.time())
        return self.sign(
            {
                "aud": caller.audience,
                "iss": f"https://sts.windows.net/{caller.tenant_id}/",
                "iat": now,
                "nbf": now,
                "exp": now + int(lifetime_s),
                "appid": caller.app_id,
                "idtyp": "app",
                "oid": caller.object_id,
                "sub": caller.object_id,
                "tid": caller.tenant_id,
                "ver": "1.0",
            }
        )

    def sign(self, claims: Document) -> str:
        text = f"{_encoded(documents.dump(HEADER))}.{_encoded(documents.dump(claims))}"
        return f"{text}.{self._signature(text)}"

    def claims(self, token: str) -> Document | None:
        """None for a token that this sandbox did not sign."""
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            return None
        return documents.mapping(documents.load(_decoded(text.partition(".")[2])))

    def digest(self, text: str) -> bytes:
        """A signature of anything else, for addresses that carry their own right."""
        return hmac.digest(self._key, text.encode(), "sha256")

    def caller(self, authorization: str) -> Caller | None:
        """Who the header's token is for; None if it is none of ours, or has expired."""
        found = self.claims(_bearer(authorization))
        if found is None or documents.number(found, "exp") <= time.time():
            return None
        return Caller(
            documents.text(found, "oid"),
            documents.text(found, "tid"),
            documents.text(found, "appid"),
            documents.text(found, "aud"),
        )

    def _signature(self, text: str) -> str:
        return _encoded(hmac.digest(self._key, text.encode(), "sha256"))


def refusal(call: Call) -> RefusedError:
    """Why a management request has no caller."""
    token = _bearer(call.header("Authorization"))
    challenge = 'Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token"'
    if not token:
        message = "Authentication failed. The 'Authorization' header is missing."
        return RefusedError(401, "AuthenticationFailed", message, ("WWW-Authenticate", challenge))
    found = call.world.tokens.claims(token)
    if found is None:
        message = "The access token is invalid."
        return RefusedError(401, "InvalidAuthenticationToken", message, ("WWW-Authenticate", challenge))
    moment = datetime.fromtimestamp(documents.number(found, "exp"), UTC)
    return known_troubles.expired(moment.strftime("%m/%d/%Y %I:%M:%S %p"))


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
