"""Something that is done while a person steps through it, on a thread of its own."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Self

from pyminidock.errors import MinidockError


class Deed:
    """Something done on a thread of its own, which does not keep us from ending."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._done: Future[None] = Future()

    def begin(self) -> Self:
        """Begin, and do not wait."""
        Thread(target=self.do, daemon=True).start()
        return self

    def do(self) -> None:
        """Do it here and now, and keep the outcome."""
        self._done.set_running_or_notify_cancel()
        try:
            self._work()
        except (MinidockError, OSError) as refusal:
            self._done.set_exception(refusal)
        else:
            self._done.set_result(None)

    def result(self) -> None:
        """Wait for the end; raise what it raised.  One that never began is over too."""
        if not self._done.cancel():
            self._done.result()
