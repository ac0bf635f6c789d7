"""One request as it was seen: who asks whom, what is published, and what came of it.

    asked       localhost:8080, tcp, from the host
    target      the container meant: state, networks, what listens in it, what it publishes
    asker       where the request comes from, with its own networks
    lookup      what a name server said, where a name was asked for
    attempted   the connection itself, and the rules of nftables that its packet met
    host        who listens on the host, its addresses, its settings, its older tables

All of it is plain values, read before and after one real attempt; nothing here looks.
"""

from dataclasses import dataclass, field

from pyminidock.kernel.attempts import Attempted, Listening, Passage
from pyminidock.kernel.netanswers import Neighbour, RouteEntry

HOST, OUTSIDE, CONTAINER = "host", "outside", "container"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as somebody would type it; `origin` is host, outside or container."""

    name: str  # localhost, an address, or what a container is called
    port: int
    protocol: str = "tcp"
    origin: str = HOST
    asker: str = ""  # the container that asks


@dataclass(frozen=True, slots=True)
class Place:
    """A container's place in one network, as the kernel has it."""

    network: str
    bridge: str = ""
    address: str = ""
    prefix: int = 16
    gateway: str = ""
    inside: str = ""  # its device
    host_link: str = ""  # the other end of its cable
    mac: str = ""
    is_internal: bool = False
    is_user_defined: bool = True
    has_icc: bool = True
    is_bridge_up: bool = True
    is_cable_up: bool = True
    host_address: str = ""  # the host's own in this network
    received_before: int = 0  # packets that went through the cable to the container
    received_after: int = 0


@dataclass(frozen=True, slots=True)
class Published:
    """A wish to publish, and what became of it; `is_live`: our rules have it now."""

    host_address: str
    host_port: int
    protocol: str
    container_port: int
    is_live: bool = True
    packets_before: int = 0
    packets_after: int = 0

    def meets(self, address: str) -> bool:
        """Say whether it is published on the address that was asked.

        >>> Published("0.0.0.0", 80, "tcp", 80).meets("192.168.1.5")
        True
        """
        return self.host_address in ("0.0.0.0", "::", "", address)  # noqa: S104


@dataclass(frozen=True, slots=True)
class Subject:
    """A container that asks or is asked."""

    name: str
    id: str = ""
    state: str = "running"
    mode: str = "bridge"  # of its network: bridge, none, host, container
    error: str = ""  # why it did not start
    pid: int = 0
    places: tuple[Place, ...] = ()
    published: tuple[Published, ...] = ()
    exposed: tuple[tuple[int, str], ...] = ()
    listening: tuple[Listening, ...] = ()
    routes: tuple[RouteEntry, ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether it has a process."""
        return self.state in ("running", "paused")

    def place_of(self, address: str) -> Place | None:
        """Give the place that has this address."""
        return next((each for each in self.places if each.address == address), None)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What asking for a name came to; `server` "" is the file /etc/hosts."""

    name: str
    server: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostSight:
    """What the host has to do with it."""

    addresses: tuple[str, ...] = ("127.0.0.1",)
    listening: tuple[Listening, ...] = ()
    engine_pids: tuple[int, ...] = ()  # who holds a port for a container
    is_forwarding: bool = True
    neighbours: tuple[Neighbour, ...] = ()
    older_tables: tuple[str, ...] = ()  # of iptables before nftables: nobody reports there
    way_in: str = ""  # the device with the address at which other machines ask


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything about one request.  `address` is where it went; "" where no name led."""

    asked: Asked
    address: str
    target: Subject | None = None
    asker: Subject | None = None
    lookup: Lookup | None = None
    attempted: Attempted | None = None
    host: HostSight = field(default_factory=HostSight)
    own_tables: tuple[str, ...] = ()

    # ── Readings ─────────────────────────────────────────────────────────────────────────

    @property
    def container_port(self) -> int:
        """Give the port inside to which the request leads; 0 where none does."""
        if not self.is_by_port:
            return self.asked.port
        if self.target and self.target.mode == "host":
            return self.asked.port
        way = self.way_in
        return way.container_port if way else 0

    @property
    def is_by_port(self) -> bool:
        """Whether a port of the host is asked, and not a container at its own address."""
        if self.asked.origin == CONTAINER:
            return bool(self.address) and not self.is_direct
        return not self.is_direct

    @property
    def is_direct(self) -> bool:
        """Whether the container's own address is asked, not a published port."""
        return bool(self.target and self.address and self.target.place_of(self.address))

    @property
    def wishes(self) -> tuple[Published, ...]:
        """Give the target's wishes for the port that was asked, of either protocol."""
        wishes = self.target.published if self.target else ()
        return tuple(each for each in wishes if each.host_port == self.asked.port)

    @property
    def way_in(self) -> Published | None:
        """Give the wish by which the request comes in: right protocol, right address."""
        fitting = (w for w in self.wishes if w.protocol == self.asked.protocol)
        return next((w for w in fitting if w.meets(self.address)), None)

    @property
    def inner_address(self) -> str:
        """Give the address inside to which the request leads; "" where none does."""
        if self.target is None:
            return ""
        if self.target.place_of(self.address):
            return self.address
        if self.target.mode == "host":
            return self.address
        reachable = [each for each in self.target.places if not each.is_internal]
        return reachable[0].address if reachable else ""

    @property
    def shared(self) -> tuple[Place, ...]:
        """Give the target's places in networks of the asker."""
        if self.target is None or self.asker is None:
            return ()
        mine = {each.network for each in self.asker.places}
        return tuple(each for each in self.target.places if each.network in mine)

    @property
    def waiting(self) -> tuple[Listening, ...]:
        """Give who listens inside on the port and in the protocol of the request."""
        return tuple(
            each for each in (self.target.listening if self.target else ())
            if (each.port, each.protocol) == (self.container_port, self.asked.protocol)
        )  # fmt: skip

    @property
    def dropped_by(self) -> Passage | None:
        """Give the rule, or the end of the chain, that let the packet go no further."""
        met = self.attempted.passages if self.attempted else ()
        return next((each for each in met if each.verdict in ("drop", "reject")), None)

    @property
    def other_holder(self) -> Listening | None:
        """Give the program on the host that has the port, and is not the engine's."""
        return next((
            each for each in self.host.listening
            if (each.port, each.protocol) == (self.asked.port, self.asked.protocol)
            and each.pid not in self.host.engine_pids and each.takes(self.address)
        ), None)  # fmt: skip

    @property
    def arrived(self) -> bool:
        """Whether the request was taken, or went out by udp with no complaint."""
        if self.attempted is None:
            return False
        return self.attempted.was_taken or self.attempted.outcome == "silent"
