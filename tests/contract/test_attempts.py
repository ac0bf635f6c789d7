"""One request, and who waits for it: every kernel can try and tell."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pyminidock.kernel.attempts import CONNECTED, REFUSED, Attempt, Listening
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.port import ProcessGone
from tests.contract.plans import birth
from tests.contract.stands import Stand, end, start


@contextmanager
def waiting(stand: Stand, address: str) -> Iterator[int]:
    """Let somebody wait on the machine, and give the port."""
    if isinstance(stand.body, ModelBody):
        stand.body.listen(Listening("tcp", address, 8080, 7, 9, "server"))
        yield 8080
        stand.body.listen()
        return
    with socket.create_server((address, 0)) as server:
        yield server.getsockname()[1]


def test_who_waits_on_the_machine_is_listed_and_takes_a_request(stand: Stand) -> None:
    with waiting(stand, "127.0.0.1") as port:
        found = [each for each in stand.body.listening() if each.port == port]
        done = stand.body.attempt(Attempt("127.0.0.1", port))
    assert [(each.protocol, each.address) for each in found] == [("tcp", "127.0.0.1")]
    assert all(each.pid and each.program and each.inode for each in found)
    assert done.outcome == CONNECTED


def test_where_nobody_waits_a_request_is_refused(stand: Stand) -> None:
    with waiting(stand, "127.0.0.1") as port:
        pass
    assert stand.body.attempt(Attempt("127.0.0.1", port)).outcome == REFUSED


def test_a_request_from_inside_meets_nobody_outside(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    with waiting(stand, "127.0.0.1") as port:
        done = stand.body.attempt(Attempt("127.0.0.1", port), process)
        inside = stand.body.listening(process)
    end(stand, process)
    assert done.outcome == REFUSED
    assert inside == ()


def test_nobody_asks_from_where_a_process_has_ended(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    end(stand, process)
    with pytest.raises(ProcessGone):
        stand.body.listening(process)
    with pytest.raises(ProcessGone):
        stand.body.attempt(Attempt("127.0.0.1", 80), process)
