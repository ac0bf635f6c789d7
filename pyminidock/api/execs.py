"""Second processes as Docker's clients ask for them: each function answers one route.

A start that wants streams gives the connection away first, so that a refusal by the kernel
can only be told as output.  A client that asks for `refusals=status` gets it as an answer,
with the way on.

Source: moby, api/server/router/container/exec.go.
"""

from pyminidock.api.attach import kind_of_stream, size
from pyminidock.api.body import Fields, read_object
from pyminidock.api.containers import answer, via
from pyminidock.api.message import Request, Response
from pyminidock.api.shapes import console_size, exec_request
from pyminidock.api.streams import STDERR, STDOUT, Terms, Wire, carry, frame
from pyminidock.engine import execs
from pyminidock.engine.attaching import read_keys
from pyminidock.engine.execbook import Exec
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.kernel.port import Streams

_SIZED_SINCE = (1, 42)


def create(house: House, request: Request, container: str) -> Response:
    """Prepare a second process in a running container."""
    wish = exec_request(read_object(request, "types.ExecConfig"))
    return answer({"Id": execs.create(house, container, wish, via=via(request))}, 201)


def start(house: House, request: Request, exec_id: str) -> Response:
    """Start it and give the connection away, or start it and leave it alone."""
    said = read_object(request, "types.ExecStartCheck").members
    body = Fields(said, "", "ExecStartCheck")
    has_terminal = body.flag("Tty")
    sized = has_terminal and request.version >= _SIZED_SINCE
    asked, is_detached = console_size(body), body.flag("Detach")
    found = execs.active(house, exec_id)

    def begin(*, detach: bool = False) -> Streams | None:
        return execs.start(
            house, exec_id, detach=detach, via=via(request),
            console_size=asked if sized and any(asked) else None,
        )  # fmt: skip

    if is_detached:
        begin(detach=True)
        return Response(200)
    is_early = request.query.get("refusals") == "status"
    started = begin() if is_early else None

    def upgrade(wire: Wire) -> None:
        try:
            streams = started if is_early else begin()
        except MinidockError as refusal:  # the headers are gone: it is told as output
            words = f"{refusal.what}\r\n".encode("utf-8", "replace")
            wire.send(words if has_terminal else frame(STDOUT, words))
            return
        if streams:
            _converse(house, found, wire, streams, is_framed=not has_terminal)

    kind = kind_of_stream(request, is_framed=not has_terminal)
    return Response(200, (kind,), upgrade=upgrade)


def _converse(
    house: House, found: Exec, wire: Wire, streams: Streams, *, is_framed: bool
) -> None:
    """Carry the streams of a second process, as far as they were asked for."""
    wish = found.request
    # Who starts it as a terminal has one stream, whatever it was made as.
    outputs = ((STDOUT, wish.shows_stdout), (STDERR, wish.shows_stderr and is_framed))
    shows = frozenset(number for number, is_wanted in outputs if is_wanted)
    if not shows and not wish.keeps_stdin:
        streams.close()
        return
    has_terminal = wish.has_terminal
    terms = Terms(
        is_framed, shows, wish.keeps_stdin, ends_input=not has_terminal,
        keys=read_keys(wish.detach_keys, "") if has_terminal else b"",
    )  # fmt: skip
    if carry(wire, streams, terms, before_end=lambda: execs.ended(found)):
        execs.detached(house, found)


def resize(house: House, request: Request, exec_id: str) -> Response:
    """Change the size of its terminal."""
    execs.resize(house, exec_id, *size(request))
    return Response(200)


def inspect_(house: House, request: Request, exec_id: str) -> Response:
    """Tell everything about it."""
    return answer(execs.inspect(house, exec_id))
