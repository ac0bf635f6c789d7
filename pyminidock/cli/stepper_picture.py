"""The stepper's screen, from the top.

    title, backend label, step n of m
    processes and namespaces │ mounts          the world at this step; of a build
                             │ powers          Dockerfile and layers │ this instruction
    what happened, at the depth that was chosen, and the same in plain Linux
    the engine's source around the line that told it
    status: what is held, and how to look at it from outside

How high a pane is, only the layout knows.  So the lines whose number is fixed are drawn at
once, and the panes after the layout has settled.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Static

from pyminidock.cli import stepper_draw as draw
from pyminidock.cli.stepper_draw import View
from pyminidock.cli.stepper_look import content_of, window
from pyminidock.cli.stepper_source import Source
from pyminidock.cli.stepper_walk import Walk
from pyminidock.viz.painters.text import Line

TALL = 36  # lines of a terminal in which the source may have twice the room


class Picture(Vertical):
    """Shows a walk; `shows` says which parts are wanted."""

    DEFAULT_CSS = """
    #title { height: 1; background: $panel; }
    #world { height: 1fr; }
    #left { width: 1fr; height: 100%; }
    #right { width: 1fr; padding-left: 1; }
    #left-1, #left-2, #right-1, #right-2 { height: 1fr; }
    #scroll { height: 1fr; display: none; }
    #caption { height: 4; background: $panel; }
    #source { height: 6; }
    #ask { display: none; height: 1; border: none; padding: 0; }
    #status { height: 1; }
    .asked #ask { display: block; }
    .asked #status { display: none; }
    """

    def __init__(self, walk: Walk, source: Source, *, light: bool) -> None:
        super().__init__()
        self._walk, self._source, self._light = walk, source, light
        self.shows: dict[str, bool | None] = {
            "source": None, "linux": True, "table": False, "compare": False
        }  # fmt: skip
        self._wanted = self._shown = 0  # pictures

    def compose(self) -> ComposeResult:
        """The parts, from the top."""
        yield Static(id="title")
        with Horizontal(id="world"):
            for side in ("left", "right"):
                with Vertical(id=side):
                    yield Static(id=f"{side}-1")
                    yield Static(id=f"{side}-2")
        with VerticalScroll(id="scroll", can_focus=False):
            yield Static(id="wide")
        yield Static(id="caption")
        yield Static(id="source")
        yield Input(id="ask", compact=True)
        yield Static(id="status")

    @property
    def is_drawn(self) -> bool:
        """Whether the screen shows where the walk stands."""
        return self._shown == self._wanted

    def draw(self, note: str) -> None:
        """Draw everything for where the walk stands now."""
        self._wanted += 1
        walk, width = self._walk, self.size.width or self.app.size.width
        is_wide = bool(self.shows["table"] or self.shows["compare"])
        self.query_one("#world").display = not is_wide
        self.query_one("#scroll").display = is_wide
        self.query_one("#source").display = self._shows_source and not is_wide
        for name, view in self._panes():
            self.query_one(f"#{name}").display = view is not None
        self.query_one("#right").display = bool(draw.panes(walk)[1])
        self.query_one("#source").styles.height = 12 if self.size.height >= TALL else 6
        self.query_one("#caption").styles.height = 4 if self.shows["linux"] else 3
        told = draw.title(
            walk, self._source.title, self._source.recorded_on,
            is_live=self._source.is_live, width=width,
        )  # fmt: skip
        self._show("title", [told])
        self._show(
            "caption", draw.caption(walk, width, shows_linux=bool(self.shows["linux"]))
        )
        self._show("status", [draw.status(walk, note, width=width)])
        self.call_after_refresh(self._draw_panes, self._wanted)

    def ask(self, words: str) -> None:
        """Open the prompt in the place of the status line."""
        prompt = self.query_one("#ask", Input)
        prompt.placeholder, prompt.value = words, ""
        self.add_class("asked")
        prompt.focus()

    def ask_no_more(self) -> None:
        """Close the prompt."""
        self.remove_class("asked")

    def scroll_wide(self, lines: int) -> None:
        """Move the table or the comparison up or down."""
        self.query_one("#scroll", VerticalScroll).scroll_relative(y=lines, animate=False)

    def _draw_panes(self, picture: int) -> None:
        self.call_after_refresh(self._has_shown, picture)
        walk = self._walk
        if self.shows["table"] or self.shows["compare"]:
            self._draw_wide()
            return
        if self._shows_source:
            size = self.query_one("#source").size
            self._show("source", draw.source_lines(walk, size.width, size.height))
        for name, view in self._panes():
            if view is not None:
                size = self.query_one(f"#{name}").content_size
                self._show(name, window(draw.pane(view, walk, size.width), size.height))

    def _panes(self) -> Iterator[tuple[str, View | None]]:
        """Give what each of the four panes shows; None: it is not needed."""
        for side, views in zip(("left", "right"), draw.panes(self._walk), strict=True):
            for number, view in zip_longest((1, 2), views):
                yield f"{side}-{number}", view

    @property
    def _shows_source(self) -> bool:
        """What shows a stack needs room: on a small screen its source waits for the key."""
        wanted = self.shows["source"]
        if wanted is None:
            has_room = not (self._walk.is_build or self._walk.looks_through)
            return self.size.height >= TALL or has_room
        return wanted

    def toggle(self, part: str) -> None:
        """Show or hide a part."""
        is_shown = self._shows_source if part == "source" else self.shows[part]
        self.shows[part] = not is_shown

    def _has_shown(self, picture: int) -> None:
        self._shown = picture

    def _draw_wide(self) -> None:
        """Draw what takes the whole width: the table from its end, a comparison."""
        scroll = self.query_one("#scroll", VerticalScroll)
        width = self.size.width - 2  # of the scroll bar
        if self.shows["compare"]:
            self._show("wide", draw.comparison(self._walk, width))
            scroll.scroll_home(animate=False)
        else:
            self._show("wide", draw.table(self._walk, width))
            scroll.scroll_end(animate=False)

    def _show(self, name: str, lines: Sequence[Line]) -> None:
        content = content_of(lines, light=self._light)
        self.query_one(f"#{name}", Static).update(content)
