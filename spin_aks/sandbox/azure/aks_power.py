"""Stopping and starting a cluster: https://learn.microsoft.com/azure/aks/start-stop-cluster.

A stopped cluster can be started, deleted and read, nothing else. The sandbox's API server, which all its clusters lead
to, goes on.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import aks
from spin_aks.sandbox.azure.call import Call, RefusedError, empty
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.documents import items, text

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer


def stop(call: Call) -> Answer:
    return _switch(call, "Running", "Stopping", "stopping", "aks_power.stopped")


def start(call: Call) -> Answer:
    return _switch(call, "Stopped", "Starting", "starting", "aks_power.started")


def _switch(call: Call, needed: str, meanwhile: str, doing: str, finish: str) -> Answer:
    with call.world.state.lock:
        cluster = aks.CLUSTERS.existing(call)
        aks.check_busy(call)
        state, power = (
            text(cluster, "properties", "provisioningState"),
            text(cluster, "properties", "powerState", "code"),
        )
        if power != needed:
            # As users report it: https://github.com/MicrosoftDocs/azure-docs/issues/85161.
            message = (
                f"managed cluster is in Provisioning State({state}) and Power State({power}), {doing} cannot be "
                "performed"
            )
            raise RefusedError(HTTPStatus.BAD_REQUEST, "BadRequest", message)
        documents.child(cluster, "properties")["provisioningState"] = meanwhile
        call.world.state.put(aks.KIND, call.fill(aks.ONE), cluster)
        headers = aks.begin(call, cluster, finish, with_result=True)
    return empty(HTTPStatus.ACCEPTED, *headers)


def stopped(world: World, operation: Operation) -> None:
    _is_now(world, operation, "Stopped")


def started(world: World, operation: Operation) -> None:
    _is_now(world, operation, "Running")


def _is_now(world: World, operation: Operation, power: str) -> None:
    cluster = world.state.get(aks.KIND, operation.target)
    if cluster is None:
        return
    properties = documents.child(cluster, "properties")
    now: Document = {"provisioningState": "Succeeded", "powerState": {"code": power}}
    properties.update(now)
    for pool in items(properties, "agentPoolProfiles"):
        pool["powerState"] = {"code": power}
    world.state.put(aks.KIND, operation.target, cluster)


ROUTES = (Route("POST", aks.ONE + "/stop", stop), Route("POST", aks.ONE + "/start", start))
FINISHES = {"aks_power.stopped": stopped, "aks_power.started": started}
