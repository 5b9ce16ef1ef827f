"""The only place that sends requests to an API server: typed, by path, each with a time-out.

The `kubernetes` package reads the kubeconfig and logs in (tokens, client certificates, exec plugins, proxies); requests
go out through its connection pool. It is imported when a connection is made, not before: it takes a third of a second.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from spin_aks.cluster import fields, kubeconfig
from spin_aks.cluster.kubeconfig import target_identity
from spin_aks.cluster.login import Login, log_in
from spin_aks.cluster.refusals import Status, refusal, status_of
from spin_aks.cluster.unreachable import unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import urllib3

    from spin_aks.cluster.kube_context import Context
    from spin_aks.json_types import JSONObject

__all__ = ["Cluster", "connect", "target_identity"]

FIELD_MANAGER = "spin-aks"
CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 40.0  # admission webhooks may take 30 s: the API server's own limit
SLACK_S = 10.0
PATIENCE_WITH_BUSY = 4
LONGEST_PAUSE_S = 10.0

APPLY = "application/apply-patch+yaml"
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server said: `document` is empty where its body was no JSON object, `warnings` are for people."""

    code: int
    document: JSONObject
    text: str
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300

    @property
    def status(self) -> Status:
        return status_of(self.code, self.document, self.text)


@dataclass(frozen=True, slots=True)
class Listing:
    items: tuple[JSONObject, ...]
    resource_version: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a watch: `kind` is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR (`document` is then a Status)."""

    kind: str
    document: JSONObject


def connect(kubeconfig_path: str, context: str) -> Cluster:
    """The cluster of that kubeconfig and context, by kubectl's rules for empty ones; sends nothing yet but to a login.

    Raises UsageError for a kubeconfig that is not there, unreadable or without that context; ClusterError for a login
    that fails. Never writes to a kubeconfig.
    """
    chosen = kubeconfig.choose(kubeconfig_path, context)
    return Cluster(chosen, log_in(chosen, kubeconfig.files(kubeconfig_path)))


class Cluster:
    """A connection; may be used by several threads at once.

    Every method raises UnreachableError where no (whole) answer came in time, and ApiStatusError for an answer that it
    does not return.
    Connections that break are tried again once: every request here can be repeated without doing anything twice.
    """

    def __init__(self, chosen: Context, login: Login) -> None:
        self.server = chosen.server
        self.target = chosen.target
        self.identity = chosen.target.identity
        self.context = chosen.name
        self.user = chosen.user
        self._login = login

    def get(self, path: str) -> JSONObject | None:
        """The object at `path`, or None if there is none, or no such kind."""
        answer = self.send("GET", path)
        if answer.code == 404:
            return None
        return self.expect(answer, "GET", path).document

    def list(self, path: str, *, label_selector: str = "", field_selector: str = "") -> Listing:
        """The objects of a collection; an empty listing for a kind that the cluster does not have."""
        answer = self.send("GET", path, _selecting(label_selector, field_selector))
        if answer.code == 404:
            return Listing((), "")
        document = self.expect(answer, "GET", path).document
        return Listing(fields.objects(document, "items"), fields.text(document, "metadata", "resourceVersion"))

    def apply(self, path: str, body: JSONObject, *, force: bool = False, dry_run: bool = False) -> Answer:
        """Server-side apply as `spin-aks`, unknown fields refused; the answer as it is, for the caller to judge.

        https://kubernetes.io/docs/reference/using-api/server-side-apply/
        """
        query = {"fieldManager": FIELD_MANAGER, "force": "true" if force else "false", "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        return self.send("PATCH", path, query, body, APPLY)

    def apply_each(self, objects: Iterable[tuple[str, JSONObject]], *, force: bool = False) -> Iterator[Answer]:
        """The answers to one server-side apply after the other; nothing is sent after the answer that was taken last,
        or after a refusal.
        """
        for path, body in objects:
            answer = self.apply(path, body, force=force)
            yield answer
            if not answer.ok:
                return

    def look_ahead(self, paths: Iterable[str]) -> None:
        """Says that these are going to be read before anything is written. A connection has no use for that."""

    def create(self, path: str, body: JSONObject) -> Answer:
        """POST to a collection; 409 with reason `AlreadyExists` where the name is taken."""
        return self.send("POST", path, {"fieldManager": FIELD_MANAGER}, body)

    def replace(self, path: str, body: JSONObject) -> Answer:
        """PUT; 409 with reason `Conflict` where `metadata.resourceVersion` in `body` is not the newest."""
        return self.send("PUT", path, {"fieldManager": FIELD_MANAGER}, body)

    def delete(self, path: str, *, uid: str = "", propagation: str = "Background") -> bool:
        """Deletes the object if it still has this uid; false if it was gone (or is another by now)."""
        body: JSONObject = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if uid:
            body["preconditions"] = {"uid": uid}
        answer = self.send("DELETE", path, body=body)
        if answer.code == 404 or (uid and answer.code == 409):
            return False
        self.expect(answer, "DELETE", path)
        return True

    def log(self, namespace: str, pod: str, container: str, *, tail_lines: int, previous: bool = False) -> str:
        """The last lines a container wrote (with `previous`, the one before it): empty if there are none to be had."""
        query = {"container": container, "tailLines": str(tail_lines), "previous": "true" if previous else "false"}
        answer = self.send("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query)
        return answer.text if answer.ok else ""

    def watch(
        self,
        path: str,
        *,
        resource_version: str,
        timeout_s: float,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Iterator[Event]:
        """What changes in a collection from that version on, for `timeout_s` (whole seconds, at least 1) at most.

        Ends early, without an error, when the server closes the stream. An ERROR event with code 410 says that the
        version is too old: list again.
        """
        seconds = max(1, int(timeout_s))
        query = {"watch": "1", "resourceVersion": resource_version, "timeoutSeconds": str(seconds)}
        query |= {"allowWatchBookmarks": "true"} | _selecting(label_selector, field_selector)
        with unreachable(self.server, f"GET {path}", self._login.proxy):
            response = self._open("GET", path, query, None, "", read_timeout_s=seconds + SLACK_S)
            try:
                if response.status != 200:
                    self.expect(_answer(response), "GET", path)
                for line in _lines(response):
                    event = _object(line)
                    yield Event(fields.text(event, "type"), fields.mapping(event, "object"))
            finally:
                response.close()

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: JSONObject | None = None,
        content_type: str = JSON_TYPE,
    ) -> Answer:
        """The answer to one request, whatever its code; waits and asks again where the server says it is busy."""
        from spin_aks import clock

        for attempt in range(1, PATIENCE_WITH_BUSY + 1):
            with unreachable(self.server, f"{method} {path}", self._login.proxy):
                response = self._open(method, path, query, body, content_type, read_timeout_s=ANSWER_TIMEOUT_S)
                answer = _answer(response)
            if answer.code not in {429, 503} or attempt == PATIENCE_WITH_BUSY:
                break
            clock.sleep(_pause_s(response, attempt))
        return answer

    def expect(self, answer: Answer, method: str, path: str) -> Answer:
        """`answer` if it is a success; else raises ApiStatusError with the server's reason in words."""
        if answer.ok:
            return answer
        raise refusal(answer.status, url=self.server, request=f"{method} {path}", user=self.user or "anonymous")

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: JSONObject | None,
        content_type: str,
        *,
        read_timeout_s: float,
    ) -> urllib3.BaseHTTPResponse:
        import urllib3

        headers = {"Accept": JSON_TYPE, "User-Agent": FIELD_MANAGER}
        if body is not None:
            headers["Content-Type"] = content_type
        if authorization := self._login.authorization():
            headers["Authorization"] = authorization
        return self._login.pool.request(
            method,
            f"{self.server}{path}" + (f"?{urlencode(query)}" if query else ""),
            body=None if body is None else json.dumps(body).encode(),
            headers=headers,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s),
            # An answer is an answer, whatever its code: urllib3 asks again only where none came.
            retries=urllib3.Retry(total=1, allowed_methods=None, respect_retry_after_header=False),
            redirect=False,
            preload_content=False,
        )


def _selecting(label_selector: str, field_selector: str) -> dict[str, str]:
    selectors = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {name: selector for name, selector in selectors.items() if selector}


def _answer(response: urllib3.BaseHTTPResponse) -> Answer:
    body = response.data
    warnings = tuple(_warning(header) for header in response.headers.getlist("Warning"))
    return Answer(response.status, _object(body), body.decode(errors="replace"), warnings)


def _warning(header: str) -> str:
    """The text of a Warning header, `299 - "text"` (RFC 7234, section 5.5)."""
    _, _, quoted = header.partition('"')
    return quoted.rpartition('"')[0].replace('\\"', '"') or header


def _object(body: bytes) -> JSONObject:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream(1 << 16):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line)


def _pause_s(response: urllib3.BaseHTTPResponse, attempt: int) -> float:
    asked = response.headers.get("Retry-After", "")
    return min(float(asked) if asked.isdecimal() else 0.5 * 2**attempt, LONGEST_PAUSE_S)
