"""Here-documents: lines of the Dockerfile that belong to the instruction above them.

    COPY <<A.txt <<-"B.txt" /etc/        two words announce two documents, in order
    first line                            up to a line that is exactly  A.txt
    A.txt
        second, for $HOME                  "-": tabs in front go away, before B.txt as well
        B.txt                              quotes: $HOME stays as it is

COPY and ADD write each into a file of that name; RUN hands them to the shell.

Source: buildkit 0.13, frontend/dockerfile/parser/parser.go, heredocsFromLine().
"""

import re
from dataclasses import dataclass

from pyminidock.dockerfile.expand import Reading, SubstitutionFailed, read

_WORD = re.compile(r"([0-9]*)<<(-?)([^<]*)")
_AS_WRITTEN = Reading(keeps_quotes=True, keeps_escapes=True, keeps_unset=True)


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One document; `content` is as it stands in the file, with its line ends."""

    name: str
    content: str = ""
    expands: bool = True  # false where the name was quoted
    chomps: bool = False  # `<<-`: tabs at the beginning of each line go away
    descriptor: int = 0

    @property
    def text(self) -> str:
        """The content as it is meant, tabs chomped."""
        return re.sub(r"(?m)^\t+", "", self.content) if self.chomps else self.content

    def ends_at(self, line: str) -> bool:
        """Whether this physical line is the end mark."""
        mark = line.rstrip("\r\n")
        return (mark.lstrip("\t") if self.chomps else mark) == self.name


def parse_heredoc(word: str) -> Heredoc | None:
    """Read a word that announces a document; None if it does not.

    Raises SubstitutionFailed where the name has an open quote.

    >>> parse_heredoc("<<-'END'")
    Heredoc(name='END', content='', expands=False, chomps=True, descriptor=0)
    >>> parse_heredoc("EOF") is None
    True
    """
    found = _WORD.fullmatch(word)
    if not found or not found[3]:
        return None
    names = read(found[3], {}, Reading(keeps_unset=True))[1]
    if len(names) != 1:
        return None
    quoted = read(found[3], {}, Reading(keeps_quotes=True, keeps_unset=True))[0]
    marks = [text.count("'") + text.count('"') for text in (names[0], quoted)]
    descriptor = int(found[1]) if 0 < len(found[1]) < 10 else 0
    return Heredoc(names[0], "", marks[0] == marks[1], found[2] == "-", descriptor)


def announced(line: str) -> tuple[Heredoc, ...]:
    """Name the documents that follow an instruction, in order, without their content.

    A line that no shell could split announces none.  Raises SubstitutionFailed.
    """
    if "<<" not in line:
        return ()
    try:
        words = read(line, {}, _AS_WRITTEN)[1]
    except SubstitutionFailed:
        return ()
    return tuple(found for word in words if (found := parse_heredoc(word)))
