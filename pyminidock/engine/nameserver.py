"""Who answers when a container asks for a name.

    book      who is where: a value, replaced as a whole when a network changes
    askers    whom each container may ask beyond its networks
    clerk     answers a question from both, in the one thread that serves all containers
    told      what was asked goes into the story, from another thread: a gate may hold that

Source: moby, libnetwork/resolver.go, for what is answered (`network.answers`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from queue import Empty, Full, Queue
from threading import Lock, Thread

from pyminidock.engine.hearsay import Hearsay
from pyminidock.events import NameAsked
from pyminidock.kernel.nametalk import Clerk, Errand
from pyminidock.network.names import Asker, Book, Place, book_of

_WAITING = 256  # questions that are to be told; more are not told
_IDLE_S = 2.0  # after which the thread that tells them ends

Tell = Callable[[NameAsked], None]
"""Tells a question in the story of its container; may be held at a gate."""


@dataclass(frozen=True, slots=True)
class _Told:
    """An errand of which it is told how it ended."""

    errand: Errand
    over: Callable[[str], None]

    @property
    def failure(self) -> bytes:
        return self.errand.failure

    @property
    def whom(self) -> tuple[tuple[str, bool], ...]:
        return tuple(self.errand.whom)

    def question(self, number: int) -> bytes:
        return self.errand.question(number)

    def reply(self, told: bytes, number: int) -> bytes:
        return self.errand.reply(told, number)

    def is_helpful(self, reply: bytes) -> bool:
        return self.errand.is_helpful(reply)

    def ended(self, server: str) -> None:
        self.over(server)


class NameServer:
    """The names of one engine.  Any thread may change them; one answers."""

    def __init__(self, clock: Callable[[], float], tell: Tell) -> None:
        self._tell, self._hears = tell, Hearsay(clock)
        self._book, self._askers = Book(), dict[str, Asker]()
        self._turns = {"A": count(), "AAAA": count()}  # a program asks for both at once
        self._untold: Queue[NameAsked] = Queue(_WAITING)
        self._lock, self._is_telling = Lock(), False

    def learn(self, places: Iterable[Place]) -> None:
        """Know who is where from now on; each container's own places in their order."""
        self._book = book_of(places)

    def admit(self, asker: Asker) -> None:
        """Answer a container, and know whom it may ask."""
        self._askers[asker.container] = asker

    def dismiss(self, container: str) -> None:
        """Forget a container that asks no more."""
        self._askers.pop(container, None)

    def knows(self, container: str) -> bool:
        """Say whether a container is answered."""
        return container in self._askers

    def clerk(self, container: str) -> Clerk:
        """Give who answers the questions of a container."""
        # The codec takes as long to import as three containers to start: not everyone asks.
        from pyminidock.network.answers import judge  # noqa: PLC0415

        def answer(question: bytes, is_datagram: bool) -> bytes | Errand | None:
            judged = judge(
                question, self._book, self._askers.get(container, Asker(container)),
                turn=self._turn, is_datagram=is_datagram,
            )  # fmt: skip
            if judged is None:
                return None
            asked = (container, judged.name, judged.kind)
            if judged.errand is None:
                self._note(NameAsked(*asked, judged.outcome, judged.answers))
                return judged.reply

            def over(server: str) -> None:
                outcome = judged.outcome if server else "no answer"
                self._note(NameAsked(*asked, outcome, server=server))

            return _Told(judged.errand, over)

        return answer

    def _turn(self, kind: str) -> int:
        return next(self._turns[kind])

    # ── Telling ───────────────────────────────────────────────────────────────────────────

    def _note(self, event: NameAsked) -> None:
        """Have a question told, in a thread that may wait; it ends when there is none."""
        sifted = self._hears.sifted(event)
        if sifted is None:
            return
        try:
            self._untold.put_nowait(sifted)
        except Full:
            return
        with self._lock:
            if not self._is_telling:
                self._is_telling = True
                Thread(target=self._tell_all, name="names-told", daemon=True).start()

    def _tell_all(self) -> None:
        while True:
            try:
                event = self._untold.get(timeout=_IDLE_S)
            except Empty:
                with self._lock:
                    if self._untold.empty():
                        self._is_telling = False
                        return
                continue
            self._tell(event)
