"""What a map of networks shows: values, read from the engine or gathered from a story.

    Map ─┬─ Net     a bridge of the host, its addresses, what it counted
         │   └─ End     a cable into a container: both of its devices, addresses, names
         ├─ Port    a port of the host that leads to a container
         ├─ Lone    a container with no cable: none, host, or somebody else's network
         └─ Step    one hop of a request that is followed

Who reaches whom follows from these: `reachable` gives the reason with each answer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Told = Mapping[str, Any]
"""A JSON object as `GET /minidock/networks` gives it."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a device counted itself, seen from the host: in came from the container."""

    in_bytes: int = 0
    in_packets: int = 0
    out_bytes: int = 0
    out_packets: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """One container's place in one network."""

    container: str  # its name
    inside: str  # eth0
    host_link: str  # the other end of its cable
    addresses: tuple[str, ...] = ()  # without prefix
    mac: str = ""
    names: tuple[str, ...] = ()  # by which the others of this network find it
    state: str = "running"
    traffic: Traffic | None = None
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Net:
    """One network; without `bridge` it is drawn by its name alone."""

    name: str
    bridge: str
    subnets: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    ends: tuple[End, ...] = ()
    has_names: bool = True  # the default bridge has no server for names
    is_internal: bool = False
    is_closed: bool = False  # its containers are kept apart (enable_icc=false)
    traffic: Traffic | None = None
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the host, and whose it is."""

    protocol: str
    address: str
    port: int
    container: str
    to_port: int
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Lone:
    """A container without a cable, and why it has none."""

    container: str
    mode: str  # none, host, or container:NAME
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One hop of a request that is followed; `place` names a node of the map."""

    place: str
    said: str
    is_end: bool = False  # here it died
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Map:
    """All networks of one engine at one moment."""

    backend: str
    nets: tuple[Net, ...] = ()
    ports: tuple[Port, ...] = ()
    lone: tuple[Lone, ...] = ()
    walk: tuple[Step, ...] = ()

    def containers(self) -> tuple[str, ...]:
        """Name every container once, in the order of the map."""
        ends = (end.container for net in self.nets for end in net.ends)
        return tuple(dict.fromkeys([*ends, *(each.container for each in self.lone)]))


# ── Reading ──────────────────────────────────────────────────────────────────────────────


def read(told: Told) -> Map:
    """Read the JSON of `GET /minidock/networks`."""
    return Map(
        str(told["backend"]),
        tuple(map(_net, told["networks"])),
        tuple(
            Port(str(each["protocol"]), str(each["address"]), int(each["port"]),
                 str(each["container"]), int(each["to_port"]))
            for each in told["ports"]
        ),
        tuple(Lone(str(each["container"]), str(each["mode"])) for each in told["lone"]),
    )  # fmt: skip


def _net(told: Told) -> Net:
    return Net(
        str(told["name"]), str(told["bridge"]), _texts(told["subnets"]),
        _texts(told["gateways"]), tuple(map(_end, told["ends"])),
        bool(told["has_names"]), bool(told["is_internal"]), bool(told["is_closed"]),
        _traffic(told.get("traffic")),
    )  # fmt: skip


def _end(told: Told) -> End:
    return End(
        str(told["container"]), str(told["inside"]), str(told["host_link"]),
        _texts(told["addresses"]), str(told["mac"]), _texts(told["names"]),
        str(told["state"]), _traffic(told.get("traffic")),
    )  # fmt: skip


def _texts(told: object) -> tuple[str, ...]:
    return tuple(map(str, told)) if isinstance(told, list | tuple) else ()


def _traffic(told: Told | None) -> Traffic | None:
    if told is None:
        return None
    return Traffic(
        int(told["in_bytes"]), int(told["in_packets"]),
        int(told["out_bytes"]), int(told["out_packets"]),
    )  # fmt: skip


# ── Who reaches whom ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether one container reaches another: by "name", "address", or not ("")."""

    to: str
    how: str
    why: str = ""  # of a no


def reachable(told: Map, source: str) -> Iterator[Reach]:
    """Say of every other container whether `source` reaches it, and if not, why."""
    modes = {each.container: each.mode for each in told.lone}
    for target in told.containers():
        if target != source:
            yield _between(told, modes, source, target)


def _between(told: Map, modes: Mapping[str, str], source: str, target: str) -> Reach:
    source_mode, target_mode = modes.get(source, ""), modes.get(target, "")
    if f"container:{target}" == source_mode or f"container:{source}" == target_mode:
        return Reach(target, "address", "on localhost: one network for both")
    source = _whose(modes, source)
    if target_mode == "none" or modes.get(source) == "none":
        lonely = target if target_mode == "none" else source
        return Reach(target, "", f"{lonely} has no network")
    if target_mode == "host" or modes.get(source) == "host":
        return Reach(target, "address", "over the host")
    shared = [
        net
        for net in told.nets
        if {source, _whose(modes, target)} <= {end.container for end in net.ends}
    ]
    if not shared:
        return Reach(target, "", "no network in common")
    if open_ := [net for net in shared if not net.is_closed]:
        return Reach(target, "name" if any(net.has_names for net in open_) else "address")
    return Reach(target, "", f"{shared[0].name} keeps its containers apart")


def _whose(modes: Mapping[str, str], container: str) -> str:
    """Give the container whose network this one uses: mostly its own."""
    mode = modes.get(container, "")
    return mode.removeprefix("container:") if mode.startswith("container:") else container


def ways_in(told: Map, container: str) -> tuple[Port, ...]:
    """Give the ports of the host that lead to a container."""
    return tuple(port for port in told.ports if port.container == container)
