"""How Docker's structs are told and spelled: a table of rows, and JSON made of them.

    NAME ATTRIBUTE KIND omit      a row: what Go writes as one line of a struct
    written(STRUCT, value)        the value, as Go's encoding/json would spell it

Go tells a list that was not sent (null) from an empty one; our tuples do not, so whoever
spells a request names the lists that were sent empty.

Source: Go, encoding/json, Marshal().
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pyminidock.container import asked


class Kind(Enum):
    """How a value is spelled in JSON; the word is Go's name of the type."""

    TEXT = "string"
    FLAG = "bool"
    NUMBER = "int64"
    INT = "int"
    SMALL = "uint16"
    RATE = "uint64"
    MODE = "fs.FileMode"
    TEXTS = "[]string"
    WORDS = "strslice.StrSlice"  # a list, or one string
    TABLE = "map[string]string"
    NAMES = "map[string]struct {}"  # an object whose values say nothing
    SIZE = "[2]uint"
    LISTS = "[][]string"
    STRUCT = "struct"
    STRUCTS = "[]struct"
    PORTS = "nat.PortMap"


LISTS = (Kind.TEXTS, Kind.WORDS, Kind.TABLE, Kind.NAMES, Kind.LISTS, Kind.STRUCTS,
         Kind.PORTS)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a struct."""

    name: str  # Docker's
    attribute: str  # ours, with dots
    kind: Kind
    omits: bool = False  # left out when empty
    is_pointer: bool = False  # null when not said
    part: str = ""  # Go's embedded struct in which it lies
    struct: "Struct | None" = None
    go: str = ""  # the type's name, where it has one of its own


@dataclass(frozen=True, slots=True)
class Struct:
    """What Go calls it, what we make of it, and its lines."""

    go: str
    make: type
    rows: tuple[Row, ...]
    by_folded_name: Mapping[str, Row] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "by_folded_name", {row.name.lower(): row for row in self.rows}
        )


def read_rows(text: str, **structs: Struct) -> tuple[Row, ...]:
    """Read a table: NAME ATTRIBUTE KIND, then `omit`, `pointer` or a Go type."""
    rows, part = [], ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("@"):
            part = line.strip("@")
            continue
        name, attribute, kind, *words = line.split()
        go = "".join(word for word in words if word not in ("omit", "pointer"))
        rows.append(
            Row(
                name, attribute, Kind[kind], "omit" in words, "pointer" in words, part,
                structs.get(name), go,
            )
        )  # fmt: skip
    return tuple(rows)


def written(
    struct: Struct, value: Any, given_empty: Collection[str] = ()
) -> dict[str, Any]:
    """Spell `value` as Docker does; `given_empty` names lists that are [] and not null.

    >>> driver = Struct("Driver", asked.Driver, read_rows("Name name TEXT"))
    >>> written(driver, asked.Driver("local"))
    {'Name': 'local'}
    """
    told = {}
    for row in struct.rows:
        found = value
        for name in row.attribute.split("."):
            found = getattr(found, name)
        is_said = found is not None if row.is_pointer else bool(found)
        if row.kind is Kind.FLAG and row.is_pointer and row.name not in given_empty:
            is_said = bool(found)
        if row.omits and not is_said:
            continue
        told[row.name] = _spelled(row, found, is_given=row.name in given_empty)
    return told


def _spelled(row: Row, found: Any, *, is_given: bool) -> Any:
    if found is None:
        return None
    if row.kind is Kind.STRUCT and row.struct:
        return written(row.struct, found)
    if row.kind not in LISTS:
        return list(found) if row.kind is Kind.SIZE else found
    if not found and not is_given and not row.is_pointer:
        return None
    return _listed(row, found)


def _listed(row: Row, found: Any) -> Any:
    match row.kind:
        case Kind.TABLE:
            return dict(sorted(found))
        case Kind.NAMES:
            return {name: {} for name in sorted(found)}
        case Kind.LISTS:
            return [list(inner) for inner in found]
        case Kind.PORTS:
            return {each.port: _hosts(each) for each in sorted(found, key=_port)}
        case Kind.STRUCTS:
            assert row.struct is not None  # noqa: S101  (how the table is written)
            return [written(row.struct, inner) for inner in found]
        case _:
            return list(found)


def _port(binding: asked.PortBinding) -> str:
    return binding.port


def _hosts(binding: asked.PortBinding) -> list[dict[str, str]] | None:
    if binding.hosts is None:
        return None
    return [{"HostIp": address, "HostPort": port} for address, port in binding.hosts]
