"""What a stage is, and how doit is told of it.

A stage is fresh while its values, its files and its targets are as they were when it last ended well. Values are kept
themselves, not as a digest as doit's own `config_changed` does, so that `why` can name the old one and the new one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from doit.dependency import UptodateCalculator

from spin_aks import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from spin_aks.errors import Problem
    from spin_aks.json_types import JSON, JSONObject

FileState: TypeAlias = tuple[int, int]
"""What tells cheaply that a file changed: its mtime in ns, its size in bytes."""

VALUES_KEY = "values"
DISTURBED_KEY = "disturbed"
OUTPUTS_KEY = "outputs"


def no_files() -> tuple[str, ...]:
    return ()


def nothing_observed() -> tuple[str, ...]:
    return ()


def nothing_required() -> tuple[Problem, ...]:
    return ()


def nothing_in_the_way() -> None:
    """Whether such a stage can do its work shows when it does it."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stage:
    """One stage of the pipeline.

    `files` lists the files it depends on when it is called: those that a stage before it made in the same run are among
    them, which a list taken at load time would miss. `values` hold no secret: they are kept in plain text. With
    `owns_targets` a target that somebody else changed makes it stale, as one below `.spin-aks/` always does; without,
    it is a file that people keep and edit. A stage that `shares_files` touches what all environments share, and is
    alone while it does. `observed` says, in sentences, what outside this machine is not as the stage left it.
    `requires` names what nobody has given yet, before anything runs; `ready`, once all that is given, raises what would
    keep the stage from its work whatever the stages before it do.
    """

    name: str
    doc: str
    action: Callable[[], None]
    depends_on: tuple[str, ...] = ()
    files: Callable[[], Iterable[str]] = no_files
    values: Mapping[str, JSON] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    owns_targets: bool = False
    shares_files: bool = False
    observed: Callable[[], tuple[str, ...]] = nothing_observed
    requires: Callable[[], tuple[Problem, ...]] = nothing_required
    ready: Callable[[], None] = nothing_in_the_way


class Inputs(UptodateCalculator):  # type: ignore[misc]  # doit ships no types
    """The `uptodate` of every stage, the only one it has (two of doit's never agree: pydoit/doit#333).

    doit asks it before it looks at `file_dep`, so it also puts the list of files right. It is an UptodateCalculator for
    the sake of `setup`, where doit hands over its memory.
    """

    # doit asks for the arguments' names of each one there is; finding them out a thousand times takes a while.
    __signature__ = Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("task", "values")])

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self._files: frozenset[str] = frozenset()
        self._before: dict[str, FileState] = {}
        self._memory: Memory | None = None

    def setup(self, dep_manager: Memory, tasks_dict: Mapping[str, object]) -> None:  # noqa: ARG002 - doit's hook
        self._memory = dep_manager

    def configure_task(self, task: DoitTask) -> None:
        """doit's hook at load time (doit 0.37, task.py, `_init_uptodate`)."""
        task.value_savers.append(self._left_behind)

    def __call__(self, task: DoitTask, values: JSONObject) -> bool:
        self._files = frozenset(self.stage.files())
        task.file_dep = set(self._files)
        known = changed_values(self.stage, values) or disturbed(values) or spoiled(values)
        return not (known or self.stage.observed())

    def begin(self) -> None:
        """To be called right before the action: from here on, a file that changes has disturbed it.

        What doit remembers of the stage is forgotten here: if it is killed from now on, its targets are whatever it
        got to, and putting its files back as they were would make it look fresh.
        """
        self._before = states(self._files)
        if self._memory is not None:
            self._memory.remove(self.stage.name)

    def _left_behind(self) -> dict[str, object]:
        owned = (path for path in self.stage.targets if self.stage.owns_targets or _is_state(path))
        outputs = {path: seal for path in owned if (seal := _seal(path))}
        return {VALUES_KEY: dict(self.stage.values), DISTURBED_KEY: self._disturbed(), OUTPUTS_KEY: outputs}

    def _disturbed(self) -> list[str]:
        """Files that changed while the stage ran: doit takes their new state for the one it worked on (doit#119)."""
        now = states(self._before)
        return sorted(path for path, before in self._before.items() if now.get(path) != before)


