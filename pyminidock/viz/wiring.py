"""How a story lays cables, and the map of what it has laid.

Each effect on the network leaves one thing behind, or takes one away.  A story knows its
own part of the machine only; `drawn` gives that part as a map.
"""

from collections.abc import Mapping
from dataclasses import replace

from pyminidock import events as e
from pyminidock.events import AnyEvent
from pyminidock.viz.networkmap import End, Map, Net, Port, Step
from pyminidock.viz.things import Container, bounded
from pyminidock.viz.wires import Bound, Bridge, Cable, Place, Stop, Wires

_DEFAULT = "bridge"
_DEFAULT_BRIDGE = "-0"  # how the name of its bridge ends
_FIRST = "client"  # where a request begins
_END = "arrived"
_MOST_STOPS = 64


def wired_after(  # noqa: PLR0911  (one line per fact)
    wires: Wires, seq: int, event: AnyEvent
) -> Wires:
    """Give the wires after the event number `seq`; the same object where none changed."""
    match event:
        case e.BridgeMade(name, _, addresses):
            bridges = bounded(wires.bridges, name, Bridge(addresses, seq))
            return replace(wires, bridges=bridges)
        case e.InterfaceRemoved(name):
            return _without(wires, name)
        case e.EndpointPlugged():
            cable = Cable(event.sandbox, event.bridge, event.host_link, event.inside,
                          event.mac, event.addresses, seq)  # fmt: skip
            key = f"{event.sandbox} {event.inside}"
            return replace(wires, cables=bounded(wires.cables, key, cable))
        case e.EndpointUnplugged(sandbox, inside, _):
            cables = {k: v for k, v in wires.cables.items() if k != f"{sandbox} {inside}"}
            return replace(wires, cables=cables)
        case e.PortBound(protocol, address, port, to_address, to_port):
            bound = Bound(protocol, address, port, to_address, to_port, seq)
            key = f"{protocol} {address} {port}"
            return replace(wires, ports=bounded(wires.ports, key, bound))
        case e.PortReleased(protocol, address, port):
            key = f"{protocol} {address} {port}"
            ports = {k: v for k, v in wires.ports.items() if k != key}
            return replace(wires, ports=ports)
        case e.EndpointMade():
            place = Place(event.name, seq)
            key = f"{event.container} {event.inside}"
            return replace(wires, places=bounded(wires.places, key, place))
        case e.HopPassed(_, place, what):
            return _walked(wires, Stop(place, what, seq))
        case e.RequestDied(_, place, _, title, remedy):
            said = f"{title}: {remedy}" if remedy else title
            return _walked(wires, Stop(place, said, seq, is_dead=True))
        case e.RequestArrived(_, what, outcome):
            return _walked(wires, Stop(_END, f"{what}: {outcome}", seq))
        case _:
            return wires


def _walked(wires: Wires, stop: Stop) -> Wires:
    """Let the request go on; behind an end, another one begins."""
    before = wires.walk[-1:]
    is_next = any(each.is_dead or each.place == _END for each in before)
    begun = () if is_next or stop.place == _FIRST else wires.walk
    return replace(wires, walk=(*begun, stop)[-_MOST_STOPS:])


def _without(wires: Wires, name: str) -> Wires:
    """A device is gone, and every cable that hung on it."""
    bridges = {k: v for k, v in wires.bridges.items() if k != name}
    cables = {k: v for k, v in wires.cables.items() if name not in (v.bridge, v.host_link)}
    return replace(wires, bridges=bridges, cables=cables)


def drawn(wires: Wires, containers: Mapping[str, Container], backend: str) -> Map:
    """Give the map of what a story has laid so far."""
    cables = sorted(wires.cables.values(), key=lambda cable: cable.order)
    whose = {
        _bare(address): cable.sandbox for cable in cables for address in cable.addresses
    }
    names = dict.fromkeys([*wires.bridges, *(cable.bridge for cable in cables)])
    nets = tuple(
        _net(bridge, wires.bridges.get(bridge),
             [cable for cable in cables if cable.bridge == bridge], wires, containers)
        for bridge in names
    )  # fmt: skip
    ports = tuple(
        Port(
            each.protocol, each.address, each.port,
            _called(whose.get(each.to_address, each.to_address), containers),
            each.to_port, each.order,
        )
        for each in sorted(wires.ports.values(), key=lambda port: port.order)
    )  # fmt: skip
    walk = tuple(Step(each.place, each.said, each.is_dead, each.order)
                 for each in wires.walk)  # fmt: skip
    return Map(backend, nets, ports, walk=walk)


def _net(
    bridge: str, made: Bridge | None, cables: list[Cable], wires: Wires,
    containers: Mapping[str, Container],
) -> Net:  # fmt: skip
    ends = tuple(
        End(
            _called(cable.sandbox, containers), cable.inside, cable.host_link,
            tuple(map(_bare, cable.addresses)), cable.mac, changed=cable.order,
        )
        for cable in cables
    )  # fmt: skip
    keys = (f"{cable.sandbox} {cable.inside}" for cable in cables)
    name = next((wires.places[k].network for k in keys if k in wires.places), "")
    is_default = name == _DEFAULT if name else bridge.endswith(_DEFAULT_BRIDGE)
    gateways = tuple(map(_bare, made.addresses)) if made else ()
    return Net(
        name or bridge, bridge if name else "", (), gateways, ends,
        has_names=not is_default, changed=made.order if made else 0,
    )  # fmt: skip


def _called(sandbox: str, containers: Mapping[str, Container]) -> str:
    known = containers.get(sandbox)
    return (known.name if known else "") or sandbox[:12]


def _bare(address: str) -> str:
    return address.partition("/")[0]
