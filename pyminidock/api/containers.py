"""Containers as Docker's clients ask for them: each function answers one route.

Three of them outlive their headers.  `wait` begins to wait before its headers are sent,
because the client starts the container as soon as it sees them; `attach` gives the
connection away before the program runs, and carries its streams once it does.
"""

import re
import signal as signals
from collections.abc import Callable
from typing import Self

from pyminidock.api.body import read_object
from pyminidock.api.failures import JSON, BadRequest, NotYet
from pyminidock.api.message import Request, Response
from pyminidock.api.shapes import create_request, exec_request
from pyminidock.api.streams import FRAMED, RAW, Wire, carry, document, frame
from pyminidock.engine import execs, inspect, run
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import Via
from pyminidock.errors import MinidockError
from pyminidock.store.records import NoSuchContainer

_FRAMED_SINCE = (1, 42)
_LOOK_S = 0.25  # how soon an attach that waits for a start notices that its client left


class LimitUnreadable(MinidockError):
    """As Docker has it, this one is the server's fault."""

    status = 500


def create(house: House, request: Request) -> Response:
    """Make a container."""
    wish = create_request(read_object(request), request.query.get("name", ""))
    container = run.create(house, wish, via=via(request))
    warnings = list(house.kept(container).spec.warnings)
    return answer({"Id": container, "Warnings": warnings}, 201)


def list_(house: House, request: Request) -> Response:
    """List those that run, or all."""
    limit = request.query.get("limit") or "0"
    if not re.fullmatch(r"-?[0-9]{1,9}", limit):
        raise LimitUnreadable(
            f'strconv.Atoi: parsing "{limit[:80]}": invalid syntax',
            why="limit is how many containers are listed at most",
            try_next="limit=10",
        )
    if request.query.get("filters", "{}") != "{}":
        raise NotYet(
            "filters are not supported yet",
            why="an unfiltered list in the place of a filtered one would be a lie",
            try_next="GET /containers/json?all=1",
        )
    count = int(limit) if int(limit) > 0 else None
    rows = inspect.list_(house, everything=request.says("all") or count is not None)
    return answer(rows[:count])


def inspect_(house: House, request: Request, container: str) -> Response:
    """Tell everything about one."""
    return answer(inspect.inspect(house, container))


def start(house: House, request: Request, container: str) -> Response:
    """Start it; 304 if it runs."""
    run.start(house, container, via=via(request))
    return Response(204)


def kill(house: House, request: Request, container: str) -> Response:
    """Send a signal."""
    number = _signal(request.query.get("signal", ""))
    try:
        run.kill(house, container, number, via=via(request))
    except NoSuchContainer as refusal:
        raise NoSuchContainer(
            f"cannot kill container: {container}: {refusal.what}",
            why=refusal.why,
            try_next=refusal.try_next,
            lesson=refusal.lesson,
        ) from refusal
    return Response(204)


def resize(house: House, request: Request, container: str) -> Response:
    """Change the size of the terminal."""
    run.resize(house, container, *size(request))
    return Response(200)


def remove(house: House, request: Request, container: str) -> Response:
    """Remove it."""
    run.remove(house, container, force=request.says("force"), via=via(request))
    return Response(204)


# ── Wait ─────────────────────────────────────────────────────────────────────────────────


def wait(house: House, request: Request, container: str) -> Response:
    """Send the headers at once, and the exit status when there is one."""
    life = house.life(container)
    condition = request.query.get("condition") or "not-running"
    try:
        is_so = life.outcome(condition)
    except KeyError as unknown:
        raise BadRequest(
            f'invalid condition: "{condition[:80]}"',
            why="one can wait for not-running, next-exit or removed",
            try_next="condition=not-running",
        ) from unknown
    return Response(200, (JSON,), _Ending(life, is_so))


class _Ending:
    """A body of one document, which comes when something has become so."""

    def __init__(self, life: Life, is_so: Callable[[], bool]) -> None:
        self._life, self._is_so = life, is_so
        self._is_closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        self._life.until(lambda: self._is_closed or self._is_so())
        if self._is_closed:
            raise StopIteration
        self._is_closed = True
        code = self._life.exit.code if self._life.exit else 0
        told: dict[str, object] = {"StatusCode": code}
        if self._life.error:
            told["Error"] = {"Message": self._life.error}
        return document(told)

    def close(self) -> None:
        """See Stream."""
        with self._life.changed:
            self._is_closed = True
            self._life.changed.notify_all()


