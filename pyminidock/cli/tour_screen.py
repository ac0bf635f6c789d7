"""The tour in a terminal: one stop a screen, keys as everywhere (`viz.keys`).

→ goes on, and with it the engine, up to the event that fires the next stop; ← goes back,
which moves the view and nothing else.  Reaching a stop may take the engine a while, so it
is done on a thread, one stop after the other.
"""

from collections.abc import Callable, Sequence
from threading import Thread
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from pyminidock.cli.stepper_look import THEMES, content_of, is_light
from pyminidock.cli.tour_draw import Leaf, fired, heading, lines, reason
from pyminidock.cli.tour_live import Seen
from pyminidock.course.tour import Stop, passages
from pyminidock.errors import MinidockError
from pyminidock.viz.painters.text import Line, Span
from pyminidock.viz.sentences import visible

Reach = Callable[[Stop], Seen | None]
KEYS = "→ next  ← back  ↑↓ scroll  Home first  End as far as we came  q leave"


class TourApp(App[None]):
    """Shows the stops; `reach` lets the engine go on to one, and may take its time."""

    TITLE = "minidock tour"
    AUTO_FOCUS = None
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space,enter", "go(1)", "next"),
        Binding("left,backspace", "go(-1)", "back"),
        Binding("home", "first", "first"),
        Binding("end", "last", "as far as we came"),
        Binding("up", "scroll_by(-1)", "scroll", show=False),
        Binding("down", "scroll_by(1)", "scroll", show=False),
        Binding("pageup", "scroll_by(-15)", "scroll", show=False),
        Binding("pagedown", "scroll_by(15)", "scroll", show=False),
        Binding("q,escape", "quit", "leave"),
    ]
    CSS = """
    #heading, #keys { height: 1; background: $panel; }
    #reason, #fired { height: auto; padding: 0 1; }
    #fired { background: $panel; min-height: 2; }
    #scroll { height: 1fr; padding: 1 0 0 1; }
    """

    def __init__(
        self, stops: Sequence[Stop], reach: Reach, *, light: bool | None = None
    ) -> None:
        super().__init__()
        self._stops, self._reach = stops, reach
        self.at = 0
        self.leaves: list[Leaf] = []  # the stops that were reached
        self.note = ""
        self.is_waiting = False
        self._light = is_light({}) if light is None else light
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "minidock-light" if self._light else "minidock-dark"

    def compose(self) -> ComposeResult:
        """Heading, reason, source, event, keys."""
        yield Static(id="heading")
        yield Static(id="reason")
        with VerticalScroll(id="scroll", can_focus=False):
            yield Static(id="source")
        yield Static(id="fired")
        yield Static(KEYS, id="keys", markup=False)

    def on_mount(self) -> None:
        """Go to the first stop."""
        self._wait_for(0)

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.call_after_refresh(self.redraw)

    # ── Going ─────────────────────────────────────────────────────────────────────────────

    def action_go(self, by: int) -> None:
        """Go on or back by one stop."""
        wanted = self.at + by
        if self.is_waiting or not 0 <= wanted < len(self._stops):
            return
        if wanted < len(self.leaves):
            self._show(wanted)
        else:
            self._wait_for(wanted)

    def action_first(self) -> None:
        """Go to the first stop."""
        self._show(0)

    def action_last(self) -> None:
        """Go to the last stop that was reached."""
        self._show(len(self.leaves) - 1)

    def action_scroll_by(self, count: int) -> None:
        """Move the source up or down."""
        self.query_one("#scroll").scroll_relative(y=count, animate=False)

    def _wait_for(self, number: int) -> None:
        """Let the engine go on, on a thread, and show the stop then."""
        self.is_waiting, self.note = True, "the engine goes on …"
        self.redraw()
        Thread(target=self._reach_it, args=(number,), daemon=True).start()

    def _reach_it(self, number: int) -> None:
        stop = self._stops[number]
        seen, note = None, ""
        try:
            seen = self._reach(stop)
        except (MinidockError, OSError) as refusal:
            note = f"the engine did not come here: {refusal}"
        leaf = Leaf(number + 1, len(self._stops), stop, passages(stop), seen)
        if self.is_running:
            self.call_from_thread(self._reached, leaf, note)

    def _reached(self, leaf: Leaf, note: str) -> None:
        self.leaves.append(leaf)
        self.is_waiting = False
        self._show(leaf.number - 1)
        self.note = note
        self.redraw()

    def _show(self, number: int) -> None:
        if not self.is_waiting and self.leaves:
            self.at, self.note = number, ""
            self.query_one("#scroll").scroll_home(animate=False)
            self.redraw()

    # ── Drawing ───────────────────────────────────────────────────────────────────────────

    def redraw(self) -> None:
        """Draw the stop where we are."""
        if not (self.is_running and self.leaves):
            return
        leaf, width = self.leaves[self.at], max(self.size.width, 20)
        said: list[Line] = [*fired(leaf, width - 2)]
        if self.note:
            said = [(Span(visible(self.note), "dim"),), ()]
        for name, shown in (
            ("heading", [heading(leaf, width)]),
            ("reason", [(), *reason(leaf, width - 2)]),
            ("source", [*lines(leaf, width - 2)]),
            ("fired", said),
        ):
            content = content_of(shown, light=self._light)
            self.query_one(f"#{name}", Static).update(content)
