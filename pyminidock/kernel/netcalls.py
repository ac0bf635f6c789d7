"""The verbs of a plan that are about networks: bridges, cables, and where they end.

    engine   MakeSandbox · Plug · … · ForkShim        before anybody is born
    child    JoinSandbox                              in the place of EnterNamespace

A *sandbox* is a network namespace that was made before there is anyone to live in it.  It
bears the id of its container, is held by a descriptor as long as the plan is performed, and
lives on only in the processes that joined it: nothing is mounted, so nothing is left.

Addresses are written with their prefix ("172.17.0.2/16"), gateways without; "" is none.
Names of devices have at most 15 bytes.  Source: man 7 rtnetlink, network_namespaces; man 4
veth; man 8 bridge.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MakeBridge:
    """Make the switch `name` on the host, with the engine's own addresses, and raise it.

    The host forwards from now on, and answers on this bridge for its own loopback; without
    `is_ipv6` the bridge speaks no IPv6.  `mac` "": the kernel's choice; `mtu` 0: likewise.
    Refused (EEXIST) where the name is taken.  Undone by RemoveLink.
    """

    name: str
    mac: str
    addresses: tuple[str, ...]
    mtu: int
    is_ipv6: bool


@dataclass(frozen=True, slots=True)
class RemoveLink:
    """Remove the host's device `name`; one that is gone already is as good as removed."""

    name: str


@dataclass(frozen=True, slots=True)
class MakeSandbox:
    """Make the network namespace of the container `sandbox`, with lo up and no IPv6 beyond.

    Held until the plan is over, so it lives on with whoever joined it, or with nobody.
    """

    sandbox: str


@dataclass(frozen=True, slots=True)
class FindSandbox:
    """Take hold of the namespace in which process `pid` lives, as `sandbox`.

    For a container that runs: to connect it, to disconnect it.  `start_time` as for
    JoinNamespace.  Held until the plan is over.
    """

    sandbox: str
    pid: int
    start_time: int


@dataclass(frozen=True, slots=True)
class Plug:
    """Lay a cable from `bridge` on the host into a sandbox.

    Its end `host_link` is a port of the bridge, its end `inside` has `mac`, `addresses`
    and the ways out `gateway` and `gateway6`.  IPv6 is on inside if there is an address of
    it.  `is_hairpin`: what comes from the port may go back to it; `is_isolated`: it may not
    go to other isolated ports.  Undone by removing the cable.
    """

    sandbox: str
    bridge: str
    host_link: str
    inside: str
    mac: str
    addresses: tuple[str, ...]
    gateway: str
    gateway6: str
    mtu: int
    is_hairpin: bool = False
    is_isolated: bool = False


@dataclass(frozen=True, slots=True)
class Unplug:
    """Take the cable between `inside` and `host_link` away; one that is gone is fine."""

    sandbox: str
    inside: str
    host_link: str


@dataclass(frozen=True, slots=True)
class Route:
    """Choose the ways out of a sandbox; "" takes that of this family away."""

    sandbox: str
    gateway: str
    gateway6: str


@dataclass(frozen=True, slots=True)
class OpenNames:
    """Open the place in a sandbox where questions for names arrive: 127.0.0.11, port 53.

    They are kept until somebody answers (`serve_names` of the port).  An earlier place of
    the same sandbox is given up.  Undone by `leave_names`.
    Source: man 2 setns, man 8 nft (dnat).
    """

    sandbox: str


@dataclass(frozen=True, slots=True)
class JoinSandbox:
    """Enter a sandbox of this plan, whose handle came with the order (5).

    Source: man 2 setns.
    """

    sandbox: str


NetCall = (
    MakeBridge | RemoveLink | MakeSandbox | FindSandbox | Plug | Unplug | Route
    | OpenNames | JoinSandbox
)  # fmt: skip
