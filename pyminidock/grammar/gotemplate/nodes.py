"""What a template is made of, and how each part is spelt in a message.

    {{if eq .Name "x"}}yes{{end}}      Branch("if", Pipe([Command([Identifier, Field, Text…
                                              the list when true, the list when not)

`place` is the byte at which a node begins: messages name it, and so it is kept as Go keeps
it, oddities included (a chain of fields begins at its second one).
Source: Go, text/template/parse, node.go.
"""

from dataclasses import dataclass, field
from typing import Any

from pyminidock.errors import MinidockError


class TemplateRefused(MinidockError):
    """A template cannot be read, or not with this value; `what` is Go's own message.

    `written` is what was shown before the fault was met.
    """

    status = 400
    written = ""

    def __init__(self, what: str) -> None:
        super().__init__(
            what,
            why="--format is a template in Go's language: {{.Name}}, {{json .}}, {{range}}",
            try_next="--format '{{json .}}' shows which fields there are",
            lesson="templates",
        )


@dataclass(frozen=True, slots=True)
class Plain:
    """Text outside of all braces."""

    place: int
    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a truth, a string, or nil; `spelt` as it was typed."""

    place: int
    kind: str
    value: Any
    spelt: str

    def __str__(self) -> str:
        return self.spelt


@dataclass(frozen=True, slots=True)
class Dot:
    """The value that the template is about here."""

    place: int

    def __str__(self) -> str:
        return "."


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the dot, or a field of that: `.State.Status`."""

    place: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, `$` is the first; or a field of it: `$x.Name`."""

    place: int
    name: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.name, *self.names))


@dataclass(frozen=True, slots=True)
class Identifier:
    """The name of a function."""

    place: int
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Chain:
    """A field of what parentheses hold: `(index .Mounts 0).Source`."""

    place: int
    node: "Pipe | Identifier"
    names: tuple[str, ...]

    def __str__(self) -> str:
        inside = f"({self.node})" if isinstance(self.node, Pipe) else str(self.node)
        return inside + "".join(f".{name}" for name in self.names)


@dataclass(frozen=True, slots=True)
class Command:
    """One word, or a function and its arguments."""

    place: int
    words: tuple["Word", ...]

    def __str__(self) -> str:
        return " ".join(
            f"({word})" if isinstance(word, Pipe) else str(word) for word in self.words
        )


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each of which gets the value of the one before as its last argument."""

    place: int
    commands: tuple[Command, ...]
    variables: tuple[Variable, ...] = ()
    is_assignment: bool = False

    def __str__(self) -> str:
        given = " | ".join(map(str, self.commands))
        if not self.variables:
            return given
        sign = " = " if self.is_assignment else " := "
        return ", ".join(map(str, self.variables)) + sign + given


Word = Literal | Dot | Field | Variable | Identifier | Chain | Pipe


@dataclass(frozen=True, slots=True)
class Action:
    """A pipe whose value is shown, unless it goes into a variable."""

    place: int
    pipe: Pipe

    def __str__(self) -> str:
        return f"{{{{{self.pipe}}}}}"


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`, `with` or `range`, and what is shown otherwise."""

    place: int
    verb: str
    pipe: Pipe
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...] | None

    def __str__(self) -> str:
        return f"{{{{{self.verb} {self.pipe}}}}}"


@dataclass(frozen=True, slots=True)
class Jump:
    """`break` or `continue`."""

    place: int
    verb: str

    def __str__(self) -> str:
        return f"{{{{{self.verb}}}}}"


@dataclass(frozen=True, slots=True)
class Call:
    """Another template, with a value of its own for the dot."""

    place: int
    name: str
    spelt: str
    pipe: Pipe | None

    def __str__(self) -> str:
        given = f" {self.pipe}" if self.pipe else ""
        return f"{{{{template {self.spelt}{given}}}}}"


Node = Plain | Action | Branch | Jump | Call


@dataclass(frozen=True, slots=True)
class Template:
    """A text that was read; `defined` holds the templates inside it, by name."""

    source: str
    nodes: tuple[Node, ...]
    defined: dict[str, tuple[Node, ...]] = field(default_factory=dict)
