"""What happened to the network: one event for each answered call about bridges and cables.

A sandbox is a network namespace that is made before its container; it is named by the
container's id.  Source: `kernel.netcalls`, where the verbs are.
"""

from dataclasses import dataclass

from pyminidock.events.kernel import Effect


@dataclass(frozen=True, slots=True)
class BridgeMade(Effect):
    """A switch made of software exists on the host, and is up."""

    name: str
    mac: str
    addresses: tuple[str, ...]  # the host's own in this network, with their prefix
    mtu: int
    is_ipv6: bool


@dataclass(frozen=True, slots=True)
class InterfaceRemoved(Effect):
    """A network device of the host is gone, and with it everything that hung on it."""

    name: str


@dataclass(frozen=True, slots=True)
class SandboxMade(Effect):
    """A network namespace waits for its container: lo is up, and nothing else is there."""

    sandbox: str


@dataclass(frozen=True, slots=True)
class SandboxFound(Effect):
    """The engine took hold of the network namespace of a process that runs."""

    sandbox: str
    pid: int


@dataclass(frozen=True, slots=True)
class SandboxJoined(Effect):
    """The process left the host's network for the namespace that was wired up for it."""

    sandbox: str


@dataclass(frozen=True, slots=True)
class EndpointPlugged(Effect):
    """A cable leads from a bridge into the sandbox; its end inside has its addresses."""

    sandbox: str
    bridge: str
    host_link: str
    inside: str
    mac: str
    addresses: tuple[str, ...]
    gateway: str  # "": no way out
    gateway6: str
    mtu: int
    is_hairpin: bool = False
    is_isolated: bool = False


@dataclass(frozen=True, slots=True)
class EndpointUnplugged(Effect):
    """A cable was taken out of the sandbox; both of its ends are gone."""

    sandbox: str
    inside: str
    host_link: str


@dataclass(frozen=True, slots=True)
class GatewayChosen(Effect):
    """The sandbox sends everything that is not for its own networks this way."""

    sandbox: str
    gateway: str  # "": no way out
    gateway6: str


@dataclass(frozen=True, slots=True)
class NamesOpened(Effect):
    """Questions for names that are asked in the sandbox arrive at the engine."""

    sandbox: str
