"""`docker events`: what happened lately and what happens, one JSON document to a line.

    since, until    seconds since 1970, with up to nine digits behind the point
    filters         see `engine.eventfilters`

With `until` in the past the answer is what is remembered and ends; otherwise it goes on
until that moment, or for as long as the client listens.

Source: moby, api/server/router/system/system_routes.go: getEvents, eventTime; measured.
"""

import re
from collections.abc import Iterator

from pyminidock.api.failures import JSON, BadRequest
from pyminidock.api.images import filters
from pyminidock.api.message import Request, Response
from pyminidock.api.streams import Lines, document
from pyminidock.engine.bulletin import Listener
from pyminidock.engine.eventfilters import EventFilters
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError


class TimeUnreadable(MinidockError):
    """As Docker has it, this one is the server's fault."""

    status = 500


def events(house: House, request: Request) -> Response:
    """Tell what passes the filters.  Raises BadRequest, FilterRefused, TimeUnreadable."""
    since, until = (
        _moment(request.query.get(name, ""), name) for name in ("since", "until")
    )
    if since is not None and until is not None and until < since:
        raise BadRequest(
            f"`since` time ({request.query['since']}) cannot be after"
            f" `until` time ({request.query['until']})",
            why="what happened between two moments came after the first of them",
            try_next="since=0",
        )
    wanted = EventFilters(filters(request))
    listener = house.bulletin.listen(since_ns=since, until_ns=until)
    return Response(200, (JSON,), Lines(_told(house, listener, wanted), listener.close))


def _told(house: House, listener: Listener, wanted: EventFilters) -> Iterator[bytes]:
    for said in listener.messages(house.kernel.wall):
        if wanted.wants(said):
            yield document(said.document())


def _moment(text: str, name: str) -> int | None:
    """Read a moment as nanoseconds since 1970; None where none was said.

    >>> _moment("1.5", "since"), _moment("", "since"), _moment("-1", "since")
    (1500000000, None, None)
    """
    if not text:
        return None
    seconds, point, fraction = text.partition(".")
    whole = _number(seconds, name)
    nanoseconds = _number(fraction, name) * 10 ** max(9 - len(fraction), 0) if point else 0
    nanoseconds //= 10 ** max(len(fraction) - 9, 0)
    return None if whole == -1 else whole * 1_000_000_000 + nanoseconds


def _number(text: str, name: str) -> int:
    problem = "" if re.fullmatch(r"[-+]?[0-9]{1,40}", text) else "invalid syntax"
    if not problem and not -(2**63) <= int(text) < 2**63:
        problem = "value out of range"
    if problem:
        raise TimeUnreadable(
            f'strconv.ParseInt: parsing "{text[:80]}": {problem}',
            why=f"{name} is in seconds since 1970, with or without a fraction",
            try_next=f"docker events --{name} 10m",
        )
    return int(text)
