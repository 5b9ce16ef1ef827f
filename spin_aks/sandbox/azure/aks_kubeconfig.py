"""The kubeconfigs that AKS gives, leading to the API server of another one."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from spin_aks.sandbox.documents import Document, items, mapping, text

if TYPE_CHECKING:
    from spin_aks.sandbox.documents import JSON

# https://azure.github.io/kubelogin/concepts/aks.html: the applications that all AKS clusters share.
SERVER_APP = "6dae42f8-4368-4678-94ff-3960e28e3630"
CLIENT_APP = "80faf920-1908-4b52-b5ef-a8e7bedfc67a"


def user(cluster: Document, group: str, tenant: str, real: str) -> str:
    """In base64; `real` is the kubeconfig whose current context a public cluster leads to.

    A private cluster's address is a name that nobody outside its network knows. Raises ValueError for a `real` that is
    no YAML mapping.
    """
    import yaml

    properties = mapping(cluster, "properties")
    name = text(cluster, "name")
    place, person = _current(_parsed(real))
    private = text(properties, "privateFQDN")
    if private or not place:
        place = {"server": f"https://{private or text(properties, 'fqdn')}:443"}
    if mapping(properties, "aadProfile"):
        person = _asks_entra(tenant)
    user_name = f"clusterUser_{group}_{name}"
    document: Document = {
        "apiVersion": "v1",
        "clusters": [{"cluster": place, "name": name}],
        "contexts": [{"context": {"cluster": name, "user": user_name}, "name": name}],
        "current-context": name,
        "kind": "Config",
        "preferences": {},
        "users": [{"name": user_name, "user": person}],
    }
    return base64.b64encode(yaml.safe_dump(document, sort_keys=False).encode()).decode()


def _parsed(kubeconfig: str) -> Document:
    import yaml

    try:
        found: JSON = yaml.safe_load(kubeconfig)
    except yaml.YAMLError as error:
        raise ValueError(f"the kubeconfig that clusters lead to is no YAML: {error}") from error
    return mapping(found)


def _current(kubeconfig: Document) -> tuple[Document, Document]:
    """The cluster and the user of the current context."""
    context = _named(kubeconfig, "contexts", "context", text(kubeconfig, "current-context"))
    cluster = _named(kubeconfig, "clusters", "cluster", text(context, "cluster"))
    return cluster, _named(kubeconfig, "users", "user", text(context, "user"))


def _named(kubeconfig: Document, kind: str, member: str, name: str) -> Document:
    return next((mapping(item, member) for item in items(kubeconfig, kind) if text(item, "name") == name), {})


def _asks_entra(tenant: str) -> Document:
    arguments = ("get-token", "--environment", "AzurePublicCloud", "--server-id", SERVER_APP)
    who = ("--client-id", CLIENT_APP, "--tenant-id", tenant, "--login", "devicecode")
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "args": [*arguments, *who],
            "command": "kubelogin",
            "env": None,
            "provideClusterInfo": False,
        }
    }
