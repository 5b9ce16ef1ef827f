"""Quick runs of a registry's tasks: https://learn.microsoft.com/rest/api/container-registry/registries/schedule-run.

The sources are uploaded to a blob, the run builds them, and its log is a blob that grows until its metadata says
`complete`. A run is done when it was looked at twice, itself or its log.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from spin_aks.sandbox import documents
from spin_aks.sandbox.azure import acr, acr_builder, acr_login, blobs, roles
from spin_aks.sandbox.azure.call import Call, RefusedError, answer, empty, page
from spin_aks.sandbox.azure.made_by import system_data
from spin_aks.sandbox.azure.routes import Route
from spin_aks.sandbox.documents import text

if TYPE_CHECKING:
    from spin_aks.sandbox.azure.operations import Operation
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

KIND = acr.RUN_KIND
RUNS = acr.ONE + "/runs"
RUN = RUNS + "/{run}"
QUICK_BUILD = "DockerBuildRequest"
CALLER = "[caller]"
LOG_BEGINS = b"Downloading source code...\r\nFinished downloading source code\r\n"


def upload_url(call: Call) -> Answer:
    acr.REGISTRIES.existing(call)
    relative = f"source/{datetime.now(UTC):%Y%m%d}0000/{uuid.uuid4()}.tar.gz"
    url = blobs.signed_url(call.world, f"{_container(call)}/{relative}", "cw")
    return answer({"uploadUrl": url, "relativePath": relative})


def _container(call: Call) -> str:
    """The registry's own part of the storage account."""
    number = uuid.uuid5(uuid.NAMESPACE_URL, call.fill(acr.ONE).lower())
    return f"/{number.hex}"


def schedule(call: Call) -> Answer:
    registry = acr.REGISTRIES.existing(call)
    asked = call.document()
    if text(asked, "type") != QUICK_BUILD:
        message = f"spin-aks sandbox: its registries run no {text(asked, 'type') or 'such task'}, only {QUICK_BUILD}."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidRunRequest", message)
    source = f"{_container(call)}/{text(asked, 'sourceLocation')}"
    if call.world.state.get(blobs.KIND, source) is None:
        message = f"The source location '{text(asked, 'sourceLocation')}' has no uploaded sources."
        raise RefusedError(HTTPStatus.BAD_REQUEST, "InvalidSourceLocation", message)
    state = call.world.state
    with state.lock:
        name = f"ca{len(state.all_of(KIND, call.fill(RUNS) + '/')) + 1}"
        target, log = call.fill(RUN, run=name), _log(call, name)
        run = state.put(KIND, target, _queued(call, asked, name))
        note: Document = {"asked": asked, "source": source, "log": log, "registry": call.fill(acr.ONE)}
        note["may_push"] = _may_push(call, registry, asked)
        call.world.operations.begin(call, target, KIND, "acr.built", status=log, note=note)
    blobs.write(call.world, log, LOG_BEGINS)
    return answer(run)


def _may_push(call: Call, registry: Document, asked: Document) -> bool:
    """Where rights are given by repository, a run has none of its own: it pushes as its caller, if it says so."""
    if text(registry, "properties", "roleAssignmentMode") != acr.ABAC:
        return True
    mine = roles.of(call.world, call.who.object_id, text(registry, "id"))
    as_caller = text(asked, "credentials", "sourceRegistry", "identity") == CALLER
    return as_caller and any("push" in acr_login.BY_ROLE.get(role, frozenset()) for role in mine)


def _queued(call: Call, asked: Document, name: str) -> Document:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}+00:00"
    made = system_data(call, None)
    return {
        "type": KIND,
        "properties": {
            "runId": name,
            "status": "Queued",
            "lastUpdatedTime": now,
            "provisioningState": "Succeeded",
            "isArchiveEnabled": asked.get("isArchiveEnabled") is True,
        },
        "id": call.fill(RUN, run=name),
        "name": name,
        "systemData": {key: value for key, value in made.items() if key.startswith("lastModified")},
    }


