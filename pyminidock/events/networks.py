"""What became of networks, and who is in them.

A network is made and removed; containers become members and leave; and while a member
runs, an endpoint stands for its place: addresses, a cable, names.
"""

from dataclasses import dataclass

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class NetworkCreated(Event):
    """There is one more network; its bridge is made when somebody needs it."""

    network: str
    name: str
    driver: str
    subnets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetworkRemoved(Event):
    """A network is gone, and nobody was in it."""

    network: str
    name: str
    driver: str


@dataclass(frozen=True, slots=True)
class NetworkJoined(Event):
    """A container that rests became a member; it is plugged in when it starts."""

    network: str
    name: str
    driver: str
    container: str


@dataclass(frozen=True, slots=True)
class NetworkLeft(Event):
    """Somebody took a container out of a network."""

    network: str
    name: str
    driver: str
    container: str


@dataclass(frozen=True, slots=True)
class EndpointMade(Event):
    """A container that runs has its place in a network: who calls `address` reaches it."""

    network: str
    name: str
    driver: str
    container: str
    endpoint: str
    address: str  # with its prefix; "": a network without addresses
    mac: str
    gateway: str
    inside: str  # the interface in the container


@dataclass(frozen=True, slots=True)
class EndpointReleased(Event):
    """The place is given back: its address may be somebody else's from now on."""

    network: str
    name: str
    driver: str
    container: str
    endpoint: str
    address: str


@dataclass(frozen=True, slots=True)
class NetworksPruned(Event):
    """All networks that nobody was in are gone, as far as they were meant."""

    networks: tuple[str, ...]
