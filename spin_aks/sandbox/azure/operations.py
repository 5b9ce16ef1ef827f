"""Operations that go on after their answer, as data: they survive the process, and the next run finds them ended.

An operation ends when it was looked at often enough (`LOOKS`: once it is said to be running, then it is done) and,
where the trouble file makes it slow, not before that time. Looked at means: its own address, the resource, or a list of
such resources was asked for.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from spin_aks.sandbox import documents, moments
from spin_aks.sandbox.azure.call import answer, empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spin_aks.sandbox.azure.call import Call
    from spin_aks.sandbox.azure.state import State
    from spin_aks.sandbox.azure.world import World
    from spin_aks.sandbox.documents import Document
    from spin_aks.sandbox.web import Answer

KIND = "operations"
LOOKS = 1
# Of those that have ended: nobody polls for longer, and each request reads them all.
REMEMBERED, REMEMBERED_S = 100, 24 * 3600
# Without it clients wait 30 seconds between two looks.
AT_ONCE = ("retry-after-ms", "1")


@dataclass(frozen=True, slots=True)
class Operation:
    """`target` is the resource's id, `kind` its type; `failure` is what it ends with, empty if it goes well.

    `note` is whatever its service wants to know at the end.
    """

    name: str
    finish: str
    kind: str
    target: str
    words: tuple[str, ...]
    status_path: str
    result_path: str
    note: Document
    failure: Document
    looks: int
    due: float
    started: str
    ended: str

    @property
    def running(self) -> bool:
        return not self.ended

    @property
    def word(self) -> str:
        """What its status is called now."""
        if self.running:
            return self.words[min(self.looks, len(self.words) - 1)]
        return "Failed" if self.failure else "Succeeded"


# What a service does to the state when its operation has gone well; the document is what the result's address gives.
# `NAME.failed`, where there is one, is for when `NAME` has not: without it the resource is in the state Failed.
Finish: TypeAlias = "Callable[[World, Operation], Document | None]"


class Operations:
    """All operations of the sandbox's Azure; `finishes` are the services' own, by name."""

    def __init__(self, state: State, finishes: Mapping[str, Finish]) -> None:
        self._state = state
        self._finishes = finishes

    def begin(
        self,
        call: Call,
        target: str,
        kind: str,
        finish: str,
        *,
        status: str = "",
        result: str = "",
        words: Sequence[str] = ("InProgress",),
        note: Document | None = None,
        api_version: str = "",
    ) -> tuple[tuple[str, str], ...]:
        """Starts one, and gives the headers that say where it can be followed.

        `status` is the path of Azure-AsyncOperation, `result` that of Location; `{id}` in them is the operation's name.
        A service with neither lets its clients poll the resource. `words` are the statuses before the end, in order.
        """
        name = str(uuid.uuid4())
        trouble = call.world.trouble.for_operation(call)
        operation = Operation(
            name=name,
            finish=finish,
            kind=kind,
            target=target,
            words=tuple(words),
            status_path=status.replace("{id}", name),
            result_path=result.replace("{id}", name),
            note=note or {},
            failure=trouble.failure,
            looks=0,
            due=time.time() + trouble.slow_s,
            started=moments.now(),
            ended="",
        )
        self._forget_old_ones()
        self._write(operation)
        versioned = {"api_version": api_version} if api_version else {}
        headers = [AT_ONCE]
        if operation.status_path:
            headers.append(("Azure-AsyncOperation", call.url(operation.status_path, **versioned)))
        if operation.result_path:
            headers.append(("Location", call.url(operation.result_path, **versioned)))
        return tuple(headers)

    def running(self, target: str) -> Operation | None:
        """The one that changes this resource now."""
        return next((found for found in self._all() if found.running and found.target.lower() == target.lower()), None)

    def look(self, world: World, path: str) -> None:
        """To be called before `path` is read: ends the operations whose time has come."""
        asked = path.rstrip("/").lower()
        # Two requests at the same moment must not end it twice.
        with self._state.lock:
            for operation in self._all():
                if not operation.running or not _concerns(operation, asked):
                    continue
                if operation.looks >= LOOKS and time.time() >= operation.due:
                    self._end(world, operation)
                else:
                    self._write(_changed(operation, looks=operation.looks + 1))

    def answer(self, call: Call) -> Answer | None:
        """What an operation's own address gives, or None if this is no such address; `look` comes before."""
        asked = call.request.path.rstrip("/").lower()
        for operation in self._all():
            if asked == operation.status_path.lower():
                return answer(_status(operation), *_again(operation))
            if asked == operation.result_path.lower():
                return _result(call, operation)
        return None

    def abort(self, world: World, operation: Operation) -> None:
        """Ends it as canceled; its resource stays as it is."""
        failure: Document = {"code": "OperationCanceled", "message": "The operation was canceled by a later one."}
        self._end(world, _changed(operation, failure=failure))

    def _end(self, world: World, operation: Operation) -> None:
        with self._state.lock:
            found: Document | None = None
            if operation.failure:
                self._finishes.get(f"{operation.finish}.failed", _mark_failed)(world, operation)
            else:
                found = self._finishes[operation.finish](world, operation)
            note = {**operation.note, "result": found} if found is not None else operation.note
            self._write(_changed(operation, ended=moments.now(), note=note))

    def _forget_old_ones(self) -> None:
        ended = sorted((one for one in self._all() if one.ended), key=lambda one: (one.ended, one.due), reverse=True)
        for number, operation in enumerate(ended):
            if number >= REMEMBERED or moments.seconds_since(operation.ended) > REMEMBERED_S:
                self._state.delete(KIND, operation.name)

    def _write(self, operation: Operation) -> None:
        document: Document = {name: _plain(getattr(operation, name)) for name in Operation.__slots__}
        self._state.put(KIND, operation.name, document)

    def _all(self) -> list[Operation]:
        return [_read(document) for document in self._state.all_of(KIND)]


