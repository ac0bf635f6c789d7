"""What a story laid between bridges and containers: cables, names, ports.

Plain values; how each effect on the network changes them is told in `wiring`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bridge:
    """A switch of the host."""

    addresses: tuple[str, ...]
    order: int


@dataclass(frozen=True, slots=True)
class Cable:
    """A pair of devices: `host_link` hangs on `bridge`, `inside` is in the container."""

    sandbox: str
    bridge: str
    host_link: str
    inside: str
    mac: str
    addresses: tuple[str, ...]
    order: int


@dataclass(frozen=True, slots=True)
class Bound:
    """A port of the host that belongs to the container with this address."""

    protocol: str
    address: str
    port: int
    to_address: str
    to_port: int
    order: int


@dataclass(frozen=True, slots=True)
class Place:
    """The network in which a container has the device `inside`, by the name of both."""

    network: str
    order: int


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of a request that is followed; at its end it arrived, or it died."""

    place: str
    said: str
    order: int
    is_dead: bool = False


@dataclass(frozen=True, slots=True)
class Wires:
    """Everything that hangs together now, as far as this story tells."""

    bridges: Mapping[str, Bridge] = field(default_factory=dict)
    cables: Mapping[str, Cable] = field(default_factory=dict)
    ports: Mapping[str, Bound] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    walk: tuple[Stop, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the story has laid nothing."""
        return not (self.bridges or self.cables or self.ports or self.walk)
