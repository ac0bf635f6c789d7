"""The records of one story, as frames for pages and as one picture for paper."""

import json
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any

from pyminidock.events.journal import Header, Record
from pyminidock.events.redaction import of_record
from pyminidock.viz import film
from pyminidock.viz.captions import caption
from pyminidock.viz.scene import Scene
from pyminidock.viz.things import EMPTY, World
from pyminidock.viz.views import View, expected, suiting
from pyminidock.viz.world import fold
from pyminidock.widgets.assets import source
from pyminidock.widgets.discreet import Discreet
from pyminidock.widgets.sender import Outlet

FULL = "Of the steps from here on only the last will be shown: minidock trace show --text"


class Footage:
    """Frames that were made, and what is needed to draw any of them again."""

    def __init__(
        self, header: Header, views: Sequence[View], outlet: Outlet,
        discreet: Discreet | None = None,
    ) -> None:  # fmt: skip
        self.header, self.views = header, views
        self._outlet = outlet
        self._discreet = Discreet() if discreet is None else discreet
        self._reel = film.Reel(views)
        self._numbers: dict[int, int] = {}  # of frames, by the numbers of their records
        self._sources: set[str] = set()
        self._lock = Lock()
        self.is_full = False  # the pages are: all but the last step are only in the file
        self._ending: Record | None = None  # the newest of those
        self.opens = 0  # the step at which a recording is opened; 0: none was chosen

    @classmethod
    def of_trace(
        cls, header: Header, records: Sequence[Record], outlet: Outlet
    ) -> "Footage":
        """Begin the footage of a story that is over, with the views that suit it."""
        world = EMPTY
        for record in records:
            world = fold(world, record)
        made = cls(header, suiting(world) or expected(header.story), outlet)
        steps = [each for each in records if each.kind not in film.GATES]
        made.opens = _telling(header.story, steps)
        return made

    def add(self, record: Record) -> None:
        """Make the frame of one record, and send it on its way.

        Where the pages are full, the record waits: it may be the story's last one.
        """
        with self._lock:
            record = self._discreet.record(record)
            self.is_full = self.is_full or self._outlet.is_full
            if not self.is_full:
                self._show(record)
            elif record.kind not in film.GATES:
                if self._ending is not None:
                    self._reel.pass_over(self._ending)
                self._ending = record

    def end(self) -> None:
        """Show the last step of a story that was too long: no more will come."""
        with self._lock:
            if self._ending is not None:
                self._show(self._ending)
                self._ending = None

    def _show(self, record: Record) -> None:
        frame = self._reel.add(record)
        if frame is None:
            return
        told = json.dumps(frame, ensure_ascii=True, separators=(",", ":"))
        self._outlet.add(told.encode("ascii"))
        self._numbers[record.seq] = self._reel.length
        if record.src:
            self._sources.add(record.src)

    def __len__(self) -> int:
        return len(self._numbers)

    def number_of(self, seq: int) -> int:
        """Give the frame of a record, 0 if it has none (yet)."""
        return self._numbers.get(seq, 0)

    def film(self, *, is_live: bool) -> dict[str, Any]:
        """Give the message that a page needs before the first frame."""
        with self._lock:
            told = frozenset(self._sources)
        return {
            "t": "film",
            "header": film.header(self.header, self.views, is_live=is_live),
            "sources": film.excerpts(told, source),
            "opens": self.opens,
        }

    @property
    def sources(self) -> int:
        """How many lines of the engine have told something so far."""
        return len(self._sources)

    @property
    def world(self) -> World:
        """Give the world after all that was added."""
        return self._reel.world

    def picture(
        self, journal: Iterable[Record], step: int = 0
    ) -> tuple[Scene, str, str] | None:
        """Draw one step: scene, its question, what happens.  None: there is no step.

        Unsaid, it is the last, or, of a program that is over, the one at which it ran: of
        a container that is gone nothing is to be seen.  It is drawn of what the journal
        has: a picture travels with its notebook, and live events show what was typed.
        """
        told = [of_record(each) for each in journal if each.kind not in film.GATES]
        shown = [each for each in told if each.seq in self._numbers]
        shown = shown[: step or _telling(self.header.story, shown)]
        if not shown or not self.views:
            return None
        world = EMPTY
        for record in told[: told.index(shown[-1]) + 1]:
            world = fold(world, record)
        fitting = suiting(world, self.views) or tuple(self.views)
        view = fitting[0]
        said = f"Step {len(shown)} of {len(self)}: {caption(world, shown[-1])}"
        return view.draw(world), view.title, said


def _telling(story: str, records: Sequence[Record]) -> int:
    """Give the number of the step that stands for a story on paper."""
    if story.startswith("run-"):
        for number in range(len(records), 0, -1):
            if records[number - 1].kind == "container.started":
                return number
    return len(records)
