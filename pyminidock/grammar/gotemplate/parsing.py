"""Tokens become a tree, or one of Go's sentences says why not.

A pipe is read by one function wherever it stands: alone, after `if`, within parentheses.
Names are looked up while reading: a function that nobody defined, or a variable that was
never declared, is a mistake of the text and not of the value it is later shown with.
Source: Go, text/template/parse, parse.go.
"""

import ast
import re
from collections.abc import Collection

from pyminidock.grammar.gotemplate.functions import FUNCTIONS
from pyminidock.grammar.gotemplate.lexing import Token, quoted, tokens
from pyminidock.grammar.gotemplate.nodes import (
    Action,
    Branch,
    Call,
    Chain,
    Command,
    Dot,
    Field,
    Identifier,
    Jump,
    Literal,
    Node,
    Pipe,
    Plain,
    Template,
    TemplateRefused,
    Variable,
    Word,
)

__all__ = ["Template", "parse"]

_OPERANDS = ("bool", "dot", "field", "identifier", "number", "nil", "raw string", "string",
             "variable", "left paren")  # fmt: skip


def parse(source: str) -> Template:
    """Read a template.  Raises TemplateRefused.

    >>> len(parse("{{.Name}} is {{.State}}").nodes)
    3
    >>> parse("{{.Name")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.gotemplate.nodes.TemplateRefused: template: :1: unclosed action
    """
    return _Parser(source).template()


