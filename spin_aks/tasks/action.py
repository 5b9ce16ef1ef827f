"""What happens around every stage's action: the lock, the record, and errors that doit can report."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from spin_aks import terminal
from spin_aks.errors import SpinAksError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spin_aks.context import Context
    from spin_aks.tasks.stage import Stage


def guarded(stage: Stage, context: Context, *, tell: bool = False) -> Callable[[], object]:
    """doit's action for `stage`: an error ends it as a failed task with that text, and stands in the record.

    With `tell` it is also shown right here: under plain doit nobody else would.
    """

    def act() -> object:
        from doit.exceptions import TaskFailed

        try:
            context.claim()
            context.record.started(stage.name)
            with _alone(stage, context):
                stage.action()
            context.record.done(stage.name)
        except Exception as error:
            context.failures.append(error)
            _note(stage, context, str(error))
            if tell and isinstance(error, SpinAksError):
                terminal.show_error(error)
            return TaskFailed(str(error), report=tell and not isinstance(error, SpinAksError))
        except BaseException:
            _note(stage, context, "it was interrupted")
            raise
        return None

    return act


@contextmanager
def _alone(stage: Stage, context: Context) -> Iterator[None]:
    """Environments share the sources, what is compiled of them and the files that people keep: one stage at a time."""
    if not stage.shares_files:
        yield
        return
    context.folder_lock.acquire(wait=True)
    try:
        yield
    finally:
        context.folder_lock.release()


def _note(stage: Stage, context: Context, error: str) -> None:
    """Where even that can't be written (the disk is full, say), what went wrong first is what has to be told."""
    with suppress(SpinAksError):
        context.record.failed(stage.name, error)
