"""Requests to an API server as kubectl's command lines, and its answers read off what kubectl prints.

For where nothing but commands gets to the API server. `--raw` passes a path and an answer through as they are
(https://kubernetes.io/docs/reference/kubectl/generated/kubectl_get/); server-side apply has no such way and is
kubectl's own. A refusal is printed in words: which code it had is told by the reason in them (apimachinery's
`StatusReason`).
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from spin_aks.cluster.connection import APPLY, Answer
from spin_aks.cluster.refusals import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spin_aks.json_types import JSON, JSONObject

SCRIPT = "requests.sh"

_RAW = {"GET": "get", "POST": "create", "PUT": "replace", "DELETE": "delete"}
_CODES = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "NotAcceptable": 406,
    "AlreadyExists": 409,
    "Conflict": 409,
    "Gone": 410,
    "Expired": 410,
    "RequestEntityTooLarge": 413,
    "UnsupportedMediaType": 415,
    "Invalid": 422,
    "TooManyRequests": 429,
    "InternalError": 500,
    "ServiceUnavailable": 503,
    "ServerTimeout": 504,
    "Timeout": 504,
}
_NAMESPACE = re.compile(r"/namespaces/(?P<name>[^/]+)/")
_REFUSED = re.compile(r"^Error from server(?: \((?P<reason>\w+)\))?: (?P<message>.*)", re.DOTALL | re.MULTILINE)
_INVALID = re.compile(r'^The \S+ "[^"]*" is invalid:(?P<causes>.*)', re.DOTALL | re.MULTILINE)
_CONFLICTS = re.compile(r"^error: Apply failed with \d+ conflicts?: (?P<causes>.*)", re.DOTALL | re.MULTILINE)
_CONFLICT = re.compile(r'^(?P<who>conflicts? with "[^"]*".*?):(?: (?P<field>\..*))?$')
_ABOUT_A_FILE = re.compile(r'^error when \w+ "[^"]*": ')
_NO_ANSWER = (
    "Unable to connect to the server",
    "The connection to the server",
    "i/o timeout",
    "TLS handshake timeout",
    "connection refused",
)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: JSONObject | None = None
    content_type: str = ""

    @property
    def changes(self) -> bool:
        """Whether anything may be another in the cluster afterwards."""
        return self.method != "GET" and ("dryRun", "All") not in self.query

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def batch(requests: Sequence[Request], boundary: str, *, in_order: bool) -> dict[str, bytes]:
    """The files that send `requests` one after the other, when `sh requests.sh` runs beside them.

    What each prints is followed by a line of `boundary` and its exit code. With `in_order` the first that fails is the
    last that is sent.
    """
    stop = ' && [ "$code" = 0 ] || exit 0' if in_order else ""
    files: dict[str, bytes] = {}
    lines = []
    for place, request in enumerate(requests):
        name = f"{place}.json"
        if request.body is not None:
            files[name] = json.dumps(request.body).encode()
        lines.append(f"{command(request, name)} 2>&1; code=$?; printf '\\n%s %s\\n' {boundary} \"$code\"{stop}\n")
    return {**files, SCRIPT: "".join(lines).encode()}


def command(request: Request, name: str) -> str:
    """The command line that sends this; `name` is the file with its body."""
    if request.content_type == APPLY:
        query = dict(request.query)
        options = ["--field-manager", query["fieldManager"], "--validate=strict"]
        options += ["--output", "json", "--show-managed-fields"]
        options += ["--namespace", place["name"]] if (place := _NAMESPACE.search(request.path)) else []
        options += ["--force-conflicts"] if query.get("force") == "true" else []
        options += ["--dry-run=server"] if "dryRun" in query else []
        return shlex.join(["kubectl", "apply", "--server-side", *options, "--filename", name])
    address = request.path + (f"?{urlencode(request.query)}" if request.query else "")
    body = [] if request.body is None else ["--filename", name]
    return shlex.join(["kubectl", _RAW[request.method], "--raw", address, *body])


def results(output: str, boundary: str) -> list[tuple[int, str]]:
    """Exit code and text of each command whose whole output there is."""
    found, rest = [], output
    while match := re.search(rf"\n{boundary} (\d+)\n", rest):
        found.append((int(match[1]), rest[: match.start()]))
        rest = rest[match.end() :]
    return found


def answer(request: Request, exit_code: int, text: str) -> Answer:
    """The answer behind what kubectl printed: 200 for any apply, also for one that made its object.

    Raises UnreachableError if kubectl says that it got no answer.
    """
    if exit_code == 0:
        notes, document = _document(text)
        return Answer(201 if request.method == "POST" else 200, document, text, tuple(_warnings(notes)))
    if any(words in text for words in _NO_ANSWER):
        raise UnreachableError(f"kubectl got no answer in the cluster: {_first_line(text)}", where=str(request))
    code, reason, message, causes = _refusal(text)
    status: JSONObject = {"kind": "Status", "reason": reason, "message": message, "details": {"causes": causes}}
    return Answer(code, status, text)


def _document(text: str) -> tuple[str, JSONObject]:
    """What stands before the document, and the document; empty for a text that has none."""
    start = 0 if text.startswith("{") else text.find("\n{") + 1
    try:
        document, _ = json.JSONDecoder().raw_decode(text, start)
    except ValueError:
        return text, {}
    return text[:start], document if isinstance(document, dict) else {}


def _warnings(notes: str) -> Iterator[str]:
    yield from (line.removeprefix("Warning: ") for line in notes.splitlines() if line.startswith("Warning: "))


def _refusal(text: str) -> tuple[int, str, str, list[JSON]]:
    if found := _CONFLICTS.search(text):
        causes = list(_conflicts(found["causes"]))
        return 409, "Conflict", _first_line(found[0]).removeprefix("error: "), causes
    if found := _INVALID.search(text):
        return 422, "Invalid", " ".join(found[0].split()), list(_invalid(found["causes"]))
    if found := _REFUSED.search(text):
        reason = found["reason"] or ""
        message = _ABOUT_A_FILE.sub("", found["message"].strip())
        return _CODES.get(reason, 500), reason, message, []
    if "(Unauthorized)" in text:
        return 401, "Unauthorized", text.strip(), []
    if "no matches for kind" in text:
        return 404, "NotFound", text.strip(), []
    return 500, "", " ".join(text.split())[:500], []


def _conflicts(text: str) -> Iterator[JSON]:
    """`conflict with "a" using v1: .x` of one, or that and lines `- .x` for several (structured-merge-diff's words)."""
    who = ""
    for line in text.splitlines():
        if found := _CONFLICT.match(line):
            who = found["who"]
        field = (found["field"] or "") if found else line.removeprefix("- ") if line.startswith("- .") else ""
        if field:
            yield {"reason": "FieldManagerConflict", "message": who.replace("conflicts", "conflict", 1), "field": field}


def _invalid(text: str) -> Iterator[JSON]:
    """` FIELD: MESSAGE`, or a line `* FIELD: MESSAGE` for each of several."""
    lines = text.strip().splitlines()
    several = [line.removeprefix("* ") for line in lines if line.startswith("* ")]
    for line in several or [" ".join(lines)]:
        field, _, message = line.partition(": ")
        yield {"reason": "FieldValueInvalid", "field": field, "message": message}


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
