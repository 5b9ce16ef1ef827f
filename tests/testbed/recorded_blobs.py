"""The recorded requests to the blobs of a registry's builds: no SDK makes them, so that they are sent as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from testbed.azure_recordings import Step, Story

from spin_aks.sandbox.azure import blobs

if TYPE_CHECKING:
    from testbed.azure_recordings import Clients, Recording

RECORDING = "acr-build-quickrun"
UPLOAD, GROWING, FIRST_PART, LAST_PART, COMPLETE = 60, 63, 65, 104, 105
UPLOADED = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2022-11-02"}
READ = {"x-ms-version": "2018-11-09"}
# Of the moment, or how long the content is; the recorder left lengths out.
CHOSEN = ("content-length", "content-md5", "last-modified", "x-ms-creation-time", "x-ms-content-crc64")


def sent(index: int, clients: Clients, recording: Recording, headers: dict[str, str]) -> dict[str, Any]:
    """The answer to a recorded request, with the recorded headers that matter to a blob."""
    exchange = recording.exchanges[index]
    url = blobs.signed_url(clients.world, urlsplit(exchange.url).path, "rcw") if clients.world else exchange.url
    content = b"sources" if exchange.method == "PUT" else None
    answer = clients.session.request(exchange.method, url, data=content, headers=headers, timeout=30)
    told = {name.lower(): value for name, value in answer.headers.items()}
    kept = {name: value for name, value in told.items() if name not in CHOSEN}
    return {"status": answer.status_code, "headers": kept, "text": answer.content.decode()}


def written(sandbox: Clients, recording: Recording, *parts: int, **metadata: str) -> None:
    """The log is as far as these exchanges show it; what was cut between them is blank."""
    content = b""
    for index in parts:
        exchange = recording.exchanges[index]
        begin = int(exchange.headers["content-range"].removeprefix("bytes ").partition("-")[0])
        content = content.ljust(begin) + exchange.body.encode()
    blobs.write(sandbox.world, urlsplit(recording.exchanges[FIRST_PART].url).path, content, metadata)


def grown(sandbox: Clients, recording: Recording) -> None:
    written(sandbox, recording, FIRST_PART)


def ended(sandbox: Clients, recording: Recording) -> None:
    written(sandbox, recording, FIRST_PART, LAST_PART, complete="successful")


def step(title: str, index: int, headers: dict[str, str], meanwhile: Any = None) -> Step:
    return Step(title, lambda clients, recording: sent(index, clients, recording, headers), meanwhile)


BLOCKS = "how often the log was written to"
STORIES = (
    Story(
        RECORDING,
        (UPLOAD, GROWING, FIRST_PART, LAST_PART, COMPLETE),
        (
            step("sources", UPLOAD, UPLOADED),
            step("a log that grows", GROWING, READ, grown),
            step("its begin", FIRST_PART, {**READ, "x-ms-range": "bytes=0-4095"}),
            step("its end", LAST_PART, {**READ, "x-ms-range": "bytes=5567-9662"}, ended),
            step("a complete log", COMPLETE, READ),
        ),
        differs={
            "its end: headers.content-range": "the names in the log were of other lengths before it was scrubbed",
            **{
                f"{title}: headers.x-ms-blob-committed-block-count": BLOCKS
                for title in ("a log that grows", "its begin", "its end", "a complete log")
            },
        },
    ),
)
