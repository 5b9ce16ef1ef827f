"""Images built in Azure: a registry's own agents carry out a Dockerfile (ACR Tasks, a "quick run") and push what comes
of it.

https://learn.microsoft.com/azure/container-registry/container-registry-tasks-overview. The context goes to a blob of
Azure's, and the log is an append blob that grows: both addresses carry a signature that opens them to whoever has it,
so neither is ever shown, kept or logged.
"""

from __future__ import annotations

import re
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from spin_aks import clock
from spin_aks.azure import wire
from spin_aks.azure.problems import RERUN, AzureRefusalError, reported
from spin_aks.errors import AzureError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from azure.core.rest import HttpResponse
    from azure.mgmt.containerregistrytasks import ContainerRegistryTasksMgmtClient

    from spin_aks.azure.arm import ResourceId
    from spin_aks.azure.session import Session
    from spin_aks.json_types import JSONObject

BLOB_VERSION = "2022-11-02"
LOOK_EVERY_S = 1.0
LOOKS_BETWEEN_STATES = 15
LONGEST_S = 9 * 3600.0  # a run is given eight hours
CHUNK_BYTES = 1 << 20
LAST_LINES = 20
COMPLETE = "x-ms-meta-complete"
CALLER = "[caller]"
SUCCEEDED = "succeeded"
FINAL = {
    SUCCEEDED: "succeeded",
    "failed": "failed",
    "canceled": "was canceled",
    "error": "broke off",
    "timeout": "took longer than it may",
}
_SIGNED = re.compile(r"\?[^\s'\"]*\bsig=[^\s'\")]*")
_DENIED = re.compile(r"unauthorized|denied|authentication required|insufficient_scope", re.IGNORECASE)
WRITER = "Container Registry Repository Writer"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built: the Dockerfile's path in the archive, and the image's name in the registry.

    `abac`: the registry gives rights by repository, so that its agents push as whoever signed in, or not at all.
    `platform` is as `linux/amd64`.
    """

    registry: ResourceId
    abac: bool
    repository: str
    tag: str
    dockerfile: str
    platform: str

    @property
    def image(self) -> str:
        return f"{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Image:
    """One that a run pushed."""

    repository: str
    tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class Run:
    """`state` is in lower case, one of FINAL once it has ended; `message` is what Azure says went wrong."""

    id: str
    state: str
    message: str
    images: tuple[Image, ...]


def build(session: Session, order: Order, archive: BinaryIO, progress: Callable[[str], None]) -> str:
    """Has the registry build the context `archive` (a tar.gz) and push the image, and gives its manifest's digest.

    `progress` hears each line of the log as it comes. A run that was begun goes on in Azure whatever happens here.
    Raises AzureError: if it may not be begun, or with the log's last lines if it fails.
    """
    location = _upload(session, order, archive)
    run = _schedule(session, order, location)
    progress(f"run `{run.id}` builds in registry `{order.registry.name}`, and goes on there if this run is cut short")
    log = _Log(session, order, run.id, progress)
    try:
        log.follow()
    except AzureError as error:
        progress(f"the log can't be read further, but the build goes on: {error}")
    ended = _ended(session, order, run.id)
    if ended.state != SUCCEEDED:
        raise _failed(order, ended, tuple(log.last))
    return _digest(order, ended)


def body(order: Order, location: str) -> JSONObject:
    """The request for a run of a context that was uploaded to `location`."""
    system, _, architecture = order.platform.partition("/")
    asked: JSONObject = {
        "type": "DockerBuildRequest",
        "isArchiveEnabled": False,
        "imageNames": [order.image],
        "isPushEnabled": True,
        "noCache": False,
        "dockerFilePath": order.dockerfile,
        "platform": {"os": system.capitalize(), "architecture": architecture},
        "sourceLocation": location,
    }
    if order.abac:
        asked["credentials"] = {"sourceRegistry": {"identity": CALLER}}
    return asked


def parse(document: JSONObject) -> Run:
    """A run from the JSON of Microsoft.ContainerRegistry/registries/runs."""
    properties = wire.at(document, "properties")
    images = tuple(
        Image(wire.text(one, "repository"), wire.text(one, "tag"), wire.text(one, "digest"))
        for one in wire.objects(properties, "outputImages")
    )
    state = wire.text(properties, "status").lower()
    return Run(wire.text(properties, "runId"), state, wire.text(properties, "runErrorMessage"), images)


def _upload(session: Session, order: Order, archive: BinaryIO) -> str:
    """The place of the context, as `scheduleRun` wants it named."""
    group, name = order.registry.group, order.registry.name
    with _reported(session, order, f"send the build context to registry `{name}`"):
        place = wire.document(_client(session, order).registries.get_build_source_upload_url(group, name))
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
        _must_succeed(_blob(session, "PUT", wire.text(place, "uploadUrl"), headers, archive))
    return wire.text(place, "relativePath")


def _schedule(session: Session, order: Order, location: str) -> Run:
    request: Any = body(order, location)
    with _reported(session, order, f"begin a build in registry `{order.registry.name}`"):
        operations = _client(session, order).registries
        return parse(wire.document(operations.schedule_run(order.registry.group, order.registry.name, request)))


def _look(session: Session, order: Order, run: str) -> Run:
    with _reported(session, order, f"see how run `{run}` of registry `{order.registry.name}` goes"):
        runs = _client(session, order).runs
        return parse(wire.document(runs.get(order.registry.group, order.registry.name, run)))


def _ended(session: Session, order: Order, run: str) -> Run:
    """The run once it has ended; its log may end a moment before."""
    begun = clock.monotonic_s()
    while (found := _look(session, order, run)).state not in FINAL:
        if clock.monotonic_s() - begun > LONGEST_S:
            raise AzureError(f"run `{run}` does not end", where=str(order.registry), hint=RERUN)
        clock.sleep(LOOK_EVERY_S)
    return found


def _failed(order: Order, run: Run, last: tuple[str, ...]) -> AzureError:
    heard = [*last, *([run.message] if run.message else [])]
    what = f"run `{run.id}` of registry `{order.registry.name}` {FINAL[run.state]}"
    hint = f"the whole log: `az acr task logs --registry {order.registry.name} --run-id {run.id}`"
    if order.abac and any(_DENIED.search(line) for line in heard):
        hint = (
            "the registry gives rights by repository, and its builds push as whoever signed in: that takes the role "
            f"`{WRITER}` there; or build here: `--builder docker`"
        )
    return AzureError(what, where=str(order.registry), why="\n".join(heard), hint=hint)


def _digest(order: Order, run: Run) -> str:
    for image in run.images:
        if (image.repository, image.tag) == (order.repository, order.tag) and image.digest:
            return image.digest
    what = f"run `{run.id}` of registry `{order.registry.name}` did not say what it pushed as `{order.image}`"
    raise AzureError(what, where=str(order.registry), hint=RERUN)


@dataclass(slots=True)
class _Log:
    """A run's log, read as it grows."""

    session: Session
    order: Order
    run: str
    say: Callable[[str], None]
    last: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    _link: str = ""
    _offset: int = 0
    _unfinished: bytes = b""

    def follow(self) -> None:
        """Says each line, until the log is complete or the run has ended; raises AzureError."""
        looks = 0
        begun = clock.monotonic_s()
        while not self._is_complete() and clock.monotonic_s() - begun < LONGEST_S:
            looks += 1
            if looks % LOOKS_BETWEEN_STATES == 0 and _look(self.session, self.order, self.run).state in FINAL:
                self._is_complete()
                break
            clock.sleep(LOOK_EVERY_S)
        self._hear(b"\n")

    def _is_complete(self) -> bool:
        """Reads what is new; the log is not there before the run has an agent."""
        ended = False
        while True:
            answer = self._ask("GET", {"x-ms-range": f"bytes={self._offset}-{self._offset + CHUNK_BYTES - 1}"})
            if answer.status_code == 404:
                return False
            if answer.status_code == 416:
                # There is nothing new, and such an answer does not say whether there ever will be.
                if ended or COMPLETE not in self._ask("HEAD", {}).headers:
                    return ended
                ended = True
                continue
            self._offset += len(answer.content)
            self._hear(answer.content)
            if self._offset >= _whole_size(answer):
                return COMPLETE in answer.headers

    def _ask(self, method: str, headers: dict[str, str]) -> HttpResponse:
        """A link holds for some minutes only: one that is refused is asked for anew, once."""
        with _reported(self.session, self.order, f"read the log of run `{self.run}`"):
            renewed = not self._link
            if not self._link:
                self._link = self._new_link()
            answer = _blob(self.session, method, self._link, headers)
            if answer.status_code == 403 and not renewed:
                self._link = self._new_link()
                answer = _blob(self.session, method, self._link, headers)
            if answer.status_code not in (404, 416):
                _must_succeed(answer)
            return answer

    def _new_link(self) -> str:
        runs, registry = _client(self.session, self.order).runs, self.order.registry
        return wire.text(wire.document(runs.get_log_sas_url(registry.group, registry.name, self.run)), "logLink")

    def _hear(self, piece: bytes) -> None:
        *lines, self._unfinished = (self._unfinished + piece).split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace").rstrip().rpartition("\r")[2]
            if text:
                self.last.append(text)
                self.say(text)


