"""Every kernel rings once when something changes in a directory, if one still waits."""

import threading

from tests.contract.plans import birth
from tests.contract.stands import Stand, end, start

PATIENCE_S = 20.0


def test_the_bell_rings_when_a_program_has_ended(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    bell, left = threading.Event(), threading.Event()
    stand.body.ring(process.directory, bell.set)
    forget = stand.body.ring(process.directory, left.set)
    forget()
    forget()  # once more is no fault
    end(stand, process)
    assert bell.wait(PATIENCE_S)
    assert not left.is_set()


def test_it_rings_for_everybody_once(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    rung = threading.Semaphore(0)
    for _ in range(3):
        stand.body.ring(process.directory, rung.release)
    end(stand, process)
    for _ in range(3):
        assert rung.acquire(timeout=PATIENCE_S)
    assert not rung.acquire(blocking=False)
