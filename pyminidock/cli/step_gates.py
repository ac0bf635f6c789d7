"""Gates of a story that a person steps through: several look like one.

An event that two patterns mean is held by two gates; it is shown once, and one order lets
it go.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread

from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.stepper_source import LiveSource, matches
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.client.watch import GateHandle
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record

ANY = "*"


class Gates:
    """Several gates of one story that look like one: what any of them holds is held."""

    def __init__(self, gates: Sequence[GateHandle]) -> None:
        self._gates = gates
        self._news: SimpleQueue[tuple[GateHandle, Record] | None] = SimpleQueue()
        self._holding = gates[0]
        self._last = (0, "")  # the event that was let go last, and how
        self.was_aborted = False
        for gate in gates:
            Thread(target=self._listen, args=(gate,), daemon=True).start()

    def held(self) -> Iterator[Record]:
        """Wait for each event that is held; one that several gates hold comes once."""
        open_gates = len(self._gates)
        while open_gates:
            news = self._news.get()
            if news is None:
                open_gates -= 1
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


class SteppedSource(LiveSource):
    """A story that is held wherever one of several patterns says."""

    def __init__(self, client: Client, story: str, patterns: Sequence[str], title: str):
        self._patterns = patterns
        self._gates = Gates([client.gate(story, each) for each in patterns])
        super().__init__(
            lambda _name, _pattern: self._gates, client.events, story,
            " or ".join(patterns), title,
        )  # fmt: skip

    @property
    def was_aborted(self) -> bool:
        """Whether what was held was told to go back."""
        return self._gates.was_aborted

    def stops_at(self, record: Record) -> bool:
        """Say whether one of the patterns means this event."""
        return any(matches(each, record) for each in self._patterns)


def gated(
    client: Client, story: str, patterns: Sequence[str], *, title: str, line: str
) -> SteppedSource:
    """Set the gates.  Raises WordsRefused, with the whole command that is meant.

    `line` is that command, with {} where the pattern stands.
    """
    try:
        return SteppedSource(client, story, patterns, title)
    except Refused as refusal:
        if not refusal.try_next.startswith("--break"):
            raise
        raise WordsRefused(
            refusal.what, why=refusal.why, try_next=line.format(refusal.try_next)
        ) from refusal
