"""Recorded exchanges of the real Azure, and the proof that the sandbox answers as they do.

A `Story` is a recording, the exchanges of it that the story covers, and SDK calls. `same` makes these calls twice: over
a transport that answers from the recording, and against the sandbox, seeded so that it is where Azure was. The typed
results have to be equal, apart from what `masked` hides and what the story itself says to differ, with the reason.

The recordings were cut: polls are missing in the middle of long operations. A poll that nothing answers is answered
with success, so that the operation goes on to what was recorded of its end.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import requests
from azure.core.exceptions import HttpResponseError
from requests.adapters import BaseAdapter

# Whoever plays a recording needs these, too.
from testbed.azure_clients import SUBSCRIPTION as SUBSCRIPTION
from testbed.azure_clients import Clients as Clients
from testbed.azure_clients import Hurried as Hurried
from testbed.azure_results import forget, masked, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

TENANT = "11111111-1111-1111-1111-111111111111"
# Added to a number that an earlier exchange of the file has.
ALIKE = 1000
MANAGEMENT = "https://management.azure.com"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. `place` is the request's method, host and path, to be compared with another's."""

    index: int
    method: str
    url: str
    sent: Any
    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def place(self) -> tuple[str, str]:
        return self.method, _place(self.url)


@dataclass(frozen=True)
class Recording:
    """The exchanges of one file, by the number that each has in it."""

    name: str
    exchanges: Mapping[int, Exchange]

    def sent(self, index: int) -> Any:
        """A copy of the request's body."""
        return json.loads(json.dumps(self.exchanges[index].sent))

    def answered(self, index: int) -> Any:
        """A copy of the answer's body."""
        return json.loads(json.dumps(self.exchanges[index].body))


def load(folder: Path, name: str) -> Recording:
    return _load(folder / f"{name}.json")


def names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.glob("*.json")))


@cache
def _load(path: Path) -> Recording:
    found: dict[int, Exchange] = {}
    for item in json.loads(path.read_text(encoding="utf-8")):
        request, response = item["request"], item["response"]
        # The file of errors is of many recordings, two of which have the same number.
        index = item["index"] + (ALIKE if item["index"] in found else 0)
        assert index not in found, f"{path}: number {index} is there twice"
        answered = response["status"], response["headers"], response["body"]
        found[index] = Exchange(index, request["method"], request["url"], request["body"], *answered)
    return Recording(path.stem, found)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return (parts.hostname or "") + unquote(parts.path).rstrip("/").lower()


class Playback(BaseAdapter):
    """Answers each request with the first exchange of the same method and path that was not used yet."""

    def __init__(self, recording: Recording, indices: Iterable[int]) -> None:
        super().__init__()
        self._recording = recording.name
        self._left = [recording.exchanges[index] for index in indices]
        self._used: list[Exchange] = []
        self._operations: set[str] = set()

    @property
    def unused(self) -> list[int]:
        return [exchange.index for exchange in self._left]

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        place = (request.method or "", _place(request.url or ""))
        for number, exchange in enumerate(self._left):
            if exchange.place == place:
                self._used.append(self._left.pop(number))
                return self._answer(request, exchange)
        return self._unrecorded(request, place)

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self, request: requests.PreparedRequest, exchange: Exchange) -> requests.Response:
        for name in ("azure-asyncoperation", "location"):
            if name in exchange.headers:
                self._operations.add(_place(exchange.headers[name]))
        return _response(request, exchange.status, exchange.headers, exchange.body)

    def _unrecorded(self, request: requests.PreparedRequest, place: tuple[str, str]) -> requests.Response:
        again = [exchange for exchange in self._used if exchange.place == place]
        if place[0] == "GET" and place[1] in self._operations and (not again or _goes_on(again[-1])):
            return _response(request, 200, {"content-type": "application/json"}, {"status": "Succeeded"})
        if place[0] == "GET" and again:
            return self._answer(request, again[-1])
        raise AssertionError(f"{self._recording} has no answer to {place[0]} {request.url}")


