"""The one place that knows what an event needs besides itself.

The rooms say `emit(CgroupCreated(path))` and nothing else.  Here the fact gets its number,
its story, its clock and the line that told it; here it is fanned out, written down, and,
where a gate wants it, held.

    voice(event) ──► number ──► rings of listeners        never waits
                          ├───► what Docker says of it    never waits
                          ├───► journal, one batch later  never waits
                          └───► gate: the calling thread waits, with no lock held

Numbers have no gap and one order, which is also the order of every ring and every file.
"""

import itertools
from collections.abc import Callable, Iterator
from threading import Lock
from types import FrameType

from pyminidock.engine.bulletin import Bulletin
from pyminidock.engine.dockerevents import SPOKEN
from pyminidock.engine.gates import Gate, NoSuchGate, Order, pattern
from pyminidock.engine.journals import NoSuchStory
from pyminidock.engine.rings import Ring
from pyminidock.engine.sources import performers
from pyminidock.engine.telling import Told, kind_of, new_told
from pyminidock.engine.voice import Story, Voice
from pyminidock.engine.writer import Writer
from pyminidock.events import Event, EventsDropped, GateHeld, GateReleased, JournalDropped
from pyminidock.events.journal import Record
from pyminidock.kernel import recording
from pyminidock.kernel.port import BirthAborted
from pyminidock.store import failpoints

_ABOUT_TELLING = (GateHeld, GateReleased, EventsDropped, JournalDropped)  # never held


