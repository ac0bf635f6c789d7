"""What a template can call: Go's own functions, and those that Docker adds.

    len index slice eq ne lt le gt ge not and or print printf println html js urlquery
    json split join title lower upper pad truncate

Each has the types of its parameters, because Go checks them before it calls, and words its
refusal after the place where the argument stands.  `and` and `or` are not here in truth:
they do not look at what they need not (see running).
Source: Go, text/template/funcs.go; docker/cli, templates/templates.go.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from pyminidock.grammar.gotemplate.printf import printf
from pyminidock.grammar.gotemplate.values import (
    MISSING,
    NIL,
    Map,
    Nothing,
    Struct,
    is_true,
    json_text,
    shown,
    type_name,
)


class CallFailed(Exception):
    """A function refuses its arguments, in Go's words."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and the types it takes: the last any number of times if `variadic`."""

    call: Callable[..., Any]
    types: tuple[str, ...]
    variadic: bool = False


# ── Go's own ──────────────────────────────────────────────────────────────────────────────


def _len(value: Any) -> int:
    if isinstance(value, Nothing) and value.kind in ("list", "map"):
        return 0
    if value is NIL or value is None:
        raise CallFailed("len of nil pointer")
    if value is MISSING:
        raise CallFailed("len of untyped nil")
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Struct) or not isinstance(value, list | tuple | dict):
        raise CallFailed(f"len of type {type_name(value)}")
    return len(value)


def _index(value: Any, *keys: Any) -> Any:
    if value is None or value is MISSING:
        raise CallFailed("index of untyped nil")
    for key in keys:
        value = _indexed(value, key)
    return value


def _indexed(value: Any, key: Any) -> Any:
    """Look up one key."""
    if isinstance(value, Nothing) and value.kind == "map":
        return ""
    if isinstance(value, dict) and not isinstance(value, Struct):
        if not isinstance(key, str):
            raise CallFailed(f"value has type {type_name(key)}; should be string")
        return value.get(key, value.zero if isinstance(value, Map) else MISSING)
    size = 0 if isinstance(value, Nothing) and value.kind == "list" else None
    if isinstance(value, list | tuple | str):
        size = len(value)
    if size is None:
        is_nil = value is NIL
        what = "index of nil pointer" if is_nil else "can't index item of type "
        raise CallFailed(what + ("" if is_nil else type_name(value)))
    at = _place(key, size - 1)
    return value.encode()[at] if isinstance(value, str) else value[at]


def _place(key: Any, most: int) -> int:
    if isinstance(key, bool) or not isinstance(key, int):
        if key is None:
            raise CallFailed("cannot index slice/array with nil")
        raise CallFailed(f"cannot index slice/array with type {type_name(key)}")
    if not 0 <= key <= most:
        raise CallFailed(f"index out of range: {key}")
    return key


def _slice(value: Any, *ends: Any) -> Any:
    if value is None or value is MISSING:
        raise CallFailed("slice of untyped nil")
    if not isinstance(value, list | tuple | str):
        raise CallFailed(f"can't slice item of type {type_name(value)}")
    if len(ends) > 3:
        raise CallFailed(f"too many slice indexes: {len(ends)}")
    if len(ends) == 3 and isinstance(value, str):
        raise CallFailed("cannot 3-index slice a string")
    begin, end = [_place(each, len(value)) for each in ends[:2]] + [0, len(value)][
        min(len(ends), 2) :
    ]
    if begin > end:
        raise CallFailed(f"invalid slice index: {begin} > {end}")
    return value[begin:end]


def _kind(value: Any) -> str:
    """Name the kind of what is compared."""
    for name, kind in (("bool", bool), ("int", int), ("float", float), ("text", str)):
        if isinstance(value, kind):
            return name
    if value is None or isinstance(value, Nothing):
        return "nil"
    raise CallFailed(f"non-comparable type {shown(value)}: {type_name(value)}")


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise CallFailed("missing argument for comparison")
    found = [_is_equal(first, other) for other in others]  # all are looked at
    return any(found)


