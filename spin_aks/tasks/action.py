"""What happens around every stage's action: the lock, the record, and errors that doit can report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from spin_aks.context import Context
    from spin_aks.tasks.stage import Stage


def guarded(stage: Stage, context: Context) -> Callable[[], object]:
    """doit's action for `stage`: a SpinAksError ends it as a failed task with that text, and stands in the record."""

    def act() -> object:
        from doit.exceptions import TaskFailed

        context.claim()
        context.record.started(stage.name)
        try:
            stage.action()
        except Exception as error:
            context.record.failed(stage.name, str(error))
            context.failures.append(error)
            return TaskFailed(str(error), report=False)
        except BaseException:
            context.record.failed(stage.name, "it was interrupted")
            raise
        context.record.done(stage.name)
        return None

    return act
