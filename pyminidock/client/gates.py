"""Gates of a story that a person steps through: several look like one.

An event that two patterns mean is held by two gates; it is shown once, and one order lets
it go.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

from pyminidock.client.watch import GateHandle
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record


class Gates:
    """Several gates of one story that look like one: what any of them holds is held."""

    def __init__(self, gates: Sequence[GateHandle]) -> None:
        self._gates: list[GateHandle] = []
        self._open = 0  # that may still hold something
        self._news: SimpleQueue[tuple[GateHandle, Record] | None] = SimpleQueue()
        self._holding = gates[0]
        self._last = (0, "")  # the event that was let go last, and how
        self.was_aborted = False
        for gate in gates:
            self.add(gate)

    def add(self, gate: GateHandle) -> None:
        """Hold at what this gate holds, too."""
        self._gates.append(gate)
        self._open += 1
        Thread(target=self._listen, args=(gate,), daemon=True).start()

    def drop(self, gate: GateHandle) -> None:
        """Let go what this gate holds, and hold at it no more."""
        self._gates.remove(gate)
        gate.close()

    @property
    def is_over(self) -> bool:
        """Whether every gate was closed, and nothing will be held any more."""
        return not self._open

    def held(self) -> Iterator[Record]:
        """Wait for each event that is held; one that several gates hold comes once."""
        while self._open:
            news = self._news.get()
            if news is None:
                self._open -= 1
                continue
            self._holding, record = news
            if record.seq == self._last[0]:
                self._order(self._last[1])
                continue
            self._last = (record.seq, "")
            yield record

    def step(self) -> None:
        """Let go, to the next event."""
        self._order("step")

    def resume(self) -> None:
        """Let go, to the next event of any of the patterns."""
        self._order("continue")

    def abort(self) -> None:
        """Let go, backwards."""
        self.was_aborted = True
        self._order("abort")

    def close(self) -> None:
        """Let go for good."""
        for gate in self._gates:
            gate.close()

    def _order(self, order: str) -> None:
        self._last = (self._last[0], order)
        match order:
            case "step":
                self._holding.step()
            case "abort":
                self._holding.abort()
            case _:
                self._holding.resume()

    def _listen(self, gate: GateHandle) -> None:
        with suppress(MinidockError, OSError):  # the engine ended: nothing is held
            for record in gate.held():
                self._news.put((gate, record))
        self._news.put(None)