# ── Attach ───────────────────────────────────────────────────────────────────────────────


def attach(house: House, request: Request, container: str) -> Response:
    """Give the connection away; the streams follow once the program runs."""
    is_framed = not house.kept(house.life(container).id).spec.has_terminal
    place = run.attach(house, container)

    def upgrade(wire: Wire) -> None:
        try:
            streams = place.streams(_LOOK_S)
            while streams is None and not place.is_over and not wire.is_gone():
                streams = place.streams(_LOOK_S)
        finally:
            place.close()
        if streams:
            carry(wire, streams, is_framed=is_framed, takes_input=request.says("stdin"))

    return Response(200, (kind_of_stream(request, is_framed=is_framed),), upgrade=upgrade)


def kind_of_stream(request: Request, *, is_framed: bool) -> tuple[str, str]:
    """Name what will follow; clients before API 1.42 know one name only."""
    knows_frames = request.version >= _FRAMED_SINCE
    return ("Content-Type", FRAMED if is_framed and knows_frames else RAW)


# ── Second processes ─────────────────────────────────────────────────────────────────────


def exec_create(house: House, request: Request, container: str) -> Response:
    """Prepare a second process in a running container."""
    wish = exec_request(read_object(request))
    return answer({"Id": execs.create(house, container, wish, via=via(request))}, 201)


def exec_start(house: House, request: Request, exec_id: str) -> Response:
    """Start it and give the connection away, or start it and leave it alone.

    Docker gives the connection away first, so that a refusal can only be told as output;
    a client that asks for `refusals=status` gets it as an answer, with the way on.
    """
    wants_streams = not read_object(request).flag("Detach")
    wish = execs.find(house, exec_id).request
    if not wants_streams:
        execs.start(house, exec_id, detach=True, via=via(request))
        return Response(200)
    is_framed = not wish.has_terminal
    is_early = request.query.get("refusals") == "status"
    started = execs.start(house, exec_id, via=via(request)) if is_early else None

    def upgrade(wire: Wire) -> None:
        try:
            streams = started if is_early else execs.start(house, exec_id, via=via(request))
        except MinidockError as refusal:  # the headers are gone: it is told as output
            words = f"{refusal.what}\r\n".encode()
            wire.send(frame(1, words) if is_framed else words)
            return
        if streams:
            carry(
                wire, streams, is_framed=is_framed, takes_input=wish.keeps_stdin,
                before_end=lambda: execs.wait(house, exec_id),
            )  # fmt: skip

    return Response(200, (kind_of_stream(request, is_framed=is_framed),), upgrade=upgrade)


def exec_resize(house: House, request: Request, exec_id: str) -> Response:
    """Change the size of its terminal."""
    execs.resize(house, exec_id, *size(request))
    return Response(200)


def exec_inspect(house: House, request: Request, exec_id: str) -> Response:
    """Tell everything about it."""
    return answer(execs.inspect(house, exec_id))


# ── Reading requests, writing answers ────────────────────────────────────────────────────


def answer(value: object, status: int = 200) -> Response:
    """Answer with one JSON document."""
    return Response(status, (JSON,), document(value))


def via(request: Request) -> Via:
    """Tell the story what was asked."""
    return (request.method, request.path)


def size(request: Request) -> tuple[int, int]:
    """Read rows and columns from the query.  Raises BadRequest."""
    rows, columns = request.query.get("h", ""), request.query.get("w", "")
    for text in (rows, columns):
        if not (text.isascii() and text.isdigit() and int(text[:9]) < 1 << 16):
            raise BadRequest(
                f'strconv.Atoi: parsing "{text[:80]}": invalid syntax',
                why="a terminal has so many rows (h) and columns (w), at most 65535",
                try_next="h=24&w=80",
            )
    return int(rows), int(columns)


def _signal(text: str) -> int:
    """Read KILL, SIGKILL or 9; nothing means KILL."""
    name = text.upper().removeprefix("SIG") or "KILL"
    if name.isascii() and name.isdigit() and 0 < int(name[:9]) < signals.NSIG:
        return int(name)
    if found := getattr(signals.Signals, f"SIG{name}", None):
        return int(found)
    raise BadRequest(
        f"Invalid signal: {text[:80]}",
        why="a signal is KILL, SIGKILL or 9",
        try_next="signal=TERM",
    )
