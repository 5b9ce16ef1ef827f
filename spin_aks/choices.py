"""What was chosen last, on this machine: the defaults of the next questions.

Kept as JSON in two places (state_folders.py), of which the newer counts. Losing it means fewer defaults and nothing
else: nothing here raises for a file that is unreadable, torn or somebody else's, or for one that can't be written.
Several processes may read and note at once: nobody's note is lost.
"""

from __future__ import annotations

import stat
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from spin_aks import clock, files, ids, state_folders
from spin_aks.errors import LockedError, SpinAksError
from spin_aks.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from spin_aks.json_types import JSON, JSONObject

VERSION = 1
MOST_APPLICATIONS = 200
PATIENCE_S = 5.0
LOCK = "state.lock"
PRIVATE = 0o600
LONG_AGO = datetime.min.replace(tzinfo=UTC)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was applied last: where its image is, and when that was (RFC 3339)."""

    registry: str
    repository: str
    tag: str
    digest: str
    when: str


@dataclass(frozen=True, slots=True)
class ApplicationKey:
    """Which application: its name, and the absolute path of its manifest."""

    name: str
    manifest: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Ids, never display names; "" for what is not known. The application that was deployed last comes first."""

    cluster: str = ""
    registry: str = ""
    vault: str = ""
    configuration: str = ""
    applications: Mapping[ApplicationKey, Deployed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands in one place; `choices` is None where nothing does, or nothing that can be read."""

    place: Path = Path()
    exists: bool = False
    is_file: bool = False
    choices: Choices | None = None
    written: datetime = LONG_AGO


def read() -> Choices:
    """What was chosen last; what can't be read is not known. Never raises."""
    return _latest(found()).choices or Choices()


def note(
    *,
    cluster: str = "",
    registry: str = "",
    vault: str = "",
    configuration: str = "",
    deployed: tuple[ApplicationKey, Deployed] | None = None,
) -> None:
    """Keeps what is given beside what was kept before; "" leaves what was. Never raises.

    An address is kept without user name, password and query; of applications the latest 200. Nothing is kept where
    nothing can be written, or where another process holds the lock for more than a few seconds.
    """
    given = _clean(Choices(cluster, registry, vault, configuration, dict([deployed] if deployed else [])))
    if given == Choices():
        return
    with suppress(SpinAksError, OSError), _claimed():
        kept = found()
        before = _latest(kept)
        after = _merged(before.choices or Choices(), given)
        if not _stands(after, kept):
            _write(_document(after, _after(before.written)), kept)


def clear() -> tuple[Path, ...]:
    """Forgets everything; gives the files that are gone now. One that can't be removed still stands afterwards."""
    there = [kept.place for kept in found() if kept.is_file]
    if not there:
        return ()
    try:
        with _claimed():
            return _remove(there)
    except (SpinAksError, OSError):
        return _remove(there)


def places() -> tuple[Path, ...]:
    """First the file in Spin's data folder, last the copy; see `state_folders.places`."""
    return state_folders.places()


def found() -> tuple[Kept, ...]:
    """What stands in each place."""
    return tuple(_kept(place) for place in places())


@contextmanager
def _claimed() -> Iterator[None]:
    """For whoever writes. The lock is in the copy's folder, or beside Spin's where that can't be.

    Raises LockedError if another holds it for too long, SpinAksError where it can be nowhere.
    """
    lock = _lock()
    try:
        yield
    finally:
        lock.release()


def _lock() -> Lock:
    for place in reversed(places()):
        lock = Lock(place.with_name(LOCK))
        try:
            lock.acquire(patience_s=PATIENCE_S)
        except LockedError:
            raise
        except (SpinAksError, OSError):
            lock.release()
        else:
            return lock
    raise SpinAksError("there is no folder to keep state in")


def _latest(kept: Sequence[Kept]) -> Kept:
    """The newest that can be read, Spin's own before the copy."""
    readable = (one for one in kept if one.choices is not None)
    return max(readable, key=lambda one: one.written, default=Kept())


def _merged(before: Choices, given: Choices) -> Choices:
    applications = {**given.applications}
    for key, deployed in before.applications.items():
        applications.setdefault(key, deployed)
    return Choices(
        cluster=given.cluster or before.cluster,
        registry=given.registry or before.registry,
        vault=given.vault or before.vault,
        configuration=given.configuration or before.configuration,
        applications=dict(islice(applications.items(), MOST_APPLICATIONS)),
    )


def _stands(choices: Choices, kept: Sequence[Kept]) -> bool:
    """Whether every place holds just that already, and as of the same moment."""
    return len({one.written for one in kept}) == 1 and all(
        one.choices == choices and [*one.choices.applications] == [*choices.applications] for one in kept
    )


def _after(moment: datetime) -> datetime:
    """Now, or just after `moment` where the clock does not say that it is past: the later note is the newer one."""
    try:
        return max(clock.now(), moment + TICK)
    except OverflowError:
        return clock.now()


def _write(document: JSONObject, kept: Iterable[Kept]) -> None:
    for one in kept:
        if one.is_file or not one.exists:
            with suppress(SpinAksError, OSError):
                files.sweep(one.place.parent, one.place.name)
                files.write_json(one.place, document, mode=PRIVATE)


def _remove(there: Iterable[Path]) -> tuple[Path, ...]:
    gone = []
    for place in there:
        with suppress(OSError):
            place.unlink(missing_ok=True)
            gone.append(place)
    return tuple(gone)


def _kept(place: Path) -> Kept:
    try:
        mode = place.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return Kept(place)
    except OSError:
        return Kept(place, exists=True)
    # What is no file may never end (a pipe), or is somebody's way to say that nothing is to be kept (/dev/null).
    is_file = stat.S_ISREG(mode)
    document = files.read_json(place) if is_file else None
    if document is None or document.get("version") != VERSION:
        return Kept(place, exists=True, is_file=is_file)
    return Kept(place, True, is_file, _choices(document), _moment(document.get("written")))


def _moment(text: JSON) -> datetime:
    try:
        return datetime.fromisoformat(text if isinstance(text, str) else "").astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return LONG_AGO


def _document(choices: Choices, written: datetime) -> JSONObject:
    return {"version": VERSION, "written": written.isoformat().replace("+00:00", "Z"), **to_json(choices)}


def to_json(choices: Choices) -> JSONObject:
    """The form that is kept, without its version and time."""
    return {
        "cluster": choices.cluster,
        "registry": choices.registry,
        "vault": choices.vault,
        "configuration": choices.configuration,
        "applications": [{**asdict(key), **asdict(deployed)} for key, deployed in choices.applications.items()],
    }


def _choices(document: JSONObject) -> Choices:
    def text(key: str) -> str:
        value = document.get(key)
        return value if isinstance(value, str) else ""

    entries = document.get("applications")
    applications: dict[ApplicationKey, Deployed] = {}
    for entry in entries if isinstance(entries, list) else []:
        match entry:
            case {
                "name": str(name),
                "manifest": str(manifest),
                "registry": str(registry),
                "repository": str(repository),
                "tag": str(tag),
                "digest": str(digest),
                "when": str(when),
            }:
                deployed = Deployed(registry, repository, tag, digest, when)
                applications.setdefault(ApplicationKey(name, manifest), deployed)
    return _clean(Choices(text("cluster"), text("registry"), text("vault"), text("configuration"), applications))


def _clean(choices: Choices) -> Choices:
    """What of `choices` may be written and shown: no secret, nothing that is no text."""
    applications = {
        ApplicationKey(ids.plain(key.name), ids.path(key.manifest)): Deployed(
            ids.address(deployed.registry),
            ids.address(deployed.repository),
            ids.word(deployed.tag),
            ids.word(deployed.digest),
            ids.plain(deployed.when),
        )
        for key, deployed in choices.applications.items()
    }
    return Choices(
        ids.cluster(choices.cluster),
        ids.address(choices.registry),
        ids.address(choices.vault),
        ids.path(choices.configuration),
        {key: deployed for key, deployed in applications.items() if key.name and key.manifest},
    )