def disturbed(values: JSONObject) -> tuple[str, ...]:
    """The files that changed while the stage last ran, as it noted them in its values."""
    noted = values.get(DISTURBED_KEY)
    return tuple(str(path) for path in noted) if isinstance(noted, list) else ()


def spoiled(values: JSONObject) -> tuple[str, ...]:
    """The stage's own targets that hold something else than what it last wrote (doit only asks whether a target is
    there). Those that are gone are not among them.
    """
    noted = values.get(OUTPUTS_KEY)
    outputs: JSONObject = noted if isinstance(noted, dict) else {}
    return tuple(path for path, seal in outputs.items() if _is_broken(path, seal))


def _is_state(path: str) -> bool:
    return "/.spin-aks/" in f"/{path}"


def _is_broken(path: str, seal: JSON) -> bool:
    match seal, states([path]).get(path):
        case _, None:
            return False
        case [int(mtime_ns), int(size_bytes), str(digest)], now:
            return now != (mtime_ns, size_bytes) and _digest(path) != digest
    return True


def _seal(path: str) -> list[JSON] | None:
    """What tells whether the file was changed, cheaply as long as it was not: time, size, digest; None if there is no
    such file.
    """
    if not Path(path).is_file():
        return None
    return [*states([path])[path], _digest(path)]


def _digest(path: str) -> str:
    try:
        return files.sha256(Path(path))
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class ChangedValue:
    """A value that is not what it was: `old` is None where it was not known then, `new` where it is not known now."""

    name: str
    old: JSON
    new: JSON


def changed_values(stage: Stage, values: JSONObject) -> tuple[ChangedValue, ...]:
    """The stage's values that differ from those it last ended well with; all of them if it never did."""
    kept = values.get(VALUES_KEY)
    if kept == stage.values:
        return ()
    old: Mapping[str, JSON] = kept if isinstance(kept, dict) else {}
    names = sorted(set(old) | set(stage.values))
    return tuple(
        ChangedValue(name, old.get(name), stage.values.get(name))
        for name in names
        if old.get(name) != stage.values.get(name) or not isinstance(kept, dict)
    )


def as_doit(stage: Stage, action: Callable[[], object]) -> dict[str, object]:
    """doit's own description of the stage; `action` is run in the stage's place (it calls `stage.action`).

    `file_dep` is left out: `Inputs` fills it in when doit asks.
    """
    inputs = Inputs(stage)

    def act() -> object:
        inputs.begin()
        return action()

    basename, _, name = stage.name.partition(":")
    task: dict[str, object] = {
        "basename": basename,
        "doc": stage.doc,
        "actions": [act],
        "task_dep": list(stage.depends_on),
        "targets": list(stage.targets),
        "uptodate": [inputs],
        "io": {"capture": False},
        "verbosity": 2,
    }
    if name:
        task["name"] = name
    return task


def states(paths: Iterable[str]) -> dict[str, FileState]:
    """The state of each of `paths` that is there.

    Strings and not Path, here and below: a run that does nothing asks for thousands.
    """
    found = {}
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found


def existing(paths: Iterable[Path | str | None]) -> list[str]:
    """Those of `paths` that are files: one that is missing is for the stage itself to name, better than doit can."""
    named = (path.as_posix() if isinstance(path, Path) else path for path in paths)
    return [path for path in dict.fromkeys(named) if path is not None and os.path.isfile(path)]  # noqa: PTH113


class DoitTask:
    """The part of doit's Task that `Inputs` touches."""

    name: str
    file_dep: set[str]
    value_savers: list[Callable[[], dict[str, object]]]


class Memory(Protocol):
    """The part of doit's Dependency that `Inputs` touches."""

    def remove(self, task_id: str) -> None: ...
