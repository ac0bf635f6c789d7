"""The verbs that change what a container is doing: each function answers one route.

    start  stop  restart  kill  pause  unpause  rename  wait  DELETE

Nearly all of them answer 204 and nothing.  `wait` outlives its headers: it begins to wait
before they are sent, because the client starts the container as soon as it sees them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from pyminidock.api.containers import via
from pyminidock.api.failures import JSON, BadRequest
from pyminidock.api.message import Request, Response
from pyminidock.api.streams import document
from pyminidock.engine import linking, run
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.outcomes import Outcome
from pyminidock.errors import MinidockError
from pyminidock.grammar.numbers import integer
from pyminidock.grammar.signals import SignalUnknown, check_known, parse_signal
from pyminidock.store.records import NoSuchContainer

_SIGNAL_SINCE = (1, 42)  # of the API: the parameter `signal` of stop and restart
_NOT_MODIFIED = 304


class TimeUnreadable(MinidockError):
    """As Docker has it, this one is the server's fault."""

    status = 500


def start(house: House, request: Request, container: str) -> Response:
    """Start it; 304 if it runs."""
    run.start(house, container, via=via(request))
    return Response(204)


def stop(house: House, request: Request, container: str) -> Response:
    """End it; 304 if it has ended."""
    timeout_s, life = _seconds(request), house.life(container)
    with _said_with(f"cannot stop container: {container}", 500):
        signal = _stop_signal(request) if life.is_running else 0
        run.stop(house, container, signal=signal, timeout_s=timeout_s, via=via(request))
    return Response(204)


def restart(house: House, request: Request, container: str) -> Response:
    """End it and start it, or just start it."""
    timeout_s, life = _seconds(request), house.life(container)
    with _said_with(f"Cannot restart container {container}"):
        signal = _stop_signal(request, status=500) if life.is_running else 0
        run.restart(house, container, signal=signal, timeout_s=timeout_s, via=via(request))
    return Response(204)


def kill(house: House, request: Request, container: str) -> Response:
    """Send a signal, which has to be one before anybody looks for the container."""
    with _said_with(f"cannot kill container: {container}"):
        signal = parse_signal(request.query.get("signal") or "KILL")
        check_known(signal)
        run.kill(house, container, signal, via=via(request))
    return Response(204)


def pause(house: House, request: Request, container: str) -> Response:
    """Let all of it stand still."""
    run.pause(house, container, via=via(request))
    return Response(204)


def unpause(house: House, request: Request, container: str) -> Response:
    """Let it go on."""
    run.unpause(house, container, via=via(request))
    return Response(204)


def rename(house: House, request: Request, container: str) -> Response:
    """Give it another name."""
    run.rename(house, container, request.query.get("name", ""), via=via(request))
    return Response(204)


def remove(house: House, request: Request, container: str) -> Response:
    """Remove it, or only a link that leads to it."""
    if request.says("link"):
        linking.unlink(house, container, via=via(request))
        return Response(204)
    run.remove(
        house, container, force=request.says("force"), volumes=request.says("v"),
        via=via(request),
    )  # fmt: skip
    return Response(204)


@contextmanager
def _said_with(words: str, status: int = 0) -> Iterator[None]:
    """Say `words` before a refusal, and give it another status; an absent one is absent."""
    try:
        yield
    except MinidockError as refusal:
        is_absent = isinstance(refusal, NoSuchContainer) and status
        if refusal.status != _NOT_MODIFIED and not is_absent:
            refusal.what = f"{words}: {refusal.what}"
            refusal.status = status or refusal.status
        raise


def _stop_signal(request: Request, status: int = 0) -> int:
    """Read the signal that a stop shall send; 0 means the container's own."""
    text = request.query.get("signal", "")
    if not text or request.version < _SIGNAL_SINCE:
        return 0
    try:
        return parse_signal(text)
    except SignalUnknown as refusal:
        refusal.status = status or refusal.status
        raise


def _seconds(request: Request) -> int | None:
    """Read how long a stop waits; None: as the container says.  Raises TimeUnreadable."""
    text = request.query.get("t", "")
    if not text:
        return None
    try:
        return integer(text)
    except ValueError as fault:
        raise TimeUnreadable(
            f'strconv.Atoi: parsing "{text[:80]}": {fault}',
            why="t is how many seconds a program has to end by itself; -1: all it wants",
            try_next="t=10",
        ) from None


# ── Wait ─────────────────────────────────────────────────────────────────────────────────


def wait(house: House, request: Request, container: str) -> Response:
    """Send the headers at once, and the exit status when there is one."""
    condition = request.query.get("condition") or "not-running"
    if condition not in ("not-running", "next-exit", "removed"):
        raise BadRequest(
            f'invalid condition: "{condition[:80]}"',
            why="one can wait for not-running, next-exit or removed",
            try_next="condition=not-running",
        )
    life = house.life(container)
    return Response(200, (JSON,), _Ending(life, life.outcome(condition)))


class _Ending:
    """A body of one document, which comes when something has become so."""

    def __init__(self, life: Life, outcome: Outcome) -> None:
        self._life, self._outcome = life, outcome
        self._is_closed = self._is_cancelled = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        self._life.until(lambda: self._is_closed or self._is_cancelled or self._outcome())
        if self._is_closed:
            raise StopIteration
        self._is_closed = True
        if self._is_cancelled and not self._outcome():
            self._life.forget(self._outcome)
            return document({"Error": {"Message": "context canceled"}, "StatusCode": -1})
        told: dict[str, object] = {"StatusCode": self._outcome.status.code}
        if self._outcome.error:
            told["Error"] = {"Message": self._outcome.error}
        return document(told)

    def cancel(self) -> None:
        """See Cancellable; in Docker's words."""
        self._is_cancelled = True
        self._life.wake()

    def close(self) -> None:
        """See Stream."""
        self._is_closed = True
        self._life.forget(self._outcome)
