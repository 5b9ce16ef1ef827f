"""Bare requests to the sandbox's Azure, for what no SDK shows: headers, statuses, what a wrong request gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spin_aks.sandbox.azure.identifiers import SUBSCRIPTION

if TYPE_CHECKING:
    import requests
    from testbed.azure_recordings import Clients

MANAGEMENT = "https://management.azure.com"
BELOW = f"/subscriptions/{SUBSCRIPTION}"
VERSION = "2024-07-01"


def ask(
    clients: Clients, method: str, path: str, body: Any = None, *, version: str = VERSION, **headers: str
) -> requests.Response:
    """`~` is the sandbox's own subscription; a whole URL is asked for as it is."""
    url = path if "://" in path else MANAGEMENT + path.replace("~", BELOW, 1)
    token = clients.credential.get_token(f"{MANAGEMENT}/.default").token
    sent = {"Authorization": f"Bearer {token}", **headers}
    query = {"api-version": version} if version and "api-version=" not in url else {}
    return clients.session.request(method, url, params=query, headers=sent, json=body, timeout=30)


def error(answer: requests.Response) -> tuple[int, str, str]:
    """Status, code and message."""
    found = answer.json()["error"]
    return answer.status_code, found["code"], found["message"]


def group(clients: Clients, name: str = "rg", location: str = "eastus") -> None:
    assert ask(clients, "PUT", f"~/resourceGroups/{name}", {"location": location}).status_code in (200, 201)


def cluster_body(location: str = "eastus", **properties: Any) -> dict[str, Any]:
    pool = {"name": "nodepool1", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5"}
    return {
        "location": location,
        "identity": {"type": "SystemAssigned"},
        "properties": {"dnsPrefix": "own", "agentPoolProfiles": [pool], **properties},
    }


def cluster_path(name: str = "aks", group: str = "rg") -> str:
    return f"~/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}"


def registry_path(name: str = "registry1", group: str = "rg") -> str:
    return f"~/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{name}"
