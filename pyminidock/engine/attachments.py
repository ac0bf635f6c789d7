"""A place before a program's streams, which is taken before there is a program.

Source: moby, container/stream/attach.go, where the streams are there before the program.
"""

from pyminidock.container.states import State
from pyminidock.engine.lives import Life
from pyminidock.kernel.port import Process


class Attachment:
    """A place before a program's streams, taken before the program runs.

    Nothing that it prints is lost to whoever took a place in time: its connection is there
    before the program is, and clearing up after its end waits for the watchers.
    """

    def __init__(self, life: Life) -> None:
        self._life = life
        with life.changed:
            is_there = life.state in (State.RUNNING, State.PAUSED)
            self._runs = life.runs - 1 if is_there else life.runs
            life.watchers += 1
        self._is_open = self._is_bespoken = True

    def take(self, timeout_s: float | None = None) -> Process | None:
        """Wait for the run that was meant; None: it failed, or is not there yet."""
        self._life.until(self._is_decided, timeout_s)
        with self._life.changed:
            process = self._process()
            self._is_bespoken = process is None
            return process

    @property
    def is_over(self) -> bool:
        """Say whether waiting longer makes no sense."""
        with self._life.changed:
            return self._is_decided()

    def leave(self) -> Process | None:
        """Leave; gives the process whose connection was bespoken here and not taken."""
        with self._life.changed:
            if not self._is_open:
                return None
            self._is_open = False
            self._life.watchers -= 1
            self._life.changed.notify_all()
            return self._process() if self._is_bespoken else None

    def _process(self) -> Process | None:
        return self._life.process if self._life.runs > self._runs else None

    def _is_decided(self) -> bool:
        life = self._life
        if life.is_gone:
            return True
        return life.runs > self._runs and (life.process is not None or life.error != "")