class _Parser:
    """Reads tokens one after the other; `_next` is the place of the next one."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = list(tokens(source))
        self._next = 0
        self._variables = ["$"]
        self._ranges = 0
        self._action_line = 0
        self._defined: dict[str, tuple[Node, ...]] = {}

    def template(self) -> Template:
        nodes = self._nodes(until=())
        return Template(self._source, nodes, self._defined)

    # ── Lists of nodes ───────────────────────────────────────────────────────────────────

    def _nodes(self, until: Collection[str]) -> tuple[Node, ...]:
        """Read up to one of the keywords `until`, which is left to be read."""
        found: list[Node] = []
        while (token := self._take()).kind != "end of text":
            if token.kind == "text":
                found.append(Plain(token.place, token.text))
                continue
            if token.kind == "error":
                raise self._unexpected(token, "input")
            self._action_line = token.line
            keyword = self._skip_blanks()
            if keyword.text in ("end", "else") and keyword.kind == "keyword":
                if keyword.text in until:
                    return tuple(found)
                raise self._refused(f"unexpected {{{{{keyword.text}}}}}")
            node = self._action(is_top=not until)
            self._action_line = 0
            if node is not None:
                found.append(node)
        if until:
            raise self._refused("unexpected EOF")
        return tuple(found)

    def _action(self, *, is_top: bool) -> Node | None:
        """Read what stands in braces."""
        token = self._skip_blanks()
        if token.kind != "keyword":
            return Action(token.place, self._pipe("command", "right"))
        self._take()
        if token.text in ("if", "with", "range"):
            return self._branch(token)
        if token.text in ("break", "continue"):
            end = self._taken_after_blanks()
            if end.kind != "right":
                raise self._unexpected(end, f"{{{{{token.text}}}}}")
            if not self._ranges:
                raise self._refused(f"{{{{{token.text}}}}} outside {{{{range}}}}")
            return Jump(token.place, token.text)
        if token.text == "define" and is_top:
            self._define()
            return None
        if token.text in ("template", "block"):
            return self._call(token)
        raise self._unexpected(token, "command")

    def _branch(self, token: Token) -> Branch:
        """Read if, with or range, to its end."""
        kept = len(self._variables)
        pipe = self._pipe(token.text, "right")
        self._ranges += token.text == "range"
        body = self._nodes(until=("end", "else"))
        self._ranges -= token.text == "range"
        otherwise: tuple[Node, ...] | None = None
        if self._take().text == "else":
            following = self._skip_blanks()
            if following.text == token.text and token.text in ("if", "with"):
                otherwise = (self._branch(self._take()),)
                del self._variables[kept:]
                return Branch(pipe.place, token.text, pipe, body, otherwise)
            self._close("else")
            otherwise = self._nodes(until=("end", "else"))
            if self._skip_blanks().text == "else":
                raise self._refused("expected end; found {{else}}")
            self._take()
        self._close("end")
        del self._variables[kept:]
        return Branch(pipe.place, token.text, pipe, body, otherwise)

    def _define(self) -> None:
        _, name, _ = self._name("define clause")
        self._close("define clause")
        kept, self._variables = self._variables, ["$"]
        self._defined[name] = self._nodes(until=("end",))
        self._variables = kept
        self._take()
        self._close("end")

    def _call(self, token: Token) -> Call:
        """Read template NAME PIPE; a block defines what it calls."""
        context = f"{token.text} clause"
        place, name, spelt = self._name(context)
        pipe = None
        if self._skip_blanks().kind == "right" and token.text == "template":
            self._take()
        else:
            pipe = self._pipe(context, "right")
        if token.text == "block":
            kept, self._variables = self._variables, ["$"]
            self._defined.setdefault(name, self._nodes(until=("end",)))
            self._variables = kept
            self._take()
            self._close("end")
        return Call(place, name, spelt, pipe)

    def _name(self, context: str) -> tuple[int, str, str]:
        token = self._taken_after_blanks()
        if token.kind not in ("string", "raw string"):
            raise self._unexpected(token, context)
        return token.place, _unquoted(token.text), token.text

    # ── Pipes ────────────────────────────────────────────────────────────────────────────

    def _pipe(self, context: str, end: str) -> Pipe:
        """Read a pipe and the token that ends it."""
        place = self._skip_blanks().place
        variables, is_assignment = self._declared(context)
        commands: list[Command] = []
        while (token := self._skip_blanks()).kind != end:
            if token.kind not in _OPERANDS:
                raise self._unexpected(self._take(), context)
            commands.append(self._command())
        self._take()
        if not commands:
            raise self._refused(f"missing value for {context}")
        for number, command in enumerate(commands[1:], start=2):
            if isinstance(command.words[0], Literal | Dot):
                raise self._refused(f"non executable command in pipeline stage {number}")
        return Pipe(place, tuple(commands), variables, is_assignment)

    def _declared(self, context: str) -> tuple[tuple[Variable, ...], bool]:
        """Read `$x :=`, `$x =` or `$i, $x :=`, if that is what follows."""
        found: list[Variable] = []
        while (token := self._skip_blanks()).kind == "variable":
            here = self._next
            self._take()
            following = self._skip_blanks()
            if following.kind in ("assign", "declare"):
                self._take()
                found.append(Variable(token.place, token.text))
                self._variables.append(token.text)
                return tuple(found), following.kind == "assign"
            if following.text != "," or following.kind != "character":
                self._next = here
                break
            self._take()
            found.append(Variable(token.place, token.text))
            self._variables.append(token.text)
            if context != "range" or len(found) > 1:
                raise self._refused(f"too many declarations in {context}")
            if self._skip_blanks().kind not in ("variable", "right", "right paren"):
                raise self._refused("range can only initialize variables")
        return tuple(found), False

    def _command(self) -> Command:
        """Read words up to a bar or an end."""
        place = self._skip_blanks().place
        words: list[Word] = []
        while True:
            self._skip_blanks()
            word = self._operand()
            if word is not None:
                words.append(word)
            token = self._take()
            if token.kind == "space":
                continue
            if token.kind in ("right", "right paren"):
                self._next -= 1
            elif token.kind != "pipe":
                raise self._unexpected(token, "operand")
            break
        if not words:
            raise self._refused("empty command")
        return Command(place, tuple(words))

    def _operand(self) -> Word | None:
        """Read a word and the fields that hang on it."""
        word = self._term()
        token = self._tokens[self._next]
        if word is None or token.kind != "field":
            return word
        names: list[str] = []
        while self._tokens[self._next].kind == "field":
            names.append(self._take().text[1:])
        match word:
            case Field():
                return Field(token.place, (*word.names, *names))
            case Variable():
                return Variable(token.place, word.name, tuple(names))
            case Pipe() | Identifier():
                return Chain(token.place, word, tuple(names))
        raise self._refused(f"unexpected . after term {quoted(str(word))}")

    def _term(self) -> Word | None:  # noqa: PLR0911  (one for each kind)
        """Read one word, if one follows."""
        token = self._take()
        match token.kind:
            case "identifier":
                if token.text not in FUNCTIONS:
                    raise self._refused(f'function "{token.text}" not defined')
                return Identifier(token.place, token.text)
            case "dot":
                return Dot(token.place)
            case "nil":
                return Literal(token.place, "nil", None, "nil")
            case "variable":
                self._known(token.text)
                return Variable(token.place, token.text)
            case "field":
                return Field(token.place, (token.text[1:],))
            case "bool":
                return Literal(token.place, "bool", token.text == "true", token.text)
            case "number":
                return Literal(token.place, "number", self._number(token.text), token.text)
            case "string" | "raw string":
                return Literal(token.place, "string", _unquoted(token.text), token.text)
            case "left paren":
                return self._pipe("parenthesized pipeline", "right paren")
        self._next -= 1
        return None

    def _number(self, text: str) -> int | float:
        if text.startswith("'"):
            return ord(_unquoted(f'"{text[1:-1]}"'))
        if re.fullmatch(r"[+-]?0[0-7]+", text):
            return int(text, 8)
        try:
            return int(text, 0)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            raise self._refused(f"illegal number syntax: {quoted(text)}") from None

    def _known(self, name: str) -> None:
        if name not in self._variables:
            raise self._refused(f'undefined variable "{name}"')

    # ── Tokens ───────────────────────────────────────────────────────────────────────────

    def _take(self) -> Token:
        token = self._tokens[self._next]
        if token.kind == "error":
            raise self._unexpected(token, "")
        self._next += 1
        return token

    def _skip_blanks(self) -> Token:
        """Give the next token that is no blank, without taking it."""
        while self._tokens[self._next].kind == "space":
            self._next += 1
        token = self._tokens[self._next]
        if token.kind == "error":
            raise self._unexpected(token, "")
        return token

    def _taken_after_blanks(self) -> Token:
        self._skip_blanks()
        return self._take()

    def _close(self, context: str) -> None:
        token = self._taken_after_blanks()
        if token.kind != "right":
            raise self._unexpected(token, context)

    def _unexpected(self, token: Token, context: str) -> TemplateRefused:
        if token.kind != "error":
            return self._refused(f"unexpected {token} in {context}", token)
        extra = ""
        if self._action_line and self._action_line != token.line:
            extra = f" in action started at :{self._action_line}"
            if token.text.endswith(" action"):
                extra = extra.removeprefix(" in action")
        return self._refused(token.text + extra, token)

    def _refused(self, what: str, token: Token | None = None) -> TemplateRefused:
        token = token or self._tokens[max(self._next - 1, 0)]
        return TemplateRefused(f"template: :{token.line}: {what}")


def _unquoted(text: str) -> str:
    """Read a literal of Go, which but for its rarest escapes is one of Python."""
    return text[1:-1] if text.startswith("`") else str(ast.literal_eval(text))
