"""Operations that take minutes: followed with progress, through lost connections, and never started twice.

The journal says what was begun and has not been seen to end. It is written before a request is sent, so that a run
that is killed at any moment leaves word. What became of it is asked of the resource itself, by the next run (`settle`):
an operation that was begun by another run, or by other hands, is waited for in the same way.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from spin_aks import clock, files
from spin_aks.azure.arm import ResourceId
from spin_aks.azure.problems import (
    RERUN,
    AzureRefusalError,
    AzureStrangeError,
    AzureUnreachableError,
    Kind,
    in_words,
)
from spin_aks.azure.unreadable import readable
from spin_aks.errors import AzureError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from azure.core.polling import LROPoller

    from spin_aks.json_types import JSON

T = TypeVar("T")

SAY_EVERY_S = 30.0
LOOK_EVERY_S = 10.0
LONGEST_S = 3600.0
LONGEST_SILENCE_S = 600.0
FINAL = frozenset({"succeeded", "failed", "canceled", "cancelled", ""})


class Settling(Protocol):
    """A resource as a service's module reads it; `state` is its provisioningState."""

    @property
    def state(self) -> str: ...


R = TypeVar("R", bound=Settling)


@dataclass(frozen=True, slots=True)
class Underway:
    """One operation of the journal: `task` as in "can't TASK", `started` in RFC 3339."""

    resource: ResourceId
    task: str
    started: str


class Journal:
    """What was begun in an environment, kept in one file; without a path, only as long as the process lives."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._entries = {entry.resource: entry for entry in _read(path)}

    def underway(self) -> tuple[Underway, ...]:
        """What was begun and not seen to end, the oldest first."""
        return tuple(sorted(self._entries.values(), key=lambda entry: entry.started))

    def begin(self, resource: ResourceId, task: str) -> Underway:
        """Notes it, or gives what is noted already of the same."""
        known = self._entries.get(resource)
        if known is not None and known.task == task:
            return known
        self._entries[resource] = Underway(resource, task, clock.rfc3339(clock.now()))
        self._write()
        return self._entries[resource]

    def end(self, resource: ResourceId) -> None:
        if self._entries.pop(resource, None) is not None:
            self._write()

    def _write(self) -> None:
        if self._path is not None:
            entries: list[JSON] = [
                {"resource": str(entry.resource), "started": entry.started, "task": entry.task}
                for entry in self.underway()
            ]
            files.write_json(self._path, {"operations": entries})


def _read(path: Path | None) -> Iterator[Underway]:
    """A file that is torn, or not ours, says nothing: the resources themselves are asked anyway."""
    document = files.read_json(path) if path is not None else None
    entries = document.get("operations") if document else None
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case {"resource": str(resource), "task": str(task), "started": str(started)}:
                try:
                    datetime.fromisoformat(started)
                    yield Underway(ResourceId.parse(resource), task, started)
                except (AzureError, ValueError):
                    continue


def _silent(_text: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told of progress, where operations are noted, and how long one is waited for."""

    progress: Callable[[str], None] = _silent
    journal: Journal = field(default_factory=Journal)
    longest_s: float = LONGEST_S


def follow(watch: Watch, task: str, resource: ResourceId, begin: Callable[[str | None], LROPoller[T]]) -> T:
    """Starts an operation and waits for its end; gives what the SDK does.

    `begin` gets None to start it, or the SDK's continuation token to take it up after a connection was lost. Raises
    AzureError: for a refusal nothing was begun; for a failure the resource may be half made, which the error says.
    """
    from azure.core import exceptions

    noted = watch.journal.begin(resource, task)
    try:
        with readable():
            poller = begin(None)
    except exceptions.HttpResponseError as error:
        refused = in_words(error, task, str(resource))
        if not _may_have_begun(refused):
            watch.journal.end(resource)
        raise refused from error
    except exceptions.AzureError as error:  # no answer: it stays noted, since it may have been begun
        raise in_words(error, task, str(resource)) from error
    with left_going(watch, task):
        ended = _followed(watch, noted, poller, begin)
    watch.journal.end(resource)
    return ended


@contextmanager
def left_going(watch: Watch, task: str) -> Iterator[None]:
    """Tells somebody who stops waiting that nothing else stops."""
    try:
        yield
    except (KeyboardInterrupt, Interrupted):
        watch.progress(f"{task}: it goes on in Azure, run the same command again to wait on")
        raise


def _may_have_begun(error: AzureError) -> bool:
    if isinstance(error, AzureRefusalError):
        return error.kind in (Kind.BROKEN, Kind.BUSY)
    return isinstance(error, AzureUnreachableError)


def _followed(watch: Watch, noted: Underway, poller: LROPoller[T], begin: Callable[[str | None], LROPoller[T]]) -> T:
    from azure.core import exceptions

    teller, silence = _Teller(watch, noted), _Silence()
    watch.progress(f"{noted.task}: begun")
    while True:
        try:
            with readable():
                while not poller.done():
                    poller.wait(SAY_EVERY_S)
                    teller.tell()
                return poller.result()
        except exceptions.AzureError as error:
            told = in_words(error, noted.task, str(noted.resource))
            if _is_over(told):
                watch.journal.end(noted.resource)
                raise half_made(told, noted.resource) from error
            if not _may_pass(told) or silence.is_enough():
                raise _goes_on(told) from error
            watch.progress(f"{noted.task}: the connection is lost, trying again")
            clock.sleep(LOOK_EVERY_S)
            poller = begin(poller.continuation_token())


