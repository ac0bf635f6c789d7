"""The keys that leave a program, as a person names them; see `grammar.detachkeys`."""

from pyminidock.cli.failures import ERROR, WordsRefused
from pyminidock.grammar import detachkeys
from pyminidock.grammar.detachkeys import DEFAULT, KeyUnknown, Watcher

__all__ = ["DEFAULT", "Watcher", "left", "parse_keys"]


def parse_keys(typed: str) -> bytes:
    r"""Read a comma-separated list of keys.  Raises WordsRefused.

    >>> parse_keys("ctrl-p,ctrl-q")
    b'\x10\x11'
    """
    try:
        return detachkeys.parse_keys(typed)
    except KeyUnknown as unknown:
        raise WordsRefused(
            f"invalid detach keys ({typed}): Unknown character: '{unknown}'",
            why="keys are single characters, or ctrl- and one of a-z @ [ \\ ] ^ _",
            try_next=f"minidock run --detach-keys {DEFAULT} busybox true",
        ) from unknown


def left() -> WordsRefused:
    """Say that the keys were typed with which one leaves."""
    return WordsRefused(
        "read escape sequence", why="you typed the keys that detach; the program goes on",
        try_next="minidock ps", exit_code=ERROR,
    )  # fmt: skip
