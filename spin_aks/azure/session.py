"""One sign-in, and the SDK's clients that use it."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from spin_aks.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.pipeline.transport import HttpTransport
    from azure.core.rest import HttpRequest, HttpResponse

    from spin_aks.azure.credential import Credential

    Transport = HttpTransport[HttpRequest, HttpResponse]

C = TypeVar("C")

POLL_S = 10.0
"""How often a long operation is asked for, where Azure itself doesn't say."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """One of Azure's clouds: `name` as `az cloud list` has it, `arm` the Resource Manager's address, the rest hosts."""

    name: str
    arm: str
    authority: str

    @property
    def scope(self) -> str:
        return f"{self.arm}/.default"


PUBLIC = Cloud("AzureCloud", "https://management.azure.com", "login.microsoftonline.com")
CLOUDS = (
    PUBLIC,
    Cloud("AzureUSGovernment", "https://management.usgovcloudapi.net", "login.microsoftonline.us"),
    Cloud("AzureChinaCloud", "https://management.chinacloudapi.cn", "login.chinacloudapi.cn"),
)
REGISTRY_HOSTS = (".azurecr.io", ".azurecr.us", ".azurecr.cn")


def cloud(environment: Mapping[str, str] | None = None) -> Cloud:
    """The cloud that `AZURE_AUTHORITY_HOST` means to Azure's SDKs, the public one without; raises UsageError."""
    variables = os.environ if environment is None else environment
    given = variables.get("AZURE_AUTHORITY_HOST", "")
    host = given.removeprefix("https://").strip("/").lower()
    if not host:
        return PUBLIC
    for known in CLOUDS:
        if host == known.authority:
            return known
    hosts = ", ".join(f"`{known.authority}`" for known in CLOUDS)
    raise UsageError(f"AZURE_AUTHORITY_HOST is `{given}`, which is no cloud of Azure's", hint=f"known are {hosts}")


class Session:
    """A sign-in to one tenant, used by any number of threads. Nothing is sent before something is asked."""

    def __init__(
        self,
        credential: Credential,
        *,
        cloud: Cloud = PUBLIC,
        transport: Transport | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        self.credential = credential
        self.cloud = cloud
        self.poll_s = poll_s
        self._given = transport
        self._transport: Transport | None = transport
        self._clients: dict[tuple[object, ...], object] = {}
        self._lock = threading.RLock()

    @property
    def tenant(self) -> str:
        """The tenant that was chosen, or empty for the credential's own."""
        return self.credential.tenant

    @property
    def transport(self) -> Transport:
        """The one pool of connections that all clients share."""
        with self._lock:
            if self._transport is None:
                from azure.core.pipeline.transport import RequestsTransport

                self._transport = RequestsTransport()
            return self._transport

    def client(self, kind: Callable[..., C], *subscription: str) -> C:
        """The management client of that class for that subscription, made once."""
        return self.kept((kind, *subscription), lambda: self._made(kind, subscription))

    def kept(self, key: tuple[object, ...], make: Callable[[], C]) -> C:
        """What `make` made when it was first asked for under that key, as long as the session lasts."""
        with self._lock:
            if key not in self._clients:
                self._clients[key] = make()
            made: C = self._clients[key]  # type: ignore[assignment]
            return made

    def _made(self, kind: Callable[..., C], subscription: tuple[str, ...]) -> C:
        from azure.core.settings import settings

        from spin_aks.azure.pipeline import policies

        settings.tracing_enabled = False
        return kind(
            self.credential,
            *subscription,
            base_url=self.cloud.arm,
            credential_scopes=[self.cloud.scope],
            transport=self.transport,
            policies=policies(self.credential, self.cloud.scope),
            polling_interval=self.poll_s,
        )

    def in_tenant(self, tenant: str) -> Session:
        """The same person in another of their tenants; one session each, so that none is asked for a token twice."""
        if tenant == self.tenant:
            return self
        return self.kept(("tenant", tenant), lambda: self._moved(tenant))

    def _moved(self, tenant: str) -> Session:
        return Session(
            self.credential.in_tenant(tenant), cloud=self.cloud, transport=self.transport, poll_s=self.poll_s
        )

    def close(self) -> None:
        """Ends the connections; a transport that was given is its giver's."""
        with self._lock:
            self._clients.clear()
            if self._given is None and self._transport is not None:
                self._transport.close()
                self._transport = None
