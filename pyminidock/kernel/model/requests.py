"""What comes of a request on a machine where nothing really runs.

It arrives where a device has its address, if a socket waits there; who stands beside no
device of the same bridge does not reach it.  Of the rules only those that send a published
port on are asked.
"""

from collections.abc import Mapping
from dataclasses import replace

from pyminidock.kernel import attempts
from pyminidock.kernel.attempts import Attempt, Attempted, Listening
from pyminidock.kernel.model.cables import host_of
from pyminidock.kernel.model.world import World

Sockets = Mapping[int, tuple[Listening, ...]]


def attempted(world: World, waiting: Sockets, space: int, wanted: Attempt) -> Attempted:
    """Tell what becomes of a request from the network namespace `space`."""
    shown = f"{wanted.address}:{wanted.port}"
    wanted = _sent_on(world, space, wanted)
    there = _owner(world, space, wanted.address)
    if there is None:
        return Attempted(attempts.UNREACHABLE, destination=shown)
    took = any(
        (each.port, each.protocol) == (wanted.port, wanted.protocol)
        and (each.takes(wanted.address) or (there == space and each.is_loopback))
        for each in waiting.get(there, ())
    )
    outcome = attempts.CONNECTED if took else attempts.REFUSED
    return Attempted(outcome, destination=shown)


def _sent_on(world: World, space: int, wanted: Attempt) -> Attempt:
    """Send a request of the host to where a published port leads, if it is one."""
    if space != host_of(world):
        return wanted
    port = (wanted.protocol, str(wanted.port))
    for _, elements in world.rules.values():
        for each in elements:
            if each.key in ((wanted.address, *port), port) and each.data:
                address, number = each.data
                return replace(wanted, address=address, port=int(number))
    return wanted


def _owner(world: World, space: int, address: str) -> int | None:
    """Find the namespace where an address is, as seen from another one."""
    if address.startswith("127."):
        return space
    bridges = {
        row.name if space == host_of(world) else _bridge(world, row.peer)
        for (where, _), row in world.links.items() if where == space
    }  # fmt: skip
    for (where, _), row in world.links.items():
        has = any(each.partition("/")[0] == address for each in row.addresses)
        if has and (
            where == space or row.name in bridges or _bridge(world, row.peer) in bridges
        ):
            return where
    return None


def _bridge(world: World, peer: tuple[int, str] | None) -> str:
    row = world.links.get(peer) if peer else None
    return row.master if row else ""
