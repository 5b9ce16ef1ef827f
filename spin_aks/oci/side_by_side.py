"""Several jobs at once, all of them given up at the first failure or when the person who waits has had enough."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Stopped(Exception):  # noqa: N818  no error: somebody else's is being reported
    """Raised inside a job by `Crew.check` once its result is no longer wanted."""


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    index: int
    result: T


class Crew:
    """Threads that work for the one that made it; `progress` is called by that one alone."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._owner = threading.get_ident()
        self._events: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._is_over = threading.Event()

    def say(self, text: str) -> None:
        """Has a line shown, from whatever thread."""
        if threading.get_ident() == self._owner:
            self._progress(text)
        else:
            self._events.put(text)

    def check(self) -> None:
        """Raises Stopped once nobody waits for the result any more."""
        if self._is_over.is_set():
            raise Stopped

    def run(self, jobs: Sequence[Callable[[], T]], workers: int) -> list[T]:
        """The results in the order of `jobs`. Raises the first failure as it is; Ctrl-C goes through at once.

        The threads are daemons: one that sits in a system call keeps nobody from leaving.
        """
        waiting: queue.SimpleQueue[tuple[int, Callable[[], T]]] = queue.SimpleQueue()
        for numbered in enumerate(jobs):
            waiting.put(numbered)
        for _ in range(min(workers, len(jobs))):
            threading.Thread(target=self._work, args=(waiting,), daemon=True).start()
        try:
            return self._gathered(len(jobs))
        finally:
            self._is_over.set()

    def _gathered(self, count: int) -> list[T]:
        results: dict[int, T] = {}
        while len(results) < count:
            event = self._events.get()
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, _Done):
                results[event.index] = event.result
            else:
                self._progress(str(event))
        return [results[index] for index in range(count)]

    def _work(self, waiting: queue.SimpleQueue[tuple[int, Callable[[], T]]]) -> None:
        try:
            while True:
                index, job = waiting.get_nowait()
                self.check()
                self._events.put(_Done(index, job()))
        except (queue.Empty, Stopped):
            return
        except BaseException as error:
            self._events.put(error)
