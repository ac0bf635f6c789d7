"""The one key table: the same keys in the terminal, the notebook and the replay.

A player maps a key press to an *action* through this table and nowhere else, so that
what is learnt in one place works in the others.  `names` are spelt as browsers spell
`KeyboardEvent.key`, with "Shift+" before it where it matters.

>>> action_of("ArrowRight"), action_of("Shift+ArrowRight"), action_of("j")
('next', 'next-span', None)
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One row: which keys, which action, and what it does in a few words."""

    names: tuple[str, ...]
    shown: str
    action: str
    says: str
    only_in: str = ""  # "terminal" where other players have no use for it


KEYS: tuple[Key, ...] = (
    Key(("ArrowRight",), "→", "next", "next step; if held, do one"),
    Key(("ArrowLeft",), "←", "previous", "previous step"),
    Key(("Shift+ArrowRight",), "⇧→", "next-span", "next part; if held, do one"),
    Key(("Shift+ArrowLeft",), "⇧←", "previous-span", "previous part"),
    Key(("Home",), "Home", "first", "before the first step"),
    Key(("End",), "End", "last", "last step"),
    Key(("g",), "g", "goto", "go to a step by its number"),
    Key(("/",), "/", "search", "search; Enter: next match"),
    Key((" ",), "Space", "play", "play and pause"),
    Key(("b",), "b", "break", "stop at this kind of step"),
    Key(("1",), "1", "depth-1", "tell what happened"),
    Key(("2",), "2", "depth-2", "tell how and why"),
    Key(("3",), "3", "depth-3", "tell which kernel call"),
    Key(("t",), "t", "table", "everything as a table"),
    Key(("s",), "s", "source", "the engine's source here"),
    Key(("l",), "l", "linux", "the same in plain Linux"),
    Key(("x",), "x", "compare", "compare with another step"),
    Key(("!",), "!", "shell", "a shell beside what is held"),
    Key(("Enter",), "Enter", "continue", "let what is held go on"),
    Key(("u",), "u", "undo", "undo (here: the view only)"),
    Key(("?",), "?", "help", "these keys"),
    Key(("Escape",), "Esc", "close", "close what was opened"),
    Key(("q",), "q", "quit", "leave", only_in="terminal"),
)

_ACTIONS = {name: key.action for key in KEYS for name in key.names}


def action_of(name: str) -> str | None:
    """Give the action of a key press, None for a key that means nothing here."""
    return _ACTIONS.get(name)


def as_data() -> list[dict[str, object]]:
    """Give the table for players in other languages, ready for JSON."""
    return [
        {"names": list(key.names), "shown": key.shown, "action": key.action,
         "says": key.says, "only_in": key.only_in}
        for key in KEYS
    ]  # fmt: skip
