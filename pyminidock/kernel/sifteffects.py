"""What an answered call about rules and ports did, as an event: a part of `recording`."""

from collections.abc import Iterable
from typing import assert_never

from pyminidock import events
from pyminidock.kernel import portcalls, rules
from pyminidock.kernel.portcalls import SiftCall
from pyminidock.kernel.rules import Element


def sift_effect_of(call: SiftCall) -> events.AnyEvent:
    """Say what an answered call did.  One line per verb."""
    match call:
        case rules.MakeTable(tables, elements):
            return events.RulesMade(
                tables[0].name if tables else "",
                tuple(table.family for table in tables),
                sum(len(chain.rules) for table in tables for chain in table.chains),
                len(elements),
            )
        case rules.RemoveTable(_, table):
            return events.RulesRemoved(table)
        case rules.AddElements(table, elements):
            return events.ElementsAdded(table, _spelt(elements))
        case rules.DropElements(table, elements):
            return events.ElementsDropped(table, _spelt(elements))
        case portcalls.BindPort(protocol, address, port, to_address, to_port):
            return events.PortBound(protocol, address, port, to_address, to_port)
        case portcalls.ReleasePort(protocol, address, port):
            return events.PortReleased(protocol, address, port)
        case _:
            assert_never(call)


def _spelt(elements: Iterable[Element]) -> tuple[str, ...]:
    return tuple(f"{each.family} {each.set} {{ {each} }}" for each in elements)
