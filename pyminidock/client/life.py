"""What can be asked about the life of a container after its start, one method each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyminidock.client.attach import Attached
from pyminidock.client.transport import Live, Question, Reply, Transport, lines, refusal

Filters = Mapping[str, Sequence[str]]


class Life:
    """The containers of one engine.  Bodies are Docker's own JSON, as API 1.45 has them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def stop(self, container: str, *, signal: str = "", seconds: int | None = None) -> None:
        """Ask it to end; after so many seconds it is killed."""
        self._order(container, "stop", _ending(signal, seconds))

    def restart(
        self, container: str, *, signal: str = "", seconds: int | None = None
    ) -> None:
        """End it as `stop` does, and start it."""
        self._order(container, "restart", _ending(signal, seconds))

    def pause(self, container: str) -> None:
        """Hold all its processes."""
        self._order(container, "pause")

    def unpause(self, container: str) -> None:
        """Let them go on."""
        self._order(container, "unpause")

    def rename(self, container: str, name: str) -> None:
        """Give it another name."""
        self._order(container, "rename", {"name": name})

    def update(self, container: str, body: Mapping[str, object]) -> list[str]:
        """Change its limits; give the warnings."""
        told = self._ask(Question("POST", f"/containers/{container}/update", {}, body))
        return [str(each) for each in told.json().get("Warnings") or ()]

    def logs(self, container: str, query: Mapping[str, str]) -> Live:
        """Give what it said, in frames or as a terminal has it."""
        path = f"/containers/{container}/logs"
        return self._transport.listen(Question("GET", path, query))

    def attach(self, container: str, query: Mapping[str, str]) -> Attached:
        """Connect to streams of it."""
        asked = {"refusals": "status", **query}  # and not in place of its output
        question = Question("POST", f"/containers/{container}/attach", asked)
        return Attached(*self._transport.talk(question))

    def top(self, container: str, arguments: str) -> dict[str, Any]:
        """List its processes: Titles and Processes."""
        query = {"ps_args": arguments} if arguments else {}
        return dict(
            self._ask(Question("GET", f"/containers/{container}/top", query)).json()
        )

    def stats(self, container: str, *, follows: bool = True) -> Iterator[dict[str, Any]]:
        """Tell what it uses, every second."""
        query = {"stream": str(int(follows))}
        path = f"/containers/{container}/stats"
        live = self._transport.listen(Question("GET", path, query))
        try:
            for line in lines(live):
                yield json.loads(line)
        finally:
            live.close()

    def prune(self, filters: Filters) -> dict[str, Any]:
        """Remove those that do not run."""
        query = {"filters": json.dumps(filters)} if filters else {}
        return dict(self._ask(Question("POST", "/containers/prune", query)).json())

    def _order(
        self, container: str, verb: str, query: Mapping[str, str] | None = None
    ) -> None:
        self._ask(Question("POST", f"/containers/{container}/{verb}", query or {}))

    def _ask(self, question: Question) -> Reply:
        reply = self._transport.ask(question)
        if reply.status >= 400:
            raise refusal(reply)
        return reply


def _ending(signal: str, seconds: int | None) -> dict[str, str]:
    query = {"signal": signal} if signal else {}
    return query | ({"t": str(seconds)} if seconds is not None else {})
