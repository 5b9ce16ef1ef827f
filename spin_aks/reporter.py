"""What a person sees while doit runs the pipeline: a line a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spin_aks import clock, terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doit.exceptions import BaseFail
    from doit.task import Task

    from spin_aks.plan import Plan

WORD_WIDTH = 6


class Reporter:
    """doit's reporter protocol (doit 0.37, reporter.py). Groups, which do nothing themselves, are not shown."""

    desc = "a line a stage, with the reason"

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._began_s = 0.0
        self.ran: list[str] = []

    def initialize(self, tasks: Mapping[str, Task], selected: list[str]) -> None:
        """Nothing to prepare."""

    def get_status(self, task: Task) -> None:
        """Nothing to say before doit has decided."""

    def execute_task(self, task: Task) -> None:
        stage = self._plan.stage(task.name)
        if stage is None or not task.actions:
            return
        self._began_s = clock.monotonic_s()
        _line("run", task.name, stage.told)

    def add_success(self, task: Task) -> None:
        if task.actions:
            self.ran.append(task.name)
            _line("done", task.name, f"{clock.monotonic_s() - self._began_s:.1f} s")

    def skip_uptodate(self, task: Task) -> None:
        if task.actions:
            _line("fresh", task.name)

    def skip_ignore(self, task: Task) -> None:
        _line("ignore", task.name, "by `doit ignore`; `doit forget` takes it back")

    def add_failure(self, task: Task, fail: BaseFail) -> None:  # noqa: ARG002 - doit's protocol
        if task.actions:
            _line("failed", task.name)

    def cleanup_error(self, exception: BaseFail) -> None:
        terminal.warn(str(exception))

    def runtime_error(self, message: str) -> None:
        terminal.warn(message)

    def teardown_task(self, task: Task) -> None:
        """No stage has one."""

    def complete_run(self) -> None:
        """Whoever ran the pipeline has the last word."""


def show_fresh(stages: Iterable[str]) -> None:
    """What the reporter would show of a run in which doit's runner has nothing to do."""
    lines = [_shown("fresh", name) for name in stages]
    if lines:
        terminal.say("\n".join(lines))


def _line(word: str, stage: str, more: str = "") -> None:
    terminal.say(_shown(word, stage, more))


def _shown(word: str, stage: str, more: str = "") -> str:
    return f"{word:<{WORD_WIDTH}}  {stage}{': ' if more else ''}{more}"
