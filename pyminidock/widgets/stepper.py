"""A story that is stepped through, in a cell: first a picture, then what lives.

    records ──► footage ──► outlet ══► page            (frames, forward)
                                   ◄══  order, break, here, pin, from

The stepper shows two things: a figure, which any notebook can show, and the widget, which
hides the figure while it lives.  When the story ends, or somebody pins a step, the figure
is drawn again in its place, so what is saved shows what was seen last.

Handlers run on whichever thread the kernel likes, and late where a cell keeps it busy; so
they only note and pass on.  See `live` for what happens to a story that nobody looks at.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from typing import Any
from weakref import WeakSet

import anywidget
import traitlets

from pyminidock.cli.failures import lines_of
from pyminidock.client.buildstory import BuildHandle
from pyminidock.client.connect import connect
from pyminidock.client.runstory import RunHandle
from pyminidock.client.story import BEFORE_EACH, StoryHandle
from pyminidock.client.transport import Refused
from pyminidock.client.watch import Watch
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Header, Record, Trace
from pyminidock.events.redaction import of_record, text
from pyminidock.viz.captions import caption
from pyminidock.viz.painters.harmless import harmless
from pyminidock.viz.things import EMPTY, World
from pyminidock.viz.views import expected
from pyminidock.widgets.assets import loader, look, name, script
from pyminidock.widgets.cell import MOST_LINES, Spot, is_watched, put
from pyminidock.widgets.discreet import Discreet
from pyminidock.widgets.figure import Bundle, figure, refused, waiting
from pyminidock.widgets.footage import FULL, Footage
from pyminidock.widgets.fromhere import begin
from pyminidock.widgets.live import Presence, beat_s
from pyminidock.widgets.sender import SENDER, Message

PATIENT_S = 60.0  # to wait for a story where nobody looks: it is for paper
_HURRIED_S = 1.0  # … before a story that is held there goes on
_SOON_S = 0.02  # to wait for the first word of a story
_DRAWN_S = 1.0  # to wait for a recording to be drawn before it is shown
LEFT = "Nobody looked for five seconds, so it went on by itself"


class StepperWidget(anywidget.AnyWidget):
    """The part of a stepper that lives in a page; it keeps nothing that is saved."""

    _esm = loader()
    code = traitlets.Unicode(name()).tag(sync=True)  # the player that it asks for

    def post(self, message: Message, buffers: list[bytes]) -> None:
        """Send to all pages."""
        self.send(dict(message), buffers)
        # Where the kernel has subshells, pages write to one, which a busy cell does not
        # hold up; but the kernel answers them where it spoke last.  Let it forget that.
        comm = self.comm
        if comm is not None and hasattr(comm, "_reply_subshell_id"):
            with suppress(AttributeError):  # another thread was faster
                del comm._reply_subshell_id


class Stepper:
    """One story and its pages.  Shown twice, it is one story in two places."""

    def __init__(self, told: Trace | StoryHandle, *, title: str = "") -> None:
        self._handle = told if isinstance(told, StoryHandle) else None
        self._trace = told if isinstance(told, Trace) else None
        self.title = title or self._title()
        self.widget = StepperWidget()
        self.widget.on_msg(self._heard)
        self.outlet = SENDER.outlet(self.widget.post)
        self.footage: Footage | None = None
        self.presence = Presence()
        self._discreet = _discreet(self._handle)
        self._figures: list[Spot] = []  # one for each cell that shows it
        self._logs: list[Spot] = []
        self._pinned = 0
        self._said = ""
        self._is_going_on = self._handle is not None
        self._told_sources = 0
        self._beaten_at = 0.0
        self._held_seq, self._knows_end = 0, False
        self._length_before = self._output_length = 0
        self._is_complete = Event()
        self._leave: Callable[[], None] = lambda: None
        self._watch: Watch | None = None
        if self._handle is not None:
            self._leave = self._handle.listen(self._changed)
        self.outlet.beat = self._beat
        LIVING.add(self)
        Thread(target=self._read, name="minidock-stepper", daemon=True).start()

    def _title(self) -> str:
        if self._handle is not None:
            return harmless(self._handle.title)
        assert self._trace is not None  # noqa: S101  (one of the two)
        return harmless(self._trace.header.title)

    # ── Showing ──────────────────────────────────────────────────────────────────────────

    def show(self, waits_s: float | None = None) -> None:
        """Show the figure and the widget below this cell.

        First waits so many seconds for the story to be over: for notebooks that are run
        where nobody looks, and what is held there goes on by itself.
        """
        if waits_s is not None:
            self.presence = Presence(first_s=_HURRIED_S)
        is_recording = self._handle is None
        self._is_complete.wait(_DRAWN_S * is_recording if waits_s is None else waits_s)
        if waits_s and self._handle is not None and self._is_complete.is_set():
            self._handle.join(waits_s)  # the last words come behind the last event
        bundle = self._bundle()
        if self._handle is not None:
            self._logs.append(Spot(self._output()))
        self._figures.append(Spot(bundle))
        if waits_s is not None:
            return  # where nobody looks, a picture is all
        live = self.widget._repr_mimebundle_()
        data = dict(live[0] if isinstance(live, tuple) else live or {})
        put(data | {"text/plain": f"Stepper of {self.title}"})

    def _ipython_display_(self) -> None:
        self.show(None if is_watched() else PATIENT_S)

    def __repr__(self) -> str:
        return f"<Stepper: {self.title}>"

    def close(self) -> None:
        """Hold nothing, listen to nothing, and take the widget off its pages."""
        LIVING.discard(self)
        self._leave()
        if self._handle is not None:
            self._handle.release()
        SENDER.drop(self.outlet)
        if self._watch is not None:
            self._watch.close()
        self.widget.close()

    def _bundle(self) -> Bundle:
        drawn = None
        if self.footage is not None and (self._pinned or self._is_complete.is_set()):
            with suppress(MinidockError, OSError):  # an engine that is gone draws nothing
                drawn = self.footage.picture(self._journal(), self._pinned)
        if drawn is None and (lines := self._refusal()):
            return refused(self.title, lines)
        if drawn is None:
            return waiting(self.title, "its picture comes when the story is over.")
        scene, question, caption = drawn
        return figure(scene, f"{self.title} · {question}", caption)

    def _refusal(self) -> list[str]:
        """Say why nothing was begun, if so: such a story has no step, and no player."""
        refusal = None if self._handle is None else self._handle.refusal
        if self.footage is not None or not isinstance(refusal, MinidockError):
            return []
        return [text(label + words) for label, words in lines_of(refusal)]

    def _journal(self) -> Iterable[Record]:
        if self._trace is not None:
            return self._trace.records
        assert self._handle is not None  # noqa: S101  (one of the two)
        return self._handle.trace.records

    def _redraw(self) -> None:
        bundle = self._bundle()
        for each in self._figures:
            each.redraw(bundle)

    def _output(self) -> Bundle:
        """Show what the program said, the newest lines; nothing in it is obeyed."""
        said = "" if self._handle is None else self._handle.logs()
        lines = self._discreet.output(said)
        if len(lines) > MOST_LINES:
            left = len(lines) - MOST_LINES
            lines = [f"… {left} lines before these: handle.logs()", *lines[-MOST_LINES:]]
        return {"text/plain": "\n".join(lines)}

    def _redraw_output(self) -> None:
        bundle = self._output()
        for each in self._logs:
            each.redraw(bundle)

    # ── Reading ──────────────────────────────────────────────────────────────────────────

    def _read(self) -> None:
        """Turn records into frames, to the end of the story."""
        with suppress(MinidockError, OSError):  # the engine ended: what there is, stays
            if self._trace is not None:
                trace = self._trace
                self.footage = Footage.of_trace(trace.header, trace.records, self.outlet)
                for record in trace.records:
                    self.footage.add(record)
                self._said = f"cut short: {trace.damage}" if trace.damage else ""
            else:
                self._follow()
        self._is_going_on = False
        if self.footage is not None:
            self.footage.end()
        self._complete()
        self._tell_film()
        self._tell_state()

    def _follow(self) -> None:
        handle = self._handle
        assert handle is not None  # noqa: S101  (or there would be a trace)
        header = _header_of(handle)
        views = expected(handle.story, is_seen_through=_is_seen_through(handle))
        self.footage = Footage(header, views, self.outlet, self._discreet)
        self._tell_film()
        with handle.client.events(handle.story, 0) as self._watch:
            for record in self._watch:
                self.footage.add(record)
                if record.seq == self._held_seq:
                    self._tell_state()

    def _complete(self) -> None:
        """Draw the figure that stays, and the output with all that is known by now."""
        self._is_complete.set()
        if self._logs:
            self.outlet.draw("logs", self._redraw_output)
        self.outlet.draw("figure", self._redraw)

    # ── What pages say ───────────────────────────────────────────────────────────────────

    def _heard(self, _widget: object, message: Mapping[str, Any], _buffers: object) -> None:
        """Take a message from a page, on any thread."""
        self.presence.seen(time.monotonic())
        match message:
            case {"t": "code"}:
                self.outlet.draw("code", self._tell_code)
            case {"t": "hello"}:
                self._greet(_whole(message.get("have")))
            case {"t": "resend", "from": first}:
                self.outlet.resend(_whole(first))
            case {"t": "order", "word": "step" | "continue" | "abort" as word}:
                self._order(word)
            case {"t": "break", "pattern": str(pattern)}:
                self._break(pattern, is_on=bool(message.get("on")))
            case {"t": "pin", "step": step}:
                self._pinned = _whole(step)
                self.outlet.draw("figure", self._redraw)
            case {"t": "from", "step": step}:
                self.outlet.draw("from", partial(self._run_from, _whole(step)))
            case _:  # a sign of life, or a word of a newer page
                pass

    def _tell_code(self) -> None:
        code = {"t": "code", "name": name()}
        self.outlet.post(code, [script().encode(), look().encode()])

    def _greet(self, have: int) -> None:
        first = [] if self.footage is None else [self._film()]
        self.outlet.greet(have, *first, self._state())

    def _order(self, word: str) -> None:
        if self._handle is None:
            return
        orders = {"step": self._handle.step, "continue": self._handle.resume}
        try:
            orders.get(word, self._handle.abort)()
        except (MinidockError, OSError) as refusal:
            self._said = str(refusal)
        self._tell_state()

    def _run_from(self, step: int) -> None:
        """Make a container that begins where a step ended, with a shell; say its name."""
        story = "" if self.footage is None else self.footage.header.story
        try:
            client = connect() if self._handle is None else self._handle.client
            self._said = begin(client, story, step)
        except (MinidockError, OSError) as refusal:
            self._said = str(refusal)
        self._tell_state()

    def _break(self, pattern: str, *, is_on: bool) -> None:
        if self._handle is None or self._handle.is_over:
            return
        try:
            (self._handle.break_at if is_on else self._handle.unbreak)(pattern)
        except (MinidockError, OSError) as refusal:
            self._said = str(refusal)
        self._tell_state()

    # ── What pages are told ──────────────────────────────────────────────────────────────

    def _changed(self) -> None:
        """Note what is new of the handle: a hold, an end, output.

        Called with its news, and on each beat: some came before anybody listened.
        """
        assert self._handle is not None  # noqa: S101  (who else would call)
        held = self._handle.holding
        seq = 0 if held is None else held.seq
        if seq and seq != self._held_seq:
            self.presence.held(time.monotonic())
        if (seq, self._handle.is_over) != (self._held_seq, self._knows_end):
            self._held_seq, self._knows_end = seq, self._handle.is_over
            self._tell_state()
        if (length := self._handle.said.size_bytes) != self._output_length:
            self._output_length = length
            self.outlet.draw("logs", self._redraw_output)

    def _beat(self, now: float) -> None:
        """Look twice a second whether somebody is there; tell pages that we are."""
        if self._handle is not None:
            self._changed()
        if self._held_seq and self.presence.is_lost(now) and self._handle is not None:
            self._said = LEFT
            self._handle.release()
        self._settle()
        footage = self.footage
        if footage is not None and footage.sources != self._told_sources:
            self._tell_film()
        pause_s = beat_s(is_live=self._is_going_on, is_held=bool(self._held_seq))
        if now - self._beaten_at >= pause_s:
            self._beaten_at = now
            self._tell_state()

    def _settle(self) -> None:
        """Draw the figure when its program is over, though the container is still there."""
        if self._handle is None or self._is_complete.is_set() or not self._handle.is_over:
            return
        length = 0 if self.footage is None else len(self.footage)
        if length and length == self._length_before:
            self._complete()
        self._length_before = length

    def _tell_film(self) -> None:
        if self.footage is not None:
            self.outlet.say(self._film())

    def _film(self) -> dict[str, Any]:
        assert self.footage is not None  # noqa: S101  (asked for by its callers)
        self._told_sources = self.footage.sources
        film = self.footage.film(is_live=self._is_going_on)
        return film | {"follows": self._handle is not None}

    def _tell_state(self) -> None:
        self.outlet.say(self._state())

    def _state(self) -> dict[str, Any]:
        footage, handle = self.footage, self._handle
        held = 0 if footage is None else footage.number_of(self._held_seq)
        parts = handle is not None and handle.holds_only(BEFORE_EACH)
        world = EMPTY if footage is None else footage.world
        says = self._said or ("" if handle is None else _stands(handle, world))
        if footage is not None and footage.is_full and self._is_going_on:
            says = FULL
        beat = beat_s(is_live=self._is_going_on, is_held=bool(self._held_seq))
        return {"t": "state", "live": self._is_going_on, "held": held, "says": says,
                "parts": parts, "beat": beat}  # fmt: skip


def _stands(handle: StoryHandle, world: World) -> str:
    """Say where a story stands, as a person would; nothing while it simply goes on."""
    if handle.holding is not None:
        return caption(world, of_record(handle.holding))
    if isinstance(handle, RunHandle) and handle.exit_code is not None:
        return f"Its program ended with exit code {handle.exit_code}"
    if handle.refusal is not None:
        return text(str(handle.refusal))
    return ""


def _is_seen_through(handle: StoryHandle) -> bool:
    return isinstance(handle, RunHandle) and handle.is_seen_through


def _discreet(handle: StoryHandle | None) -> Discreet:
    match handle:
        case RunHandle():
            return Discreet(handle.environment)
        case BuildHandle():
            return Discreet.of_build(handle.query)
        case _:
            return Discreet()


def _whole(given: object) -> int:
    """Read a number that a page sent; whatever is none counts as 0."""
    return given if isinstance(given, int) and not isinstance(given, bool) else 0


LIVING: WeakSet[Stepper] = WeakSet()
"""Those that were not closed."""


def _header_of(handle: StoryHandle) -> Header:
    """Give the header of a story, as soon as its journal has it.

    A story is opened before its first word is written.  Raises what asking for it raises,
    when the story is over and still not there.
    """
    while True:
        is_over = handle.is_over
        try:
            return handle.trace.header
        except Refused as refusal:
            if is_over or refusal.status != 404:
                raise
        handle.join(_SOON_S)
