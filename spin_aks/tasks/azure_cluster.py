"""Being let in to a cluster of Azure's: a kubeconfig of our own, which nobody else can read."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from spin_aks import clock, files
from spin_aks.errors import AzureError, SpinAksError, UsageError
from spin_aks.tasks import resources

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from spin_aks.azure.aks import Cluster
    from spin_aks.context import Context

OURS_ALONE = 0o600
LEFT = timedelta(minutes=5)
"""A token that ends sooner is renewed first."""


def identity(context: Context) -> str:
    """Which cluster our kubeconfig leads to; empty without one, or where no cluster of Azure's is meant."""
    from spin_aks.cluster import kubeconfig as kubeconfigs

    if resources.cluster(context) is None:
        return ""
    try:
        path = _path(context)
        return kubeconfigs.target(str(path), "").identity if path.is_file() else ""
    except (SpinAksError, UsageError):
        return ""


def kubeconfig(context: Context) -> Path:
    """The kubeconfig for the cluster that `resources` found; Azure is asked for one where there is none that holds.

    Raises AzureError, also for a cluster that only its own network reaches.
    """
    path = _path(context)
    if path.is_file() and _holds(path):
        return path
    from spin_aks.azure import aks, aks_access

    resource = resources.resource_id(context, "cluster")
    found = aks.get(context.azure, resource)
    if found is None:
        raise AzureError(
            "there is no such cluster", where=str(resource), hint=f"spin-aks run {resources.NAME} --refresh"
        )
    _refuse_closed(found)
    given = aks_access.kubeconfig(context.azure, found)
    files.write(path, given.text.reveal(), mode=OURS_ALONE)
    files.write(_note(path), clock.rfc3339(given.ends) if given.ends else "", mode=OURS_ALONE)
    return path


def _refuse_closed(found: Cluster) -> None:
    if not found.running:
        hint = f"`az aks start --ids {found.id}` starts it"
        raise AzureError(f"the cluster is {found.power.lower()}", where=str(found.id), hint=hint)
    if found.private:
        raise AzureError(
            "the cluster is private: its API server is reached from its own network only",
            where=str(found.id),
            hint="run this where that network is, with `--kubeconfig` and without `--cluster`",
        )


def _path(context: Context) -> Path:
    """In the user's cache and not in the project: it lets in whoever has it."""
    which = f"{resources.resource_id(context, 'cluster')} {resources.kubelet_identity(context)}"
    name = hashlib.sha256(which.lower().encode()).hexdigest()[:16]
    try:
        return files.cache_folder() / "clusters" / f"{name}.kubeconfig"
    except SpinAksError:  # a user without a home
        return context.state(f"{name}.kubeconfig")


def _note(path: Path) -> Path:
    return path.with_suffix(".ends")


def _holds(path: Path) -> bool:
    """Whether its token, if it has one, lasts a while longer."""
    try:
        ends = files.read_text(_note(path)).strip()
    except SpinAksError:
        return False
    return not ends or _moment(ends) > clock.now() + LEFT


def _moment(text: str) -> datetime:
    from datetime import datetime as moments

    return moments.fromisoformat(text)
