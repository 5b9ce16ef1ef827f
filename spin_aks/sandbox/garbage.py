"""What goes because something else went: dependents of what was deleted, and all that was in a deleted namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks.sandbox import documents, kinds
from spin_aks.sandbox.api import Write
from spin_aks.sandbox.deployments import key_of
from spin_aks.sandbox.documents import items, text
from spin_aks.sandbox.objects import Key

if TYPE_CHECKING:
    from spin_aks.sandbox.api import Api

WRITE = Write("kube-controller-manager")


def collect(api: Api) -> None:
    """Deletes every object whose owners are all gone."""
    alive = {text(item, "metadata", "uid") for kind in kinds.KINDS for item in api.store.all_of(kind)}
    for kind in kinds.KINDS:
        for item in api.store.all_of(kind):
            owners = {text(owner, "uid") for owner in items(item, "metadata", "ownerReferences")}
            if owners and not owners & alive:
                api.delete(key_of(item, kind), {})


def empty_namespaces(api: Api) -> None:
    """Deletes what is in namespaces that are to go, then them; gives the others their service account."""
    for namespace in api.store.all_of(kinds.NAMESPACE):
        name = text(namespace, "metadata", "name")
        if not documents.at(namespace, "metadata", "deletionTimestamp"):
            account = Key(kinds.SERVICE_ACCOUNT, name, "default")
            if api.store.get(account) is None:
                api.create(account, {"metadata": {"name": "default"}}, WRITE)
            continue
        inside = [
            key_of(item, kind) for kind in kinds.KINDS if kind.namespaced for item in api.store.all_of(kind, name)
        ]
        for key in inside:
            api.delete(key, {})
        if not any(api.store.get(key) for key in inside):
            api.store.delete(Key(kinds.NAMESPACE, "", name))
