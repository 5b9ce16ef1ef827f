"""Being let in to a cluster of Azure's: a kubeconfig of our own, which nobody else can read.

To a private cluster there is no such way: commands are run in it, through Azure.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from spin_aks import clock, files, terminal
from spin_aks.errors import SpinAksError, UsageError
from spin_aks.tasks import azure_known, resource_cluster, resources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spin_aks.cluster.connection import Cluster as Connection
    from spin_aks.context import Context
    from spin_aks.json_types import JSONObject

OURS_ALONE = 0o600
LEFT = timedelta(minutes=5)
"""A token that ends sooner is renewed first."""


def identity(context: Context) -> str:
    """Which cluster our kubeconfig leads to, or commands run in; empty without either, or where no cluster of Azure's
    is meant.
    """
    from spin_aks.cluster import kubeconfig as kubeconfigs

    if not _known(context):
        return ""
    if is_private(context):
        from spin_aks.cluster import by_commands

        return by_commands.target(str(resources.resource_id(context, "cluster"))).identity
    try:
        path = _path(context)
        return kubeconfigs.target(str(path), "").identity if path.is_file() else ""
    except (SpinAksError, UsageError):
        return ""


def check_running(context: Context) -> None:
    """Raises AzureError where the cluster that is named is stopped, which is asked before anything is pushed for it.

    One that `resources` has not found yet, or that is gone, is that stage's to look at; where Azure does not tell, the
    cluster itself will, when it is applied to.
    """
    from spin_aks.azure import aks

    if not _known(context):
        return
    try:
        found = aks.get(context.azure, resources.resource_id(context, resource_cluster.WHAT))
    except SpinAksError:
        return
    if found is not None:
        resource_cluster.serving(context, found)


def is_private(context: Context) -> bool:
    """Whether the cluster that `resources` found can be asked only by commands that run in it."""
    return _known(context).get("private") is True


def _known(context: Context) -> JSONObject:
    """What `resources` noted of the cluster, if it is the one that is named now."""
    return azure_known.entry(context, resource_cluster.WHAT, resources.cluster(context))


def connect(context: Context) -> Connection:
    """The way to the cluster that `resources` found; raises AzureError and what a connection raises."""
    if is_private(context):
        return _commanded(context)
    from spin_aks.cluster.connection import connect as connected

    return connected(str(kubeconfig(context)), "")


def kubeconfig(context: Context) -> Path:
    """The kubeconfig for the cluster that `resources` found; Azure is asked for one where there is none that holds.

    Raises AzureError.
    """
    path = _path(context)
    if path.is_file() and _holds(path):
        return path
    from spin_aks.azure import aks_access

    found = resource_cluster.running(context, resources.resource_id(context, resource_cluster.WHAT))
    given = aks_access.kubeconfig(context.azure, found)
    files.write(path, given.text.reveal(), mode=OURS_ALONE)
    files.write(_note(path), clock.rfc3339(given.ends) if given.ends else "", mode=OURS_ALONE)
    return path


def _commanded(context: Context) -> Connection:
    from spin_aks.azure import aks_access
    from spin_aks.cluster.by_commands import CommandedCluster

    found = resource_cluster.running(context, resources.resource_id(context, resource_cluster.WHAT))
    terminal.say(
        f"cluster `{found.id.name}` is private: kubectl runs in it, through Azure, and takes some seconds each time "
        "(`az aks command invoke` does the same by hand)"
    )

    def run(command: str, attached: Mapping[str, bytes]) -> tuple[int, str]:
        ran = aks_access.run(context.azure, found, command, attached)
        return ran.exit_code, ran.output

    return CommandedCluster(str(found.id), run)


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
    from datetime import UTC, datetime

    try:
        ends = files.read_text(_note(path)).strip()
        return not ends or datetime.fromisoformat(ends).astimezone(UTC) > clock.now() + LEFT
    except (SpinAksError, ValueError, OverflowError):
        return False
