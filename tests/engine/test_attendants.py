"""Whoever waits for the end of a program is a thread, and one that is done waits again."""

import threading
import weakref

from pyminidock.engine.attendants import MOST_IDLE, Attendants
from tests.engine.studio import DEADLINE_S
from tests.reference import wait_until


class Errand:
    """A deed that notes its thread, and lasts until it may end."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.thread = threading.current_thread()
        self.name = ""

    def __call__(self) -> None:
        """Do it."""
        self.thread = threading.current_thread()
        self.name = self.thread.name
        self.begun.set()
        assert self.may_end.wait(DEADLINE_S)

    def run(self, attendants: Attendants, name: str) -> "Errand":
        """Begin it, and see that it began."""
        attendants.send(name, self)
        assert self.begun.wait(DEADLINE_S)
        return self

    def end(self) -> None:
        """Let it end, and wait until its thread is idle or gone."""
        self.may_end.set()
        wait_until(self._is_over, DEADLINE_S, "the end of an errand")

    def _is_over(self) -> bool:
        return self.thread.name == "idle" or not self.thread.is_alive()


def gone(thread: threading.Thread) -> bool:
    thread.join(DEADLINE_S)
    return not thread.is_alive()


def test_deeds_at_the_same_time_have_threads_of_their_own_under_their_names() -> None:
    attendants = Attendants()
    first, second = (Errand().run(attendants, name) for name in ("end-a", "end-b"))
    assert first.thread is not second.thread
    assert (first.name, second.name) == ("end-a", "end-b")
    for each in (first, second):
        each.end()
    attendants.close()


def test_close_lets_the_idle_go_at_once_and_the_busy_at_their_end() -> None:
    attendants = Attendants()
    idle, busy = Errand().run(attendants, "idler"), Errand().run(attendants, "end-b")
    idle.end()
    attendants.close()
    assert gone(idle.thread)
    assert busy.thread.is_alive()
    busy.may_end.set()
    assert gone(busy.thread)


def test_many_deeds_one_after_the_other_need_few_threads() -> None:
    attendants = Attendants()
    threads = set()
    for number in range(5 * MOST_IDLE):
        errand = Errand().run(attendants, f"end-{number}")
        errand.end()
        threads.add(errand.thread)
    assert len(threads) <= MOST_IDLE
    attendants.close()
    assert all(gone(thread) for thread in threads)


def test_no_more_than_a_few_stay_idle_after_a_rush() -> None:
    attendants = Attendants()
    rush = [Errand().run(attendants, f"end-{number}") for number in range(2 * MOST_IDLE)]
    for errand in rush:
        errand.may_end.set()
    wait_until(
        lambda: sum(each.thread.is_alive() for each in rush) <= MOST_IDLE,
        DEADLINE_S, "the end of those who are too many",
    )  # fmt: skip
    attendants.close()
    assert all(gone(each.thread) for each in rush)


def test_an_idle_thread_holds_nothing_of_what_it_did() -> None:
    attendants, errand = Attendants(), Errand()
    errand.run(attendants, "end-a").end()
    trace, errand = weakref.ref(errand), Errand()
    wait_until(lambda: trace() is None, DEADLINE_S, "the first errand to be forgotten")
    attendants.close()
