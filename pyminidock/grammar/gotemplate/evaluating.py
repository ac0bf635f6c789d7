"""What a word of a template is worth: fields, variables, and what functions make of them.

A refusal names the node that was last looked at, as it is spelt and where it stands:
`executing "" at <.Nope>`.
Source: Go, text/template, exec.go.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyminidock.grammar.gotemplate.functions import CallFailed, Function
from pyminidock.grammar.gotemplate.nodes import (
    Chain,
    Command,
    Dot,
    Field,
    Identifier,
    Literal,
    Pipe,
    TemplateRefused,
    Variable,
    Word,
)
from pyminidock.grammar.gotemplate.values import (
    MISSING,
    NIL,
    NO_LIST,
    Nothing,
    Struct,
    is_true,
    type_name,
)


class Evaluation:
    """Gives values to words; `node` is what was last looked at, `name` what runs."""

    def __init__(
        self, source: str, *, is_strict: bool, functions: Mapping[str, Function]
    ) -> None:
        self._source, self._is_strict, self._functions = source, is_strict, functions
        self.node: Any = None
        self.name = ""
        self.variables: list[tuple[str, Any]] = []

    def pipe(self, pipe: Pipe, dot: Any) -> Any:
        """Give the value of a pipe, and put it into its variables."""
        self.node = pipe
        final: list[Any] = []
        for command in pipe.commands:
            final = [self._command(command, dot, final)]
        for variable in pipe.variables:
            if pipe.is_assignment:
                self.assign(variable.name, final[0])
            else:
                self.variables.append((variable.name, final[0]))
        return final[0]

    def _command(self, command: Command, dot: Any, final: list[Any]) -> Any:
        first, arguments = command.words[0], command.words[1:]
        has_arguments = bool(arguments or final)
        match first:
            case Field() | Chain() | Variable():
                return self._fields(first, dot, arguments, final)
            case Identifier():
                self.node = first
                function = self._functions[first.name]
                return self._invoke(first.name, function, command, arguments, final, dot)
        self.node = first
        if has_arguments:
            raise self.refused(f"can't give argument to non-function {first}")
        if isinstance(first, Pipe):
            return self.pipe(first, dot)
        if isinstance(first, Literal):
            if first.kind == "nil":
                raise self.refused("nil is not a command")
            return first.value
        return dot

    def _fields(
        self, word: Field | Chain | Variable, dot: Any, arguments: tuple[Word, ...] = (),
        final: Iterable[Any] = (),
    ) -> Any:  # fmt: skip
        """Follow the fields of a word; arguments belong to the last of them."""
        self.node = word
        value = dot
        if isinstance(word, Variable):
            value = self.variables[self.place_of(word.name)][1]
        elif isinstance(word, Chain):
            value = self._word(word.node, dot)
            self.node = word
        given = [*arguments, *final]
        if not word.names and given:
            raise self.refused(f"can't give argument to non-function {word}")
        for place, name in enumerate(word.names):
            is_last = place == len(word.names) - 1
            holder, value = value, self._field(value, name, word)
            if callable(value):
                words = arguments if is_last else ()
                value = self._method(
                    name, value, word, words, final if is_last else (), dot
                )
            elif is_last and given:
                rule = "has arguments but cannot be invoked as function"
                if not isinstance(holder, Struct):
                    rule = "is not a method but has arguments"
                raise self.refused(f"{name} {rule}")
        return value

    def _field(self, value: Any, name: str, word: Word) -> Any:
        if value is MISSING or value is None:
            if self._is_strict:
                raise self.refused(f'nil data; no entry for key "{name}"')
            return MISSING
        if value is NIL:
            raise self.refused(f"nil pointer evaluating {name}")
        if isinstance(value, Struct):
            found = value.find(name)
            if found is MISSING:
                raise self.refused(f"can't evaluate field {name} in type {value.go_type}")
            return found
        if isinstance(value, Nothing) and value is not NO_LIST:
            return MISSING
        if isinstance(value, dict):
            if name not in value and self._is_strict:
                raise self.refused(f'map has no entry for key "{name}"')
            return value.get(name, MISSING)
        # What lies within a map of anything has the type of anything.
        of = "interface {}" if self._is_strict else type_name(value)
        raise self.refused(f"can't evaluate field {name} in type {of}")

    def _method(  # noqa: PLR0913, PLR0917  (a call and where it stands)
        self, name: str, method: Callable[..., Any], word: Word,
        arguments: tuple[Word, ...], final: Iterable[Any], dot: Any,
    ) -> Any:  # fmt: skip
        """Call what a struct can do: it takes texts."""
        function = Function(method, ("string",))
        return self._invoke(name, function, word, arguments, list(final), dot)

    def _invoke(  # noqa: PLR0913, PLR0917  (a call and where it stands)
        self, name: str, function: Function, node: Any, arguments: tuple[Word, ...],
        final: list[Any], dot: Any,
    ) -> Any:  # fmt: skip
        """Call a function with words, and with what the pipe brings."""
        number, types = len(arguments) + len(final), function.types
        if function.variadic and number < len(types) - 1:
            raise self.refused(
                f"wrong number of args for {name}: want at least {len(types) - 1} "
                f"got {len(arguments)}"
            )
        if not function.variadic and number != len(types):
            raise self.refused(
                f"wrong number of args for {name}: want {len(types)} got {number}"
            )
        if name in ("and", "or"):
            return self._short(name, arguments, final, dot)
        given = [
            self._argument(word, types[min(at, len(types) - 1)], dot)
            for at, word in enumerate(arguments)
        ]
        given += [self._fit(each, types[min(len(given), len(types) - 1)]) for each in final]
        try:
            return function.call(*given)
        except CallFailed as refusal:
            self.node = node
            raise self.refused(f"error calling {name}: {refusal}") from refusal

    def _short(
        self, name: str, arguments: tuple[Word, ...], final: list[Any], dot: Any
    ) -> Any:
        """Do `and` and `or`, which stop at the word that decides."""
        value: Any = MISSING
        for word in arguments:
            value = self._word(word, dot)
            if is_true(value) == (name == "or"):
                return value
        return final[0] if final else value

    def _argument(self, word: Word, kind: str, dot: Any) -> Any:
        """Give the value of an argument, which has to be of one kind."""
        self.node = word
        if not isinstance(word, Literal):
            return self._fit(self._word(word, dot), kind)
        expected = {"string": "string", "int": "integer"}.get(kind)
        if word.kind == "nil" and expected:
            raise self.refused(f"cannot assign nil to {kind}")
        fits = {"string": str, "int": int}.get(kind, object)
        if isinstance(word.value, fits):
            return word.value
        raise self.refused(f"expected {expected}; found {word}")

    def _fit(self, value: Any, kind: str) -> Any:
        """Refuse a value that is not of the kind."""
        if kind == "any":
            return value
        if value is MISSING or value is None:
            raise self.refused(f"invalid value; expected {kind}")
        wanted: Any = {"string": str, "int": int, "[]string": (list, tuple)}[kind]
        if isinstance(value, wanted) or (kind == "[]string" and value is NO_LIST):
            return value
        what = f"wrong type for value; expected {kind}; got {type_name(value)}"
        raise self.refused(what)

    def _word(self, word: Word, dot: Any) -> Any:
        """Give the value of one word."""
        match word:
            case Pipe():
                return self.pipe(word, dot)
            case Identifier():
                self.node = word
                command = Command(word.place, (word,))
                return self._command(command, dot, [])
            case Literal():
                return word.value
            case Dot():
                return dot
        return self._fields(word, dot)

    # ── Variables, refusals ──────────────────────────────────────────────────────────────

    def place_of(self, name: str) -> int:
        """Find the variable that was declared last."""
        for at in range(len(self.variables) - 1, -1, -1):
            if self.variables[at][0] == name:
                return at
        raise self.refused(f"undefined variable: {name}")

    def assign(self, name: str, value: Any) -> None:
        """Put a value into a variable that is there."""
        self.variables[self.place_of(name)] = (name, value)

    def refused(self, what: str) -> TemplateRefused:
        """Say where and what, as Go does."""
        before = self._source.encode()[: self.node.place]
        line, column = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1)
        return TemplateRefused(
            f'template: :{line}:{column}: executing "{self.name}" at <{self.node}>: {what}'
        )