def _plain(value: documents.JSON | tuple[str, ...]) -> documents.JSON:
    return [*value] if isinstance(value, tuple) else value


def _read(document: Document) -> Operation:
    words = document.get("words")
    due = document.get("due")
    return Operation(
        name=documents.text(document, "name"),
        finish=documents.text(document, "finish"),
        kind=documents.text(document, "kind"),
        target=documents.text(document, "target"),
        words=tuple(word for word in words if isinstance(word, str)) if isinstance(words, list) else (),
        status_path=documents.text(document, "status_path"),
        result_path=documents.text(document, "result_path"),
        note=documents.mapping(document, "note"),
        failure=documents.mapping(document, "failure"),
        looks=documents.number(document, "looks"),
        due=float(due) if isinstance(due, int | float) else 0.0,
        started=documents.text(document, "started"),
        ended=documents.text(document, "ended"),
    )


def _changed(operation: Operation, **changes: object) -> Operation:
    from dataclasses import replace

    return replace(operation, **changes)  # type: ignore[arg-type]


def _concerns(operation: Operation, asked: str) -> bool:
    own = (operation.status_path.lower(), operation.result_path.lower(), operation.target.lower())
    collection = "/providers/" + operation.kind.lower()
    return asked in own or asked.endswith(collection) or asked.endswith(("/resources", "/resourcegroups"))


def _status(operation: Operation) -> Document:
    found: Document = {"name": operation.name, "status": operation.word, "startTime": operation.started}
    if operation.ended:
        found["endTime"] = operation.ended
    if operation.ended and operation.failure:
        found["error"] = operation.failure
    return found


def _again(operation: Operation) -> tuple[tuple[str, str], ...]:
    return (AT_ONCE,) if operation.running else ()


def _result(call: Call, operation: Operation) -> Answer:
    if operation.running:
        return empty(HTTPStatus.ACCEPTED, ("Location", call.url(operation.result_path)), AT_ONCE)
    if operation.failure:
        return answer({"error": operation.failure}, status=HTTPStatus.CONFLICT)
    result = operation.note.get("result")
    return answer(result) if result is not None else empty(HTTPStatus.OK)


def _mark_failed(world: World, operation: Operation) -> None:
    state = world.state
    resource = state.get(operation.kind, operation.target)
    if resource is not None:
        documents.child(resource, "properties")["provisioningState"] = "Failed"
        state.put(operation.kind, operation.target, resource)


def gone(world: World, operation: Operation) -> None:
    """A Finish: the resource is gone, with everything below it."""
    world.state.delete_below(f"{operation.target}/")
    world.state.delete(operation.kind, operation.target)
