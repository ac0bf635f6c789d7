"""The story of reading a log: what there is, and with `follow` what comes.

    files ── measure ─► tail ─► pieces ─► records ─► chosen, stamped, framed
                                  ▲  │ nothing more
                                  │  ▼
                              bell, end of the program, or the reader leaves

A follower sleeps until the kernel rings: the log has grown, or has been given to a new
file.  When the program has ended it reads what is left and is done, as Docker's is; the log
itself goes on with the next run.  A reader holds nothing but files, so it can be as slow as
it likes.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from pyminidock.container.logfile import log_name
from pyminidock.container.logrecords import Choice, Reader
from pyminidock.container.states import State
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.logfiles import LogFiles
from pyminidock.errors import MinidockError

_LOOK_S = 0.1  # how often a follower looks where the kernel cannot ring


class LogUnreadable(MinidockError):
    """The driver of this container keeps no log."""

    status = 501


class LogGoing(MinidockError):
    """The container is being removed, and its log with it."""

    status = 409


class Logs:
    """One reading of a container's log; `close` ends it, from any thread."""

    def __init__(self, house: House, life: Life, path: Path, choice: Choice) -> None:
        self._house, self._life, self._path, self._choice = house, life, path, choice
        self._reader = Reader(choice)
        self._is_closed = self._has_rung = False
        with life.changed:
            self._runs = life.runs
        self._follows = choice.follows and self._is_running()

    def close(self) -> None:
        """Say that nobody reads any more."""
        with self._life.changed:
            self._is_closed = True
            self._life.changed.notify_all()

    def pieces(self) -> Iterator[bytes]:
        """Give what is to be sent, bit by bit."""
        files = LogFiles(self._path)
        try:
            files.measure()
            if self._choice.tail >= 0:
                files.skip_to(self._choice.tail)
            yield from self._read(files)
            while self._follows and not self._is_done():
                yield from self._follow(files)
        finally:
            files.close()

    def _read(self, files: LogFiles) -> Iterator[bytes]:
        for lines in files.pieces():
            if self._is_done():
                return
            if sent := self._reader.read(lines):
                yield sent

    def _follow(self, files: LogFiles) -> Iterator[bytes]:
        """Read what has come since; if that was nothing, wait for more."""
        forget = self._listen()  # before we look: what comes from now on will ring
        try:
            is_running = self._is_running()
            has_more = files.renew()  # before the last look at the file that was full
            files.measure()
            before = [file.at for file in files.files]
            yield from self._read(files)
            if has_more or [file.at for file in files.files] != before:
                return
            if not is_running:
                self._follows = False
                return
            timeout_s = None if forget else _LOOK_S
            self._life.until(self._has_news, timeout_s)
        finally:
            if forget:
                forget()

    def _listen(self) -> Callable[[], None] | None:
        """Ask the kernel to ring; None: it cannot."""
        self._has_rung = False
        with suppress(OSError):
            return self._house.kernel.ring(str(self._path.parent), self._ring)
        return None

    def _ring(self) -> None:
        with self._life.changed:
            self._has_rung = True
            self._life.changed.notify_all()

    def _has_news(self) -> bool:
        return self._has_rung or self._is_closed or not self._is_running()

    def _is_running(self) -> bool:
        """Say whether the run goes on during which the reading began."""
        life = self._life
        return life.process is not None and life.exit is None and life.runs == self._runs

    def _is_done(self) -> bool:
        return self._is_closed or self._reader.is_over


def check_readable(house: House, reference: str) -> Life:
    """Find a container whose log can be read.  Raises NoSuchContainer, LogUnreadable."""
    life = house.life(reference)
    if life.busy == "remove" or life.is_gone or life.state is State.DEAD:
        raise LogGoing(
            "can not get logs from container which is dead or marked for removal",
            why="the log lies in the container's directory and goes with it",
            try_next="minidock ps --all",
            lesson="logs",
        )
    if not log_name(house.kept(life.id).spec):
        raise LogUnreadable(
            "configured logging driver does not support reading",
            why="the container was made with --log-driver none, so nothing is kept",
            try_next="leave --log-driver out, or attach to the container while it runs",
            lesson="logs",
        )
    return life


def past(
    house: House, reference: str, streams: frozenset[int], *, is_framed: bool
) -> Iterator[bytes]:
    """Give what was printed so far, as an attach that wants it sends it first.

    Raises NoSuchContainer, LogUnreadable, before anything is given.
    """
    return read(house, reference, Choice(streams, is_framed=is_framed)).pieces()


def read(house: House, reference: str, choice: Choice) -> Logs:
    """Begin to read the log of a container.  Raises as `check_readable` does."""
    life = check_readable(house, reference)
    spec = house.kept(life.id).spec
    return Logs(house, life, Path(spec.directory, log_name(spec)), choice)
