"""Asking several things at once that don't depend on each other."""

from __future__ import annotations

from threading import Semaphore, Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
R = TypeVar("R")
AT_ONCE = 8


def side_by_side(ask: Callable[[T], R], about: Iterable[T]) -> tuple[R, ...]:
    """What `ask` answers about each, in their order; raises what the first of them raised.

    Ctrl-C ends the waiting at once: nobody waits for a server that hangs, not even when the process ends.
    """
    subjects = tuple(about)
    if len(subjects) < 2:
        return tuple(ask(subject) for subject in subjects)
    answers: dict[int, R] = {}
    errors: dict[int, Exception] = {}
    free = Semaphore(AT_ONCE)

    def one(place: int, subject: T) -> None:
        with free:
            try:
                answers[place] = ask(subject)
            except Exception as error:  # raised again by the thread that waits
                errors[place] = error

    # Threads of concurrent.futures are waited for when the process ends; these are not.
    threads = [Thread(target=one, args=item, daemon=True) for item in enumerate(subjects)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[min(errors)]
    return tuple(answers[place] for place in range(len(subjects)))
