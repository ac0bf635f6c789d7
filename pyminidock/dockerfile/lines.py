r"""Physical lines become logical ones, and every character keeps its place.

    1  # escape=`                     a directive: only at the top, before anything else
    2  RUN apt-get update && `        ─┐
    3    # a comment in between        │ one logical line, 2-4:
    4      apt-get install -y make    ─┘ RUN apt-get update &&     apt-get install -y make

A line whose last character is the escape goes on in the next one; comments in between are
dropped, blank lines as well, with a warning.  What a heredoc announces is read as it is.

Source: buildkit 0.13, frontend/dockerfile/parser/parser.go, Parse().
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pyminidock.dockerfile.expand import SubstitutionFailed
from pyminidock.dockerfile.gotext import SPACES
from pyminidock.dockerfile.heredocs import Heredoc, announced
from pyminidock.dockerfile.malformed import DockerfileMalformed, Fault, Place
from pyminidock.dockerfile.words import NotJson, json_words, split_instruction

LONGEST_LINE = 65_535  # bytes, without the line feed
_DIRECTIVE = re.compile(r"#[\t\n\f\r ]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)"
                        r"[\t\n\f\r ]*")  # fmt: skip
_HOLD_HEREDOCS = frozenset(("add", "copy", "run"))


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a logical line: from `offset` on it stands at `column` of `line`."""

    offset: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction as text; lines and columns count from 1."""

    text: str
    first: int
    last: int  # the last line of its heredocs, if it has any
    pieces: tuple[Piece, ...]
    heredocs: tuple[Heredoc, ...] = ()
    has_gap: bool = False  # a blank line inside

    def place_of(self, word: str) -> Piece:
        """Where `word` stands first, or where the instruction begins."""
        offset = self.text.find(word) if word else -1
        if offset < 0:
            offset = len(self.text) - len(self.text.lstrip(SPACES))
        piece = max((p for p in self.pieces if p.offset <= offset), key=lambda p: p.offset)
        return Piece(offset, piece.line, piece.column + offset - piece.offset)


class Lines:
    """Walks the text once; `escape` and `syntax` are known when the walk has begun."""

    def __init__(self, text: str) -> None:
        self.escape, self.syntax = "\\", ""
        self._physical = text.removeprefix("\ufeff").split("\n")
        if self._physical[-1] == "":
            self._physical.pop()
        self._next = 0
        self._seen: set[str] = set()
        self._are_directives_over = False
        self._is_cut_short = False  # by a line that is too long

    def source(self, number: int) -> str:
        """One physical line as it was written."""
        inside = 1 <= number <= len(self._physical)
        return self._physical[number - 1].rstrip("\r") if inside else ""

    def __iter__(self) -> Iterator[Line]:
        """Give the logical lines.  Raises DockerfileMalformed."""
        is_empty = True
        while (line := self._read_one()) is not None:
            if line.text:
                is_empty = False
                yield line
        if is_empty:
            raise DockerfileMalformed(
                "failed to parse Dockerfile: file with no instructions",
                why="comments and blank lines build nothing",
                try_next="begin with FROM and the name of an image",
            )
        if self._is_cut_short:
            raise self._too_long()

    def _read_one(self) -> Line | None:
        """Read one logical line; its text is empty for a comment."""
        physical = self._take()
        if physical is None:
            return None
        first = self._next
        stripped = physical.lstrip(SPACES)
        self._directive(stripped.rstrip("\r"), first)
        if stripped.startswith("#"):
            return Line("", first, first, ())
        part, goes_on = self._cut(stripped.rstrip("\r"))
        parts, length, has_gap = [part], len(part), False
        pieces = [Piece(0, first, len(physical) - len(stripped) + 1)]
        while goes_on and (physical := self._take()) is not None:
            stripped = physical.lstrip(SPACES)
            if stripped.startswith("#"):
                continue
            if not stripped:
                has_gap = True
                continue
            part, goes_on = self._cut(physical.rstrip("\r"))
            pieces.append(Piece(length, self._next, 1))
            parts.append(part)
            length += len(part)
        line = Line("".join(parts), first, self._next, tuple(pieces), has_gap=has_gap)
        if not line.text and not goes_on and len(pieces) == 1:
            return line
        return self._with_heredocs(line if line.text else replace(line, text=" "))

    def _with_heredocs(self, line: Line) -> Line:
        """Read the documents that the line announces."""
        heredocs = []
        for heredoc in self._announced(line):
            content: list[str] = []
            while (physical := self._take()) is not None:
                if heredoc.ends_at(physical):
                    break
                content.append(physical + "\n")
            else:
                raise self.fault(
                    line,
                    "failed to parse Dockerfile: unterminated heredoc",
                    f"no line below is exactly {heredoc.name}",
                    "<<",
                )
            heredocs.append(replace(heredoc, content="".join(content)))
        return replace(line, heredocs=tuple(heredocs), last=self._next)

    def _announced(self, line: Line) -> tuple[Heredoc, ...]:
        if "<<" not in line.text:
            return ()
        keyword, _, rest = split_instruction(line.text)
        if keyword.lower() == "onbuild":
            keyword, _, rest = split_instruction(rest)
        if keyword.lower() not in _HOLD_HEREDOCS:
            return ()
        try:
            json_words(rest)
        except NotJson:
            pass
        except Fault:  # the parser says so, in a moment
            return ()
        else:
            return ()
        try:
            return announced(line.text)
        except SubstitutionFailed as failed:
            what = f"failed to parse Dockerfile: {failed.what}"
            raise self.fault(line, what, failed.why, "<<") from failed

    # ── Physical lines ───────────────────────────────────────────────────────────────────

    def _take(self) -> str | None:
        """The next physical line without its line feed, or None behind the last."""
        if self._is_cut_short or self._next == len(self._physical):
            return None
        line = self._physical[self._next]
        # A character has four bytes at most, so short lines need no counting.
        if len(line) * 4 > LONGEST_LINE and _bytes(line) > LONGEST_LINE:
            self._is_cut_short = True
            return None
        self._next += 1
        return line

    def _cut(self, line: str) -> tuple[str, bool]:
        """Take the escape at the end away; true if there was one."""
        end = line.rstrip(" \t")
        if end.endswith(self.escape) and not end.endswith(self.escape * 2):
            return end[:-1], True
        return line, False

    def _directive(self, line: str, number: int) -> None:
        """Read `# escape=` or `# syntax=` as long as nothing else has come."""
        if self._are_directives_over:
            return
        found = _DIRECTIVE.fullmatch(line)
        key = found[1].lower() if found else ""
        if found is None or key not in ("escape", "syntax"):
            self._are_directives_over = True
            return
        if key in self._seen:
            raise self._directive_fault(
                number, f"only one {key} parser directive can be used", key
            )
        self._seen.add(key)
        if key == "syntax":
            self.syntax = found[2]
        elif found[2] not in ("\\", "`"):
            what = f"invalid escape token '{found[2]}' does not match ` or \\"
            raise self._directive_fault(number, what, found[2])
        else:
            self.escape = found[2]

    # ── Faults ───────────────────────────────────────────────────────────────────────────

    def fault(self, line: Line, what: str, why: str, word: str = "") -> DockerfileMalformed:
        """Put a message at the place of `word` in `line`."""
        found = line.place_of(word)
        length = len(word) if word and word in line.text else 1
        place = Place(found.line, found.column, length, self.source(found.line))
        return DockerfileMalformed(what, why=why, place=place)

    def _directive_fault(self, number: int, what: str, word: str) -> DockerfileMalformed:
        source = self.source(number)
        column = max(1, source.lower().rfind(word.lower()) + 1)
        return DockerfileMalformed(
            f"failed to parse Dockerfile: {what}",
            why="directives stand at the very top, each once; escape is \\ or `",
            place=Place(number, column, len(word), source),
        )

    def _too_long(self) -> DockerfileMalformed:
        number = self._next + 1
        return DockerfileMalformed(
            "failed to parse Dockerfile: dockerfile line greater than max allowed size of "
            f"{LONGEST_LINE}",
            why="a physical line is read whole",
            try_next="break the line with the escape character",
            place=Place(number, 1, 1, self.source(number)),
        )


def _bytes(line: str) -> int:
    return len(line.encode("utf-8", "surrogatepass"))
