"""The terminal stepper: one story, forward and back, live or from a recording.

Going back moves the view and nothing else: a container that is held stays held.  Records
and holds arrive on threads of their own and are handed over to this one, and orders are
given on threads too, so a slow engine never freezes the keys.

Longer than most files here, because each row of the key table is a method of its own.  What
is shown is in `stepper_picture`, where one stands in `stepper_walk`.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Input

from pyminidock.cli import stepper_draw as draw
from pyminidock.cli.stepper_asks import Help, Leave
from pyminidock.cli.stepper_look import THEMES, is_light
from pyminidock.cli.stepper_picture import Picture
from pyminidock.cli.stepper_source import Source, chunks
from pyminidock.cli.stepper_walk import Walk, living
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record
from pyminidock.viz.keys import KEYS
from pyminidock.viz.sentences import visible

Work = Callable[[], object]
Shell = Callable[[Sequence[str]], None]

PLAY_S = 0.8  # one step, when it plays
_NAMES = {"ArrowRight": "right", "ArrowLeft": "left", "/": "slash", " ": "space",
          "!": "exclamation_mark", "?": "question_mark"}  # fmt: skip


def textual_name(name: str) -> str:
    """Spell a key of the table as Textual does.

    >>> textual_name("Shift+ArrowLeft"), textual_name("/"), textual_name("Home")
    ('shift+left', 'slash', 'home')
    """
    prefix, _, key = name.rpartition("+")
    spelt = _NAMES.get(key) or (key if len(key) == 1 else key.lower())
    return f"{prefix.lower()}+{spelt}" if prefix else spelt


def _take_terminal() -> None:
    """Become the terminal's foreground again.

    A shell makes itself the foreground and gives it back at its end, but one in another
    PID namespace knows no number for us.  SIGTTOU would stop whoever asks from behind.
    """
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with suppress(OSError):  # no terminal: nothing to take
        os.tcsetpgrp(sys.stdin.fileno(), os.getpgrp())
    signal.signal(signal.SIGTTOU, before)


class StepperApp(App[str]):
    """Shows a source's story; `work` is begun once everybody listens, on a thread.

    `run` gives "abort" if a held container was aborted on leaving, else "go on".
    """

    TITLE = "minidock step"
    AUTO_FOCUS = None
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(textual_name(name), f"do('{key.action}')", key.says, show=False)
            for key in KEYS
            for name in key.names
        ),
        *(
            Binding(key, f"scroll_by({lines})", "scroll", show=False)
            for key, lines in (("up", -1), ("down", 1), ("pageup", -10), ("pagedown", 10))
        ),
    ]
    CSS = """
    Help, Leave { align: center middle; }
    #help, #leave { width: 80; max-width: 100%; height: auto; max-height: 100%;
                    background: $panel; border: round $primary; padding: 0 1; }
    #leave { width: 60; }
    """

    def __init__(
        self,
        source: Source,
        *,
        work: Work | None = None,
        shell: Shell | None = None,
        play_s: float = PLAY_S,
        light: bool | None = None,
    ) -> None:
        super().__init__()
        self.source, self.walk = source, Walk()
        self.note = ""
        self._work, self._play_s = work, play_s
        self._shell: Shell = shell or self._suspended_shell
        is_on_light = is_light(os.environ) if light is None else light
        self.picture = Picture(self.walk, source, light=is_on_light)
        self.shows = self.picture.shows
        self._asked = ""  # "goto" or "search" while the prompt is open
        self._runs_to = ""  # "break" or "part" while events are let go one by one
        self._ended = False
        self._timer: Timer | None = None
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "minidock-light" if is_on_light else "minidock-dark"

    def compose(self) -> ComposeResult:
        """One picture, which has all the parts."""
        yield self.picture

    # ── What arrives ──────────────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        """Begin to listen, then begin the work."""
        self.set_focus(None)
        for body in (self._listen, self._watch_holds):
            Thread(target=body, daemon=True).start()
        if self._work:
            Thread(target=self._do_work, args=(self._work,), daemon=True).start()

    def on_unmount(self) -> None:
        """Let go: a gate whose client goes away opens."""
        self._ended = True
        self.source.close()

    def on_resize(self) -> None:
        """Draw for the new size, once it is known to all parts."""
        self.call_after_refresh(self.redraw)

    def _listen(self) -> None:
        size = 1 if self.source.is_live else 500
        try:
            for chunk in chunks(self.source.records(), size):
                self._hand_over(self._arrived, chunk)
        except (MinidockError, OSError) as error:
            self._hand_over(self._say, f"no more events: {error}")
        self._hand_over(self._all_arrived)

    def _watch_holds(self) -> None:
        try:
            while (held := self.source.next_held()) is not None:
                self._hand_over(self._holds_at, held)
        except (MinidockError, OSError) as error:
            self._hand_over(self._say, f"the gate is lost: {error}")

    def _do_work(self, work: Work) -> None:
        try:
            work()
        except MinidockError as error:
            self._hand_over(self._say, f"{error.what} — {error.try_next}")

    def _hand_over(self, what: Callable[..., None], *values: object) -> None:
        """Call on the screen's own thread; nobody is there any more once it ended."""
        if not self._ended:
            try:
                self.call_from_thread(what, *values)
            except RuntimeError:
                self._ended = True

    def _arrived(self, records: list[Record]) -> None:
        self.walk.add(records, follow=self.source.is_live)
        self.redraw()

    def _all_arrived(self) -> None:
        if self.source.damage:
            self.note = f"the recording is cut: {self.source.damage}"
        if not self.source.is_live and self.walk.position == 0:
            self.walk.go(1)
        self.redraw()

    def _holds_at(self, record: Record) -> None:
        self.walk.held = record
        if self._runs_to and not self._stops_at(record):
            self._order(self.source.step)
            return
        self._runs_to = ""
        self.redraw()

    def _stops_at(self, record: Record) -> bool:
        if self._runs_to == "part" and self.walk.begins_part(record):
            return True
        return record.kind in self.walk.breaks or self.source.stops_at(record)

    def _order(self, order: Callable[[], None]) -> None:
        """Let go what is held, on a thread: the engine may take its time."""
        self.walk.held = None
        self.walk.go(self.walk.last)

        def ordered() -> None:
            try:
                order()
            except (MinidockError, OSError) as error:
                self._hand_over(self._say, str(error))

        Thread(target=ordered, daemon=True).start()
        self.redraw()

    # ── Keys ──────────────────────────────────────────────────────────────────────────────

    def action_do(self, action: str) -> None:
        """Do what the key table says; every row has its method below."""
        if len(self.screen_stack) > 1:
            return
        self.note = ""
        name, _, argument = action.partition("-")
        if action == "next-span":
            self.do_next_part()
        elif action == "previous-span":
            self.walk.previous_span()
        elif name == "depth":
            self.walk.depth = int(argument)
        else:
            getattr(self, f"do_{name}")()
        self.redraw()

    def do_next(self) -> None:
        """Go on by what is read as one; at the end of a held story, let it do one step."""
        if not self.walk.is_at_end:
            self.walk.next()
        elif self.walk.held:
            self._order(self.source.step)
        else:
            live = "waiting for the next step" if self.source.is_live else "the last step"
            self.note = f"this is {live}" if not self.source.is_live else live

    def do_next_part(self) -> None:
        """Go to the end of this part; at the end of a held story, let it do one part."""
        if not self.walk.is_at_end:
            self.walk.next_span()
        elif not self.walk.held:
            self.do_next()
        elif self.source.holds_parts and not self.walk.breaks:
            self._order(self.source.resume)
        else:
            self._runs_to = "part"
            self._order(self.source.step)

    def do_previous(self) -> None:
        """Go back by what is read as one: the view, not the world."""
        self.walk.previous()

    def do_first(self) -> None:
        """Go to before the first step."""
        self.walk.go(0)

    def do_last(self) -> None:
        """Go to the last step."""
        self.walk.go(self.walk.last)

    def do_goto(self) -> None:
        """Ask for a number."""
        self._ask("goto", f"go to step (1 to {self.walk.last})")

    def do_search(self) -> None:
        """Ask for words."""
        self._ask("search", "search, Enter for the next match, Esc to close")

    def do_play(self) -> None:
        """Begin to play, or pause."""
        if self._timer:
            self._timer.stop()
            self._timer = None
            self.note = "paused"
        else:
            self._timer = self.set_interval(self._play_s, self._play_on)
            self.note = "playing, Space to pause"

    def _play_on(self) -> None:
        if self.walk.is_at_end and not self.walk.held:
            if not self.source.is_live:
                self.do_play()
            self.redraw()
            return
        self.do_next()
        if self.walk.is_break() and self._timer:
            self.do_play()
            self.note = "stopped at a break"
        self.redraw()

    def do_break(self) -> None:
        """Stop at steps of this kind from now on, or no longer."""
        kind = self.walk.toggle_break()
        is_set = kind in self.walk.breaks
        self.note = f"{'stops' if is_set else 'no longer stops'} at {kind}" if kind else ""

    def do_table(self) -> None:
        """Show the story as a table, or the picture again."""
        self.shows["table"] = not self.shows["table"]
        self.shows["compare"] = False

    def do_source(self) -> None:
        """Show or hide the engine's source."""
        self.picture.toggle("source")

    def do_linux(self) -> None:
        """Show or hide the plain Linux command."""
        self.picture.toggle("linux")

    def do_compare(self) -> None:
        """Mark this step; pressed at another step, show what is different."""
        if self.shows["compare"]:
            self._forget_comparison()
        elif self.walk.compared is None:
            self.walk.compared = self.walk.position
            self.note = f"step {self.walk.position} is marked: go to another, press x again"
        else:
            self.shows["compare"], self.shows["table"] = True, False

    def _forget_comparison(self) -> None:
        self.shows["compare"], self.walk.compared = False, None

    def do_shell(self) -> None:
        """Open a shell beside the live process, as far inside as it has been born."""
        world = self.walk.newest()
        process = living(world)
        if not self.source.is_live:
            self.note = "no shell here: this is a recording, its process is gone"
        elif process is None and self.walk.is_build:
            image = self.walk.image_before()
            if image:
                self._shell(draw.image_shell(image))
            else:
                self.note = "no shell here: there is no image yet"
        elif process is None:
            self.note = "no shell here: there is no process (yet, or any more)"
        else:
            container = world.container
            state = container.root.state if container else ""
            command = draw.shell_command(process, is_pivoted=state == "pivoted")
            self._shell(command)

    def _suspended_shell(self, command: Sequence[str]) -> None:
        with self.suspend():
            print("$", *command, "\n(exit or Ctrl+D brings you back)")  # noqa: T201
            try:
                subprocess.run(list(command), check=False)  # noqa: S603  (as typed)
            except OSError as error:
                self.note = f"no shell: {error}"
            _take_terminal()

    def do_continue(self) -> None:
        """Let a held story go on, up to the next break."""
        if not self.walk.held:
            self.note = "nothing is held here"
        elif self.walk.breaks:
            self._runs_to = "break"
            self._order(self.source.step)
        else:
            self._order(self.source.resume)

    def do_undo(self) -> None:
        """Say what going back does not do."""
        self.note = "nothing is undone here: ← moves the view only, the world stays"

    def do_help(self) -> None:
        """Show all keys."""
        self.push_screen(Help(), self._come_back)

    def do_close(self) -> None:
        """Close whatever was opened last."""
        if self._asked:
            self._close_prompt()
        elif self.shows["compare"]:
            self._forget_comparison()
        else:
            self.shows["table"] = False

    def do_quit(self) -> None:
        """Leave; ask first what becomes of a container that is held."""
        if self.walk.held is None:
            self.exit("go on")
            return
        process = living(self.walk.newest())
        made = "The build" if self.walk.is_build else "A container"
        who = f"PID {process.pid}" if process else made
        self.push_screen(Leave(f"{who} is held live."), self._leave)

    def _come_back(self, answer: object = None) -> None:
        """Draw anew after a dialog: below one, nothing that was begun is finished."""
        self.call_later(self.redraw)

    def _leave(self, answer: str | None) -> None:
        if answer not in ("go on", "abort"):
            self._come_back()
            return
        order = self.source.abort if answer == "abort" else self.source.resume

        def ordered() -> None:
            with suppress(MinidockError, OSError):  # it went on already: leave all the same
                order()
            self._hand_over(self.exit, answer)

        Thread(target=ordered, daemon=True).start()

    # ── The prompt ────────────────────────────────────────────────────────────────────────

    def _ask(self, what: str, words: str) -> None:
        self._asked = what
        self.picture.ask(words)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go where was asked; a search stays open for the next match."""
        if self._asked == "search":
            if not self.walk.search(event.value):
                self.bell()
        else:
            if event.value.strip().isdigit():
                self.walk.go(int(event.value))
            else:
                self.note = f"no step is called {visible(event.value)!r}"
            self._close_prompt()
        self.redraw()

    def _close_prompt(self) -> None:
        self._asked = ""
        self.picture.ask_no_more()
        self.set_focus(None)

    # ── The picture ───────────────────────────────────────────────────────────────────────

    def _say(self, note: str) -> None:
        self.note = visible(note)
        self.redraw()

    def redraw(self) -> None:
        """Draw everything for where the walk stands now."""
        if self.is_running:
            self.picture.draw(self.note)

    def action_scroll_by(self, lines: int) -> None:
        """Move the table or the comparison up or down."""
        self.picture.scroll_wide(lines)
