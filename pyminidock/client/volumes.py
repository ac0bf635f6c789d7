"""Everything that can be asked of an engine about volumes, one method each."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyminidock.client.transport import Question, Reply, Transport, refusal

Filters = Mapping[str, Sequence[str]]


class Volumes:
    """The volumes of one engine.  Bodies are Docker's own JSON, as API 1.45 has them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def listed(self, filters: Filters | None = None) -> list[dict[str, Any]]:
        """List them, by name."""
        told = self._ask("GET", "/volumes", {"filters": json.dumps(filters or {})})
        return [*told.json()["Volumes"]]

    def inspect(self, name: str) -> dict[str, Any]:
        """Tell everything about one."""
        return dict(self._ask("GET", f"/volumes/{name}").json())

    def create(self, body: Mapping[str, object]) -> dict[str, Any]:
        """Make one, or give the one there is."""
        return dict(self._checked(Question("POST", "/volumes/create", {}, body)).json())

    def remove(self, name: str, *, force: bool = False) -> None:
        """Remove one, with its data."""
        self._ask("DELETE", f"/volumes/{name}", {"force": str(int(force))})

    def prune(self, filters: Filters | None = None) -> dict[str, Any]:
        """Remove those that nobody has."""
        query = {"filters": json.dumps(filters or {})}
        return dict(self._ask("POST", "/volumes/prune", query).json())

    def _ask(self, method: str, path: str, query: Mapping[str, str] | None = None) -> Reply:
        return self._checked(Question(method, path, query or {}))

    def _checked(self, question: Question) -> Reply:
        reply = self._transport.ask(question)
        if reply.status >= 400:
            raise refusal(reply)
        return reply
