"""How a JSON body is read: strictly, within bounds, and field by field.

Python's reader takes more than JSON has (NaN), keeps the last of two equal keys, and
follows any depth until its own stack ends.  Behind a socket each of these is a way to mean
one thing and be understood as another, so they are refused.  Fields that we do not know
are ignored, as Docker does; a known field of the wrong type is refused by name.  Upper and
lower case of a field's name are one, as in Go: the SDK for Python sends `detachKeys`.
"""

import copy
import json
from collections.abc import Mapping
from typing import Self, TypeVar

from pyminidock.api import syntax
from pyminidock.api.failures import BadRequest
from pyminidock.api.message import Request

MAX_DEPTH = 64
"""Levels; the deepest document that a client sends has seven."""

T = TypeVar("T")

_CALLED: dict[type, str] = {
    dict: "object", list: "array", str: "string", bool: "bool", int: "number",
    float: "number", type(None): "null",
}  # fmt: skip


def read_object(request: Request, kind: str = "", *, is_needed: bool = False) -> "Fields":
    """Read the body as one JSON object; no body is an object without members.

    `kind` is what Go calls the object, which a refusal names; `is_needed`: something has
    to be there.
    Raises BadRequest, with the words of moby, api/server/httputils: ReadJSON.
    """
    _check_kind(request)
    if not request.body.strip():
        if is_needed or request.body or "transfer-encoding" in request.headers:
            raise _unreadable("invalid JSON: got EOF while reading request body")
        return Fields({})
    value = read_json(request.body)
    if value is None:
        return Fields({})
    if not isinstance(value, dict):
        if kind:
            raise _unreadable(
                f"invalid JSON: json: cannot unmarshal {kind_of(value)} into Go value of "
                f"type {kind}"
            )
        raise _mismatch("", value, "object")
    return Fields(value)


def _check_kind(request: Request) -> None:
    """Refuse what is not sent as JSON; nothing may be sent as nothing."""
    said = request.headers.get("content-type", "")
    if not said and not request.body:
        return
    kind, _, parameters = said.partition(";")
    if not kind.strip():
        raise _unreadable(f"malformed Content-Type header ({said}): mime: no media type")
    if any(each.strip() and "=" not in each for each in parameters.split(";")):
        raise _unreadable(
            f"malformed Content-Type header ({said}): mime: invalid media parameter"
        )
    if kind.strip().lower() != "application/json":
        raise _unreadable(
            f"unsupported Content-Type header ({said}): must be 'application/json'"
        )


