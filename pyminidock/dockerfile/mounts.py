"""`RUN --mount=type=…`: what a command sees while it runs, and the image does not keep.

    type=bind    files of the context or of a stage (from=), read-only unless rw
    type=cache   a directory that outlives the build
    type=tmpfs   memory
    type=secret  one file that no layer ever holds        type=ssh  an agent's socket

Source: buildkit 0.13, frontend/dockerfile/instructions/commands_runmount.go.
"""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pyminidock.dockerfile.gotext import quote
from pyminidock.dockerfile.malformed import Fault
from pyminidock.grammar.sizes import SizeRefused, parse_memory

TYPES = ("bind", "cache", "secret", "ssh", "tmpfs")
SHARINGS = ("locked", "private", "shared")
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_NAMES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly",
          "rw": "readwrite"}  # fmt: skip
_WHY = (
    "a mount is type=bind|cache|tmpfs|secret|ssh and fields NAME=VALUE with commas between"
)


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount of one command; empty and None mean "not said"."""

    type: str = "bind"
    source: str = ""
    target: str = ""
    from_name: str = ""
    is_readonly: bool = True
    is_required: bool = False
    id: str = ""
    sharing: str = ""
    size_bytes: int = 0
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


def check_mount(text: str) -> str:
    """See that `text` is a list of fields with a plain `from`; answers what `from` says.

    The rest waits for `parse_mount`, since its values may hold variables.  Raises Fault.
    """
    origin = ""
    for name, value, _ in _fields(text):
        if name != "from":
            continue
        if value is not None and re.search(r"\$.", value):
            raise Fault(
                "'from' doesn't support variable expansion, define alias stage instead",
                "what is built before what must be known before anything is built",
                value,
            )
        origin = value or ""
    return origin


def parse_mount(text: str, expand: Callable[[str], str] = str) -> Mount:
    """Read a mount, each value through `expand`.  Raises Fault.

    >>> parse_mount("type=cache,target=/var/cache/apt,sharing=locked").sharing
    'locked'
    """
    mount: dict[str, Any] = {"type": "bind"}
    for name, value, field in _fields(text):
        if value is None:
            mount |= _word(name, field, mount["type"])
        else:
            mount |= _pair(name, expand(value), field, mount["type"])
    if "is_readonly" not in mount:
        mount["is_readonly"] = mount["type"] not in ("cache", "tmpfs")
    made = Mount(**mount)
    _judge(made)
    return made


def _fields(text: str) -> Iterator[tuple[str, str | None, str]]:
    """Cut at commas: name, value or None, and the field as written."""
    try:
        (row,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError) as error:
        raise Fault(f"failed to parse csv mounts: {error}", _WHY, text) from error
    for field in row:
        name, equals, value = field.partition("=")
        yield name.lower(), (value if equals else None), field


def _word(name: str, field: str, kind: str) -> dict[str, Any]:
    """A field without a value."""
    match _NAMES.get(name, name):
        case "readonly":
            return {"is_readonly": True}
        case "readwrite":
            return {"is_readonly": False}
        case "required":
            return _required(True, name, kind)
    raise Fault(f"invalid field '{field}' must be a key=value pair", _WHY, field)


def _pair(name: str, value: str, field: str, kind: str) -> dict[str, Any]:
    """A field with a value."""
    key = _NAMES.get(name, name)
    match key:
        case "source" | "target" | "id" | "from":
            return {"from_name" if key == "from" else key: value}
        case "type":
            found: object = _one_of(TYPES, value, "unsupported mount type")
        case "sharing":
            found = _one_of(SHARINGS, value, "unsupported sharing value")
        case "readonly" | "readwrite":
            return {"is_readonly": _yes(name, value) == (key == "readonly")}
        case "required":
            return _required(_yes(name, value), name, kind)
        case "size":
            key, found = "size_bytes", _size(name, value, kind)
        case "mode" | "uid" | "gid":
            found = _number(key, value)
        case _:
            raise Fault(f"unexpected key '{name}' in '{field}'", _WHY, field)
    return {key: found}


def _one_of(known: tuple[str, ...], value: str, message: str) -> str:
    if value.lower() not in known:
        raise Fault(f"{message} {quote(value)}", f"it is one of {', '.join(known)}", value)
    return value.lower()


def _required(is_required: bool, name: str, kind: str) -> dict[str, Any]:
    if kind not in ("secret", "ssh"):
        raise Fault(f"unexpected key '{name}' for mount type '{kind}'", _WHY, name)
    return {"is_required": is_required}


def _yes(name: str, value: str) -> bool:
    if value not in _TRUE + _FALSE:
        raise Fault(f"invalid value for {name}: {value}", "it is true or false", value)
    return value in _TRUE


def _size(name: str, value: str, kind: str) -> int:
    if kind != "tmpfs":
        raise Fault(f"unexpected key '{name}' for mount type '{kind}'", _WHY, name)
    try:
        return parse_memory(value)
    except SizeRefused as refused:
        raise Fault(f"invalid value for {name}: {value}", refused.why, value) from refused


def _number(name: str, value: str) -> int:
    digits, base = ("[0-7]", 8) if name == "mode" else ("[0-9]", 10)
    if not re.fullmatch(f"{digits}{{1,11}}", value) or int(value, base) >= 1 << 32:
        raise Fault(
            f"invalid value {value} for {name}", "a number that fits 32 bits", value
        )
    return int(value, base)


def _judge(mount: Mount) -> None:
    """Refuse what its type cannot have."""
    if mount.type not in ("secret", "ssh", "cache"):
        for name in ("mode", "uid", "gid"):
            if getattr(mount, name) is not None:
                fault = f"{name} not allowed for {quote(mount.type)} type mounts"
                raise Fault(fault, "only what is made for the command has an owner", name)
    if mount.type == "secret":
        _judge_secret(mount)
    if mount.sharing and mount.type != "cache":
        fault = f"invalid cache sharing set for {mount.type} mount"
        raise Fault(fault, "only a cache is shared between commands", "sharing")


def _judge_secret(mount: Mount) -> None:
    if mount.from_name:
        fault, word = "secret mount should not have a from", "from"
    elif mount.sharing:
        fault, word = "secret mount should not define sharing", "sharing"
    elif not (mount.source or mount.target or mount.id):
        fault, word = "invalid secret mount. one of source, target required", "secret"
    elif mount.source and mount.id:
        fault, word = "both source and id can't be set", "id"
    else:
        return
    raise Fault(fault, "a secret comes from whoever builds, by its id", word)
