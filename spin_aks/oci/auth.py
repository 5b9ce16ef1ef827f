"""Who we are to a registry: nobody, a user with a password, or the holder of a token from its token service.

Protocol: distribution's `spec/auth/token` (GET with Basic) and `spec/auth/oauth` (POST with an identity token, which is
what `az acr login` keeps).
"""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from spin_aks import clock
from spin_aks.errors import RegistryError
from spin_aks.oci import credentials
from spin_aks.oci.reference import is_loopback
from spin_aks.oci.refusal import Access, place, refusal, said, status_of, unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.oci.challenge import Challenge
    from spin_aks.oci.credentials import Credential, Find
    from spin_aks.oci.transport import Answer
    from spin_aks.secret import Secret

    Ask = Callable[[str, str, dict[str, str], bytes], Answer]

CLIENT_ID = "spin-aks"
LIFETIME_S = 60.0  # of a token that does not say: spec/auth/token
USED_PART = 0.8  # of its lifetime, so that no request starts with a token that ends on the way


class Authorization:
    """The `Authorization` header for one repository, the same for all threads. Credentials are looked for, by `find`,
    only once a registry asks for them.
    """

    def __init__(self, host: str, repository: str, actions: str, ask: Ask, find: Find = credentials.find) -> None:
        self._find = find
        self.access = Access(host, repository, actions, None, str(credentials.config_path()))
        self._ask = ask
        self._lock = threading.RLock()
        self._is_looked_up = False
        self._header = ""
        self._bearer: Challenge | None = None
        self._scopes = {self.access.scope: None}
        self._ends_s = 0.0

    def header(self) -> str:
        """What to send, empty as long as the registry has not asked; a token near its end is renewed first."""
        with self._lock:
            if self._bearer is not None and clock.monotonic_s() >= self._ends_s:
                self._fetch_token(self._bearer)
            return self._header

    def solve(self, challenges: tuple[Challenge, ...], used: str) -> bool:
        """Does what a 401 asks for; `used` was sent. True if there is something new to send.

        Raises RegistryError if there is nothing that could be sent, or if the token service refuses us.
        """
        with self._lock:
            if self._header != used:
                return True
            self._look_up()
            # A registry that takes both gets the token: an identity token is no password.
            for challenge in sorted(challenges, key=lambda one: one.scheme != "bearer"):
                if challenge.scheme == "bearer" and challenge.realm:
                    self._scopes.update(dict.fromkeys(challenge.scope.split()))
                    self._fetch_token(challenge)
                    return True
                if challenge.scheme == "basic":
                    return self._use_password(used)
            raise self._no_way(challenges)

    def _look_up(self) -> None:
        if not self._is_looked_up:
            self.access = replace(self.access, credential=self._find(self.access.host))
            self._is_looked_up = True

    def _use_password(self, used: str) -> bool:
        credential = self.access.credential
        if credential is None or not credential.password:
            raise unauthorized(replace(self.access, credential=None), "")
        self._header = basic(credential.username, credential.password)
        return self._header != used

    def _no_way(self, challenges: tuple[Challenge, ...]) -> RegistryError:
        schemes = ", ".join(f"`{challenge.scheme}`" for challenge in challenges)
        asks = f"asks for {schemes}, and only `basic` and `bearer` are" if schemes else "does not say how, which is not"
        return RegistryError(f"`{self.access.host}` wants to know who asks, but {asks} supported")

    def _fetch_token(self, challenge: Challenge) -> None:
        credential = self.access.credential
        if credential is not None and credential.registry_token:
            self._header = f"Bearer {credential.registry_token.reveal()}"
            return
        self._refuse_to_send_in_clear(challenge.realm)
        answer = self._request_token(challenge, credential)
        if not answer.is_success:
            raise self._token_refused(answer)
        token, lifetime_s = _token_in(answer)
        self._header = f"Bearer {token}"
        self._bearer = challenge
        self._ends_s = clock.monotonic_s() + lifetime_s * USED_PART

    def _request_token(self, challenge: Challenge, credential: Credential | None) -> Answer:
        scopes = list(self._scopes)
        if credential is not None and credential.identity_token:
            form = {
                "grant_type": "refresh_token",
                "service": challenge.service,
                "client_id": CLIENT_ID,
                "scope": " ".join(scopes),
                "refresh_token": credential.identity_token.reveal(),
            }
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._ask("POST", challenge.realm, kind, urlencode(form).encode())
        service = [("service", challenge.service)] if challenge.service else []
        query = urlencode([*service, *(("scope", scope) for scope in scopes), ("client_id", CLIENT_ID)])
        separator = "&" if urlsplit(challenge.realm).query else "?"
        headers = {"Authorization": basic(credential.username, credential.password)} if credential else {}
        return self._ask("GET", f"{challenge.realm}{separator}{query}", headers, b"")

    def _refuse_to_send_in_clear(self, realm: str) -> None:
        parts = urlsplit(realm)
        if parts.scheme == "https" or is_loopback(parts.netloc):
            return
        raise RegistryError(
            f"`{self.access.host}` wants the credentials to be sent to `{parts.netloc}` without TLS",
            where=realm,
            hint="its token service must speak https",
        )

    def _token_refused(self, answer: Answer) -> RegistryError:
        """A token service answers 400 to an identity token that has ended (RFC 6749, 5.2: invalid_grant)."""
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return refusal(answer, "the request for a token", self.access)
        if answer.status == HTTPStatus.BAD_REQUEST and self.access.credential is not None:
            return unauthorized(self.access, said(answer))
        return RegistryError(
            f"the token service of `{self.access.host}` answered {status_of(answer)}",
            where=place(answer),
            why=said(answer),
        )


def basic(username: str, password: Secret) -> str:
    """The header of RFC 7617."""
    return "Basic " + base64.b64encode(f"{username}:{password.reveal()}".encode()).decode()


def _token_in(answer: Answer) -> tuple[str, float]:
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = None
    match document:
        case {"access_token": str(token)} | {"token": str(token)} if token:
            lifetime = document.get("expires_in")
            return token, float(lifetime) if isinstance(lifetime, int | float) and lifetime > 0 else LIFETIME_S
    raise RegistryError("the token service answered without a token", where=place(answer))
