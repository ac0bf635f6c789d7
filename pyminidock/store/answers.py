"""What `state.db` answered, for as long as it is still true.

One engine alone writes its database, so what it once read stays true until it writes:

    question ──► known? ─┬─ yes ──► its answer
                         └─ no  ──► state.db ──► kept, unless something was written since

A build that finds all in the cache asks for the same few dozen rows as the one before it,
and each look at the file costs system calls: for the locks of SQLite.
"""

from threading import Lock
from typing import Any

MOST = 1024  # answers, of few rows each

Question = tuple[str, tuple[object, ...]]
"""A SELECT, and the values in it; what is made of its rows is always the same kind."""
Answer = tuple[Any, ...]


class Answers:
    """Answers by their questions.  Any thread may ask."""

    def __init__(self) -> None:
        self._known: dict[Question, Answer] = {}
        self._lock = Lock()  # no write comes between a look at the moment and the keeping
        self.moment = 0  # grows with each write

    def get(self, question: Question) -> Answer | None:
        """Give the answer that is known."""
        return self._known.get(question)

    def keep(self, question: Question, answer: Answer, moment: int) -> None:
        """Keep an answer that was asked for at `moment`, if nothing was written since."""
        with self._lock:
            if moment != self.moment:
                return
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[question] = answer

    def forget(self) -> None:
        """Forget all of them: something was written."""
        with self._lock:
            self.moment += 1
            self._known.clear()
