"""Logs as Docker's clients ask for them: one route, whose answer may go on for long.

    ?stdout=1&stderr=1&tail=10&since=1767225600&until=…&timestamps=1&details=1&follow=1

Docker looks at the streams before it looks for the container, and at the times after it.
"""

from pyminidock.api.failures import BadRequest
from pyminidock.api.message import Request, Response
from pyminidock.api.streams import FRAMED, RAW, Lines
from pyminidock.container.logrecords import STDERR, STDOUT, Choice
from pyminidock.container.logtimes import parse_tail, parse_time
from pyminidock.engine import logs
from pyminidock.engine.house import House

_FRAMED_SINCE = (1, 42)  # versions of the API; before that one, frames had no name


def read(house: House, request: Request, container: str) -> Response:
    """Send what a container printed, and with `follow` what it prints."""
    wanted = (("stdout", STDOUT), ("stderr", STDERR))
    streams = frozenset(number for name, number in wanted if request.says(name))
    if not streams:
        raise BadRequest(
            "Bad parameters: you must choose at least one stream",
            why="a program has two outputs, and none is sent unless it is named",
            try_next="stdout=1&stderr=1",
        )
    life = logs.check_readable(house, container)
    is_framed = not house.kept(life.id).spec.has_terminal
    choice = Choice(
        streams=streams,
        tail=parse_tail(request.query.get("tail", "")),
        since=parse_time(request.query.get("since", "")),
        until=_until(request.query.get("until", "")),
        has_timestamps=request.says("timestamps"),
        has_details=request.says("details"),
        follows=request.says("follow"),
        is_framed=is_framed,
    )
    reading = logs.read(house, life.id, choice)
    kind = FRAMED if is_framed and request.version >= _FRAMED_SINCE else RAW
    stream = Lines(reading.pieces(), reading.close)
    return Response(200, (("Content-Type", kind),), stream)


def _until(text: str) -> int | None:
    """Read when to stop; 0 means never."""
    return None if text == "0" else parse_time(text)
