"""The streams of a container as Docker's clients ask for them.

The connection is given away before the program runs, and carries its streams once it does.
So a refusal comes on a connection that is no longer HTTP's: a status line, and the bare
sentence.  A client that asks for `refusals=status` gets it as an answer, with the way on.

Source: moby, api/server/router/container/container_routes.go.
"""

import re
from dataclasses import replace

from pyminidock.api.failures import BadRequest
from pyminidock.api.message import Request, Response
from pyminidock.api.streams import FRAMED, RAW, STDOUT, Carrier, Terms, Wire, carry, frame
from pyminidock.api.websocket import BINARY, TEXT, WebSocket, greeting
from pyminidock.engine import attaching, logs
from pyminidock.engine.attaching import Visit, Wish
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError

_FRAMED_SINCE = (1, 42)  # since then a client says which streams it wants
_BINARY_SINCE = (1, 28)  # what a program prints need not be text
_LOOK_S = 0.25  # how soon an attach that waits for a start notices that its client left
_NO_LOG = (
    "failed to get logging factory: logger: no log driver named 'none' is registered: "
    'error looking up logging plugin none: plugin "none" not found'
)
_MOST = 1 << 63  # what Go's int holds


def attach(house: House, request: Request, container: str) -> Response:
    """Give the connection away; the streams follow once the program runs."""
    wish = Wish(
        stdin=request.says("stdin"), stdout=request.says("stdout"),
        stderr=request.says("stderr"), is_live=request.says("stream"),
        wants_past=request.says("logs"), keys=request.query.get("detachKeys", ""),
    )  # fmt: skip
    try:
        visit = attaching.attach(house, container, wish, via=(request.method, request.path))
    except MinidockError as refusal:
        if request.query.get("refusals") == "status":
            raise
        return bare(refusal)
    kind = kind_of_stream(request, is_framed=visit.is_framed)
    return Response(200, (kind,), upgrade=lambda wire: _show(house, visit, wire))


def _show(house: House, visit: Visit, wire: Carrier) -> None:
    """Send what was printed, if wanted, and carry the streams as soon as there are any.

    Of a program that runs they are taken first: nothing is missed in between, and what is
    printed meanwhile may come twice, as with Docker.
    """
    place = visit.place
    try:
        streams = place.streams(0.0) if place else None
        is_heard = _send_past(house, visit, wire)
        while place and not (streams or place.is_over or wire.is_gone()) and is_heard:
            streams = place.streams(_LOOK_S)
    finally:
        if place:
            place.close()
    if streams and not is_heard:
        streams.close()
    elif streams:
        terms = Terms(
            visit.is_framed, visit.shows, visit.takes_input, visit.ends_input, visit.keys
        )
        if carry(wire, streams, terms):
            visit.left()


def _send_past(house: House, visit: Visit, wire: Carrier) -> bool:
    """Send what was printed so far; False: nobody hears it, or there is no log."""
    if not visit.wish.wants_past:
        return True
    container, is_framed = visit.kept.id, visit.is_framed
    try:
        pieces = logs.past(house, container, visit.shows, is_framed=is_framed)
        return all(wire.send(piece) for piece in pieces)
    except MinidockError:
        words = f"Error attaching: {_NO_LOG}\n".encode()
        wire.send(frame(STDOUT, words) if is_framed else words)
        return False


def websocket(house: House, request: Request, container: str) -> Response:
    """Give the connection away to frames; what is refused before is refused as HTTP.

    Older clients could not say which streams they want, and got them all.
    """
    wants_all = request.version < _FRAMED_SINCE
    wish = Wish(
        stdin=wants_all or request.says("stdin"),
        stdout=wants_all or request.says("stdout"),
        stderr=wants_all or request.says("stderr"),
        is_live=request.says("stream"), wants_past=request.says("logs"),
        keys=request.query.get("detachKeys", ""),
    )  # fmt: skip
    house.life(container)
    answer = greeting(request.headers)
    if answer.status != 101:
        return answer
    visit = attaching.attach(house, container, wish, via=(request.method, request.path))
    visit.is_framed = False
    kind = BINARY if request.version >= _BINARY_SINCE else TEXT

    def show(wire: Wire) -> None:
        carrier = WebSocket(wire, kind)
        _show(house, visit, carrier)
        carrier.end()

    return replace(answer, upgrade=show)


def resize(house: House, request: Request, container: str) -> Response:
    """Change the size of the terminal."""
    attaching.resize(house, container, *size(request), via=(request.method, request.path))
    return Response(200)


def bare(refusal: MinidockError) -> Response:
    """Refuse on a connection that was given away."""
    words = f"{refusal.what}\r\n".encode("utf-8", "replace")

    def say(wire: Wire) -> None:
        wire.send(words)

    return Response(refusal.status, (("Content-Type", RAW),), words, upgrade=say)


def kind_of_stream(request: Request, *, is_framed: bool) -> tuple[str, str]:
    """Name what will follow; only who upgrades is told of frames, and since API 1.42."""
    is_told = request.version >= _FRAMED_SINCE and "upgrade" in request.headers
    return ("Content-Type", FRAMED if is_framed and is_told else RAW)


def size(request: Request) -> tuple[int, int]:
    """Read rows and columns from the query, as Go's Atoi does.  Raises BadRequest."""
    rows, columns = request.query.get("h", ""), request.query.get("w", "")
    for text in (rows, columns):
        is_number = re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII)
        if not is_number or not -_MOST <= int(text[:32]) < _MOST:
            fault = "value out of range" if is_number else "invalid syntax"
            raise BadRequest(
                f'strconv.Atoi: parsing "{text[:80]}": {fault}',
                why="a terminal has so many rows (h) and columns (w)",
                try_next="h=24&w=80",
            )
    return int(rows), int(columns)
