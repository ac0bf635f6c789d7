"""Where in a story someone stands, and the ways to move: no screen, no engine, no clock.

Position 0 is before the first step, position n after the nth.  The records of gates are
left out: they tell about this stepper, not about the container.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pyminidock.events.journal import Record
from pyminidock.viz.captions import caption
from pyminidock.viz.frames import Player
from pyminidock.viz.groups import joins
from pyminidock.viz.seeking import CHANGES, LOOKS
from pyminidock.viz.things import Process, Step, World

_GATES = ("gate.held", "gate.released")
_BEGINNINGS = ("step.started", "step.skipped", "image.tagged", "build.failed")


@dataclass(slots=True)
class Walk:
    """A story, a place in it, and what was chosen to be shown there."""

    player: Player = field(default_factory=Player)
    records: list[Record] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)  # of the story, one for each record
    joined: list[bool] = field(default_factory=list)  # whether it joins the one before
    breaks: set[str] = field(default_factory=set)
    held: Record | None = None  # the live event at which the container stands still
    depth: int = 1
    compared: int | None = None  # the position that x was pressed at

    @property
    def position(self) -> int:
        """How many steps lie behind."""
        return self.player.position

    @property
    def last(self) -> int:
        """How many steps there are so far."""
        return self.player.last

    @property
    def world(self) -> World:
        """Everything that is true here."""
        return self.player.world

    @property
    def record(self) -> Record | None:
        """The step that led here."""
        return self.at(self.position)

    @property
    def is_at_end(self) -> bool:
        """Whether no step lies ahead (yet)."""
        return self.position == self.last

    @property
    def held_at(self) -> int:
        """The position at which the container is held, 0 if it is not (or not seen yet)."""
        if self.held is None:
            return 0
        position = self.player.position_of(self.held.seq)
        found = self.at(position)
        return position if found and found.seq == self.held.seq else 0

    @property
    def is_build(self) -> bool:
        """Whether the story is that of an image and not of a container."""
        return bool(self.records) and self.records[0].story.startswith("build-")

    @property
    def is_image(self) -> bool:
        """Whether an image comes in or goes out, and no container is near."""
        verb = self.records[0].story.partition("-")[0] if self.records else ""
        return verb in ("load", "save", "import", "bootstrap")

    @property
    def looks_through(self) -> bool:
        """Whether this step asked or changed the layers of a union."""
        return self.record is not None and self.record.kind in LOOKS | CHANGES

    def begins_part(self, record: Record) -> bool:
        """Say whether a step to come is the first one of another part of the story."""
        if not self.parts:
            return True
        if self.is_build:
            return not record.parent and record.kind in _BEGINNINGS
        return " · ".join(filter(None, (record.operation, record.phase))) != self.parts[-1]

    def at(self, position: int) -> Record | None:
        """Give the step that leads to a position."""
        return self.records[position - 1] if 1 <= position <= len(self.records) else None

    def add(self, records: Iterable[Record], *, follow: bool) -> None:
        """Take in more of the story; with `follow`, who stands at the end stays there."""
        follows = follow and self.is_at_end
        for record in records:
            if record.kind in _GATES:
                continue
            before = self._newest_step()
            self.records.append(record)
            self.player.add(record)
            step = self._newest_step()
            assert step is not None  # noqa: S101  (it was added)
            self.parts.append(step.part)
            self.joined.append(joins(before, step))
        if follows:
            self.go(self.last)

    def go(self, position: int) -> None:
        """Go to a position, or to the nearest that exists."""
        self.player.go(position)

    def next(self) -> None:
        """Go on by a step; at the first depth by a group, or to a stop within it."""
        self.go(self.position + 1)
        while self.depth == 1 and self._joins(self.position + 1) and not self.is_break():
            self.go(self.position + 1)

    def previous(self) -> None:
        """Go back by a step; at the first depth to before the group."""
        position = self.position
        while self.depth == 1 and self._joins(position):
            position -= 1
        self.go(position - 1)

    def group(self) -> tuple[int, int]:
        """Give the first and the last step of the group of this one."""
        first = last = self.position
        while self._joins(first):
            first -= 1
        while self._joins(last + 1):
            last += 1
        return first, last

    def next_span(self) -> None:
        """Go to where the next part of the story begins, or to the end."""
        here = self._span(self.position + 1)
        position = self.position + 1
        while position < self.last and self._span(position + 1) == here:
            position += 1
        self.go(position)

    def previous_span(self) -> None:
        """Go to before this part of the story; there, to before the one before."""
        position = self.position
        here = self._span(position)
        while position > 0 and self._span(position) == here:
            position -= 1
        self.go(position)

    def search(self, words: str) -> bool:
        """Go to the next step that says or is called `words`; around the end once.

        One that shows them at this depth comes before all that would at another.
        """
        wanted = words.strip().lower()
        order = [*range(self.position + 1, self.last + 1), *range(1, self.position + 1)]
        for depths in ((self.depth,), (1, 2, 3)) if wanted else ():
            for position in order:
                record = self.at(position)
                said = self._said(record, depths) if record else ()
                if any(wanted in text.lower() for text in said):
                    self.go(position)
                    return True
        return False

    def toggle_break(self) -> str:
        """Stop (or no longer stop) at steps of this kind; give the kind."""
        record = self.record
        if record is None:
            return ""
        self.breaks ^= {record.kind}
        return record.kind

    def is_break(self) -> bool:
        """Whether this step is of a kind at which to stop."""
        record = self.record
        return record is not None and record.kind in self.breaks

    def newest(self) -> World:
        """Give the world at the end, without moving."""
        here = self.position
        world = self.player.go(self.last)
        self.player.go(here)
        return world

    def image_before(self) -> str:
        """Give the image of the last instruction of this stage that came to its end."""
        build = self.newest().build
        stage = build.current.stage if build.current else ""
        known = [each for each in build.in_order() if each.image and each.stage == stage]
        return known[-1].image if known else ""

    def other(self) -> World:
        """Give the world at the position to compare with, without moving."""
        here = self.position
        world = self.player.go(self.compared or 0)
        self.player.go(here)
        return world

    def _said(self, record: Record, depths: Iterable[int]) -> tuple[str, ...]:
        """Give the words by which a step can be found."""
        shown = (record.kind, record.src, record.linux)
        newest = self.player.newest
        return (*shown, *(caption(newest, record, depth) for depth in depths))

    def _newest_step(self) -> Step | None:
        items = self.player.newest.steps.items
        return items[-1] if items else None

    def _joins(self, position: int) -> bool:
        """Whether the step at a position joins the one before it."""
        return 1 <= position <= len(self.joined) and self.joined[position - 1]

    def _span(self, position: int) -> str | None:
        """Name the part of the story to which the step at a position belongs."""
        return self.parts[position - 1] if 1 <= position <= len(self.parts) else None


def living(world: World) -> Process | None:
    """Give the process that is being made or runs: the one to look at from outside."""
    inside = [p for p in world.processes.values() if p.pid and p.state != "exited"]
    inside.sort(key=lambda p: (p.role in ("init", "exec"), p.order))
    return inside[-1] if inside else None
