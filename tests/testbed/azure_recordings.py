"""Recorded exchanges of the real Azure, and the proof that the sandbox answers as they do.

A `Story` is a recording, the exchanges of it that the story covers, and SDK calls. `same` makes these calls twice: over
a transport that answers from the recording, and against the sandbox, seeded so that it is where Azure was. The typed
results have to be equal, apart from what `masked` hides and what the story itself says to differ, with the reason.

The recordings were cut: polls are missing in the middle of long operations. A poll that nothing answers is answered
with success, so that the operation goes on to what was recorded of its end.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from azure.core.credentials import TokenCredential

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
TENANT = "11111111-1111-1111-1111-111111111111"
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
    found = {}
    for item in json.loads(path.read_text(encoding="utf-8")):
        request, response = item["request"], item["response"]
        sent = request["body"]
        found[item["index"]] = Exchange(
            item["index"],
            request["method"],
            request["url"],
            sent,
            response["status"],
            response["headers"],
            response["body"],
        )
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
    import io

    content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    answer = requests.Response()
    answer.status_code, answer.reason, answer.url, answer.request = status, "", request.url or "", request
    answer.headers.update({**headers, "content-length": str(len(content))})
    answer.raw = io.BytesIO(content)
    return answer


class Anyone:
    """A credential whose token says nothing; the recordings ask for none."""

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken("recorded", int(time.time()) + 3600)


class Hurried(RequestsTransport):
    """Waits for nothing, however long the service asks to wait."""

    def sleep(self, duration: float) -> None:
        """No time passes."""


@dataclass
class Clients:
    """The SDK's clients over one HTTP session, made when first asked for."""

    session: requests.Session
    credential: TokenCredential = field(default_factory=Anyone)
    # Of whoever the credential signs in.
    object_id: str = ""
    # The sandbox that answers; none for a recording.
    world: Any = None
    # Of a registry, once it was given.
    refresh_token: str = "recorded"

    def _options(self) -> dict[str, Any]:
        transport = Hurried(session=self.session, session_owner=False)
        return {"transport": transport, "retry_total": 0, "polling_interval": 0}

    def _management(self, made: Callable[..., Any]) -> Any:
        return made(self.credential, SUBSCRIPTION, **self._options())

    @cached_property
    def groups(self) -> Any:
        return self.resources.resource_groups

    @cached_property
    def resources(self) -> Any:
        from azure.mgmt.resource.resources import ResourceManagementClient

        return self._management(ResourceManagementClient)

    @cached_property
    def subscriptions(self) -> Any:
        from azure.mgmt.resource.subscriptions import SubscriptionClient

        return SubscriptionClient(self.credential, **self._options())

    @cached_property
    def clusters(self) -> Any:
        from azure.mgmt.containerservice import ContainerServiceClient

        return self._management(ContainerServiceClient).managed_clusters

    @cached_property
    def registries(self) -> Any:
        from azure.mgmt.containerregistry import ContainerRegistryManagementClient

        return self._management(ContainerRegistryManagementClient).registries

    @cached_property
    def registry_tasks(self) -> Any:
        from azure.mgmt.containerregistrytasks import ContainerRegistryTasksMgmtClient

        return self._management(ContainerRegistryTasksMgmtClient)

    @cached_property
    def authorization(self) -> Any:
        from azure.mgmt.authorization import AuthorizationManagementClient

        return self._management(AuthorizationManagementClient)

    @cached_property
    def identities(self) -> Any:
        from azure.mgmt.msi import ManagedServiceIdentityClient

        return self._management(ManagedServiceIdentityClient).user_assigned_identities

    @cached_property
    def vaults(self) -> Any:
        from azure.mgmt.keyvault import KeyVaultManagementClient

        return self._management(KeyVaultManagementClient).vaults

    @cached_property
    def redis(self) -> Any:
        from azure.mgmt.redis import RedisManagementClient

        return self._management(RedisManagementClient)

    @cached_property
    def redis_enterprise(self) -> Any:
        from azure.mgmt.redisenterprise import RedisEnterpriseManagementClient

        return self._management(RedisEnterpriseManagementClient)

    @cached_property
    def cosmos(self) -> Any:
        from azure.mgmt.cosmosdb import CosmosDBManagementClient

        return self._management(CosmosDBManagementClient)

    def secrets(self, vault: str) -> Any:
        """A client of that vault which knows nothing of an earlier one's challenge."""
        from azure.keyvault.secrets import SecretClient
        from azure.keyvault.secrets._shared import http_challenge_cache

        http_challenge_cache.clear()
        return SecretClient(f"https://{vault}.vault.azure.net", self.credential, **self._options())

    def http(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """For the few exchanges that no SDK makes: status, what kind of body, and what it says."""
        answer = self.session.request(method, url, timeout=30, allow_redirects=False, **options)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        body = answer.json() if kind == "application/json" and answer.content else answer.content.decode()
        asked = answer.headers.get("www-authenticate", "")
        return {"status": answer.status_code, "kind": kind, "asked": asked, "body": body}


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
    """`given` brings the sandbox to where Azure was; `differs` maps `step: path` patterns to why that may differ.

    `unheld` says why the sandbox is not held to this story at all.
    """

    recording: str
    exchanges: tuple[int, ...]
    steps: tuple[Step, ...]
    given: tuple[Callable[[Clients, Recording], object], ...] = ()
    differs: Mapping[str, str] = field(default_factory=dict)
    unheld: str = ""

    @property
    def title(self) -> str:
        return f"{self.recording}-{'-'.join(map(str, self.exchanges))}"


NOT_YET = "the sandbox does not play it yet"


def waiting(*stories: Story) -> tuple[Story, ...]:
    """Stories that the sandbox is not held to yet."""
    return tuple(replace(story, unheld=NOT_YET) for story in stories)


def recorded(story: Story, source: Path | Recording) -> dict[str, object]:
    """What the SDK makes of the recording, by step. Fails if an exchange of the story was not needed.

    `source` is the folder of the recordings, or the one that the story is of.
    """
    recording = _recording(story, source)
    playback = Playback(recording, story.exchanges)
    with playing(playback) as session:
        clients = Clients(session)
        results = {step.title: outcome(step, clients, recording) for step in story.steps}
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
    actual = {}
    for step in story.steps:
        if step.meanwhile:
            step.meanwhile(sandbox, recording)
        actual[step.title] = outcome(step, sandbox, recording)
    for pattern in story.differs:
        forgotten = [_forget(expected, pattern), _forget(actual, pattern)]
        # An exception that is not needed any more would hide the next difference.
        assert forgotten[0] != forgotten[1], f"{story.title}: {pattern} does not differ"
    return expected, actual


def outcome(step: Step, clients: Clients, recording: Recording) -> object:
    """What the call returned or raised, as plain values, masked."""
    try:
        return masked(plain(step.does(clients, recording)))
    except HttpResponseError as error:
        code = error.error.code if error.error else None
        raised = {"raised": type(error).__name__, "status": error.status_code, "code": code, "message": error.message}
        return masked(raised)


def plain(value: object) -> object:
    """The value with every model as its class's name and its properties."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (datetime, date, timedelta)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode(errors="replace")
    if hasattr(value, "as_dict"):
        return {"model": type(value).__name__, **value.as_dict()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return {"model": type(value).__name__, **_properties(value)}


def _properties(value: object) -> dict[str, object]:
    kind = type(value)
    found = [name for name in dir(kind) if not name.startswith("_") and isinstance(getattr(kind, name), property)]
    return {name: plain(getattr(value, name)) for name in found}


GUID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE
)
HEX_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
# Cosmos DB goes on with seven kilobytes of that one server's own figures.
DIAGNOSTICS = re.compile(r"ActivityId: .*", re.DOTALL)
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")
# What Azure chooses: random, of the moment, of whoever asks, or scrubbed in the recording.
CHOSEN = re.compile(
    r"_?etag|_rid|_self|_ts|resource_?guid|instance_?id"
    r"|(created|last_?modified)_?(by|by_?type)|(created|updated|deleted|scheduled_purge|deletion)(_on|_date)|created|updated"
    r"|(primary|secondary)(_?readonly)?(_?master)?_?key",
    re.IGNORECASE,
)


def masked(value: object) -> object:
    """Without what Azure chooses: ids, times, etags, keys, who asked. Names stay: the sandbox is given the same."""
    if isinstance(value, dict):
        return {_masked_text(key): _masked_item(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return _masked_text(value) if isinstance(value, str) else value


def _masked_item(key: str, item: object) -> object:
    chosen = CHOSEN.fullmatch(key) and item is not None and not isinstance(item, (dict, list))
    return f"<{key}>" if chosen else masked(item)


def _masked_text(text: str) -> str:
    text = DIAGNOSTICS.sub("ActivityId: <diagnostics>", text)
    return TIME.sub("<time>", HEX_ID.sub("<id>", GUID.sub("<guid>", text)))


def _forget(results: dict[str, object], pattern: str) -> list[object]:
    """Takes out what the pattern is about, and gives it."""
    title, _, path = pattern.partition(": ")
    return [found for step, result in results.items() if title == step for found in _removed(result, path.split("."))]


def _removed(value: object, path: list[str]) -> list[object]:
    name, below = path[0], path[1:]
    if isinstance(value, list):
        return [found for item in value for found in _removed(item, path)]
    if not isinstance(value, dict) or name not in value:
        return []
    return _removed(value[name], below) if below else [value.pop(name)]
