"""Rules for packets, as values: what nftables is asked to do, written like `nft` writes it.

    Table ─┬─ Set      names, addresses, ports; as a map, each leads to something
           │   └─ Element       what moves when a container starts or ends
           └─ Chain    where packets pass by, in which order
               └─ Rule          a sentence: fields are in a set, so …

The rules of a table stay as they are made; only elements come and go.  A change of several
elements is one transaction: a packet sees all of it or nothing.

Source: man 8 nft; docs/decisions/0023-rules-stay-elements-move.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """One member of a set, or one way of a map: `key`, and for a map `data`, as text."""

    set: str
    key: Words
    data: Words = ()
    family: str = "inet"

    def __str__(self) -> str:
        key = " . ".join(self.key)
        return f"{key} : {' . '.join(self.data)}" if self.data else key


@dataclass(frozen=True, slots=True)
class Set:
    """A set of `key`s, each made of fields of these types; with `data` it is a map.

    Types are nft's: ifname, ether_addr, ipv4_addr, ipv6_addr, inet_proto, inet_service.
    `counts`: each element counts the packets that met it.
    """

    name: str
    key: Words
    data: Words = ()
    counts: bool = False


@dataclass(frozen=True, slots=True)
class In:
    """The fields together are (not) in a set."""

    fields: Words
    set: str
    is_not: bool = False


@dataclass(frozen=True, slots=True)
class Is:
    """A field has (not) this value; for `ct state` and `ct status`: has one of these.

    Names of devices may end in *: then they begin so.
    """

    field: str
    value: str
    is_not: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """Count the packet."""


@dataclass(frozen=True, slots=True)
class Decide:
    """Let it pass this chain ("accept") or no further ("drop")."""

    verdict: str


@dataclass(frozen=True, slots=True)
class Masquerade:
    """Let the connection come from the address of the device by which it leaves."""


@dataclass(frozen=True, slots=True)
class SendTo:
    """Send the connection to where a map leads from these fields, if it does (DNAT)."""

    fields: Words
    map: str


Statement = In | Is | Count | Decide | Masquerade | SendTo


@dataclass(frozen=True, slots=True)
class Rule:
    """Statements, from left to right, as long as they hold; `comment` says what for."""

    comment: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules for packets that pass `hook`; lower `priority` comes first.

    `type` is filter or nat.
    """

    name: str
    type: str
    hook: str
    priority: int
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """All of it under one name, so that it can be made and removed as one."""

    family: str  # inet: IPv4 and IPv6; bridge: frames between the ports of a bridge
    name: str
    sets: tuple[Set, ...]
    chains: tuple[Chain, ...]


# ── The verbs ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class MakeTable:
    """Make `tables` with these elements, in place of what has their names; atomic.

    Undone by RemoveTable.  Source: man 8 nft, linux/netfilter/nf_tables.h.
    """

    tables: tuple[Table, ...]
    elements: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class AddElements:
    """Put elements into the sets of the tables called `table`; all of them or none.

    One that is there already is no error, but undone with the rest: by DropElements.
    """

    table: str
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class DropElements:
    """Take elements out; one that is not there is no error."""

    table: str
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class RemoveTable:
    """Remove the tables called `table`, whatever they hold; none is no error."""

    families: Words
    table: str


RuleCall = MakeTable | AddElements | DropElements | RemoveTable


# ── What is found ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Counted:
    """What a rule or an element has met so far."""

    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table as the kernel has it: its rules by (chain, comment), its elements."""

    family: str
    name: str
    rules: tuple[tuple[str, str, Counted | None], ...]
    elements: tuple[tuple[Element, Counted | None], ...]


def is_intact(
    found: tuple[FoundTable, ...], tables: tuple[Table, ...], elements: tuple[Element, ...]
) -> bool:
    """Say whether the kernel still has each rule and exactly these elements."""
    have = {table.family: table for table in found}
    for table in tables:
        one = have.get(table.family)
        wanted = [(c.name, rule.comment) for c in table.chains for rule in c.rules]
        if one is None or [(chain, comment) for chain, comment, _ in one.rules] != wanted:
            return False
        mine = {each for each in elements if each.family == table.family}
        if {each for each, _ in one.elements} != mine:
            return False
    return True


# ── As `nft` writes it ────────────────────────────────────────────────────────────────────


def text_of(table: Table, elements: tuple[Element, ...] = ()) -> str:
    """Write a table as `nft -f` reads it.

    >>> rule = Rule("stay", (Is("iifname", "eth0", is_not=True), Decide("drop")))
    >>> chain = Chain("in", "filter", "input", 0, (rule,))
    >>> print(text_of(Table("inet", "t", (), (chain,))))
    table inet t {
        chain in {
            type filter hook input priority 0; policy accept;
            iifname != "eth0" drop comment "stay"
        }
    }
    """
    return "\n".join(_lines(table, elements))


def _lines(table: Table, elements: tuple[Element, ...]) -> Iterator[str]:
    yield f"table {table.family} {table.name} {{"
    for each in table.sets:
        yield from _set_lines(each, [
            one for one in elements if (one.family, one.set) == (table.family, each.name)
        ])  # fmt: skip
    for chain in table.chains:
        yield f"    chain {chain.name} {{"
        hook = f"hook {chain.hook} priority {chain.priority}"
        yield f"        type {chain.type} {hook}; policy accept;"
        for rule in chain.rules:
            words = " ".join(_spell(each) for each in rule.statements)
            yield f'        {words} comment "{rule.comment}"'
        yield "    }"
    yield "}"


def _set_lines(each: Set, elements: list[Element]) -> Iterator[str]:
    yield f"    {'map' if each.data else 'set'} {each.name} {{"
    leads = f" : {' . '.join(each.data)}" if each.data else ""
    yield f"        type {' . '.join(each.key)}{leads}"
    if each.counts:
        yield "        counter"
    if elements:
        quoted = (
            replace(one, key=tuple(
                f'"{word}"' if kind == "ifname" else word
                for kind, word in zip(each.key, one.key, strict=True)
            )) for one in elements
        )  # fmt: skip
        yield f"        elements = {{ {', '.join(map(str, quoted))} }}"
    yield "    }"


def _spell(statement: Statement) -> str:
    match statement:
        case In(fields, name, is_not):
            return f"{' . '.join(fields)} {'!= ' if is_not else ''}@{name}"
        case Is(field, value, is_not):
            value = f'"{value}"' if field in ("iifname", "oifname") else value
            return f"{field} {'!= ' if is_not else ''}{value}"
        case Count():
            return "counter"
        case Decide(verdict):
            return verdict
        case Masquerade():
            return "masquerade"
        case SendTo(fields, name):
            return f"dnat ip to {' . '.join(fields)} map @{name}"