def _is_equal(one: Any, other: Any) -> bool:
    kinds = {_kind(one), _kind(other)}
    if len(kinds) == 2 and "nil" not in kinds:
        raise CallFailed("incompatible types for comparison")
    return len(kinds) == 1 and (kinds == {"nil"} or bool(one == other))


def _lt(one: Any, other: Any) -> bool:
    kinds = _kind(one), _kind(other)
    if kinds[0] != kinds[1]:
        raise CallFailed("incompatible types for comparison")
    if kinds[0] not in ("int", "float", "text"):
        raise CallFailed("invalid type for comparison")
    return bool(one < other)


def _print(*values: Any) -> str:
    """Write values, with a blank between two of which none is text."""
    written = ""
    for at, value in enumerate(values):
        neighbours = (values[at - 1], value)
        if at and not any(isinstance(each, str) for each in neighbours):
            written += " "
        written += shown(value)
    return written


def _println(*values: Any) -> str:
    return " ".join(map(shown, values)) + "\n"


_HTML = {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
_JS = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E",
       "&": "\\u0026", "=": "\\u003D"}  # fmt: skip


def _escaped(table: dict[str, str]) -> Callable[..., str]:
    return lambda *values: "".join(table.get(each, each) for each in _print(*values))


# ── Docker's ──────────────────────────────────────────────────────────────────────────────


def _join(parts: Any, separator: str) -> str:
    return separator.join(map(shown, parts if isinstance(parts, list | tuple) else ()))


def _title(text: str) -> str:
    """Begin each word with a capital."""
    return re.sub(r"(?<![\w'])\w", lambda found: found[0].upper(), text)


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def _pad(text: str, before: int, after: int) -> str:
    return " " * before + text + " " * after if text else text


def _truncate(text: str, length: int) -> str:
    return text[:length]


FUNCTIONS: dict[str, Function] = {
    "and": Function(lambda *values: values[-1], ("any", "any"), variadic=True),
    "or": Function(lambda *values: values[-1], ("any", "any"), variadic=True),
    "not": Function(lambda value: not is_true(value), ("any",)),
    "len": Function(_len, ("any",)),
    "index": Function(_index, ("any", "any"), variadic=True),
    "slice": Function(_slice, ("any", "any"), variadic=True),
    "eq": Function(_eq, ("any", "any"), variadic=True),
    "ne": Function(lambda a, b: not _is_equal(a, b), ("any", "any")),
    "lt": Function(_lt, ("any", "any")),
    "le": Function(lambda a, b: _lt(a, b) or _is_equal(a, b), ("any", "any")),
    "gt": Function(lambda a, b: not (_lt(a, b) or _is_equal(a, b)), ("any", "any")),
    "ge": Function(lambda a, b: not _lt(a, b), ("any", "any")),
    "print": Function(_print, ("any",), variadic=True),
    "println": Function(_println, ("any",), variadic=True),
    "printf": Function(
        lambda form, *values: printf(form, values), ("string", "any"), variadic=True
    ),
    "html": Function(_escaped(_HTML), ("any",), variadic=True),
    "js": Function(_escaped(_JS), ("any",), variadic=True),
    "urlquery": Function(lambda *v: quote_plus(_print(*v)), ("any",), variadic=True),
    "json": Function(json_text, ("any",)),
    "split": Function(_split, ("string", "string")),
    "join": Function(_join, ("[]string", "string")),
    "title": Function(_title, ("string",)),
    "lower": Function(str.lower, ("string",)),
    "upper": Function(str.upper, ("string",)),
    "pad": Function(_pad, ("string", "int", "int")),
    "truncate": Function(_truncate, ("string", "int")),
}

_FIRST = ("json", "title", "lower", "upper", "truncate", "split", "join")
HEADINGS = FUNCTIONS | {
    name: Function(lambda text, *_: text, ("string", *FUNCTIONS[name].types[1:]))
    for name in _FIRST
}
"""For the first line of a table, where a heading is shown as it stands."""


def names() -> Sequence[str]:
    """List what can be called."""
    return tuple(FUNCTIONS)
