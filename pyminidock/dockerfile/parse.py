r"""A Dockerfile as a value: every instruction, with the lines where it stands.

Nothing is looked up and nothing is judged beyond the form: a FROM may name an image that
does not exist, a COPY a file that is not there.  What is wrong with the form is told in
Docker's words, and shown with a mark under it.

Source: docs.docker.com/reference/dockerfile; buildkit 0.13, frontend/dockerfile/parser and
instructions.
"""

from dataclasses import dataclass
from functools import lru_cache

from pyminidock.dockerfile.cutting import Cut, cut
from pyminidock.dockerfile.instructions import Arg, From, Instruction
from pyminidock.dockerfile.lines import Line, Lines
from pyminidock.dockerfile.malformed import DockerfileMalformed, Fault
from pyminidock.dockerfile.readers import understand

LARGEST_BYTES = 1 << 20  # of a Dockerfile; the setting is hardening's, Docker has none
SMALL = 64 << 10  # characters: worth remembering, and few enough
_BLANK_LINE = "Empty continuation line found in: "


@dataclass(frozen=True, slots=True)
class Warning:
    """Something that Docker accepts and speaks about; `text` is its sentence."""

    text: str
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Dockerfile:
    """A file that has been read; `instructions` in order, ARGs before FROM included.

    Only itself is equal to it: what is worked out from it can be kept by it.
    """

    instructions: tuple[Instruction, ...]
    escape: str = "\\"
    syntax: str = ""
    warnings: tuple[Warning, ...] = ()
    text: str = ""

    def warning_lines(self) -> tuple[str, ...]:
        """The warnings as the stream of a build prints them."""
        if not self.warnings:
            return ()
        return (
            *(f"[WARNING]: {warning.text}" for warning in self.warnings),
            "[WARNING]: Empty continuation lines will become errors in a future release.",
        )


def parse(text: str, name: str = "Dockerfile") -> Dockerfile:
    r"""Read a whole Dockerfile; `name` is what a message calls it.

    Bytes that are no UTF-8 may stand as surrogates (surrogateescape).  Takes time in
    proportion to the text, and next to none for a text read lately.  Raises
    DockerfileMalformed.

    >>> [step.text for step in parse("FROM busybox\nRUN echo \\\n  hi\n").instructions]
    ['FROM busybox', 'RUN echo   hi']
    >>> try:
    ...     parse("FROM busybox\nRUNN echo hi\n")
    ... except DockerfileMalformed as malformed:
    ...     print(malformed)
    ...     print(malformed.caret())
    dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)
       2 | RUNN echo hi
         | ^^^^
    """
    return _parse_again(text, name) if len(text) <= SMALL else _parse(text, name)


def _parse(text: str, name: str) -> Dockerfile:
    _measure(text, name)
    lines = Lines(text)
    cuts: list[Cut] = []
    warnings: list[Warning] = []
    for line in lines:
        if line.has_gap:
            warnings.append(Warning(_BLANK_LINE + line.text, line.last))
        try:
            cuts.append(cut(line, lines.escape))
        except Fault as fault:
            what = f"failed to parse Dockerfile: {fault.message}"
            raise lines.fault(line, what, fault.why, fault.word) from fault
    instructions = tuple(_understand(lines, cuts))
    return Dockerfile(instructions, lines.escape, lines.syntax, tuple(warnings), text)


_parse_again = lru_cache(maxsize=32)(_parse)


def parse_trigger(expression: str) -> Instruction:
    """Read the instruction that an ONBUILD left in an image.

    Raises DockerfileMalformed, without a line: the text stands in no file.
    """
    lines = Lines(expression)
    try:
        read = [cut(line, lines.escape) for line in lines]
        if len(read) != 1:
            raise Fault(
                "onbuild trigger should be a single expression", "a trigger is a step"
            )
        step = understand(read[0])
        if isinstance(step, From):
            raise Fault("*instructions.Stage is not a command type", "a trigger is a step")
    except Fault as fault:
        raise DockerfileMalformed(fault.message, why=fault.why) from fault
    return step


def _measure(text: str, name: str) -> None:
    if not text:
        raise DockerfileMalformed(
            f"the Dockerfile ({name}) cannot be empty",
            why="nothing builds nothing",
            try_next="begin with FROM and the name of an image",
        )
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LARGEST_BYTES:
        raise DockerfileMalformed(
            f"the Dockerfile ({name}) has {size} bytes, more than {LARGEST_BYTES}",
            why="a Dockerfile is read whole, before anything is built",
            try_next="COPY long texts from the context instead",
        )


def _understand(lines: Lines, cuts: list[Cut]) -> list[Instruction]:
    """Give each instruction its meaning; only ARG may stand before the first FROM."""
    instructions: list[Instruction] = []
    has_stage = False
    for made in cuts:
        line: Line = made.line
        try:
            step = understand(made)
        except Fault as fault:
            what = f"dockerfile parse error on line {line.first}: {fault.message}"
            raise lines.fault(line, what, fault.why, fault.word) from fault
        has_stage = has_stage or isinstance(step, From)
        if not has_stage and not isinstance(step, Arg):
            raise lines.fault(
                line,
                "no build stage in current context",
                "FROM comes first: every step changes the image before it",
                made.keyword,
            )
        instructions.append(step)
    return instructions
