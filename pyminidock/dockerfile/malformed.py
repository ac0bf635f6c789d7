"""A fault in a Dockerfile is a place as well as a sentence.

    dockerfile parse error on line 3: unknown instruction: RUNN (did you mean RUN?)
       3 | RUNN make
         | ^^^^

The sentence is Docker's, to the letter.  The place is what Docker does not say.
"""

from dataclasses import dataclass

from pyminidock.errors import MinidockError

_WIDEST = 100  # characters of a source line that are shown beside a fault
_COMPARE = "compare the line with its instruction in docs.docker.com/reference/dockerfile"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault stands; lines and columns count from 1, line 0 is "nowhere"."""

    line: int = 0
    column: int = 0
    length: int = 1  # characters
    source: str = ""  # the physical line

    def caret(self) -> str:
        """Show the source line with marks under the fault; empty where there is none.

        >>> print(Place(3, 1, 4, "RUNN make").caret())
           3 | RUNN make
             | ^^^^
        """
        if not self.line:
            return ""
        # A long line is shown around its fault, and what would move a terminal is not.
        start = max(0, self.column - 1 - _WIDEST // 2)
        shown = self.source[start : start + _WIDEST]
        shown = "".join(c if c.isprintable() or c == "\t" else "·" for c in shown)
        before = shown[: self.column - 1 - start]
        indent = "".join("\t" if c == "\t" else " " for c in before)
        marks = "^" * max(1, min(self.length, len(shown) - len(before)))
        return f"{self.line:>4} | {shown}\n     | {indent}{marks}"


class DockerfileMalformed(MinidockError):
    """The text is no Dockerfile; `place` is where, if it stands anywhere."""

    status = 400

    def __init__(
        self, what: str, *, why: str, try_next: str = _COMPARE, place: Place | None = None
    ) -> None:
        super().__init__(what, why=why, try_next=try_next, lesson="dockerfile")
        self.place = place or Place()

    @property
    def line(self) -> int:
        """The physical line, from 1; 0 is "nowhere"."""
        return self.place.line

    @property
    def column(self) -> int:
        """The character in that line, from 1."""
        return self.place.column

    def caret(self) -> str:
        """Show the source line with marks under the fault; empty where there is none."""
        return self.place.caret()


class Fault(Exception):
    """What a part of the parser says about a word, before the place is known."""

    def __init__(self, message: str, why: str, word: str = "") -> None:
        super().__init__(message)
        self.message, self.why, self.word = message, why, word
