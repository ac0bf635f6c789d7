r"""What a template is shown with: Go's structs, maps, lists, nil, and how Go prints them.

    Struct   a field that is not there is a mistake      {running true 0}
    Map      a key that is not there is no value         map[a:1 b:2]
    Nothing  a list or map that is null                  [] or map[]
    NIL      a pointer that leads nowhere                <nil>
    MISSING  no value at all                             <no value>

Everything else is what JSON gives: text, numbers, truths, lists, and dicts, which are maps
of anything.
Source: Go, fmt/print.go; text/template/exec.go, printValue() and isTrue().
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_ESCAPED = re.compile("[<>&\u2028\u2029]")
_BREAKS = re.compile("[\u2028\u2029]")


class Struct(dict[str, Any]):
    """A struct of Go: fields in their order; what can be called is a method.

    `go_type` is its name in messages.  `spelt` are fields that JSON spells otherwise, and
    `zeros` those that it leaves out; `order` is that of a print.  A context is what Docker
    makes of a row: it is sorted, and its JSON is safe within HTML.
    """

    def __init__(  # noqa: PLR0913  (what JSON does not tell)
        self, fields: Mapping[str, Any], go_type: str = "", *,
        spelt: Mapping[str, str] | None = None, zeros: Mapping[str, Any] | None = None,
        order: Sequence[str] = (), is_context: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(fields)
        self.go_type, self.is_context = go_type, is_context
        self._spelt, self._zeros, self._order = spelt or {}, zeros or {}, order

    def find(self, name: str) -> Any:
        """Give a field or a method; MISSING if there is none."""
        if name in self._spelt.values():
            return MISSING
        found = self.get(self._spelt.get(name, name), MISSING)
        return self._zeros.get(name, MISSING) if found is MISSING else found

    def printed(self) -> list[Any]:
        """Give the values of all fields as a print has them."""
        if self._order:
            return [self.find(name) for name in self._order]
        return [each for each in self.values() if not callable(each)]


class Map(dict[str, Any]):
    """A map of Go whose values have a type; `zero` is what `index` gives beside them."""

    def __init__(self, entries: Mapping[str, Any], zero: Any = "") -> None:
        super().__init__(entries)
        self.zero = zero


class Nothing:
    """A value that is not there, but whose kind is known; nothing is in it."""

    def __init__(self, kind: str, shown: str) -> None:
        self.kind, self.shown = kind, shown

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return self.shown


MISSING: Final = Nothing("invalid", "<no value>")
NIL: Final = Nothing("pointer", "<nil>")
NO_LIST: Final = Nothing("list", "[]")
NO_MAP: Final = Nothing("map", "map[]")


def shown(value: Any) -> str:  # noqa: PLR0911  (a table of types)
    """Print a value as Go's %v does.

    >>> shown([1, True, "a b", None]), shown({"b": 1, "a": [2.5]}), shown(1e21)
    ('[1 true a b <nil>]', 'map[a:[2.5] b:1]', '1e+21')
    """
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return _float(value)
        case Struct():
            return "{" + " ".join(map(shown, value.printed())) + "}"
        case dict():
            pairs = (f"{key}:{shown(value[key])}" for key in sorted(value))
            return "map[" + " ".join(pairs) + "]"
        case list() | tuple():
            return "[" + " ".join(map(shown, value)) + "]"
        case Nothing():
            return value.shown
    return str(value)


def _float(value: float) -> str:
    """Write a number with a point as Go does: exponents from 1e21 on."""
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    mantissa, letter, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent):+03d}" if letter else text


def is_true(value: Any) -> bool:
    """Tell whether `if` takes a value for true: what is not empty, not zero, not nil.

    >>> is_true("a"), is_true(0), is_true([]), is_true(Struct({}))
    (True, False, False, True)
    """
    return isinstance(value, Struct) or bool(value)


def type_name(value: Any) -> str:  # noqa: PLR0911  (a table of types)
    """Name the type of a value as messages do."""
    match value:
        case Struct():
            return value.go_type
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float64"
        case str():
            return "string"
        case Map():
            return "map[string]string"
        case dict():
            return "map[string]interface {}"
        case list() | tuple():
            is_text = value and all(isinstance(each, str) for each in value)
            return "[]string" if is_text else "[]interface {}"
        case Nothing():
            return {"list": "[]string", "map": "map[string]string"}.get(value.kind, "nil")
    return "<nil>"


def json_text(value: Any) -> str:
    r"""Write a value as Go's encoder does: maps sorted, structs in their order.

    >>> json_text({"b": "<", "a": [None, NIL]})
    '{"a":[null,null],"b":"<"}'
    >>> json_text(Struct({"b": "<", "a": 1}, is_context=True))
    '{"a":1,"b":"\\u003c"}'
    """
    text = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    is_context = isinstance(value, Struct) and value.is_context
    pattern = _ESCAPED if is_context else _BREAKS
    return pattern.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(value: Any) -> Any:
    match value:
        case Nothing():
            return None
        case Struct(is_context=False):
            return {
                name: _plain(each) for name, each in value.items() if not callable(each)
            }
        case dict():
            return {
                name: _plain(value[name])
                for name in sorted(value)
                if not callable(value[name])
            }
        case list() | tuple():
            return [_plain(each) for each in value]
    return value
