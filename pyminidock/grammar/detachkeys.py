r"""Leaving a program without ending it: ctrl-p, then ctrl-q.

On a terminal every key belongs to the program, so a way out needs keys of its own, two of
them, because one alone would be missed.  The first is kept back until the next one tells
what was meant:

    typed      a  ^P  b        a  ^P  ^Q
    passed on  a      ^P b     a           left

A key that breaks the sequence does not begin it anew: ^P ^P ^Q passes on all three.

Source: moby/term, proxy.go; ascii.go for the names of keys.
"""

DEFAULT = "ctrl-p,ctrl-q"
_OTHERS = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


class KeyUnknown(ValueError):
    """A name is no key; the text is the name."""


def parse_keys(typed: str) -> bytes:
    r"""Read a comma-separated list of keys: a character, or ctrl- and one, or DEL.

    Raises KeyUnknown.

    >>> parse_keys("ctrl-p,ctrl-q"), parse_keys("a,ctrl-["), parse_keys("DEL")
    (b'\x10\x11', b'a\x1b', b'\x7f')
    """
    return b"".join(map(_key, typed.split(",")))


def _key(name: str) -> bytes:
    letter = name.removeprefix("ctrl-")
    if len(name) == 1 and name.isascii():
        return name.encode()
    if name.startswith("ctrl-") and len(letter) == 1 and "a" <= letter <= "z":
        return bytes([ord(letter) - ord("a") + 1])
    if name.startswith("ctrl-") and letter in _OTHERS:
        return bytes([_OTHERS[letter]])
    if name == "DEL":
        return b"\x7f"
    raise KeyUnknown(name)


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
        if not self._keys or (not self._matched and self._keys[0] not in data):
            return data
        passed = bytearray()
        for number in data:
            if number == self._keys[self._matched]:
                self._matched += 1
                if self._matched == len(self._keys):
                    self.has_fired = True
                    break
                continue
            passed += self._keys[: self._matched]
            passed.append(number)
            self._matched = 0
        return bytes(passed)