def _is_over(error: AzureError) -> bool:
    """Whether it is the operation that failed, not the question about it: that is answered with success, or 4xx."""
    if not isinstance(error, AzureRefusalError):
        return False
    return error.answer.status < 400 or error.answer.status in (400, 404, 409)


def _may_pass(error: AzureError) -> bool:
    if isinstance(error, AzureRefusalError):
        return error.kind in (Kind.BROKEN, Kind.THROTTLED)
    return isinstance(error, AzureUnreachableError) and not isinstance(error, AzureStrangeError)


def _goes_on(error: AzureError) -> AzureError:
    return _hinting(error, "what was begun goes on in Azure: run the same command again to wait on")


class _Silence:
    """How long nothing has been heard, in a row."""

    def __init__(self) -> None:
        self._since_s = self._last_s = float("-inf")

    def is_enough(self) -> bool:
        now_s = clock.monotonic_s()
        if now_s - self._last_s > 4 * SAY_EVERY_S:
            self._since_s = now_s
        self._last_s = now_s
        return now_s - self._since_s > LONGEST_SILENCE_S


# What services call what they do, where that is not what somebody would say of the resource.
_DOING = {
    "creating": "being made",
    "registeringdns": "being made",
    "updating": "being changed",
    "upgrading": "being upgraded",
    "deleting": "being deleted",
}


def _doing(state: str) -> str:
    return _DOING.get(state.lower(), state.lower())


def settle(watch: Watch, task: str, resource: ResourceId, look: Callable[[], R | None]) -> R | None:
    """Waits until what is being done to a resource, by whomever, is done; gives the resource, or None if it is gone.

    `look` asks Azure for the resource. Asks once and waits for nothing where nothing is being done.
    """
    noted: Underway | None = None
    teller: _Teller | None = None
    while True:
        found = look()
        if found is None or found.state.lower() in FINAL:
            watch.journal.end(resource)
            return found
        if teller is None:
            noted = next((entry for entry in watch.journal.underway() if entry.resource == resource), None)
            teller = _Teller(watch, noted or Underway(resource, task, clock.rfc3339(clock.now())))
            watch.progress(f"{task}: it is {_doing(found.state)} already, waiting for that")
        with left_going(watch, task):
            clock.sleep(LOOK_EVERY_S)
        teller.tell()


def make(
    watch: Watch,
    task: str,
    resource: ResourceId,
    look: Callable[[], R | None],
    begin: Callable[[str | None], LROPoller[T]],
    why: Callable[[R], str] = lambda _: "",
) -> R:
    """The resource, made if it is not there: what is being made already is waited for, and never begun twice.

    `why` says what Azure tells of a resource whose making failed. Raises AzureError.
    """
    found, busy = settle(watch, task, resource, look), None
    if found is None:
        try:
            follow(watch, task, resource, begin)
        except AzureRefusalError as error:
            # An answer that was lost on the way, and the request repeated; or somebody else was faster.
            if error.kind is not Kind.BUSY:
                raise
            busy = error
        found = settle(watch, task, resource, look)
    if found is None:
        hint = f"did somebody remove it, or does a proxy stand in Azure's place? check HTTPS_PROXY; {RERUN}"
        raise busy or AzureError(
            f"can't {task}: the answer was success, and nothing is there", where=str(resource), hint=hint
        )
    return whole(found, task, resource, why(found))


def whole(found: R, task: str, resource: ResourceId, why: str = "") -> R:
    """The resource, if its last operation ended well; raises AzureError with what may be left if it did not."""
    if found.state.lower() in ("succeeded", ""):
        return found
    what = f"can't {task}: its last operation ended as {found.state}"
    hint = f"`az resource delete --ids {resource}` removes it"
    raise half_made(AzureError(what, where=str(resource), why=why, hint=hint), resource)


def half_made(error: AzureError, resource: ResourceId) -> AzureError:
    """The same error, which says besides that something may be left, and how to see and remove it."""
    return _hinting(error, f"what was made of it may still be there: `az resource show --ids {resource}`")


def _hinting(error: AzureError, more: str) -> AzureError:
    first = error.problems[0]
    hint = f"{first.hint}; {more}" if first.hint else more
    if isinstance(error, AzureRefusalError):
        return AzureRefusalError(error.kind, error.answer, first.what, where=first.where, why=error.why, hint=hint)
    return type(error)(first.what, where=first.where, why=error.why, hint=hint)


def taken_up(token: str | None) -> dict[str, Any]:
    """What the SDK's `begin_...` are told to take up an operation instead of starting one."""
    return {"continuation_token": token} if token else {}


class _Teller:
    """Says every half minute how long it takes, from its real start; raises where it takes too long."""

    def __init__(self, watch: Watch, noted: Underway) -> None:
        self._watch, self._noted = watch, noted
        self._start_s = clock.monotonic_s()
        before_s = (clock.now() - datetime.fromisoformat(noted.started)).total_seconds()
        self._before_s = max(0.0, before_s)
        self._said_s = self._start_s

    def tell(self) -> None:
        now_s = clock.monotonic_s()
        waited_s = now_s - self._start_s
        if waited_s > self._watch.longest_s:
            raise AzureUnreachableError(
                f"can't {self._noted.task}: it is not done after {duration(waited_s)}",
                where=str(self._noted.resource),
                hint="it goes on in Azure: run the same command again to wait on",
            )
        if now_s - self._said_s >= SAY_EVERY_S:
            self._said_s = now_s
            self._watch.progress(f"{self._noted.task}: {duration(self._before_s + waited_s)} so far")


def duration(seconds: float) -> str:
    """`45 s`, `2 min 30 s`, `1 h 5 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
