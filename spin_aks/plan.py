"""Which stages are stale, and why: a value, made before anything runs and apart from it.

It is doit's own answer for each stage, plus what doit leaves out: a stage after a stale one may have to run, too
(doit's `list --status` looks at one task only), and what the last run's end was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spin_aks.tasks import stage as stages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from doit.dependency import Dependency, DependencyStatus
    from doit.task import Task

    from spin_aks.json_types import JSON, JSONObject
    from spin_aks.record import LastRun, Record
    from spin_aks.tasks.stage import Stage

NAMED_FILES = 3
AT_WORK = "at work"
UP_TO_DATE = "up-to-date"  # doit 0.37, dependency.py, `DependencyStatus`


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a stage is stale: `kind` is never, failed, running, value, file, target, outside or upstream."""

    kind: str
    short: str
    sentence: str


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """`state` is fresh, stale, never-run or failed; `last_run` is RFC 3339, or empty."""

    name: str
    state: str
    reasons: tuple[Reason, ...]
    depends_on: tuple[str, ...]
    targets: tuple[str, ...]
    last_run: str

    @property
    def runs(self) -> bool:
        return self.state != "fresh"

    @property
    def told(self) -> str:
        """The reasons in one line; that it never ran says enough, as does a failure."""
        own = [reason.short for reason in self.reasons if reason.kind != "upstream"]
        upstream = [reason.short.removeprefix("after ") for reason in self.reasons if reason.kind == "upstream"]
        after = [f"after {_names(upstream)}"] if upstream and self.state == "stale" else []
        return "; ".join(own + after)

    def to_json(self) -> JSONObject:
        return {
            "name": self.name,
            "state": self.state,
            "reasons": [reason.short for reason in self.reasons],
            "depends_on": list(self.depends_on),
            "targets": list(self.targets),
            "last_run": self.last_run or None,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages in the order they run in."""

    stages: tuple[PlannedStage, ...]

    def stage(self, name: str) -> PlannedStage | None:
        return next((stage for stage in self.stages if stage.name == name), None)

    def behind(self, targets: Iterable[str]) -> tuple[PlannedStage, ...]:
        """The stages that `targets` (stages, or groups of them) are made of, in order."""
        known = {stage.name: stage for stage in self.stages}
        wanted: set[str] = set()
        ahead = [name for name in known for target in targets if _is_of(name, target)]
        while ahead:
            name = ahead.pop()
            if name in known and name not in wanted:
                wanted.add(name)
                ahead += known[name].depends_on
        return tuple(stage for stage in self.stages if stage.name in wanted)

    def to_json(self) -> JSONObject:
        return {"stages": [stage.to_json() for stage in self.stages]}


def _is_of(stage: str, target: str) -> bool:
    return stage == target or stage.startswith(f"{target}:")


def decide(
    pipeline: Sequence[Stage], tasks: Mapping[str, Task], dependency: Dependency, record: Record, *, busy: bool = False
) -> Plan:
    """The plan for `pipeline`, whose order is one in which every stage stands after those it depends on.

    `busy`: another process is at work on it, so what the record has as running does run, and was not killed.
    """
    planned: dict[str, PlannedStage] = {}
    for stage in pipeline:
        status = dependency.get_status(tasks[stage.name], tasks, get_log=True)
        values = dependency.get_values(stage.name)
        upstream = [name for name in stage.depends_on if (known := planned.get(name)) and known.runs]
        last = record.last_run(stage.name)
        if busy and last and last.state == "running":
            last = replace(last, state=AT_WORK)
        reasons = _own(stage, status, values, last) + tuple(_upstream(name) for name in upstream)
        state = _state(values, last, reasons)
        planned[stage.name] = PlannedStage(
            stage.name, state, reasons, stage.depends_on, stage.targets, last.when if last else ""
        )
    return Plan(tuple(planned.values()))


def with_final(plan: Plan, name: str) -> Plan:
    """The plan with the final target of that name at its end: as fresh as the least fresh stage."""
    states = {stage.state for stage in plan.stages}
    state = next((one for one in ("failed", "stale", "never-run") if one in states), "fresh")
    if state == "never-run" and "fresh" in states:
        state = "stale"
    names = tuple(stage.name for stage in plan.stages)
    reasons = tuple(_upstream(stage.name) for stage in plan.stages if stage.runs)
    last_run = max((stage.last_run for stage in plan.stages), default="")
    return Plan((*plan.stages, PlannedStage(name, state, reasons, names, (), last_run)))


def _state(values: JSONObject, last: LastRun | None, reasons: tuple[Reason, ...]) -> str:
    if not reasons:
        return "fresh"
    if last and last.state == AT_WORK:
        return "stale"
    if last and last.state != "done":
        return "failed"
    return "stale" if values else "never-run"


def _own(stage: Stage, status: DependencyStatus, values: JSONObject, last: LastRun | None) -> tuple[Reason, ...]:
    if last and last.state != "done" and not values:
        return (_failed(last),)
    if not values:
        return (Reason("never", "never run", "it has never run here"),)
    if status.status == UP_TO_DATE:
        return ()  # doit has asked `Inputs`, which has looked at all of the following
    return (
        *(_value(change) for change in stages.changed_values(stage, values)),
        *(_outside(text) for text in stage.observed()),
        *_files(status.reasons),
        *(_disturbed(path) for path in stages.disturbed(values)),
        *(_target(path) for path in status.reasons.get("missing_target", ())),
        *(_spoiled(path) for path in stages.spoiled(values)),
    )


def _failed(last: LastRun) -> Reason:
    if last.state == AT_WORK:
        return Reason("running", "runs right now", f"another process runs it right now, since {last.when}")
    if last.state == "running":
        return Reason("failed", "was killed", f"its last run, begun at {last.when}, was killed")
    return Reason("failed", f"failed: {last.error}", f"its last run, at {last.when}, failed: {last.error}")


def _value(change: stages.ChangedValue) -> Reason:
    if change.old is None or change.new is None:
        word = "was given" if change.old is None else "is no longer given"
        known = change.new if change.old is None else change.old
        return Reason("value", f"{change.name} {word}", f"`{change.name}` {word}: {_shown(known)}")
    pair = (_shown(change.old), _shown(change.new))
    short = f"{change.name}: {pair[0]} -> {pair[1]}" if max(map(len, pair)) < 40 else f"{change.name} changed"
    return Reason("value", short, f"`{change.name}` changed from {pair[0]} to {pair[1]}")


def _shown(value: JSON) -> str:
    import json

    return value if isinstance(value, str) and value else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _files(found: Mapping[str, Sequence[str]]) -> list[Reason]:
    words = {"changed_file_dep": "changed", "added_file_dep": "is new", "removed_file_dep": "is gone"}
    plural = {"changed_file_dep": "changed", "added_file_dep": "are new", "removed_file_dep": "are gone"}
    new = set(found.get("added_file_dep", ()))
    reasons = []
    for key, word in words.items():
        paths = sorted(path for path in found.get(key, ()) if key == "added_file_dep" or path not in new)
        if paths:
            word = word if len(paths) == 1 else plural[key]
            reasons.append(Reason("file", f"{_names(paths)} {word}", f"{_names(paths, quote='`')} {word}"))
    return reasons


def _names(paths: Sequence[str], quote: str = "") -> str:
    named = [f"{quote}{path}{quote}" for path in paths[:NAMED_FILES]]
    more = len(paths) - len(named)
    if more:
        return f"{', '.join(named)} and {more} more"
    return " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _disturbed(path: str) -> Reason:
    sentence = (
        f"`{path}` changed while it last ran; if its own command writes it, add it to .gitignore or to `build.watch`"
    )
    return Reason("file", f"{path} changed while it last ran", sentence)


def _target(path: str) -> Reason:
    return Reason("target", f"{path} is missing", f"`{path}`, which it makes, is missing")


def _spoiled(path: str) -> Reason:
    return Reason("target", f"{path} is not as it left it", f"`{path}`, which it makes, was changed by somebody else")


def _outside(text: str) -> Reason:
    return Reason("outside", text, text)


def _upstream(name: str) -> Reason:
    return Reason("upstream", f"after {name}", f"`{name}` runs before it, and may change what it depends on")
