"""How wide words will be, where no font can be asked.

A picture that is one file has no font of its own, and nobody measures it before it is
shown.  So widths are estimated by kinds of letters, a little generously: after the widest
of the usual fonts.  Words that do not fit are cut or wrapped here, not by whoever shows
them.

>>> words = Lettering(14)
>>> words.wrapped("one two three", 60)
['one two', 'three']
>>> words.middle("/usr/lib/python3.11/os.py", 120)
'/usr/lib…1/os.py'
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyminidock.viz.painters.text import columns

_ELLIPSIS = "…"
_HAIR = 0.01
_WIDTHS = {  # of an em, by letter
    **dict.fromkeys("iIlj'|.,:;!`/\\", 0.34), **dict.fromkeys(" ()[]{}-ftr\"", 0.41),
    **dict.fromkeys("mMwW@%—…→═─", 0.92), **dict.fromkeys("ABCDEFGHKNOPQRSTUVXYZ&", 0.70),
}  # fmt: skip
_ANY, _WIDE, _MONO, _BOLD = 0.60, 1.0, 0.605, 1.09


@dataclass(frozen=True, slots=True)
class Lettering:
    """A size of letters, in pixels, and their kind."""

    size: float
    is_mono: bool = False
    is_bold: bool = False

    def width(self, text: str) -> float:
        """Estimate how wide a text will be."""
        return sum(map(self._of, text)) * self._scale

    @property
    def _scale(self) -> float:
        return self.size * (_BOLD if self.is_bold and not self.is_mono else 1)

    def _of(self, letter: str) -> float:
        if letter.isascii():
            return _MONO if self.is_mono else _WIDTHS.get(letter, _ANY)
        wide = columns(letter)
        if wide == 1:
            return _MONO if self.is_mono else _WIDTHS.get(letter, _ANY + 0.1)
        return _WIDE * wide / 2

    def fits(self, text: str, room: float) -> bool:
        """Say whether there is room; sums of fractions are a hair too large at times."""
        return self.width(text) <= room + _HAIR

    def beginning(self, text: str, room: float) -> str:
        """Cut a text at its end, and say so."""
        if self.fits(text, room):
            return text
        return self._taken(text, room - self.width(_ELLIPSIS)) + _ELLIPSIS

    def middle(self, text: str, room: float) -> str:
        """Cut a text in its middle: both ends of a path tell more than its waist."""
        if self.fits(text, room):
            return text
        half = (room - self.width(_ELLIPSIS)) / 2
        return f"{self._taken(text, half)}{_ELLIPSIS}{self._taken(text[::-1], half)[::-1]}"

    def wrapped(self, text: str, room: float, most: int = 40) -> list[str]:
        """Break a text into at most `most` lines between words, in them if need be."""
        lines = list(self._lines(text, max(room, self.size)))
        if len(lines) > most:
            last = self.beginning(f"{lines[most - 1]} {lines[most]}", room)
            lines = [*lines[: most - 1], last]
        return lines

    def folded(self, text: str, room: float) -> list[str]:
        """Break a text into three lines between words, where that is enough."""
        if self.fits(text, room) or " " not in text.strip():
            return [text]
        lines = self.wrapped(text, room)
        return lines if len(lines) <= 3 else [text]

    def _lines(self, text: str, room: float) -> Iterator[str]:
        words = text.lstrip(" ").split(" ")
        line = text[: len(text) - len(text.lstrip(" "))]
        for word in words:
            longer = f"{line} {word}" if line.strip() else line + word
            if self.fits(longer, room):
                line = longer
                continue
            if line.strip():
                yield line
            line = word
            while not self.fits(line, room):
                head = self._taken(line, room) or line[:1]
                yield head
                line = line[len(head) :]
        yield line

    def _taken(self, text: str, room: float) -> str:
        """Take as many letters from the front as fit."""
        for index, letter in enumerate(text):
            room -= self._of(letter) * self._scale
            if room < 0:
                return text[:index]
        return text


def shared(wishes: Iterable[float], room: float) -> list[float]:
    """Share room: each gets its wish, the greediest give way, what is left is for all.

    >>> shared([100, 300, 900], 600)
    [100.0, 250.0, 250.0]
    """
    widths = list(wishes)
    while sum(widths) > room + 0.1:
        most = max(widths)
        lower = [each for each in widths if each < most - 0.1]
        greedy = len(widths) - len(lower)
        fair = (room - sum(lower)) / greedy
        target = max(fair, max(lower, default=0))
        widths = [min(each, target) for each in widths]
    extra = max(room - sum(widths), 0) / len(widths)
    return [each + extra for each in widths]


def granted(needs: Sequence[float], wishes: Sequence[float], room: float) -> list[float]:
    """Give each what it needs, then small wishes before large ones, until room is out.

    >>> granted([50, 50, 50], [60, 50, 500], 300)
    [60, 50, 190.0]
    """
    left = room - sum(needs)
    widths = list(needs)
    modest = sorted(range(len(needs)), key=lambda n: wishes[n] - needs[n])
    for place, n in enumerate(modest):
        more = min(wishes[n] - needs[n], left / (len(modest) - place))
        widths[n] += more
        left -= more
    return widths
