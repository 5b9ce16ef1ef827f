"""The SDKs' clients, all over one HTTP session."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from azure.core.credentials import TokenCredential

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


class Anyone:
    """A credential whose token says nothing; the recordings ask for none."""

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken("recorded", int(time.time()) + 3600)


class Hurried(RequestsTransport):
    """Waits for nothing, however long the service asks to wait."""

    def sleep(self, duration: float) -> None:
        """No time passes."""


@dataclass
class Clients:
    """The SDK's clients over one HTTP session, made when first asked for."""

    session: requests.Session
    credential: TokenCredential = field(default_factory=Anyone)
    # Of whoever the credential signs in.
    object_id: str = ""
    # The sandbox that answers; none for a recording.
    world: Any = None
    # Of a registry, once it was given.
    refresh_token: str = "recorded"

    def _options(self) -> dict[str, Any]:
        transport = Hurried(session=self.session, session_owner=False)
        return {"transport": transport, "retry_total": 0, "polling_interval": 0}

    def _management(self, made: Callable[..., Any]) -> Any:
        return made(self.credential, SUBSCRIPTION, **self._options())

    @cached_property
    def groups(self) -> Any:
        return self.resources.resource_groups

    @cached_property
    def resources(self) -> Any:
        from azure.mgmt.resource.resources import ResourceManagementClient

        return self._management(ResourceManagementClient)

    @cached_property
    def subscriptions(self) -> Any:
        from azure.mgmt.resource.subscriptions import SubscriptionClient

        return SubscriptionClient(self.credential, **self._options())

    @cached_property
    def clusters(self) -> Any:
        from azure.mgmt.containerservice import ContainerServiceClient

        return self._management(ContainerServiceClient).managed_clusters

    @cached_property
    def registries(self) -> Any:
        from azure.mgmt.containerregistry import ContainerRegistryManagementClient

        return self._management(ContainerRegistryManagementClient).registries

    @cached_property
    def registry_tasks(self) -> Any:
        from azure.mgmt.containerregistrytasks import ContainerRegistryTasksMgmtClient

        return self._management(ContainerRegistryTasksMgmtClient)

    @cached_property
    def authorization(self) -> Any:
        from azure.mgmt.authorization import AuthorizationManagementClient

        return self._management(AuthorizationManagementClient)

    @cached_property
    def identities(self) -> Any:
        from azure.mgmt.msi import ManagedServiceIdentityClient

        return self._management(ManagedServiceIdentityClient).user_assigned_identities

    @cached_property
    def federated_credentials(self) -> Any:
        from azure.mgmt.msi import ManagedServiceIdentityClient

        return self._management(ManagedServiceIdentityClient).federated_identity_credentials

    @cached_property
    def vaults(self) -> Any:
        from azure.mgmt.keyvault import KeyVaultManagementClient

        return self._management(KeyVaultManagementClient).vaults

    @cached_property
    def redis(self) -> Any:
        from azure.mgmt.redis import RedisManagementClient

        return self._management(RedisManagementClient)

    @cached_property
    def redis_enterprise(self) -> Any:
        from azure.mgmt.redisenterprise import RedisEnterpriseManagementClient

        return self._management(RedisEnterpriseManagementClient)

    @cached_property
    def cosmos(self) -> Any:
        from azure.mgmt.cosmosdb import CosmosDBManagementClient

        return self._management(CosmosDBManagementClient)

    def secrets(self, vault: str) -> Any:
        """A client of that vault which knows nothing of an earlier one's challenge."""
        from azure.keyvault.secrets import SecretClient
        from azure.keyvault.secrets._shared import http_challenge_cache

        http_challenge_cache.clear()
        return SecretClient(f"https://{vault}.vault.azure.net", self.credential, **self._options())

    def http(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """For the few exchanges that no SDK makes: status, what kind of body, and what it says."""
        answer = self.session.request(method, url, timeout=30, allow_redirects=False, **options)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        body = answer.json() if kind == "application/json" and answer.content else answer.content.decode()
        asked = answer.headers.get("www-authenticate", "")
        return {"status": answer.status_code, "kind": kind, "asked": asked, "body": body}
