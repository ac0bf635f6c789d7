"""What the stepper says over its picture: the keys, and the question before leaving."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from pyminidock.viz import english
from pyminidock.viz.keys import KEYS
from pyminidock.viz.scene import CHANGED, GLYPHS

_STATES = {
    "hit": "its own, cached", "miss": "done again", "write": "being made, new",
    "hide": "hidden, skipped", "net": "joined, bound", "idle": "the host's, over, to come",
    "err": "failed",
}  # fmt: skip


class Help(ModalScreen[None]):
    """The key table and the marks; any of Esc, ? and q closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "close")
    ]

    def compose(self) -> ComposeResult:
        """Two columns of keys, then what the marks mean."""
        half = (len(KEYS) + 1) // 2
        lines = ["Keys"]
        for n in range(half):
            pair = [KEYS[n], *KEYS[n + half : n + half + 1]]
            lines.append("  ".join(f"{key.shown:<6}{key.says:<29}" for key in pair))
        marks = [f"{mark} {words}" for mark, words in english.EVIDENCE.values()]
        lines += ["", "How we know"]
        lines += ["  ".join(f"{mark:<35}" for mark in marks[n : n + 2]).rstrip()
                  for n in range(0, len(marks), 2)]  # fmt: skip
        shown = [f"{CHANGED} changed by this step"]
        shown += [f"{GLYPHS[s]} {w}" for s, w in _STATES.items()]
        shown += ["► the step where it stands"]
        lines += ["   ".join(shown[n : n + 3]) for n in range(0, len(shown), 3)]
        with VerticalScroll(id="help"):
            yield Static(Content("\n".join(lines)))


class Leave(ModalScreen[str]):
    """Asks what becomes of a container that is held; gives "go on", "abort" or "stay"."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,g", "choose('go on')", "go on"),
        Binding("a", "choose('abort')", "abort"),
        Binding("escape,q", "choose('stay')", "stay"),
    ]

    def __init__(self, held: str) -> None:
        super().__init__()
        self._held = held

    def compose(self) -> ComposeResult:
        """The question and its three answers."""
        said = (
            f"{self._held}\nWhat shall become of it?\n\n"
            "  Enter  let it go on, then leave\n"
            "  a      abort: undo what was begun, then leave\n"
            "  Esc    stay here"
        )
        yield Static(Content(said), id="leave")

    def action_choose(self, answer: str) -> None:
        """Give the answer to whoever asked."""
        self.dismiss(answer)
