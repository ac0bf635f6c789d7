"""The verbs about ports of the host: taking one for a container, and giving it back."""

from dataclasses import dataclass

from pyminidock.kernel.rules import RuleCall


@dataclass(frozen=True, slots=True)
class BindPort:
    """Take `port` of the host's `address` for a container, which listens at `to_address`.

    A socket is bound and held, so that nobody else can have it: EADDRINUSE where somebody
    does, EADDRNOTAVAIL where the address is not this host's.  What reaches the socket,
    because no rule sent it on before, is relayed.  sctp is not held: rules alone serve it.
    Undone by ReleasePort.  Source: man 2 bind.
    """

    protocol: str
    address: str
    port: int
    to_address: str
    to_port: int


@dataclass(frozen=True, slots=True)
class ReleasePort:
    """Give a port of the host back; one that is not held is no error."""

    protocol: str
    address: str
    port: int


SiftCall = RuleCall | BindPort | ReleasePort
