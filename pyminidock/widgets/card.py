"""A card of a lesson on a page: what it shows, and who hears what is pressed.

First comes a static version, which is all that a saved or exported notebook has; then the
card, which hides it.  Showing waits for nobody: a program that runs notebooks, such as a
grader, gets the static version alone.

A card tells what was pressed; the work is done in a thread, since it may come from any
thread and in the middle of a cell.  The words are in `viz.english`, the engine's in
`course`.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from threading import Lock, Thread
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from pyminidock.errors import MinidockError
from pyminidock.widgets.cell import is_watched

_STATIC = files("pyminidock.widgets") / "static"
STATES = {True: "hit", False: "miss", None: "idle"}
"""In which state a thing is shown that is so, is not so, or is not known."""


class Card(anywidget.AnyWidget):
    """One card on a page: `card` is all that it shows."""

    _esm = (_STATIC / "ask.js").read_text(encoding="utf-8")
    _css = "".join(
        (_STATIC / name).read_text(encoding="utf-8") for name in ("look.css", "ask.css")
    )
    card = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        card: Mapping[str, Any],
        hears: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    ) -> None:
        super().__init__(card=dict(card))
        self._hears, self._turn = hears, Lock()
        self.on_msg(lambda _card, told, _buffers: self.hear(told))

    def hear(self, told: object) -> Thread:
        """Do what was pressed, in a thread; what comes of it is shown."""
        thread = Thread(target=self._answer, args=(told,), daemon=True)
        thread.start()
        return thread

    def _answer(self, told: object) -> None:
        if not isinstance(told, dict):
            return
        with self._turn:
            try:
                self.card = {**self.card, **self._hears(told)}
            except MinidockError as refusal:
                self.card = {**self.card, "busy": False, "says": refusal.what,
                             "status": f"{refusal.what} – {refusal.why}"}  # fmt: skip

    def __repr__(self) -> str:
        """Say the same wherever it lives: notebooks are compared."""
        return f"<{self.card['label']} {self.card['title']}>"


def flowing(text: str) -> str:
    """Join the lines of a text of lesson.toml."""
    return " ".join(text.split())


def cover(kind: str, id: str) -> str:
    """The id of the static version, which the card hides."""
    return f"md-static-{kind}-{id}"


def show(page: str, plain: str, card: Card) -> None:
    """Show the static version; where somebody may be looking, the card as well."""
    display({"text/html": page, "text/plain": plain}, raw=True)
    if is_watched():
        display(card)
