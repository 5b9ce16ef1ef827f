"""Azure Kubernetes Service: https://learn.microsoft.com/rest/api/aks/managed-clusters.

A cluster leads to the sandbox's own API server, which all clusters share.
"""

from __future__ import annotations

import re
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents, moments
from spin_aks.sandbox.azure import aks_cluster, aks_commands, aks_kubeconfig, groups, identities, usages
from spin_aks.sandbox.azure.call import Call, RefusedError, answer, empty, located
from spin_aks.sandbox.azure.collection import Collection
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.documents import items, mapping, text

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

KIND = "Microsoft.ContainerService/managedClusters"
CLUSTERS = Collection(KIND)
ONE = CLUSTERS.one
OPERATION = "~/providers/Microsoft.ContainerService/locations/{location}/operations/{{id}}"
RESULT = "~/providers/Microsoft.ContainerService/locations/{location}/operationresults/{{id}}"
COMMAND_RESULT = (
    "~/resourceGroups/{group}/providers/Microsoft.ContainerService/managedclusters/{name}/commandResults/{{id}}"
)
OPERATION_VERSION = "2017-08-31"
NAME = re.compile(r"[a-zA-Z0-9](?:[-_a-zA-Z0-9]{0,61}[a-zA-Z0-9])?")


def put(call: Call) -> Answer:
    asked = call.document()
    state = call.world.state
    with state.lock:
        before = state.get(KIND, call.fill(ONE))
        _check(call, asked, before)
        cluster = aks_cluster.completed(call, asked, before, _changing(asked, before))
        state.put(KIND, call.fill(ONE), cluster)
        headers = begin(call, cluster, "aks.ready", with_result=False)
    return answer(cluster, *headers, status=HTTPStatus.OK if before else HTTPStatus.CREATED)


def begin(call: Call, cluster: Document, finish: str, *, with_result: bool) -> tuple[tuple[str, str], ...]:
    """Starts an operation on the cluster of this request, with the address of its result where the answer has none."""
    location = text(cluster, "location")
    return call.world.operations.begin(
        call,
        call.fill(ONE),
        KIND,
        finish,
        status=call.fill(OPERATION, location=location),
        result=call.fill(RESULT, location=location) if with_result else "",
        note={"tenant": call.who.tenant_id},
        api_version=OPERATION_VERSION,
    )


def _changing(asked: Document, before: Document | None) -> str:
    if before is None:
        return "Creating"
    counts = [
        {text(pool, "name"): documents.number(pool, "count") for pool in items(one, "properties", "agentPoolProfiles")}
        for one in (asked, before)
    ]
    return "Updating" if counts[0] == counts[1] else "Scaling"


def _check(call: Call, asked: Document, before: Document | None) -> None:
    located(asked, before)
    if not NAME.fullmatch(call.values["name"]):
        message = (
            f"The value of parameter resourceName '{call.values['name']}' is invalid. Error details: Name must start "
            "and end with a letter or digit and have only letters, digits, '-' and '_', 63 at most."
        )
        raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidParameter", message)
    if not items(asked, "properties", "agentPoolProfiles"):
        message = "Required parameter agentPoolProfile is missing (null)."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidParameter", message)
    check_busy(call)
    if before is None:
        usages.check_room(call, asked)
        return
    _check_running(before)
    wanted = call.header("If-Match").strip('"')
    if wanted not in ("", "*", text(before, "eTag")):
        message = f"The etag '{wanted}' does not match the managed cluster's: it was changed by another operation."
        raise RefusedError(HTTPStatus.CONFLICT, "EtagMismatch", message)


def check_busy(call: Call) -> None:
    """Raises RefusedError (OperationNotAllowed) while something is done to the cluster of this request."""
    running = call.world.operations.running(call.fill(ONE))
    if running is None:
        return
    message = (
        f"Operation is not allowed because there's an in progress {running.note.get('verb', 'update')} managed cluster "
        f"operation (operation ID: {running.name}) on the managed cluster started on {running.started}. Please wait "
        "for it to finish before starting a new operation. For more details, please visit "
        "https://aka.ms/aks-pending-operation"
    )
    raise RefusedError(HTTPStatus.CONFLICT, "OperationNotAllowed", message)


def ready(world: World, operation: Operation) -> Document | None:
    cluster = world.state.get(KIND, operation.target)
    if cluster is None:
        return None
    done = aks_cluster.ready(cluster, _identities(world, cluster, text(operation.note, "tenant")))
    return world.state.put(KIND, operation.target, done)


def _identities(world: World, cluster: Document, tenant: str) -> dict[str, Document]:
    """Those of the cluster's node resource group, made where they are missing, as a cluster tells of them."""
    subscription, location = text(cluster, "id").split("/")[2], text(cluster, "location")
    group = f"/subscriptions/{subscription}/resourcegroups/{text(cluster, 'properties', 'nodeResourceGroup')}"
    if groups.find(world, group) is None:
        world.state.put(groups.KIND, group, _node_group(group, cluster))
    found = {}
    for name in aks_cluster.identity_names(cluster):
        resource_id = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
        made = mapping(identities.make(world.state, resource_id, location, tenant), "properties")
        found[name] = {"resourceId": resource_id, "clientId": made["clientId"], "objectId": made["principalId"]}
    return found


