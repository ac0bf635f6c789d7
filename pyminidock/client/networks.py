"""Everything that can be asked of an engine about networks, one method each."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyminidock.client.transport import Question, Reply, Transport, refusal

Filters = Mapping[str, Sequence[str]]
Body = Mapping[str, object]


class Networks:
    """The networks of one engine.  Bodies are Docker's own JSON, as API 1.45 has them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def listed(self, filters: Filters | None = None) -> list[dict[str, Any]]:
        """List them, by name."""
        query = {"filters": json.dumps(filters)} if filters else {}
        return list(self._ask("GET", "/networks", query).json())

    def inspect(self, name: str, *, verbose: bool = False) -> dict[str, Any]:
        """Tell everything about one, and who is in it."""
        query = {"verbose": "1"} if verbose else {}
        return dict(self._ask("GET", f"/networks/{name}", query).json())

    def create(self, body: Body) -> str:
        """Make one; give its id."""
        return str(self._ask("POST", "/networks/create", {}, body).json()["Id"])

    def remove(self, name: str) -> None:
        """Remove one in which nobody runs."""
        self._ask("DELETE", f"/networks/{name}")

    def connect(self, name: str, container: str, endpoint: Body) -> None:
        """Let a container into one."""
        body = {"Container": container, "EndpointConfig": endpoint}
        self._ask("POST", f"/networks/{name}/connect", {}, body)

    def disconnect(self, name: str, container: str, *, force: bool = False) -> None:
        """Take a container out of one."""
        body = {"Container": container, "Force": force}
        self._ask("POST", f"/networks/{name}/disconnect", {}, body)

    def prune(self, filters: Filters | None = None) -> dict[str, Any]:
        """Remove those that nobody uses."""
        query = {"filters": json.dumps(filters)} if filters else {}
        return dict(self._ask("POST", "/networks/prune", query).json())

    def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Reply:  # fmt: skip
        reply = self._transport.ask(Question(method, path, query or {}, body))
        if reply.status >= 400:
            raise refusal(reply)
        return reply
