"""A sandbox's Azure as somebody else sees it: what it was asked, what goes wrong in it, and changes behind our back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import requests

from spin_aks.sandbox.azure import directory
from spin_aks.sandbox.azure.identifiers import SUBSCRIPTION, TENANT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spin_aks import sandbox

MANAGEMENT = "https://management.azure.com"
CLUSTERS = ("Microsoft.ContainerService/managedClusters", "2026-08-01")
REGISTRIES = ("Microsoft.ContainerRegistry/registries", "2025-11-01")
ASSIGNMENTS = ("Microsoft.Authorization/roleAssignments", "2022-04-01")
# What a command gets from the sandbox besides its Azure: somebody with nothing but a subscription has none of it.
NOT_AZURE = (
    "SPIN_AKS_CONTAINER_REGISTRY_SERVER",
    "SPIN_AKS_CLUSTER_KUBECONFIG",
    "SPIN_AKS_CLUSTER_CONTEXT",
    "KUBECONFIG",
)
# POST that changes nothing.
ASKING = (
    "/checknameavailability",
    "/listclusterusercredential",
    "/oauth2/v2.0/token",
    "/oauth2/exchange",
    "/oauth2/token",
)


class Asked(NamedTuple):
    """One request; `place` is host and path, `status` is `-` where the connection was cut."""

    method: str
    place: str
    status: str

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD") and not self.place.lower().endswith(ASKING)


@dataclass
class Cloud:
    """The Azure of `running`."""

    running: sandbox.Running

    @cached_property
    def environment(self) -> dict[str, str]:
        """What leads a command to it, and to nothing else of the sandbox."""
        return {name: value for name, value in self.running.environment.items() if name not in NOT_AZURE}

    @property
    def folder(self) -> Path:
        return Path(self.environment["REQUESTS_CA_BUNDLE"]).parent

    def trouble(self, *rules: str, more: str = "") -> None:
        """From now on these rules hold, and no others."""
        text = "\n".join([more, *(f"[[rule]]\n{rule}" for rule in rules)])
        (self.folder / "trouble.toml").write_text(text, encoding="utf-8")

    def asked(self) -> list[Asked]:
        """Every request since the sandbox was started."""
        path = self.folder / "requests.log"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [Asked(*line.rsplit(" ", 1)[0].split(" ", 1), line.rsplit(" ", 1)[1]) for line in lines]

    def changes(self, begin: int = 0) -> list[tuple[str, str]]:
        """Method and last part of the path of each request that changed something, from the `begin`th request on."""
        return [(one.method, one.place.rsplit("/", 1)[1]) for one in self.asked()[begin:] if one.changes]

    def subscribe(self, subscription: str, name: str, tenant: str = TENANT, *, managed_by: str = "") -> None:
        """Whoever signs in sees another subscription from now on, in that tenant or in the one that manages it."""
        directory.add_subscription(self.running._azure.world.state, subscription, name, tenant, managed_by=managed_by)

    def invite(self, tenant: str, name: str) -> None:
        """Whoever signs in is a guest in another tenant from now on."""
        directory.add_tenant(self.running._azure.world.state, tenant, name)

    def made(self, kind: tuple[str, str], group: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Makes the group and a resource in it, by hand; gives what Azure answers, once it is ready."""
        self.send("PUT", f"/resourceGroups/{group}", "2025-04-01", {"location": "eastus2"})
        place = f"/resourceGroups/{group}/providers/{kind[0]}/{name}"
        self.send("PUT", place, kind[1], {"location": "eastus2", **body})
        return self.ready(place, kind[1])

    def cluster(self, group: str, name: str, **properties: Any) -> dict[str, Any]:
        pool = {"name": "nodepool1", "mode": "System", "count": 1, "vmSize": "Standard_D2s_v5"}
        body = {"dnsPrefix": name, "agentPoolProfiles": [pool], **properties}
        return self.made(CLUSTERS, group, name, {"identity": {"type": "SystemAssigned"}, "properties": body})

    def registry(self, group: str, name: str) -> dict[str, Any]:
        return self.made(REGISTRIES, group, name, {"sku": {"name": "Basic"}, "properties": {}})

    def ready(self, place: str, version: str) -> dict[str, Any]:
        """The resource, once it says that it is."""
        for _ in range(20):
            found = self.send("GET", place, version)
            if found["properties"]["provisioningState"] == "Succeeded":
                return found
        raise AssertionError(found)

    def every(self, kind: tuple[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.send("GET", f"/providers/{kind[0]}", kind[1])["value"]
        return found

    def delete(self, resource: Mapping[str, Any], kind: tuple[str, str]) -> None:
        """Also waits until it is gone."""
        place = str(resource["id"]).partition(f"/subscriptions/{SUBSCRIPTION}")[2]
        self.send("DELETE", place, kind[1])
        for _ in range(5):
            if self._answer("GET", place, kind[1]).status_code == 404:
                return
        raise AssertionError(place)

    def pulls(self) -> list[dict[str, Any]]:
        """All assignments of AcrPull."""
        return [one for one in self.every(ASSIGNMENTS) if "7f951dda-4ed3-4680-a7ca-43fe172d538d" in str(one)]

    def send(self, method: str, place: str, version: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._answer(method, place, version, body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _answer(
        self, method: str, place: str, version: str, body: Mapping[str, Any] | None = None
    ) -> requests.Response:
        url = f"{MANAGEMENT}/subscriptions/{SUBSCRIPTION}{place}?api-version={version}"
        with self._session() as session:
            return session.request(method, url, json=body, headers={"Authorization": self._token}, timeout=30)

    @cached_property
    def _token(self) -> str:
        environment = self.environment
        form = {
            "grant_type": "client_credentials",
            "client_id": environment["AZURE_CLIENT_ID"],
            "client_secret": environment["AZURE_CLIENT_SECRET"],
            "scope": f"{MANAGEMENT}/.default",
        }
        url = f"https://login.microsoftonline.com/{environment['AZURE_TENANT_ID']}/oauth2/v2.0/token"
        with self._session() as session:
            return f"Bearer {session.post(url, data=form, timeout=30).json()['access_token']}"

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.proxies = {"https": self.environment["HTTPS_PROXY"]}
        session.verify = self.environment["REQUESTS_CA_BUNDLE"]
        return session
