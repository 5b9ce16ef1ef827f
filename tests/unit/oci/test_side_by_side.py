from __future__ import annotations

import threading

import pytest

from spin_aks.oci.side_by_side import Crew, Stopped


def test_results_come_in_the_order_of_the_jobs() -> None:
    jobs = [lambda number=number: number * number for number in range(20)]

    assert Crew(lambda _line: None).run(jobs, 4) == [number * number for number in range(20)]


def test_jobs_really_run_at_once() -> None:
    meeting = threading.Barrier(4, timeout=20)

    assert sorted(Crew(lambda _line: None).run([meeting.wait] * 4, 4)) == [0, 1, 2, 3]


def test_no_jobs_have_no_results() -> None:
    assert Crew(lambda _line: None).run([], 4) == []


def test_only_the_thread_that_waits_speaks() -> None:
    heard: list[tuple[str, int]] = []
    crew = Crew(lambda line: heard.append((line, threading.get_ident())))

    crew.say("before")
    crew.run([lambda: crew.say("during")], 1)

    assert heard == [("before", threading.get_ident()), ("during", threading.get_ident())]


def test_the_first_failure_is_raised_and_the_others_are_stopped() -> None:
    crew, stopped = Crew(lambda _line: None), threading.Event()

    def endless() -> None:
        try:
            while True:
                crew.check()
        except Stopped:
            stopped.set()
            raise

    def failing() -> None:
        raise ValueError("this one")

    with pytest.raises(ValueError, match="this one"):
        crew.run([endless, failing], 2)

    assert stopped.wait(20)
