"""Everything that can be asked of an engine about builds, one method each."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pyminidock.client.transport import Live, Question, Reply, Transport, lines, refusal
from pyminidock.events import Event
from pyminidock.events.journal import data_of


def ignore_it(_live: Live) -> None:
    """Leave the answer alone."""


class Builds:
    """The builds of one engine.  Messages are Docker's own JSON, as API 1.45 has them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def opened(self, title: str = "build", left_out: Iterable[Event] = ()) -> str:
        """Open the story of a build to come, so that gates can be set; give its number.

        It is called build-NUMBER; the build says `buildid=NUMBER` in its query.
        `left_out` are the PathIgnored of our side.
        """
        body = {"title": title, "ignored": [data_of(event) for event in left_out]}
        told = self._ask(Question("POST", "/minidock/builds", {}, body)).json()
        return str(told["buildid"])

    def build(
        self, query: Mapping[str, Any], archive: Iterable[bytes],
        begun: Callable[[Live], object] = ignore_it,
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """Send a context and give what is said, as it comes; leaving early cancels.

        So does closing what `begun` is given, from any thread.
        Raises Refused where the build cannot begin.
        """
        live = self._transport.listen(Question("POST", "/build", query, stream=archive))
        try:
            begun(live)
            for line in lines(live):
                yield json.loads(line)
        finally:
            live.close()

    def prune(
        self, *, all: bool = False, keep_bytes: int = 0,
        filters: Mapping[str, Sequence[str]] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Forget what earlier builds left for later ones."""
        query = {"all": str(int(all)), "keep-storage": str(keep_bytes)}
        query |= {"filters": json.dumps(filters)} if filters else {}
        return dict(self._ask(Question("POST", "/build/prune", query)).json())

    def explain(self, image: str) -> dict[str, Any]:
        """Tell step by step how an image came about."""
        question = Question("GET", "/minidock/cache", {"image": image})
        return dict(self._ask(question).json())

    def _ask(self, question: Question) -> Reply:
        reply = self._transport.ask(question)
        if reply.status >= 400:
            raise refusal(reply)
        return reply