def read_json(data: bytes) -> object:
    """Read one JSON value: UTF-8, no NaN, no key twice, at most MAX_DEPTH levels."""
    try:
        value: object = json.loads(
            data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except json.JSONDecodeError as mistake:
        raise _not_json(data, mistake) from mistake
    except RecursionError as mistake:
        raise _unreadable("invalid JSON: exceeded max depth") from mistake
    except ValueError as mistake:  # no UTF-8; a number of thousands of digits
        raise _unreadable(f"invalid JSON: {mistake}") from mistake
    # Who opens no more than that, goes no deeper.
    opened = data.count(b"{") + data.count(b"[")
    if opened > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise _unreadable("invalid JSON: exceeded max depth")
    return value


class Fields:
    """The members of one JSON object, read by name and type; `null` is like absent.

    Of names that differ in their case only, the last counts, and objects are laid one over
    the other.  Where the names are data, as in a map, read `members` itself.

    >>> Fields({"Tty": True}).flag("Tty")
    True
    >>> Fields({"Tty": True, "tty": False}).flag("Tty")
    False
    >>> Fields({"HostConfig": {"Memory": "1g"}}).part("HostConfig").number("Memory")
    Traceback (most recent call last):
    ...
    pyminidock.api.failures.BadRequest: invalid JSON: cannot unmarshal string into field \
HostConfig.Memory of type int64
    """

    def __init__(
        self, members: Mapping[str, object], place: str = "", struct: str = ""
    ) -> None:
        self.members, self.place, self.struct = members, place, struct
        self._folded = _folded(members)

    def within(self, place: str, struct: str) -> Self:
        """Give the same members, which a refusal calls otherwise."""
        made = copy.copy(self)
        made.place, made.struct = place, struct
        return made

    def get(self, name: str) -> object:
        """Give a member of whatever type; None if absent."""
        return self._folded.get(fold(name))

    def _get(self, name: str, wanted: type[T], called: str, default: T) -> T:
        value = self.get(name)
        if value is None:
            return default
        if type(value) is not wanted:  # True is an int in Python, not in JSON
            raise self._misfit(name, value, called)
        return value

    def _misfit(self, name: str, value: object, wanted: str) -> BadRequest:
        return _mismatch(self.place + name, value, wanted, self.struct)

    def text(self, name: str, called: str = "string") -> str:
        """Give a string; "" if absent."""
        return self._get(name, str, called, "")

    def flag(self, name: str) -> bool:
        """Give a bool; False if absent."""
        return self._get(name, bool, "bool", False)

    def number(self, name: str) -> int:
        """Give a whole number that fits int64; 0 if absent."""
        return self.whole(name, "int64", -(2**63), 2**63)

    def whole(self, name: str, called: str, low: int, high: int) -> int:
        """Give a whole number from `low` to below `high`; 0 if absent."""
        value = self.get(name)
        if value is None:
            return 0
        if type(value) is float:
            raise self._misfit(name, value, called)
        found = self._get(name, int, called, 0)
        if not low <= found < high:
            raise self._misfit(name, found, called)
        return found

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Give a list of strings; None if absent, which is not the empty list."""
        value = self.get(name)
        if value is None:
            return None
        return tuple(self._strings(name, self._get(name, list, "[]string", [])))

    def command(self, name: str) -> tuple[str, ...] | None:
        """Give a list of strings, or one string as a list of one, as Docker allows."""
        value = self.get(name)
        if value is not None and not isinstance(value, str | list):
            raise self._misfit(name, value, "string")
        return (value,) if isinstance(value, str) else self.texts(name)

    def mapping(self, name: str) -> dict[str, str]:
        """Give an object whose values are strings; empty if absent."""
        value = self._get(name, dict, "map[string]string", {})
        self._strings(name, list(value.values()))
        return value

    def part(self, name: str, called: str = "object") -> "Fields":
        """Give an object to read on in; one without members if absent."""
        value = self._get(name, dict, called, {})
        return Fields(value, f"{self.place}{name}.", self.struct)

    def parts(self, name: str, called: str = "object") -> list["Fields"]:
        """Give a list of objects; empty if absent."""
        values = self._get(name, list, "[]object" if called == "object" else called, [])
        for value in values:
            if not isinstance(value, dict):
                raise self._misfit(name, value, called.removeprefix("[]"))
        return [Fields(value, f"{self.place}{name}.", self.struct) for value in values]

    def numbers(self, name: str) -> list[int]:
        """Give a list of whole numbers; empty if absent."""
        values = self._get(name, list, "[]uint", [])
        for value in values:
            if type(value) is not int or not 0 <= value < 2**63:
                raise self._misfit(name, value, "uint")
        return values

    def lists(self, name: str) -> list[tuple[str, ...]]:
        """Give a list of lists of strings; empty if absent."""
        values = self._get(name, list, "[][]string", [])
        for value in values:
            if not isinstance(value, list):
                raise self._misfit(name, value, "[]string")
        return [tuple(self._strings(name, value)) for value in values]

    def _strings(self, name: str, values: list[object]) -> list[str]:
        for value in values:
            if not isinstance(value, str):
                raise self._misfit(name, value, "string")
        return [value for value in values if isinstance(value, str)]


def _folded(members: Mapping[str, object]) -> dict[str, object]:
    """Give what was said under names in one case."""
    found: dict[str, object] = {}
    for name, value in members.items():
        key = fold(name)
        before = found.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            found[key] = before | value
        elif value is not None:
            found[key] = value
    return found


def fold(name: str) -> str:
    """Give what is equal for the names that Go takes for one (encoding/json, foldName).

    >>> fold("DetachKeys") == fold("detachKeys") == fold("detach\N{KELVIN SIGN}eys")
    True
    """
    return name.lower().replace("\N{LATIN SMALL LETTER LONG S}", "s")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of its members; a key that comes twice would hide one of them."""
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:80]!r} appears twice in one object")
    return made


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is no JSON value")


def _depth(value: object) -> int:
    """Count levels without recursion."""
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        current, level = waiting.pop()
        deepest = max(deepest, level)
        if isinstance(current, dict):
            waiting.extend((member, level + 1) for member in current.values())
        elif isinstance(current, list):
            waiting.extend((member, level + 1) for member in current)
    return deepest


def _not_json(data: bytes, mistake: json.JSONDecodeError) -> BadRequest:
    if mistake.msg == "Extra data":
        return _unreadable("unexpected content after JSON")
    return _unreadable(f"invalid JSON: {syntax.fault(data.decode('utf-8'), mistake)}")


def kind_of(value: object) -> str:
    """Say what Go calls a value of JSON.

    >>> [kind_of(value) for value in (True, 1, "a", [], {})]
    ['bool', 'number', 'string', 'array', 'object']
    """
    return _CALLED[type(value)]


def _mismatch(place: str, value: object, wanted: str, struct: str = "") -> BadRequest:
    """Say it as Go does, which names a number that it cannot take."""
    called = _CALLED[type(value)]
    if struct:
        number = type(value) is float or (type(value) is int and "int" in wanted)
        shown = f"{called} {_figures(value)}" if number else called
        return _unreadable(
            f"invalid JSON: json: cannot unmarshal {shown} into Go struct field "
            f"{struct}.{place} of type {wanted}"
        )
    if place and type(value) is int and "int" in wanted:
        called = f"{called} {_figures(value)}"
    return _unreadable(
        f"invalid JSON: cannot unmarshal {called} into field {place} of type {wanted}"
        if place
        else f"invalid JSON: cannot unmarshal {called} into a value of type {wanted}"
    )


def _figures(value: object) -> str:
    """Write a number, however many figures it has."""
    shown = json.dumps(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


def _unreadable(what: str) -> BadRequest:
    return BadRequest(
        what,
        why="a request body is one JSON object with the field types of the Docker API",
        try_next="compare the body with the Docker Engine API reference, version 1.45",
    )