def get(call: Call) -> Answer:
    acr.REGISTRIES.existing(call)
    return answer(_shown(call.world, _existing(call)))


def list_all(call: Call) -> Answer:
    acr.REGISTRIES.existing(call)
    runs = call.world.state.all_of(KIND, call.fill(RUNS) + "/")
    return page(call, [_shown(call.world, run) for run in runs])


def _existing(call: Call) -> Document:
    run = call.world.state.get(KIND, call.fill(RUN))
    if run is None:
        message = f"The run '{call.values['run']}' was not found in the registry '{call.values['name']}'."
        raise RefusedError(HTTPStatus.NOT_FOUND, "ResourceNotFound", message)
    return run


def _shown(world: World, run: Document) -> Document:
    """As it is now: one that was looked at is running."""
    operation = world.operations.running(text(run, "id"))
    if operation is None or not operation.looks:
        return run
    properties: Document = {**documents.mapping(run, "properties"), "status": "Running"}
    architecture = text(operation.note, "asked", "platform", "architecture") or "amd64"
    properties |= {
        "runType": "QuickRun",
        "createTime": operation.started,
        "startTime": operation.started,
        "platform": {"os": "linux", "architecture": architecture},
        "agentConfiguration": {"cpu": 2},
    }
    return {**run, "properties": properties}


def built(world: World, operation: Operation) -> None:
    registry = world.state.get(acr.KIND, text(operation.note, "registry"))
    source = blobs.file_of(world, text(operation.note, "source"))
    server = text(registry, "properties", "loginServer")
    found = acr_builder.build(
        documents.mapping(operation.note, "asked"),
        source,
        server,
        world.around.registry,
        may_push=operation.note.get("may_push") is not False,
    )
    _end(world, operation, "Succeeded" if found.succeeded else "Failed", found)


def broken(world: World, operation: Operation) -> None:
    """The trouble file says so."""
    log = f"failed to run step ID: build: {text(operation.failure, 'message')}\n"
    _end(world, operation, "Failed", acr_builder.Built(succeeded=False, images=(), log=log))


def _end(world: World, operation: Operation, status: str, found: acr_builder.Built) -> None:
    run = world.state.get(KIND, operation.target)
    if run is None:
        return
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}+00:00"
    done = _shown(world, run)
    documents.child(done, "properties").update({"status": status, "finishTime": now, "lastUpdatedTime": now})
    if found.images:
        documents.child(done, "properties")["outputImages"] = [*found.images]
    if not found.succeeded:
        documents.child(done, "properties")["runErrorMessage"] = found.log.splitlines()[-1]
    world.state.put(KIND, operation.target, done)
    complete = {"complete": "successful" if found.succeeded else "failed"}
    blobs.write(world, text(operation.note, "log"), LOG_BEGINS + found.log.encode(), complete)


def log_url(call: Call) -> Answer:
    _existing(call)
    return answer({"logLink": blobs.signed_url(call.world, _log(call, call.values["run"]), "r")})


def _log(call: Call, run: str) -> str:
    return f"{_container(call)}/logs/{run}/rawtext.log"


def cancel(call: Call) -> Answer:
    _existing(call)
    with call.world.state.lock:
        operation = call.world.operations.running(call.fill(RUN))
        if operation is not None:
            call.world.operations.abort(call.world, operation)
            run = _existing(call)
            documents.child(run, "properties")["status"] = "Canceled"
            call.world.state.put(KIND, call.fill(RUN), run)
    return empty(HTTPStatus.OK)


ROUTES = (
    Route("POST", acr.ONE + "/listBuildSourceUploadUrl", upload_url),
    Route("POST", acr.ONE + "/scheduleRun", schedule),
    Route("GET", RUNS, list_all),
    Route("GET", RUN, get),
    Route("POST", RUN + "/listLogSasUrl", log_url),
    Route("POST", RUN + "/cancel", cancel),
)
FINISHES = {"acr.built": built, "acr.built.failed": broken}
