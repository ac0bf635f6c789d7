"""How a JSON body is read: strictly, within bounds, and field by field.

Python's reader takes more than JSON has (NaN), keeps the last of two equal keys, and
follows any depth until its own stack ends.  Behind a socket each of these is a way to mean
one thing and be understood as another, so they are refused.  Fields that we do not know
are ignored, as Docker does; a known field of the wrong type is refused by name.
"""

import json
from collections.abc import Mapping
from typing import TypeVar

from pyminidock.api.failures import BadRequest
from pyminidock.api.message import Request

MAX_DEPTH = 64
"""Levels; the deepest document that a client sends has seven."""

T = TypeVar("T")

_CALLED: dict[type, str] = {
    dict: "object", list: "array", str: "string", bool: "bool", int: "number",
    float: "number", type(None): "null",
}  # fmt: skip


def read_object(request: Request) -> "Fields":
    """Read the body as one JSON object.

    Raises BadRequest, with the words of moby, api/server/httputils: ReadJSON.
    """
    kind = request.headers.get("content-type", "")
    if kind.split(";")[0].strip().lower() != "application/json":
        raise _unreadable(
            f"unsupported Content-Type header ({kind}): must be 'application/json'"
        )
    if not request.body.strip():
        raise _unreadable("invalid JSON: got EOF while reading request body")
    value = read_json(request.body)
    if not isinstance(value, dict):
        raise _mismatch("", value, "object")
    return Fields(value)


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
    if _depth(value) > MAX_DEPTH:
        raise _unreadable("invalid JSON: exceeded max depth")
    return value


class Fields:
    """The members of one JSON object, read by name and type; `null` is like absent.

    >>> Fields({"Tty": True}).flag("Tty")
    True
    >>> Fields({"HostConfig": {"Memory": "1g"}}).part("HostConfig").number("Memory")
    Traceback (most recent call last):
    ...
    pyminidock.api.failures.BadRequest: invalid JSON: cannot unmarshal string into field \
HostConfig.Memory of type int64
    """

    def __init__(self, members: Mapping[str, object], place: str = "") -> None:
        self.members, self.place = members, place

    def _get(self, name: str, wanted: type[T], called: str, default: T) -> T:
        value = self.members.get(name)
        if value is None:
            return default
        if type(value) is not wanted:  # True is an int in Python, not in JSON
            raise _mismatch(self.place + name, value, called)
        return value

    def text(self, name: str) -> str:
        """Give a string; "" if absent."""
        return self._get(name, str, "string", "")

    def flag(self, name: str) -> bool:
        """Give a bool; False if absent."""
        return self._get(name, bool, "bool", False)

    def number(self, name: str) -> int:
        """Give a whole number that fits int64; 0 if absent."""
        value = self._get(name, int, "int64", 0)
        if not -(2**63) <= value < 2**63:
            raise _unreadable(
                f"invalid JSON: cannot unmarshal number {value:.3e} into field "
                f"{self.place}{name} of type int64"
            )
        return value

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Give a list of strings; None if absent, which is not the empty list."""
        value = self.members.get(name)
        if value is None:
            return None
        return tuple(self._strings(name, self._get(name, list, "[]string", [])))

    def command(self, name: str) -> tuple[str, ...] | None:
        """Give a list of strings, or one string as a list of one, as Docker allows."""
        value = self.members.get(name)
        return (value,) if isinstance(value, str) else self.texts(name)

    def mapping(self, name: str) -> dict[str, str]:
        """Give an object whose values are strings; empty if absent."""
        value = self._get(name, dict, "map[string]string", {})
        self._strings(name, list(value.values()))
        return value

    def part(self, name: str) -> "Fields":
        """Give an object to read on in; one without members if absent."""
        value = self._get(name, dict, "object", {})
        return Fields(value, f"{self.place}{name}.")

    def parts(self, name: str) -> list["Fields"]:
        """Give a list of objects; empty if absent."""
        values = self._get(name, list, "[]object", [])
        for value in values:
            if not isinstance(value, dict):
                raise _mismatch(self.place + name, value, "object")
        return [Fields(value, f"{self.place}{name}.") for value in values]

    def numbers(self, name: str) -> list[int]:
        """Give a list of whole numbers; empty if absent."""
        values = self._get(name, list, "[]uint", [])
        for value in values:
            if type(value) is not int or not 0 <= value < 2**63:
                raise _mismatch(self.place + name, value, "uint")
        return values

    def _strings(self, name: str, values: list[object]) -> list[str]:
        for value in values:
            if not isinstance(value, str):
                raise _mismatch(self.place + name, value, "string")
        return [value for value in values if isinstance(value, str)]


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
    """Say it in Docker's words where it has words for it."""
    if mistake.msg == "Extra data":
        return _unreadable("unexpected content after JSON")
    if mistake.pos >= len(data.decode("utf-8").rstrip()):
        return _unreadable("invalid JSON: unexpected EOF")
    return _unreadable(f"invalid JSON: {mistake.msg} at character {mistake.pos}")


def _mismatch(place: str, value: object, wanted: str) -> BadRequest:
    called = _CALLED[type(value)]
    return _unreadable(
        f"invalid JSON: cannot unmarshal {called} into field {place} of type {wanted}"
        if place
        else f"invalid JSON: cannot unmarshal {called} into a value of type {wanted}"
    )


def _unreadable(what: str) -> BadRequest:
    return BadRequest(
        what,
        why="a request body is one JSON object with the field types of the Docker API",
        try_next="compare the body with the Docker Engine API reference, version 1.45",
    )
