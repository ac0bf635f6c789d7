"""What can be asked about an engine as a whole, one method each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyminidock.client.transport import Question, Reply, Transport, lines, refusal

Filters = Mapping[str, Sequence[str]]


class System:
    """One engine.  Bodies are Docker's own JSON, as API 1.45 has them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def info(self) -> dict[str, Any]:
        """Tell what it has and can."""
        return dict(self._ask(Question("GET", "/info")).json())

    def disk_usage(self) -> dict[str, Any]:
        """Tell what takes which space."""
        return dict(self._ask(Question("GET", "/system/df")).json())

    def events(
        self, filters: Filters, *, since: str = "", until: str = ""
    ) -> Iterator[dict[str, Any]]:
        """Tell what happens, as Docker words it; ends at `until`, or never."""
        asked = {"since": since, "until": until}
        query = {name: value for name, value in asked.items() if value}
        query |= {"filters": json.dumps(filters)} if filters else {}
        live = self._transport.listen(Question("GET", "/events", query))
        try:
            for line in lines(live):
                yield json.loads(line)
        finally:
            live.close()

    def pull(self, name: str, platform: str = "") -> None:
        """Fetch an image; this engine refuses so far."""
        query = {"fromImage": name} | ({"platform": platform} if platform else {})
        self._ask(Question("POST", "/images/create", query))

    def _ask(self, question: Question) -> Reply:
        reply = self._transport.ask(question)
        if reply.status >= 400:
            raise refusal(reply)
        return reply