def _goes_on(exchange: Exchange) -> bool:
    status = exchange.body.get("status", "") if isinstance(exchange.body, dict) else ""
    return exchange.status == 202 or status in ("InProgress", "Creating", "Enqueued", "Dequeued", "NotStarted")


def _response(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: object
) -> requests.Response:
    content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    answer = requests.Response()
    answer.status_code, answer.reason, answer.url, answer.request = status, "", request.url or "", request
    answer.headers.update({**headers, "content-length": str(len(content))})
    answer.raw = io.BytesIO(content)
    return answer


def playing(playback: Playback) -> requests.Session:
    """A session which is answered by that recording alone."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", playback)
    return session


@dataclass(frozen=True)
class Step:
    """One SDK call; `does` gives what the SDK returned.

    `meanwhile` is what happened before it and was cut from the recording: it is done in the sandbox alone.
    """

    title: str
    does: Callable[[Clients, Recording], object]
    meanwhile: Callable[[Clients, Recording], object] | None = None


@dataclass(frozen=True)
class Story:
    """`given` brings the sandbox to where Azure was; `differs` maps `step: path` patterns to why that may differ."""

    recording: str
    exchanges: tuple[int, ...]
    steps: tuple[Step, ...]
    given: tuple[Callable[[Clients, Recording], object], ...] = ()
    differs: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.recording}-{'-'.join(map(str, self.exchanges))}"


# Follows the step's title where its changes are.
WIRE = ": changes"
NOT_YET = "the sandbox does not play it yet"


def recorded(story: Story, source: Path | Recording) -> dict[str, object]:
    """What the SDK makes of the recording, by step. Fails if an exchange of the story was not needed.

    `source` is the folder of the recordings, or the one that the story is of.
    """
    recording = _recording(story, source)
    playback = Playback(recording, story.exchanges)
    with playing(playback) as session:
        clients = Clients(session)
        results: dict[str, object] = {}
        for step in story.steps:
            results |= outcome(step, clients, recording)
    assert not playback.unused, f"{story.recording}: no call used {playback.unused}"
    return results


def _recording(story: Story, source: Path | Recording) -> Recording:
    return source if isinstance(source, Recording) else load(source, story.recording)


def same(story: Story, source: Path | Recording, sandbox: Clients) -> tuple[dict[str, object], dict[str, object]]:
    """The results by step, of the recording and of the sandbox; equal if the sandbox answers as Azure did."""
    recording = _recording(story, source)
    expected = recorded(story, recording)
    for given in story.given:
        given(sandbox, recording)
    actual: dict[str, object] = {}
    for step in story.steps:
        if step.meanwhile:
            step.meanwhile(sandbox, recording)
        actual |= outcome(step, sandbox, recording)
    for pattern in story.differs:
        forgotten = [forget(expected, pattern), forget(actual, pattern)]
        # An exception that is not needed any more would hide the next difference.
        assert forgotten[0] != forgotten[1], f"{story.title}: {pattern} does not differ"
    return expected, actual


def outcome(step: Step, clients: Clients, recording: Recording) -> dict[str, object]:
    """What the call returned or raised, as plain values, masked; and how its changes were answered, below WIRE."""
    wire: list[str] = []
    clients.session.hooks["response"] = [lambda answer, **_: wire.extend(_changed(answer))]
    try:
        result = plain(step.does(clients, recording))
    except HttpResponseError as error:
        code = error.error.code if error.error else None
        result = {"raised": type(error).__name__, "status": error.status_code, "code": code, "message": error.message}
    clients.session.hooks["response"] = []
    return {step.title: masked(result), **({step.title + WIRE: wire} if wire else {})}


def _changed(answer: requests.Response) -> list[str]:
    """Status and ways to follow of what changes something, which SDKs depend on and do not show.

    The challenge that comes before is left out: it is recorded only where a client had none yet.
    """
    method = answer.request.method or ""
    if method in ("GET", "HEAD") or answer.status_code == HTTPStatus.UNAUTHORIZED:
        return []
    followed = [name for name in ("azure-asyncoperation", "location") if name in answer.headers]
    return [" ".join([method, str(int(answer.status_code)), *followed])]
