"""Ways into an AKS cluster: a kubeconfig of our own, and, where its API server can't be reached, commands run inside.

Nothing here touches the user's kubeconfig, and no program is needed: for a cluster whose people sign in by Entra ID the
kubeconfig bears a token instead of naming kubelogin.
"""

from __future__ import annotations

import base64
import io
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from spin_aks.azure import wire
from spin_aks.azure.problems import reported
from spin_aks.errors import AzureError
from spin_aks.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.mgmt.containerservice import ContainerServiceClient

    from spin_aks.azure.aks import Cluster
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject

ENTRA_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""The application that every AKS cluster's API server is to Entra ID: https://azure.github.io/kubelogin/concepts/aks.html"""

LONGEST_REQUEST = 4 * 1024 * 1024
"""https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"""

RUN_COMMAND_LIMITS = (
    "it runs in a pod of its own (half a processor, 1 GiB), which has to find a node within 60 s; it can't watch, "
    "forward a port or answer a question, and 512 kB of what it says are kept"
)
"""https://learn.microsoft.com/azure/aks/access-private-cluster#limitations; what is beyond the 512 kB is dropped
without a word: https://github.com/MicrosoftDocs/azure-docs-cli/pull/3883. So what has to be whole says where it ends.
"""


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """`text` is a whole kubeconfig, to be written where only its owner can read it; `ends` is when its token does."""

    text: Secret
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command said: both of its streams in one, as much of it as is kept."""

    exit_code: int
    output: str


def kubeconfig(session: Session, cluster: Cluster) -> Kubeconfig:
    """A kubeconfig with which whoever signed in is let in, as long as they may; raises AzureError.

    For a cluster with Entra ID its token lasts about an hour (`ends`): ask again before.
    """
    task = f"get a kubeconfig for cluster `{cluster.id.name}`"
    with reported(task, str(cluster.id), tenant=session.tenant):
        answer = _client(session, cluster).managed_clusters.list_cluster_user_credentials(
            cluster.id.group, cluster.id.name, format="exec" if cluster.entra else None
        )
        text = _first(wire.document(answer))
    if not text:
        raise AzureError(f"can't {task}: Azure gives none", where=str(cluster.id), hint="is the cluster running?")
    if not cluster.entra:
        return Kubeconfig(Secret(text))
    token, ends = entra_token(session)
    return Kubeconfig(Secret(with_token(text, token.reveal())), ends)


def _first(answer: JSONObject) -> str:
    """The first kubeconfig, or nothing; raises ShapeError."""
    given = next((value for one in wire.objects(answer, "kubeconfigs") if (value := wire.text(one, "value"))), "")
    try:
        return base64.b64decode(given, validate=True).decode()
    except ValueError as error:
        raise wire.ShapeError from error


def entra_token(session: Session) -> tuple[Secret, datetime]:
    """A token for the API server of any cluster with Entra ID, and when it ends; raises AzureError."""
    with reported("sign in to the cluster by Entra ID", tenant=session.tenant):
        token = session.credential.get_token(f"{ENTRA_SERVER}/.default")
    return Secret(token.token), datetime.fromtimestamp(token.expires_on, UTC)


def with_token(text: str, token: str) -> str:
    """The kubeconfig with that token in place of each program that its users sign in by."""
    import yaml

    try:
        document: Any = yaml.safe_load(text)
        for entry in document["users"]:
            if "exec" in entry["user"] or "auth-provider" in entry["user"]:
                entry["user"] = {"token": token}
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise AzureError("Azure gave a kubeconfig that can't be read") from error
    return str(yaml.safe_dump(document, sort_keys=False))


def run(session: Session, cluster: Cluster, command: str, files: Mapping[str, bytes] | None = None) -> Ran:
    """Runs a shell command (kubectl and helm are there) in a pod of the cluster, with `files` in its folder.

    For private clusters: RUN_COMMAND_LIMITS says what can't be done so. A command that fails is no error here. Raises
    AzureError.
    """
    task = f"run a command in cluster `{cluster.id.name}`"
    if not cluster.run_command:
        which = f"--subscription {cluster.id.subscription} --resource-group {cluster.id.group} --name {cluster.id.name}"
        turn_on = f"`az aks update --enable-run-command {which}`"
        hint = f"run this from a machine in the cluster's network, or turn it on: {turn_on}"
        raise AzureError(f"can't {task}: its run command is turned off", where=str(cluster.id), hint=hint)
    token = entra_token(session)[0].reveal() if cluster.entra else ""
    body = request(command, files or {}, token)
    with reported(task, str(cluster.id), tenant=session.tenant):
        answer = wire.document(
            _client(session, cluster)
            .managed_clusters.begin_run_command(cluster.id.group, cluster.id.name, body, polling_interval=1)
            .result()
        )
    output, exit_code = wire.text(answer, "properties", "logs"), wire.at(answer, "properties", "exitCode")
    if not isinstance(exit_code, int):
        reason = wire.text(answer, "properties", "reason") or "it does not say why"
        raise AzureError(
            f"can't {task}: {reason}", where=str(cluster.id), why=output, hint=f"note that {RUN_COMMAND_LIMITS}"
        )
    return Ran(exit_code, output)


def request(command: str, files: Mapping[str, bytes], token: str) -> Any:
    """The request that runs a command; raises AzureError if its files are more than Azure takes."""
    context = base64.b64encode(_zipped(files)).decode() if files else ""
    if len(context) + len(command) > LONGEST_REQUEST - 64 * 1024:
        what = "the files for a private cluster are more than the 4 MiB that Azure takes at once"
        raise AzureError(what, hint="run this from a machine in the cluster's network")
    body = {"command": command, "context": context}
    return {**body, "clusterToken": token} if token else body


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """The same bytes for the same files: no times of theirs."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name], zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _client(session: Session, cluster: Cluster) -> ContainerServiceClient:
    from azure.mgmt.containerservice import ContainerServiceClient

    return session.client(ContainerServiceClient, cluster.id.subscription)
