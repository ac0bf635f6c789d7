"""Gates of an engine that is gone."""

from collections.abc import Iterator

import pytest

from pyminidock.client.transport import ConnectionLost, Question, Reply
from pyminidock.client.watch import GateHandle


class OneLine:
    """A connection on which one line comes."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"gate":"g1"}\n'

    def close(self) -> None:
        """Keep nothing open."""


@pytest.mark.parametrize("order", ["step", "resume", "abort"])
def test_an_order_to_an_engine_that_is_gone_says_so(order: str) -> None:
    def refused(_question: Question) -> Reply:
        raise ConnectionRefusedError(111, "Connection refused")

    gate = GateHandle(OneLine(), refused)
    with pytest.raises(ConnectionLost, match="the engine is gone"):
        getattr(gate, order)()
