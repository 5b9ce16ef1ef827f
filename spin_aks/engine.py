"""Runs the pipeline in this process, by doit's own runner: decide, show, act.

With state.py, plan.py and reporter.py this is all that knows doit's internals (doit 0.37).
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doit.control import TaskControl
from doit.dependency import DatabaseException, Dependency
from doit.loader import generate_tasks
from doit.runner import Runner
from doit.task import Stream

import dodo_spin_aks
from spin_aks import context as contexts
from spin_aks import plan as plans
from spin_aks.errors import SpinAksError, UsageError
from spin_aks.reporter import Reporter, show_fresh
from spin_aks.state import DurableDB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from doit.task import Task

    from spin_aks.context import Context
    from spin_aks.plan import Plan, PlannedStage
    from spin_aks.tasks.stage import Stage


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Loaded:
    """The pipeline of one context: our stages in order, and doit's tasks for them and for their groups."""

    stages: tuple[Stage, ...]
    tasks: dict[str, Task]


def load(context: Context) -> Loaded:
    """The pipeline as `context` has it."""
    contexts.use(context)
    return loaded(tuple(dodo_spin_aks.stages(context)), context)


def loaded(stages: tuple[Stage, ...], context: Context) -> Loaded:
    """doit's own view of these stages."""
    tasks = generate_tasks("pipeline", dodo_spin_aks.as_tasks(stages, context))
    return Loaded(stages, {task.name: task for task in tasks})


def inspect(context: Context) -> Plan:
    """What would run, and why. Writes nothing."""
    pipeline = load(context)
    name = str(context.database) if context.database.is_file() else ":memory:"
    with _state(name, context) as dependency:
        return _plan(pipeline, dependency, context)


def run(context: Context, targets: Sequence[str]) -> Plan:
    """Brings `targets` (stages, or groups of them) up to date and returns the plan that was followed.

    Raises UsageError for a target that there is not, LockedError if another run is at work, or what a stage raised.
    """
    context.claim()
    pipeline = load(context)
    check_targets(pipeline, targets)
    with _state(str(context.database), context) as dependency:
        plan = _plan(pipeline, dependency, context)
        behind = plan.behind(targets)
        check_requirements(pipeline, behind)
        if not any(stage.runs for stage in behind):
            show_fresh(stage.name for stage in behind if stage.name != dodo_spin_aks.FINAL)
            return plan
        code = _walk(pipeline, [stage.name for stage in behind], dependency, plan)
    if context.failures:
        raise context.failures[0]
    if code:
        raise SpinAksError("the pipeline did not end well", hint="`spin-aks list` shows the state of each stage")
    return plan


def _walk(pipeline: Loaded, names: Sequence[str], dependency: Dependency, plan: Plan) -> int:
    """Hands the stages of these names to doit's runner, which asks each again when its turn comes.

    Each is selected itself: doit keeps those that wait for the same one in a set, and would run them in any order.
    """
    control = TaskControl(list(pipeline.tasks.values()))
    control.process(list(names))
    runner = Runner(dependency, Reporter(plan), stream=Stream(2))
    code: int = runner.run_all(control.task_dispatcher())
    return code


def _plan(pipeline: Loaded, dependency: Dependency, context: Context) -> Plan:
    busy = not context.lock.is_ours and context.lock.is_held()
    decided = plans.decide(pipeline.stages, pipeline.tasks, dependency, context.record, busy=busy)
    return plans.with_final(decided, dodo_spin_aks.FINAL)


def check_targets(pipeline: Loaded, targets: Sequence[str]) -> None:
    """Raises UsageError for the first of `targets` that is neither a stage nor a group, with the nearest that is."""
    for target in targets:
        if target not in pipeline.tasks:
            import difflib

            near = difflib.get_close_matches(target, pipeline.tasks, n=1)
            known = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(pipeline.tasks)}"
            raise UsageError(f"there is no stage `{target}`", hint=known)


def check_requirements(pipeline: Loaded, behind: Iterable[PlannedStage]) -> None:
    """Raises UsageError naming at once all that those stages that run need and nobody has given, or can't be; then
    what else would keep one of them from its work.
    """
    names = {stage.name for stage in behind if stage.runs}
    running = [stage for stage in pipeline.stages if stage.name in names]
    missing = [problem for stage in running for problem in stage.requires()]
    if missing:
        raise UsageError.of(dict.fromkeys(missing))
    for stage in running:
        stage.ready()


@contextmanager
def _state(name: str, context: Context) -> Iterator[Dependency]:
    try:
        dependency = Dependency(DurableDB, name)
    except (DatabaseException, sqlite3.Error, OSError) as error:
        raise _no_memory("read", error, name, context) from error
    try:
        with closing(dependency):
            yield dependency
    except (DatabaseException, sqlite3.Error) as error:
        raise _no_memory("read or kept", error, name, context) from error


def _no_memory(verb: str, error: Exception, name: str, context: Context) -> SpinAksError:
    """doit tells every error of SQLite as a broken file, with the real one as its context."""
    heard = error.__context__ if isinstance(error.__context__, sqlite3.Error) else error
    said = str(heard).splitlines()[0]
    sound = getattr(heard, "sqlite_errorname", "SQLITE_NOTADB").partition("_")[2] not in ("NOTADB", "CORRUPT")
    return SpinAksError(
        f"what was done before can't be {verb}: {said}",
        where=name,
        hint="free some room on that disk, see that you may write there, and run the same command again"
        if sound
        else f"remove `{context.database}` and run the same command again: every stage is then stale, no more",
    )
