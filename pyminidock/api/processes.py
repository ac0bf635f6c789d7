"""What one sees of a container's processes, as Docker's clients ask for it.

GET  /containers/N/top      `docker top`
GET  /containers/N/stats    `docker stats`, once or once a second
"""

from typing import Self

from pyminidock.api.containers import answer, via
from pyminidock.api.failures import BadRequest
from pyminidock.api.message import Request, Response
from pyminidock.api.streams import document
from pyminidock.engine import stats as figures
from pyminidock.engine import top as listing
from pyminidock.engine.house import House

_ONCE_SINCE = (1, 41)


def top(house: House, request: Request, container: str) -> Response:
    """List its processes, with the columns that were asked for."""
    table = listing.top(
        house, container, request.query.get("ps_args", ""), via=via(request)
    )
    rows = [list(row) for row in table.rows] or None
    return answer({"Processes": rows, "Titles": list(table.titles)})


def stats(house: House, request: Request, container: str) -> Response:
    """Tell what it uses: now, between two moments, or again and again."""
    is_stream = request.says("stream", "1")
    is_alone = request.says("one-shot") and (
        not request.version or request.version >= _ONCE_SINCE
    )
    if is_stream and is_alone:
        raise BadRequest(
            "cannot have stream=true and one-shot=true",
            why="one answer at once, or one a second: not both",
            try_next="stream=false&one-shot=true",
        )
    if is_stream:
        return Response(200, (), _Documents(figures.Stream(house, container)))
    return answer(figures.once(house, container, is_alone=is_alone))


class _Documents:
    """A stream of documents, one a line."""

    def __init__(self, source: figures.Stream) -> None:
        self._source = source

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return document(next(self._source))

    def close(self) -> None:
        """See Stream."""
        self._source.close()
