"""Listening to an engine: its events as they happen, and gates that hold a story.

A gate lives as long as its connection: whoever holds a story and goes away, by closing or
by dying, lets it go.
"""

import json
from collections.abc import Callable, Iterator
from typing import Self

from pyminidock.client.transport import Live, Question, Reply, lines, lost
from pyminidock.events.journal import Record, from_line


class Watch:
    """Events of an engine, one Record after the other, until closed from any thread."""

    def __init__(self, live: Live) -> None:
        self._live, self._lines = live, lines(live)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Record:
        return from_line(next(self._lines).decode())

    def close(self) -> None:
        """Stop listening."""
        self._live.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class GateHandle:
    """A gate that this client made; `id` is its name in the engine."""

    def __init__(self, live: Live, ask: Callable[[Question], Reply]) -> None:
        self._live, self._ask, self._lines = live, ask, lines(live)
        first = next(self._lines, None)
        if first is None:
            raise lost("the gate closed before it was made")
        self.id = str(json.loads(first)["gate"])

    def held(self) -> Iterator[Record]:
        """Wait for each event that is held; ends when the gate is closed."""
        for line in self._lines:
            yield from_line(json.dumps(json.loads(line)["held"]))

    def step(self) -> None:
        """Let the story go on to its next event.  Raises Refused if it is not held."""
        self._order("step")

    def resume(self) -> None:
        """Let the story go on to the next event that the pattern names."""
        self._order("continue")

    def abort(self) -> None:
        """Undo what was begun."""
        self._order("abort")

    def close(self) -> None:
        """Let go, and hold nothing any more."""
        self._live.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _order(self, order: str) -> None:
        try:
            self._ask(Question("POST", f"/minidock/gates/{self.id}/{order}"))
        except OSError as refusal:  # its socket is there, and nobody listens
            raise lost("the engine is gone") from refusal
