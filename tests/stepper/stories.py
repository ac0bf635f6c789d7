"""A story that is told live and held, without an engine: the stepper's side of a gate."""

from collections.abc import Iterator, Sequence
from functools import partial
from threading import Condition

from pyminidock.cli.stepper_source import matches
from pyminidock.events.journal import Record
from tests.viz.story import recorded


class LiveStory:
    """Tells one record after the other and stands still wherever `pattern` says.

    The newest told record is the held one, as with a lock-step start.
    """

    is_live = True
    holds_parts = False
    title, recorded_on, damage = "run busybox echo hi", "", ""

    def __init__(self, pattern: str, records: Sequence[Record] = ()) -> None:
        self.pattern = pattern
        self.all = tuple(records) or recorded()
        self.told = 0
        self.orders: list[str] = []
        self.is_closed = False
        self._news = Condition()
        self._holds: list[Record] = []
        self._go("resume")

    def records(self) -> Iterator[Record]:
        """Give each record as soon as it is told; ends with the story."""
        for number, record in enumerate(self.all):
            with self._news:
                self._news.wait_for(partial(self._is_told, number))
                if self.told == number:
                    return
            yield record

    def _is_told(self, number: int) -> bool:
        return self.told > number or self.is_closed

    def next_held(self) -> Record | None:
        """Wait for a hold."""
        with self._news:
            self._news.wait_for(lambda: self._holds or self.is_closed)
            return self._holds.pop(0) if self._holds else None

    def stops_at(self, record: Record) -> bool:
        """As a gate would."""
        return matches(self.pattern, record)

    def step(self) -> None:
        """Tell one more."""
        self._go("step")

    def resume(self) -> None:
        """Tell up to the next one that the pattern means."""
        self._go("resume")

    def abort(self) -> None:
        """Tell no more."""
        self.orders.append("abort")

    def close(self) -> None:
        """Wake whoever waits."""
        with self._news:
            self.is_closed = True
            self._news.notify_all()

    def _go(self, order: str) -> None:
        self.orders.append(order)
        with self._news:
            while self.told < len(self.all):
                record = self.all[self.told]
                self.told += 1
                is_held = order == "step" or self.stops_at(record)
                if is_held and record.evidence != "planned":
                    self._holds.append(record)
                    break
            self._news.notify_all()
