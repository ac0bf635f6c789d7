"""Leaving a program without ending it: ctrl-p, then ctrl-q.

In raw mode every key belongs to the program, so a way out needs keys of its own, two of
them, because one alone would be missed.  The first is kept back until the second tells
what was meant:

    typed      a  ^P  b        a  ^P  ^Q
    passed on  a      ^P b     a           detached

Source: moby/term, proxy.go; ascii.go for the names of keys.
"""

from pyminidock.cli.failures import WordsRefused

DEFAULT = "ctrl-p,ctrl-q"
_OTHERS = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


def parse_keys(typed: str) -> bytes:
    r"""Read a comma-separated list of keys: a character, or ctrl- and one.

    >>> parse_keys("ctrl-p,ctrl-q"), parse_keys("a,ctrl-[")
    (b'\x10\x11', b'a\x1b')
    """
    keys = b""
    for name in typed.split(","):
        letter = name.removeprefix("ctrl-")
        if len(name) == 1 and name.isascii():
            keys += name.encode()
        elif name.startswith("ctrl-") and len(letter) == 1 and "a" <= letter <= "z":
            keys += bytes([ord(letter) - ord("a") + 1])
        elif name.startswith("ctrl-") and letter in _OTHERS:
            keys += bytes([_OTHERS[letter]])
        else:
            raise WordsRefused(
                f"invalid detach keys ({typed}): Unknown character: '{name}'",
                why="keys are single characters, or ctrl- and one of a-z @ [ \\ ] ^ _",
                try_next=f"minidock run --detach-keys {DEFAULT} busybox true",
            )
    return keys


class Watcher:
    r"""Passes on what is typed, until the keys come.

    >>> watcher = Watcher(b"\x10\x11")
    >>> watcher.feed(b"a\x10"), watcher.feed(b"b"), watcher.feed(b"\x10\x11 rest")
    (b'a', b'\x10b', b'')
    >>> watcher.has_fired
    True
    """

    def __init__(self, keys: bytes) -> None:
        self._keys, self._matched = keys, 0
        self.has_fired = False

    def feed(self, data: bytes) -> bytes:
        """Give what the program should get of `data`."""
        passed = b""
        for number in data:
            if self.has_fired:
                break
            if self._keys and number == self._keys[self._matched]:
                self._matched += 1
                self.has_fired = self._matched == len(self._keys)
                continue
            passed += self._keys[: self._matched]
            self._matched = 0
            if self._keys and number == self._keys[0]:
                self._matched = 1
                self.has_fired = len(self._keys) == 1
            else:
                passed += bytes([number])
        return passed