class Recorder:
    """Numbers, fans out, journals and holds what the engine tells."""

    def __init__(
        self,
        clock: Callable[[], float],
        wall: Callable[[], float],
        *,
        backend: str,
        writer: Writer | None = None,
    ) -> None:
        self._clock, self._wall, self._backend = clock, wall, backend
        self._performers = performers(backend)
        self._writer = writer
        self._seq = writer.newest_number() if writer else 0
        self._operations, self._gate_names = itertools.count(1), itertools.count(1)
        self._stories: dict[str, Story] = {}
        self._rings: tuple[tuple[str, Ring], ...] = ()  # (story or "", ring)
        self._bulletin: Bulletin | None = None
        self._lock = Lock()  # guards the five above; held for microseconds, never at a gate
        self._may_die = failpoints.are_armed()
        if writer:
            writer.start(self._journal_dropped)

    # ── Telling ───────────────────────────────────────────────────────────────────────────

    def story(self, name: str, title: str) -> None:
        """Begin a story, or go on with one that an earlier engine had begun."""
        now, wall = self._clock(), self._wall()
        began_wall = (
            self._writer.open(name, title, wall, self._backend) if self._writer else wall
        )
        with self._lock:
            self._stories.setdefault(name, Story(name, now - max(0.0, wall - began_wall)))

    def operation(self, story: str, name: str, *, may_abort: bool = False) -> Voice:
        """Give the voice of one API call, or of one thread that works for the story.

        `may_abort`: an `abort` at a gate raises BirthAborted; otherwise it lets go.
        """
        return Voice(
            self.tell,
            self._open(story),
            f"{name}-{next(self._operations)}",
            may_abort=may_abort,
        )

    def on_hold(self, story: str, do: Callable[[int], object]) -> None:
        """Call `do` with the number of each event at which the story is held."""
        self._open(story).on_hold = do

    def end(self, story: str) -> None:
        """Close a story: its listeners come to an end, its gates open."""
        with self._lock:
            ended = self._stories.pop(story, None)
            rings = [ring for name, ring in self._rings if name == story]
        for ring in rings:
            ring.end()
        for gate in ended.gates if ended else ():
            gate.close()
        if self._writer:
            self._writer.end(story)

    def tell(
        self, voice: Voice, event: Event, frame: FrameType,
        at: float | None = None, evidence: str = "",
    ) -> None:  # fmt: skip
        """Stamp and spread one event; what Voice does.

        Within a story no event is earlier than the one before it: where two operations
        overlap, what is heard late is stamped a little late.
        """
        file, line = self._source(event, frame)
        step, story, bulletin = voice.steps[-1], voice.story, self._bulletin
        beside = bulletin.notes(event) if bulletin and type(event) in SPOKEN else None
        with self._lock:
            self._seq = seq = self._seq + 1
            now, wall, latest = self._clock(), self._wall(), story.latest
            moment = now if at is None or at > now else at
            if moment > latest:
                story.latest = latest = moment
            told = new_told((
                seq, event, story.name, voice.operation, step.first or step.parent,
                step.phase, latest - story.began, wall - (now - latest), file, line,
                self._backend, evidence,
            ))  # fmt: skip
            if self._writer:
                self._writer.put(told)
            for _, ring in self._rings:
                ring.put(told)
            if bulletin and beside:
                bulletin.put(told, beside)
        if step.phase and not step.first:
            step.first = seq
        if self._may_die:
            failpoints.told(kind_of(type(event)))
        if story.gates and not isinstance(event, _ABOUT_TELLING):
            self._pass_gates(voice, told, frame)

    def _source(self, event: Event, frame: FrameType) -> tuple[str, int]:
        """Give the line that told a decision, or the one that performed an effect."""
        if frame.f_code.co_filename == recording.__file__:
            return self._performers.get(type(event), (recording.__file__, frame.f_lineno))
        return frame.f_code.co_filename, frame.f_lineno

    def _pass_gates(self, voice: Voice, told: Told, frame: FrameType) -> None:
        """Wait at each gate that wants this event, in the order in which they were set."""
        kind = kind_of(type(told.event))
        for gate in voice.story.gates:
            if not gate.wants(told.event, kind):
                continue
            self.tell(voice, GateHeld(gate.id, told.seq, kind), frame)
            if self._writer:
                self._writer.hurry()  # whoever looks from outside sees where it stands
            order = self._hold(voice, gate, told)
            self.tell(voice, GateReleased(gate.id, order), frame)
            if order == "abort" and voice.may_abort:
                raise BirthAborted(
                    f"{voice.operation} was aborted at {kind}",
                    why=f"gate {gate.id} was told so; everything done so far was undone",
                    try_next=f"minidock trace show {voice.story.name}",
                    lesson="live-pause",
                )

    def _hold(self, voice: Voice, gate: Gate, told: Told) -> Order:
        """Let a gate hold a voice; whoever waits for it is told, and may give up."""
        before = self._clock()
        voice.is_held = True
        voice.on_hold()
        voice.story.on_hold(told.seq)
        try:
            return gate.hold(told)
        finally:
            voice.is_held = False
            voice.held_s += self._clock() - before

    # ── Listening ─────────────────────────────────────────────────────────────────────────

    def listen(self, *, story: str = "", kind: str = "") -> Ring:
        """Hear what is told from now on, of one story and kind, or of all.

        The ring of one story comes to its end when the story does.
        """

        def wanted(told: Told) -> bool:
            return (not story or told.story == story) and (
                not kind or kind_of(type(told.event)) == kind
            )

        ring = Ring(wanted, on_close=self._forget)
        with self._lock:
            self._rings = (*self._rings, (story, ring))
            is_over = bool(story) and story not in self._stories
        if is_over:
            ring.end()
        return ring

    def attend(self, bulletin: Bulletin) -> None:
        """From now on let Docker's listeners hear, too."""
        self._bulletin = bulletin

    def follow(self, story: str, *, kind: str = "", since: int = 0) -> Iterator[Record]:
        """Give what a story told after number `since`, then what it tells, to its end.

        What had been told comes from the journal, as redacted as that is.
        Raises NoSuchStory, at the first record.
        """
        ring = self.listen(story=story, kind=kind)
        try:
            for record in self._journalled(story):
                if record.seq > since and (not kind or record.kind == kind):
                    yield record
                since = max(since, record.seq)
            yield from (record for record in ring if record.seq > since)
        finally:
            ring.close()

    def _journalled(self, story: str) -> tuple[Record, ...]:
        if self._writer is None:
            self._open(story)
            return ()
        self._writer.flush()
        with self._lock:
            is_open = story in self._stories
        try:
            return self._writer.journals.read(story).records
        except NoSuchStory:
            if is_open:  # begun, and nothing told yet
                return ()
            raise

    def _forget(self, ring: Ring) -> None:
        with self._lock:
            self._rings = tuple(pair for pair in self._rings if pair[1] is not ring)

    # ── Gates ─────────────────────────────────────────────────────────────────────────────

    def gate(self, story: str, words: str) -> Gate:
        """Set a gate in an open story.  Raises NoSuchStory, PatternUnclear."""
        gate = Gate(f"g{next(self._gate_names)}", story, pattern(words), self._take_down)
        opened = self._open(story)
        with self._lock:
            opened.gates = (*opened.gates, gate)
        return gate

    def gates(self) -> tuple[Gate, ...]:
        """List the gates that are set."""
        with self._lock:
            return tuple(gate for story in self._stories.values() for gate in story.gates)

    def find_gate(self, name: str) -> Gate:
        """Find a gate by its id.  Raises NoSuchGate."""
        for gate in self.gates():
            if gate.id == name:
                return gate
        raise NoSuchGate(
            f"no such gate: {name}",
            why="a gate is gone when its client goes, or when its story ends",
            try_next="minidock step run --break root.pivoted busybox true",
            lesson="live-pause",
        )

    def is_gated(self, story: str) -> bool:
        """Say whether the next start has to go in lock-step."""
        with self._lock:
            found = self._stories.get(story)
            return bool(found and found.gates)

    def _take_down(self, gate: Gate) -> None:
        with self._lock:
            if story := self._stories.get(gate.story):
                story.gates = tuple(each for each in story.gates if each is not gate)

    # ── The rest ──────────────────────────────────────────────────────────────────────────

    def flush(self) -> None:
        """Return when everything told so far is in the journal."""
        if self._writer:
            self._writer.flush()

    def close(self) -> None:
        """Open every gate, end every listener, write what is left."""
        for gate in self.gates():
            gate.close()
        with self._lock:
            rings, self._rings = self._rings, ()
        for _, ring in rings:
            ring.end()
        if self._bulletin:
            self._bulletin.close()
        if self._writer:
            self._writer.close()

    def _open(self, name: str) -> Story:
        with self._lock:
            if story := self._stories.get(name):
                return story
            known = ", ".join(list(self._stories)[-3:]) or "none"
        raise NoSuchStory(
            f"no such story: {name}",
            why=f"{len(self._stories)} stories are going on ({known})",
            try_next="minidock trace ls",
            lesson="traces",
        )

    def _journal_dropped(self, story: str, dropped: JournalDropped) -> None:
        """Tell, in the story that was being written, what the journal lost."""
        with self._lock:
            found = self._stories.get(story) or Story(story, self._clock())
        Voice(self.tell, found, "journal", may_abort=False)(dropped)
