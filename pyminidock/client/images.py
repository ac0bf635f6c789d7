"""Everything that can be asked of an engine about images, one method each."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pyminidock.client.transport import (
    Live,
    Question,
    Refused,
    Reply,
    Transport,
    lines,
    refusal,
)

Filters = Mapping[str, Sequence[str]]


class Images:
    """The images of one engine.  Bodies are Docker's own JSON, as API 1.45 has them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def listed(
        self, *, all: bool = False, filters: Filters | None = None
    ) -> list[dict[str, Any]]:
        """List those that have a name or no children, or all."""
        query = {"all": str(int(all)), "filters": _filters(filters)}
        return [*self._ask("GET", "/images/json", query).json()]

    def inspect(self, name: str) -> dict[str, Any]:
        """Tell everything about one."""
        return dict(self._ask("GET", f"/images/{name}/json").json())

    def history(self, name: str) -> list[dict[str, Any]]:
        """Tell how it came about, newest first."""
        return [*self._ask("GET", f"/images/{name}/history").json()]

    def layers(self, name: str, *, entries: int = 64) -> dict[str, Any]:
        """Tell what each layer holds (its biggest names), who shares it, what is hidden."""
        query = {"entries": str(entries)}
        return dict(self._ask("GET", f"/minidock/images/{name}/layers", query).json())

    def tree(self, name: str = "") -> dict[str, Any]:
        """Tell which layers all images share, or those that share one with `name`."""
        return dict(self._ask("GET", "/minidock/images", {"image": name}).json())

    def diff(
        self, name: str, layer: int, *, start: int = 0, most: int = 1000
    ) -> dict[str, Any]:
        """Tell the names of one layer (1 is the lowest), from number `start` on."""
        query = {"layer": str(layer), "start": str(start), "most": str(most)}
        return dict(self._ask("GET", f"/minidock/images/{name}/diff", query).json())

    def tag(self, name: str, new: str) -> None:
        """Give it one more name."""
        self._ask("POST", f"/images/{name}/tag", {"repo": new, "tag": ""})

    def remove(
        self, name: str, *, force: bool = False, prune: bool = True
    ) -> list[dict[str, str]]:
        """Remove a name, or all of it; give Docker's records."""
        query = {"force": str(int(force)), "noprune": str(int(not prune))}
        return [*self._ask("DELETE", f"/images/{name}", query).json()]

    def prune(self, filters: Filters | None = None) -> dict[str, Any]:
        """Remove what has no name, or with dangling=false what no container uses."""
        query = {"filters": _filters(filters)}
        return dict(self._ask("POST", "/images/prune", query).json())

    def load(self, pieces: Iterable[bytes]) -> Iterator[str]:
        """Take in an archive; give the lines that tell what came.

        Raises Refused, also behind the first lines.
        """
        question = Question("POST", "/images/load", {"quiet": "1"}, stream=pieces)
        for told in _documents(self._transport.listen(question)):
            yield str(told.get("stream", ""))

    def save(self, names: Sequence[str]) -> Live:
        """Give images as one archive, piece by piece."""
        return self._transport.listen(Question("GET", "/images/get", {"names": names}))

    def make_of(
        self, pieces: Iterable[bytes], name: str = "", message: str = "",
        changes: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Make an image of an archive of files, with some instructions; give its id."""
        query: dict[str, str | Sequence[str]] = {
            "fromSrc": "-", "repo": name, "message": message, "changes": changes,
        }  # fmt: skip
        question = Question("POST", "/images/create", query, stream=pieces)
        return "".join(
            str(told["status"]) for told in _documents(self._transport.listen(question))
        )

    def _ask(self, method: str, path: str, query: Mapping[str, str] | None = None) -> Reply:
        reply = self._transport.ask(Question(method, path, query or {}))
        if reply.status >= 400:
            raise refusal(reply)
        return reply


def _documents(live: Live) -> Iterator[dict[str, Any]]:
    """Read a stream of JSON lines; a line that tells a failure is raised."""
    try:
        for line in lines(live):
            told = dict(json.loads(line))
            if "errorDetail" in told:
                said = {
                    name: str(told.get(name, "")) for name in ("why", "try_next", "lesson")
                }
                raise Refused(str(told["error"]), status=500, **said)
            yield told
    finally:
        live.close()


def _filters(filters: Filters | None) -> str:
    return json.dumps({name: list(values) for name, values in (filters or {}).items()})
