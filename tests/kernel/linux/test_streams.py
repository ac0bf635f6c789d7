"""What a shim says is heard once, however often somebody listens in before."""

import socket

import pytest

from pyminidock.kernel.linux import streams


def test_an_answer_that_was_overheard_is_still_there_to_be_heard() -> None:
    engine, shim = socket.socketpair()
    with engine, shim:
        streams.send(shim, code=3, executed=1)
        streams.send(shim, code=4)
        assert streams.overhear(engine) == {"code": "3", "executed": "1"}
        assert streams.hear(engine) == {"code": "3", "executed": "1"}
        assert streams.hear(engine) == {"code": "4"}


def test_nothing_is_overheard_from_a_shim_that_hung_up() -> None:
    engine, shim = socket.socketpair()
    with engine:
        shim.close()
        with pytest.raises(ConnectionResetError):
            streams.overhear(engine)
