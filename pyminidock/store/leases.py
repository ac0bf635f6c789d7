"""How an operation keeps the sweeper away from what it has not yet finished.

A blob that has just come in belongs to no image yet, and a layer that a build stands on can
lose its image at any moment.  To the sweeper both look like rubbish.  So whoever builds,
loads or pulls holds a lease, and while it is held, what was touched since it began (put
there, or looked for) stays.

The row of a lease is not what protects: it is what the next engine reads, to tell which
operations a crash cut off.  So it is written when the operation is about to bring its first
blob or tree: who only looks has nothing to leave behind, and a build that finds all in the
cache need not wait for the disk twice.  With its engine every lease ends.

Source: containerd, docs/garbage-collection.md, "Leases"; hardening.md D.1.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from pyminidock.store.database import Database
from pyminidock.store.failpoints import reach


class Leases:
    """The leases of one engine.  Names are digests: of blobs, of trees, of images."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._moments, self._numbers = itertools.count(1), itertools.count(1)
        self._began: dict[int, int] = {}  # lease to moment
        self._unwritten: dict[int, str] = {}  # lease without a row to operation
        self._touched: dict[str, int] = {}  # name to the latest moment

    @contextmanager
    def lease(self, operation: str) -> Iterator[None]:
        """Keep whatever is touched from here on; `operation` says who, for people."""
        with self._db.guard:
            number = next(self._numbers)
            self._began[number] = next(self._moments)
            self._unwritten[number] = operation
        reach("lease.taken")
        try:
            yield
        finally:
            with self._db.guard:
                del self._began[number]
                self._forget()
                if self._unwritten.pop(number, None) is None:
                    with self._db.write(makes_room=True, answers_stay=True) as rows:
                        rows.execute("DELETE FROM leases WHERE number = ?", (number,))
            reach("lease.released")

    def write_down(self) -> None:
        """Give each lease its row; to be called before something comes to the disk."""
        if not self._unwritten:
            return
        with self._db.guard:
            new = dict(self._unwritten)
            with self._db.write(answers_stay=True) as rows:
                rows.executemany("INSERT INTO leases VALUES (?, ?)", new.items())
            self._unwritten.clear()
        reach("lease.written")

    def touch(self, *names: str) -> None:
        """Note that somebody relies on `names`; nothing to do while no lease is held."""
        with self._db.guard:
            if self._began:
                moment = next(self._moments)
                self._touched.update(dict.fromkeys(names, moment))

    def protects(self, name: str) -> bool:
        """Whether a lease holds `name`; true for as long as the caller holds the guard."""
        oldest = min(self._began.values(), default=None)
        return oldest is not None and self._touched.get(name, 0) > oldest

    def held(self) -> tuple[str, ...]:
        """Say which operations hold a lease, or held one when their engine was killed."""
        with self._db.guard:
            found = self._db.ask("SELECT operation FROM leases ORDER BY number")
            return (*(row["operation"] for row in found), *self._unwritten.values())

    def end_all(self) -> tuple[str, ...]:
        """End what an earlier engine held; give the operations that it did not finish."""
        cut_off = self.held()
        if cut_off:
            with self._db.write(makes_room=True) as rows:
                rows.execute("DELETE FROM leases")
        return cut_off

    def _forget(self) -> None:
        oldest = min(self._began.values(), default=None)
        self._touched = {
            name: moment
            for name, moment in self._touched.items()
            if oldest is not None and moment > oldest
        }
