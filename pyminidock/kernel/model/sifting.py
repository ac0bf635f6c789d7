"""Rules and ports on a machine that sees no packets: tables in a table, ports in another.

Source: Linux, net/netfilter/nf_tables_api.c, for the order of refusals; man 2 bind.
"""

import errno
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import assert_never

from pyminidock.kernel import portcalls, rules
from pyminidock.kernel.model.stage import Stage, demand
from pyminidock.kernel.model.world import World
from pyminidock.kernel.portcalls import SiftCall
from pyminidock.kernel.rules import Counted, Element, FoundTable, Set, Table

Elements = tuple[Element, ...]
Tables = Mapping[tuple[str, str], tuple[Table, Elements]]  # by family and name
_OURS = ("0.0.0.0", "::", "127.", "::1", "192.0.2.")  # noqa: S104  (this machine's own)


def sift(stage: Stage, call: SiftCall) -> Stage:
    """Take one step of a plan that is about rules or ports.  Raises OSError."""
    demand(stage, "CAP_NET_ADMIN")
    match call:
        case rules.MakeTable(tables, elements):
            return _with(stage, _made(stage.world.rules, tables, elements))
        case rules.RemoveTable(families, name):
            gone = {(family, name) for family in families}
            kept = {key: v for key, v in stage.world.rules.items() if key not in gone}
            return _with(stage, kept)
        case rules.AddElements(name, elements):
            return _with(stage, _added(stage.world.rules, name, elements))
        case rules.DropElements(name, elements):
            return _with(stage, _dropped(stage.world.rules, name, elements))
        case portcalls.BindPort():
            return _bind(stage, call)
        case portcalls.ReleasePort(protocol, address, port):
            kept_ports = dict(stage.world.ports)
            kept_ports.pop((protocol, address, port), None)
            return replace(stage, world=replace(stage.world, ports=kept_ports))
        case _:
            assert_never(call)


def found(world: World, name: str) -> tuple[FoundTable, ...]:
    """Tell what tables of this name there are; no packet has met a rule."""
    none = Counted(0, 0)
    return tuple(
        FoundTable(
            family, name,
            tuple((c.name, rule.comment, none) for c in table.chains for rule in c.rules),
            tuple((each, none) for each in elements),
        )
        for (family, called), (table, elements) in world.rules.items() if called == name
    )  # fmt: skip


def _with(stage: Stage, tables: Tables) -> Stage:
    return replace(stage, world=replace(stage.world, rules=tables))


def _made(there: Tables, tables: tuple[Table, ...], elements: Elements) -> Tables:
    made = {(table.family, table.name): (table, ()) for table in tables}
    after: Tables = {**there, **made}
    return _added(after, tables[0].name, elements) if elements else after


def _added(there: Tables, name: str, elements: Elements) -> Tables:
    after = dict(there)
    for each in elements:
        table, members = _table(after, each.family, name)
        _set(table.sets, each.set)
        taken = {one.key: one for one in members if one.set == each.set}
        if taken.get(each.key, each) != each:
            raise OSError(errno.EEXIST, f"{each.set} leads elsewhere from there already")
        if each not in members:
            after[each.family, name] = table, (*members, each)
    return after


def _dropped(there: Tables, name: str, elements: Elements) -> Tables:
    after = dict(there)
    for each in elements:
        if (each.family, name) in after:
            table, members = after[each.family, name]
            kept = tuple(m for m in members if (m.set, m.key) != (each.set, each.key))
            after[each.family, name] = table, kept
    return after


def _table(there: Tables, family: str, name: str) -> tuple[Table, Elements]:
    if (family, name) not in there:
        raise OSError(errno.ENOENT, f"there is no table {family} {name}")
    return there[family, name]


def _set(sets: Iterable[Set], name: str) -> None:
    if name not in (each.name for each in sets):
        raise OSError(errno.ENOENT, f"there is no set {name}")


def _bind(stage: Stage, call: portcalls.BindPort) -> Stage:
    if not call.address.startswith(_OURS):
        raise OSError(errno.EADDRNOTAVAIL, f"{call.address} is not this host's")
    key = (call.protocol, call.address, call.port)
    for protocol, address, port in stage.world.ports:
        is_same = (protocol, port) == (call.protocol, call.port)
        if is_same and (address == call.address or "0.0.0.0" in (address, call.address)):  # noqa: S104
            raise OSError(errno.EADDRINUSE, f"{address}:{port} is taken")
    ports = {**stage.world.ports, key: (call.to_address, call.to_port)}
    return replace(stage, world=replace(stage.world, ports=ports))
