"""Our tables of rules are there as long as anybody needs them, whoever flushes them.

    first network     the tables are made, and somebody listens
    flush             heard; what the books say is put back in one transaction
    the engine ends   nobody runs: the tables are removed; else they stay and go on serving

The books are the truth: networks that have a bridge, endpoints that are plugged in, ports
that are held.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING

from pyminidock.errors import MinidockError
from pyminidock.events import ignore
from pyminidock.events.base import Emit
from pyminidock.kernel.port import CallFailed
from pyminidock.kernel.rules import (
    DropElements,
    Element,
    MakeTable,
    RemoveTable,
    is_intact,
)
from pyminidock.network import nat
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.nat import Admitted, BridgeRules
from pyminidock.network.objects import Network

if TYPE_CHECKING:
    from pyminidock.engine.house import House


class RulesRefused(MinidockError):
    """The kernel takes no rules for packets."""

    status = 500


class RuleKeeper:
    """The tables of one engine; any thread may ask."""

    def __init__(self, mark: str) -> None:
        self.table = nat.table_name(mark)
        self.tables = nat.tables(self.table)
        self.lock = RLock()  # held while tables are replaced or elements dropped
        self.is_made = False
        self.hears_no_more: Callable[[], None] = lambda: None


def ensure(house: "House", emit: Emit) -> None:
    """Make the tables, unless they are there.  Raises RulesRefused."""
    keeper = house.rules
    with keeper.lock:
        if keeper.is_made:
            return
        try:
            house.kernel.perform((MakeTable(keeper.tables, wanted(house)),), emit=emit)
            keeper.hears_no_more = house.kernel.watch_rules(
                keeper.table, lambda: repair(house)
            )
        except (CallFailed, OSError) as failure:
            why = getattr(failure, "why", str(failure))
            raise RulesRefused(
                f"the rules of the engine's networks cannot be made: {failure}",
                why=f"without them nothing keeps networks apart: {why}",
                try_next="minidock run --network none …, or load the module nf_tables",
                lesson="networks",
            ) from failure
        keeper.is_made = True


def wanted(house: "House") -> tuple[Element, ...]:
    """Give all elements that the books ask for."""
    book = house.networks
    found: dict[Element, None] = {}
    for network in book.all():
        live = book.live(network.id).values() if network.is_wired else ()
        if network.is_wired and (network.bridge in book.bridges or live):
            found |= dict.fromkeys(of_network(network))
        for each in live:
            found |= dict.fromkeys(of_place(each, network))
    for port in house.ports.all():
        found |= dict.fromkeys(nat.of_port(port))
    return tuple(found)


def of_network(network: Network) -> tuple[Element, ...]:
    """Give the elements of a network."""
    return nat.of_bridge(
        BridgeRules(network.bridge, network.masquerades, network.is_internal)
    )


def of_place(endpoint: Endpoint, network: Network) -> tuple[Element, ...]:
    """Give the elements of an endpoint that has a cable."""
    if not endpoint.host_link:
        return ()
    return nat.of_endpoint(Admitted(
        network.bridge, endpoint.host_link, endpoint.mac, endpoint.address,
        endpoint.address6,
    ))  # fmt: skip


def drop(house: "House", elements: tuple[Element, ...], emit: Emit) -> None:
    """Take elements out of the tables, if they are there."""
    keeper = house.rules
    with keeper.lock:
        if keeper.is_made and elements:
            with suppress(CallFailed):  # somebody has flushed them: that is repaired
                house.kernel.perform((DropElements(keeper.table, elements),), emit=emit)


def repair(house: "House") -> bool:
    """Put back what somebody took; False: nothing was missing, or it cannot be."""
    from pyminidock.engine.images import telling  # noqa: PLC0415  (it takes a house)

    keeper = house.rules
    with keeper.lock:
        if house.is_closed or not keeper.is_made:
            return False
        with suppress(OSError):
            found = house.kernel.rules(keeper.table)
            if is_intact(found, keeper.tables, wanted(house)):
                return False
        with (
            suppress(MinidockError),
            telling(house, "repair", "somebody flushed the engine's rules") as voice,
        ):
            house.kernel.perform((MakeTable(keeper.tables, wanted(house)),), emit=voice)
            return True
    return False


def take_over(house: "House") -> None:
    """Put the tables of an earlier engine in order, or away if nobody needs them."""
    if wanted(house):
        with suppress(RulesRefused):  # the next start says so
            ensure(house, ignore)
            repair(house)
    else:
        _remove(house)


def leave(house: "House") -> None:
    """Listen no more; remove the tables if nobody runs."""
    keeper = house.rules
    keeper.hears_no_more()
    with keeper.lock:
        if keeper.is_made and not wanted(house):
            _remove(house)
        keeper.is_made = False


def _remove(house: "House") -> None:
    table = house.rules.table
    with suppress(OSError, CallFailed):
        if house.kernel.rules(table):
            house.kernel.perform((RemoveTable(nat.FAMILIES, table),), emit=ignore)