def _whole_size(answer: HttpResponse) -> int:
    """Of the blob that this is a range of (`bytes 0-824/825`)."""
    size = answer.headers.get("content-range", "").rpartition("/")[2]
    return int(size) if size.isdigit() else 0


def _blob(
    session: Session, method: str, url: str, headers: dict[str, str], content: BinaryIO | None = None
) -> HttpResponse:
    from azure.core import PipelineClient
    from azure.core.rest import HttpRequest

    from spin_aks.azure.pipeline import plain_policies

    client: PipelineClient[Any, Any] = PipelineClient(
        url.partition("?")[0], transport=session.transport, policies=plain_policies()
    )
    request = HttpRequest(method, url, headers={"x-ms-version": BLOB_VERSION, **headers}, content=content)
    answer: HttpResponse = client.send_request(request)
    return answer


def _must_succeed(answer: HttpResponse) -> None:
    from azure.core.exceptions import HttpResponseError

    if answer.status_code >= 300:
        raise HttpResponseError(response=answer)


@contextmanager
def _reported(session: Session, order: Order, task: str) -> Iterator[None]:
    """As `reported`, with no signature of an address in any text."""
    try:
        with reported(task, str(order.registry), tenant=session.tenant):
            yield
    except AzureError as error:
        error.problems = tuple(
            replace(one, what=_unsigned(one.what), hint=_unsigned(one.hint)) for one in error.problems
        )
        error.why = _unsigned(error.why)
        if isinstance(error, AzureRefusalError):
            error.answer = replace(error.answer, message=_unsigned(error.answer.message))
        raise


def _unsigned(text: str) -> str:
    return _SIGNED.sub("?...", text)


def _client(session: Session, order: Order) -> ContainerRegistryTasksMgmtClient:
    from azure.mgmt.containerregistrytasks import ContainerRegistryTasksMgmtClient

    return session.client(ContainerRegistryTasksMgmtClient, order.registry.subscription)
