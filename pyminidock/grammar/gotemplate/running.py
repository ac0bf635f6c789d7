"""A tree and a value become text.

Each node is asked with the dot that holds at its place; what a word is worth, `evaluating`
tells.
Source: Go, text/template, exec.go.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pyminidock.grammar.gotemplate.evaluating import Evaluation
from pyminidock.grammar.gotemplate.functions import FUNCTIONS, Function
from pyminidock.grammar.gotemplate.nodes import (
    Action,
    Branch,
    Call,
    Jump,
    Node,
    Pipe,
    Plain,
    Template,
    TemplateRefused,
)
from pyminidock.grammar.gotemplate.values import (
    MISSING,
    NIL,
    Nothing,
    Struct,
    is_true,
    shown,
)

_DEEPEST = 100  # templates within templates


def run(
    template: Template, value: Any, *, is_strict: bool = False,
    functions: Mapping[str, Function] = FUNCTIONS,
) -> str:  # fmt: skip
    """Show a value with a template; if `is_strict`, a map must have what is asked for.

    Raises TemplateRefused.

    >>> from pyminidock.grammar.gotemplate.parsing import parse
    >>> run(parse("{{range .A}}<{{.}}>{{end}}"), {"A": [1, 2]})
    '<1><2>'
    """
    return _Runner(template, is_strict=is_strict, functions=functions).show(value)


class _Jumped(Exception):
    """`break` or `continue` was met."""

    def __init__(self, verb: str) -> None:
        super().__init__(verb)
        self.verb = verb


class _Runner(Evaluation):
    """One run of a template."""

    def __init__(
        self, template: Template, *, is_strict: bool, functions: Mapping[str, Function]
    ) -> None:
        super().__init__(template.source, is_strict=is_strict, functions=functions)
        self._template = template
        self._depth = 0
        self._written: list[str] = []

    def show(self, value: Any) -> str:
        self.variables = [("$", value)]
        try:
            self._list(self._template.nodes, value)
        except TemplateRefused as refusal:
            refusal.written = "".join(self._written)
            raise
        return "".join(self._written)

    # ── Nodes ────────────────────────────────────────────────────────────────────────────

    def _list(self, nodes: Iterable[Node], dot: Any) -> None:
        for node in nodes:
            self._one(node, dot)

    def _one(self, node: Node, dot: Any) -> None:
        self.node = node
        match node:
            case Plain():
                self._written.append(node.text)
            case Action():
                value = self.pipe(node.pipe, dot)
                if not node.pipe.variables:
                    self.node = node
                    self._print(node, value)
            case Branch(verb="range"):
                self._range(node, dot)
            case Branch():
                self._branch(node, dot)
            case Jump():
                raise _Jumped(node.verb)
            case Call():
                self._call(node, dot)

    def _print(self, node: Action, value: Any) -> None:
        if callable(value):
            raise self.refused(f"can't print {node} of type func() string")
        self._written.append("<no value>" if value is None else shown(value))

    def _branch(self, node: Branch, dot: Any) -> None:
        kept = len(self.variables)
        value = self.pipe(node.pipe, dot)
        if is_true(value):
            self._list(node.body, value if node.verb == "with" else dot)
        elif node.otherwise is not None:
            self._list(node.otherwise, dot)
        del self.variables[kept:]

    def _range(self, node: Branch, dot: Any) -> None:
        kept = len(self.variables)
        value = self.pipe(node.pipe, dot)
        pairs = self._pairs(node, value)
        inside = len(self.variables)
        for index, element in pairs:
            if node.pipe.variables:
                self._bind(node.pipe, index, element)
            try:
                self._list(node.body, element)
            except _Jumped as jump:
                if jump.verb == "break":
                    break
            finally:
                del self.variables[inside:]
        if not pairs and node.otherwise is not None:
            self._list(node.otherwise, dot)
        del self.variables[kept:]

    def _pairs(self, node: Branch, value: Any) -> list[tuple[Any, Any]]:
        """List what is gone through: (place or key, value)."""
        if value is None or (isinstance(value, Nothing) and value is not NIL):
            return []
        if isinstance(value, list | tuple):
            return list(enumerate(value))
        if isinstance(value, dict) and not isinstance(value, Struct):
            return [(key, value[key]) for key in sorted(value)]
        if isinstance(value, int) and not isinstance(value, bool):
            return [(number, number) for number in range(value)]
        raise self.refused(f"range can't iterate over {shown(value)}")

    def _bind(self, pipe: Pipe, index: Any, element: Any) -> None:
        """Put place and value into the variables of a range."""
        names = [variable.name for variable in pipe.variables]
        values = [index, element] if len(names) > 1 else [element]
        for name, value in zip(names, values, strict=True):
            if pipe.is_assignment:
                self.assign(name, value)
            else:
                at = self.place_of(name)
                self.variables[at] = (name, value)

    def _call(self, node: Call, dot: Any) -> None:
        found = self._template.defined.get(node.name)
        if found is None:
            raise self.refused(f'template "{node.name}" not defined')
        if self._depth == _DEEPEST:
            raise self.refused(f"exceeded maximum template depth ({_DEEPEST})")
        value = self.pipe(node.pipe, dot) if node.pipe else MISSING
        kept = self.variables, self.name
        self.variables, self.name = [("$", value)], node.name
        self._depth += 1
        self._list(found, value)
        self._depth -= 1
        self.variables, self.name = kept
