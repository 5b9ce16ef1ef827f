"""A cluster whose API server nobody reaches but commands that run inside: each costs seconds, so many share one.

Questions that are asked side by side go together, those that are sure to come are asked beforehand, and what is
written in order is written by one command. What was decided, checked and explained over a connection is so here, too.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from threading import Event as Signal
from threading import Lock
from typing import TYPE_CHECKING

from spin_aks import clock
from spin_aks.cluster import fields, kubectl
from spin_aks.cluster.connection import APPLY, FIELD_MANAGER, JSON_TYPE, Answer, Cluster, Event
from spin_aks.cluster.kubeconfig import Target
from spin_aks.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from spin_aks.cluster.kubectl import Request
    from spin_aks.json_types import JSONObject

    Run = Callable[[str, Mapping[str, bytes]], tuple[int, str]]

GATHER_S = 0.05
"""How long a question waits for others to go with it."""
SHOWN_OF_OUTPUT = 1000
KILLED = 137
NOT_FOUND = 127
_SECRETS = re.compile(r"^/api/v1/(namespaces/[^/]+/)?secrets(/|$)")
_FROM_INSIDE = "run this where the cluster's network is, with `--kubeconfig` and without `--cluster`"


def target(place: str) -> Target:
    """What is remembered of the cluster that is at `place`."""
    return Target("", f"{place} (by commands)")


class CommandedCluster(Cluster):
    """As Cluster; `run` runs a shell command beside files in the cluster, and gives exit code and output.

    Raises ClusterError besides, for a command that ends badly or says more than is kept, and for a Secret: what it
    holds would be kept with the command's output. Whatever `run` raises goes through.
    """

    def __init__(self, place: str, run: Run) -> None:
        self.server = place
        self.target = target(place)
        self.identity = self.target.identity
        self.context = ""
        self.user = ""
        self._run = run
        self._known: dict[str, list[Answer]] = {}
        self._waiting: list[_Asked] = []
        self._lock = Lock()

    def look_ahead(self, paths: Iterable[str]) -> None:
        """Reads them now: each answer serves as many questions as `paths` has for it, and none after a write."""
        asked = Counter(paths)
        requests = [kubectl.Request("GET", path) for path in asked]
        for request, answer in zip(requests, self._ask(requests), strict=True):
            self._known[request.path] = [answer] * asked[request.path]

    def apply_each(self, objects: Iterable[tuple[str, JSONObject]], *, force: bool = False) -> Iterator[Answer]:
        query = (("fieldManager", FIELD_MANAGER), ("force", "true" if force else "false"))
        requests = [kubectl.Request("PATCH", path, query, body, APPLY) for path, body in objects]
        yield from self._ask(requests, in_order=True)

    def watch(
        self,
        path: str,
        *,
        resource_version: str,
        timeout_s: float,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Iterator[Event]:
        """As of a connection, but all that happened comes together, when the time is up."""
        query = {"watch": "1", "resourceVersion": resource_version, "timeoutSeconds": str(max(1, int(timeout_s)))}
        selectors = {"labelSelector": label_selector, "fieldSelector": field_selector}
        query |= {name: selector for name, selector in selectors.items() if selector}
        answer = self.expect(self.send("GET", path, query), "GET", path)
        for line in answer.text.splitlines():
            if line.startswith("{"):
                event: JSONObject = json.loads(line)
                yield Event(fields.text(event, "type"), fields.mapping(event, "object"))

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: JSONObject | None = None,
        content_type: str = JSON_TYPE,
    ) -> Answer:
        if method == "GET" and not query and (known := self._known.get(path)):
            return known.pop()
        asked = _Asked(kubectl.Request(method, path, tuple((query or {}).items()), body, content_type))
        with self._lock:
            self._waiting.append(asked)
            first = len(self._waiting) == 1
        if first:
            self._send_all()
        asked.done.wait()
        return asked.result()

    def _send_all(self) -> None:
        try:
            clock.sleep(GATHER_S)
        finally:  # Ctrl-C, too, leaves nobody behind whom the next would wait for
            with self._lock:
                together, self._waiting = self._waiting, []
        try:
            answers = self._ask([asked.request for asked in together])
        except Exception as error:
            for asked in together:
                asked.settle(error)
        else:
            for asked, answer in zip(together, answers, strict=True):
                asked.settle(answer)

    def _ask(self, requests: Sequence[Request], *, in_order: bool = False) -> list[Answer]:
        """With `in_order`, no answers after the first refusal. What came without its end is asked again."""
        _refuse_secrets(requests)
        if any(request.changes for request in requests):
            self._known.clear()
        answers: list[Answer] = []
        while len(answers) < len(requests):
            rest = requests[len(answers) :]
            boundary = f"--{uuid.uuid4().hex}"
            exit_code, output = self._run(f"sh {kubectl.SCRIPT}", kubectl.batch(rest, boundary, in_order=in_order))
            found = kubectl.results(output, boundary)
            if not found:
                raise _ended(rest[0], exit_code, output)
            broken = next((one for one in found if one[0] in (KILLED, NOT_FOUND)), None)
            if broken is not None:
                raise _ended(rest[0], *broken)
            answers += [kubectl.answer(request, *one) for request, one in zip(rest, found, strict=False)]
            if in_order and not answers[-1].ok:
                break
        return answers


class _Asked:
    """One request on its way with others, and what came of it."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.done = Signal()
        self._outcome: Answer | Exception | None = None

    def settle(self, outcome: Answer | Exception) -> None:
        self._outcome = outcome
        self.done.set()

    def result(self) -> Answer:
        """Raises what the sending raised."""
        if isinstance(self._outcome, Answer):
            return self._outcome
        raise self._outcome or ClusterError("no answer", where=str(self.request))


def _refuse_secrets(requests: Iterable[Request]) -> None:
    found = next((request for request in requests if _SECRETS.match(request.path)), None)
    if found is not None:
        what = "a Secret can't go through the run command: Azure keeps what a command says, and with it what it holds"
        raise ClusterError(what, where=found.path, hint=_FROM_INSIDE)


def _ended(request: Request, exit_code: int, output: str) -> ClusterError:
    """The error for a command that ended before it had said the first answer whole."""
    if exit_code == 0:
        what = "the answer is longer than what Azure keeps of a command's output (512 kB)"
        return ClusterError(what, where=str(request), hint=_FROM_INSIDE)
    why = output.strip()[-SHOWN_OF_OUTPUT:]
    what = f"the command that runs in the cluster ended with {exit_code}"
    if exit_code == KILLED:
        what = f"{what}: it was killed, for want of memory most likely (its pod has 1 GiB)"
    if exit_code == NOT_FOUND:
        what = f"{what}: there is no kubectl where it runs"
    return ClusterError(what, where=str(request), why=why, hint=f"run the same command again; or {_FROM_INSIDE}")