def _node_group(group: str, cluster: Document) -> Document:
    return {
        "id": group.replace("/resourcegroups/", "/resourceGroups/"),
        "name": group.rsplit("/", 1)[-1],
        "type": groups.KIND,
        "location": text(cluster, "location"),
        "managedBy": text(cluster, "id"),
        "properties": {"provisioningState": "Succeeded"},
    }


def delete(call: Call) -> Answer:
    state = call.world.state
    with state.lock:
        cluster = state.get(KIND, call.fill(ONE))
        if cluster is None:
            return empty(HTTPStatus.NO_CONTENT)
        check_busy(call)
        documents.child(cluster, "properties")["provisioningState"] = "Deleting"
        state.put(KIND, call.fill(ONE), cluster)
        headers = begin(call, cluster, "aks.deleted", with_result=True)
    return empty(HTTPStatus.ACCEPTED, *headers)


def deleted(world: World, operation: Operation) -> None:
    cluster = world.state.get(KIND, operation.target)
    subscription = operation.target.split("/")[2]
    group = f"/subscriptions/{subscription}/resourcegroups/{text(cluster, 'properties', 'nodeResourceGroup')}"
    for identity in world.state.all_of(identities.KIND, f"{group}/"):
        identities.remove(world.state, text(identity, "id"))
    groups.remove(world, group)
    world.state.delete_below(f"{operation.target}/")
    world.state.delete(KIND, operation.target)


def user_credential(call: Call) -> Answer:
    """The kubeconfig of any user: with a token for Entra ID in clusters that ask it who somebody is."""
    cluster = CLUSTERS.existing(call)
    _check_not_starting(cluster)
    try:
        value = aks_kubeconfig.user(cluster, call.values["group"], call.who.tenant_id, _leading(call))
    except ValueError as error:
        raise _misled(error) from error
    return answer({"kubeconfigs": [{"name": "clusterUser", "value": value}]})


def _leading(call: Call) -> str:
    try:
        return call.world.around.cluster()
    except OSError as error:
        raise _misled(error) from error


def _misled(error: Exception) -> RefusedError:
    message = f"spin-aks sandbox: its clusters lead nowhere: {error}"
    return RefusedError(HTTPStatus.FAILED_DEPENDENCY, "FailedDependency", message)


def _check_not_starting(cluster: Document) -> None:
    if text(cluster, "properties", "provisioningState") == "Creating":
        message = f"Cluster {text(cluster, 'name')} is being created: it has no credentials yet."
        raise RefusedError(HTTPStatus.CONFLICT, "OperationNotAllowed", message)


def _check_running(cluster: Document) -> None:
    if text(cluster, "properties", "powerState", "code") != "Stopped":
        return
    state = text(cluster, "properties", "provisioningState")
    message = (
        f"managed cluster is in Provisioning State({state}) and Power State(Stopped). Only start and delete operations "
        "can be performed on a stopped cluster: https://learn.microsoft.com/azure/aks/start-stop-cluster"
    )
    raise RefusedError(HTTPStatus.CONFLICT, "OperationNotAllowed", message)


def run_command(call: Call) -> Answer:
    cluster = CLUSTERS.existing(call)
    _check_running(cluster)
    asked = call.document()
    if documents.at(cluster, "properties", "apiServerAccessProfile", "disableRunCommand") is True:
        message = "Run command is disabled on this managed cluster (apiServerAccessProfile.disableRunCommand)."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "RunCommandDisabled", message)
    if mapping(cluster, "properties", "aadProfile") and not text(asked, "clusterToken"):
        message = "Auth token for the managed cluster is required: it is integrated with Azure Active Directory."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "ClusterTokenRequired", message)
    _check_not_starting(cluster)
    started = moments.now()
    ran = aks_commands.run(text(asked, "command"), text(asked, "context"), _leading(call))
    result: Document = {
        "id": uuid.uuid4().hex,
        "properties": {
            "provisioningState": "Succeeded",
            "exitCode": ran.exit_code,
            "startedAt": started,
            "finishedAt": moments.now(),
            "logs": ran.output,
        },
    }
    path = call.fill(COMMAND_RESULT)
    headers = call.world.operations.begin(
        call, f"{call.fill(ONE)}/commandResults", KIND, "aks.ran", result=path, note={"command": result}
    )
    return empty(HTTPStatus.ACCEPTED, *headers)


def ran(_world: World, operation: Operation) -> Document:
    return mapping(operation.note, "command")


ROUTES = (
    *CLUSTERS.reading,
    Route("PUT", ONE, put),
    Route("DELETE", ONE, delete),
    Route("POST", ONE + "/listClusterUserCredential", user_credential),
    Route("POST", ONE + "/runCommand", run_command),
)
FINISHES = {"aks.ready": ready, "aks.deleted": deleted, "aks.ran": ran}
