"""Azure as a test tells it to be: the real SDKs, over a transport that answers from a script or from a recording."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter
from testbed.azure_recordings import Playback, load, playing

from spin_aks.azure.credential import Credential
from spin_aks.azure.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FAR_AWAY = 4_000_000_000


@dataclass(frozen=True)
class Asked:
    """One request that was sent."""

    method: str
    url: str
    body: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        return unquote(self.url.partition("?")[0]).removeprefix("https://management.azure.com")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """One answer. A `raises` in its place is what happens on the way."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raises: BaseException | None = None


@dataclass
class _Rule:
    method: str
    path: re.Pattern[str]
    replies: list[Reply]


class Script(BaseAdapter):
    """Answers by rules: of those that fit, the last one added; its replies in turn, the last of them for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.waits: list[float] = []
        self._rules: list[_Rule] = []

    def answer(self, method: str, path: str, *replies: Reply) -> None:
        """`path` is a pattern that is searched for in the URL without its query, in any case."""
        self._rules.append(_Rule(method, re.compile(path, re.IGNORECASE), list(replies)))

    def sent(self, method: str, path: str = "") -> list[Asked]:
        return [one for one in self.asked if one.method == method and re.search(path, one.path, re.IGNORECASE)]

    @property
    def methods(self) -> list[str]:
        return [one.method for one in self.asked]

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        body = request.body or b""
        text = body if isinstance(body, str) else body.decode() if isinstance(body, bytes) else body.read().decode()
        one = Asked(request.method or "", request.url or "", text, request.headers)
        self.asked.append(one)
        for rule in reversed(self._rules):
            if rule.method == one.method and rule.path.search(unquote(one.url.partition("?")[0])):
                reply = rule.replies.pop(0) if len(rule.replies) > 1 else rule.replies[0]
                if isinstance(reply.raises, requests.RequestException):
                    reply.raises.request = request  # as an adapter of requests' own does
                if reply.raises is not None:
                    raise reply.raises
                return _response(request, reply)
        raise AssertionError(f"the script has no answer to {one.method} {one.url}")

    def close(self) -> None:
        """Nothing is open."""


def _response(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    content = b"" if reply.body is None else json.dumps(reply.body).encode()
    if isinstance(reply.body, str):
        content = reply.body.encode()
    answer = requests.Response()
    answer.status_code, answer.reason, answer.url, answer.request = reply.status, "", request.url or "", request
    answer.headers.update({"content-type": "application/json", **reply.headers, "content-length": str(len(content))})
    answer.raw = io.BytesIO(content)
    return answer


class Hurried(RequestsTransport):
    """Waits for nothing, and notes how long it would have."""

    def __init__(self, http: requests.Session, waits: list[float] | None = None) -> None:
        super().__init__(session=http, session_owner=False)
        self._waits = [] if waits is None else waits

    def sleep(self, duration: float) -> None:
        self._waits.append(float(duration))


class Signed:
    """A sign-in whose tokens are numbered; what it was asked for is in `asked`."""

    def __init__(self, *tokens: str, raises: Exception | None = None) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.raises = raises
        self._tokens = list(tokens)

    def get_token(self, *scopes: str, tenant_id: str | None = None, **_: Any) -> AccessToken:
        self.asked.append((scopes[0], tenant_id))
        if self.raises is not None:
            raise self.raises
        token = self._tokens.pop(0) if len(self._tokens) > 1 else (self._tokens or [f"token {len(self.asked)}"])[0]
        return AccessToken(token, FAR_AWAY)


def scripted(script: Script, signed: Signed | None = None, tenant: str = "") -> Session:
    """A session whose every request is answered by the script."""
    http = requests.Session()
    http.trust_env = False
    http.mount("https://", script)
    return Session(Credential(signed or Signed(), tenant), transport=Hurried(http, script.waits), poll_s=0)


def recorded(folder: Path, name: str, *indices: int) -> tuple[Session, Playback]:
    """A session that is answered by those exchanges of a recording (all of them, if none is named)."""
    recording = load(folder, name)
    playback = Playback(recording, indices or tuple(recording.exchanges))
    transport = Hurried(playing(playback))
    return Session(Credential(Signed()), transport=transport, poll_s=0), playback


def refused(status: int, code: str, message: str, **headers: str) -> Reply:
    """An error as the Resource Manager has it."""
    return Reply(
        status, {"error": {"code": code, "message": message}}, {k.replace("_", "-"): v for k, v in headers.items()}
    )
