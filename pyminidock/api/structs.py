"""A JSON object is read by a table of its members, as Go would read it into a struct.

What does not fit is refused in Go's words, which people know from Docker: the innermost
struct, the way to the field, the type that it should have.

    json: cannot unmarshal string into Go struct field
    HostConfig.HostConfig.Resources.Memory of type int64

Source: Go, encoding/json, UnmarshalTypeError.
"""

import dataclasses
from typing import Any

from pyminidock.api.body import Fields, fold
from pyminidock.container.asked import PortBinding
from pyminidock.container.structs import LISTS, Kind, Row, Struct

_BITS = {Kind.NUMBER: 63, Kind.INT: 63, Kind.SMALL: 16, Kind.RATE: 64, Kind.MODE: 32}
_SIGNED = (Kind.NUMBER, Kind.INT)


def read(fields: Fields, struct: Struct) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Give attribute → value of what was said, and Docker's names of what was said empty.

    Raises BadRequest.
    """
    values: dict[str, Any] = {}
    empty = []
    rows = struct.by_folded_name
    for name, given in fields.members.items():  # Go, too, tells the first that misfits
        row = rows.get(fold(name))
        if row is None or given is None:
            continue
        place = _inside(fields, row, struct)
        value = _value(place, row)
        if value is None:
            continue
        values[row.attribute] = value
        if not value and (row.kind in LISTS or _is_switch(row)):
            empty.append(row.name)
    return values, tuple(empty)


def _is_switch(row: Row) -> bool:
    """Say whether `false` is more than nothing: inspect shows it only when it was sent."""
    return row.kind is Kind.FLAG and row.is_pointer and row.omits


def _inside(fields: Fields, row: Row, struct: Struct) -> Fields:
    part = f"{fields.place}{row.part}." if row.part else fields.place
    return fields.within(part, struct.go)


def _value(fields: Fields, row: Row) -> Any:  # noqa: PLR0911  (one line for each kind)
    name, go = row.name, row.go or row.kind.value
    match row.kind:
        case Kind.TEXT:
            return fields.text(name, go)
        case Kind.FLAG:
            return fields.flag(name)
        case Kind.TEXTS:
            return fields.texts(name)
        case Kind.WORDS:
            return fields.command(name)
        case Kind.TABLE:
            return tuple(fields.mapping(name).items())
        case Kind.NAMES:
            return tuple(fields.part(name, go).members)
        case Kind.SIZE:
            return tuple((*fields.numbers(name), 0, 0)[:2])
        case Kind.LISTS:
            return tuple(fields.lists(name))
        case Kind.STRUCT | Kind.STRUCTS:
            return _structs(fields, row)
        case Kind.PORTS:
            return _ports(fields, name)
        case _:
            low = -(1 << _BITS[row.kind]) if row.kind in _SIGNED else 0
            return fields.whole(name, go, low, 1 << _BITS[row.kind])


def _structs(fields: Fields, row: Row) -> Any:
    struct = row.struct
    assert struct is not None  # noqa: S101  (how the table is written)
    go = row.go or f"container.{struct.go}"
    if row.kind is Kind.STRUCT:
        return _made(fields.part(row.name, go), struct)
    return tuple(_made(part, struct) for part in fields.parts(row.name, go))


def _made(fields: Fields, struct: Struct) -> Any:
    values, _ = read(fields, struct)
    names = {each.name for each in dataclasses.fields(struct.make)}
    missing = {
        row.attribute: _nothing(row) for row in struct.rows if row.attribute in names
    }
    if struct.go == "Mount":
        values["has_cluster_options"] = fields.get("ClusterOptions") is not None
    return struct.make(**(missing | values))


def _nothing(row: Row) -> Any:
    """Give Go's zero value of a line."""
    if row.is_pointer:
        return None
    if row.kind in LISTS:
        return ()
    return {Kind.TEXT: "", Kind.FLAG: False}.get(row.kind, 0)


def _ports(fields: Fields, name: str) -> tuple[PortBinding, ...]:
    bound = fields.part(name, "nat.PortMap")
    found = []
    for port, hosts in bound.members.items():
        if hosts is None:
            found.append(PortBinding(port, None))
            continue
        rows = Fields({port: hosts}, bound.place, "PortBinding").parts(
            port, "[]nat.PortBinding"
        )
        found.append(
            PortBinding(
                port, tuple((row.text("HostIp"), row.text("HostPort")) for row in rows)
            )
        )
    return tuple(found)
