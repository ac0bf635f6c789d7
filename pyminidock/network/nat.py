"""The rules between containers, host and world: made once, and filled with elements.

What a packet meets, in this order; everything not said here may pass:

    from a port of a bridge     guard      its MAC and address are those it was given
    from anywhere               arrivals   no host loopback for containers, no false sources
                                prerouting published ports lead to containers (DNAT)
    through the host            forward    isolation, internal networks, published only
    away from here              postrouting    what leaves comes from the host (masquerade)
    from the host itself        output     published ports, also by way of localhost

For each network its bridge is put into sets, for each endpoint its addresses, for each
published port one way of a map.  No rule ever changes.

Source: docs/decisions/0023-rules-stay-elements-move.md; moby, libnetwork/drivers/bridge.
"""

from dataclasses import dataclass

from pyminidock.kernel.rules import (
    Chain,
    Count,
    Decide,
    Element,
    In,
    Is,
    Masquerade,
    Rule,
    SendTo,
    Set,
    Statement,
    Table,
)

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  (an address that stands for all of the host's)
FAMILIES = ("inet", "bridge")
# A little before everybody else's, so that the answer to "who decided?" is ours first; the
# guard comes before a bridge looks at a frame, arrivals before connections are tracked.
_EARLY, _DNAT, _FILTER, _SNAT, _GUARD = -305, -105, -5, 95, -305


@dataclass(frozen=True, slots=True)
class BridgeRules:
    """What the rules have to know of a network."""

    bridge: str
    is_masqueraded: bool = True
    is_internal: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the rules have to know of an endpoint; addresses without prefix, "" is none."""

    bridge: str
    host_link: str
    mac: str
    address: str
    address6: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """One port of the host that leads to one of a container."""

    protocol: str
    address: str  # of the host
    port: int
    to_address: str
    to_port: int


def table_name(h6: str) -> str:
    """Name the tables of the engine whose root directory has this hash.

    >>> table_name("0a1b2c")
    'minidock_0a1b2c'
    """
    return f"minidock_{h6}"


def tables(name: str, cables: str) -> tuple[Table, ...]:
    """Give both tables, without any element; names of the host's cable ends begin so."""
    guard = Chain("guard", "filter", "prerouting", _GUARD, (
        _rule("not a cable of ours", Is("iifname", f"{cables}*", is_not=True), _ACCEPT),
        *_GUARDED,
    ))  # fmt: skip
    return Table("inet", name, _SETS, _CHAINS), Table("bridge", name, _PORTS, (guard,))


# ── Elements ──────────────────────────────────────────────────────────────────────────────


def of_bridge(network: BridgeRules) -> tuple[Element, ...]:
    """Give the elements of a network.

    >>> [str(each) for each in of_bridge(BridgeRules("br0", is_internal=True))]
    ['br0', 'br0 . br0', 'br0']
    """
    bridge = network.bridge
    found = [Element("bridges", (bridge,)), Element("same", (bridge, bridge))]
    if network.is_internal:
        found.append(Element("internal", (bridge,)))
    elif network.is_masqueraded:
        found.append(Element("masqueraded", (bridge,)))
    return tuple(found)


def of_endpoint(endpoint: Admitted) -> tuple[Element, ...]:
    """Give the elements of an endpoint; a cable without them may not say a word."""
    link, mac = endpoint.host_link, endpoint.mac
    found: list[Element] = []
    for address, six in ((endpoint.address, ""), (endpoint.address6, "6")):
        if address:
            found.append(Element(f"endpoints{six}", (endpoint.bridge, address)))
            found.append(Element(f"endpoints{six}", (link, mac, address), (), "bridge"))
    return tuple(found)


def of_port(port: Published) -> tuple[Element, ...]:
    """Give the elements of a published port; IPv6 of the host is the relay's business.

    >>> print(*of_port(Published("tcp", "127.0.0.1", 8080, "172.17.0.2", 80)))
    127.0.0.1 . tcp . 8080 : 172.17.0.2 . 80
    """
    if ":" in port.address or ":" in port.to_address:
        return ()
    way = (port.to_address, str(port.to_port))
    if port.address in EVERYWHERE:
        return (Element("everywhere", (port.protocol, str(port.port)), way),)
    key = (port.address, port.protocol, str(port.port))
    return (Element("published", key, way),)


# ── Rules ─────────────────────────────────────────────────────────────────────────────────

_WAY = ("ipv4_addr", "inet_service")
_SETS = (
    Set("bridges", ("ifname",)),
    Set("same", ("ifname", "ifname")),
    Set("masqueraded", ("ifname",)),
    Set("internal", ("ifname",)),
    Set("endpoints", ("ifname", "ipv4_addr")),
    Set("endpoints6", ("ifname", "ipv6_addr")),
    Set("published", ("ipv4_addr", "inet_proto", "inet_service"), _WAY, counts=True),
    Set("everywhere", ("inet_proto", "inet_service"), _WAY, counts=True),
)
_PORTS = (
    Set("endpoints", ("ifname", "ether_addr", "ipv4_addr")),
    Set("endpoints6", ("ifname", "ether_addr", "ipv6_addr")),
)
_ACCEPT, _DROP = Decide("accept"), Decide("drop")
_OURS, _TO_OURS = In(("iifname",), "bridges"), In(("oifname",), "bridges")
_SAME = In(("iifname", "oifname"), "same")
# Where br_netfilter is loaded, a bridge shows its frames to these hooks, too, and does not
# say to the last of them where they came from: so their source has to tell.
_AT_HOME = In(("oifname", "ip saddr"), "endpoints")
_LOOPBACK = "127.0.0.0/8"
_PLACE = ("ip daddr", "meta l4proto", "th dport")


def _rule(comment: str, *statements: Statement) -> Rule:
    return Rule(comment, statements)


_ARRIVALS = Chain("arrivals", "filter", "prerouting", _EARLY, (
    _rule("the host's loopback is not for containers",
          _OURS, Is("ip daddr", _LOOPBACK), Count(), _DROP),
    _rule("no other source than an endpoint's",
          _OURS, In(("iifname", "ip saddr"), "endpoints", is_not=True), Count(), _DROP),
    _rule("neighbours ask from link-local addresses",
          _OURS, Is("ip6 saddr", "fe80::/10"), _ACCEPT),
    _rule("or from none", _OURS, Is("ip6 saddr", "::"), _ACCEPT),
    _rule("no other source of version 6 either",
          _OURS, In(("iifname", "ip6 saddr"), "endpoints6", is_not=True), Count(), _DROP),
    _rule("ports of localhost are not for other hosts",
          Is("iifname", "lo", is_not=True), Is("ip daddr", _LOOPBACK),
          In(_PLACE, "published"), Count(), _DROP),
))  # fmt: skip

_SENDING = (
    _rule("a published port of one address", SendTo(_PLACE, "published")),
    _rule("a published port of every address", Is("fib daddr type", "local"),
          SendTo(_PLACE[1:], "everywhere")),
)  # fmt: skip
_PREROUTING = Chain("prerouting", "nat", "prerouting", _DNAT, _SENDING)
_OUTPUT = Chain("output", "nat", "output", _DNAT, _SENDING)

_FORWARD = Chain("forward", "filter", "forward", _FILTER, (
    _rule("what was let through goes on", Is("ct state", "established,related"), _ACCEPT),
    _rule("neighbours", _SAME, _ACCEPT),
    _rule("an internal network has no way out",
          In(("iifname",), "internal"), Count(), _DROP),
    _rule("and no way in", In(("oifname",), "internal"), Count(), _DROP),
    _rule("published", _TO_OURS, Is("ct status", "dnat"), Count(), _ACCEPT),
    _rule("networks are isolated from each other", _OURS, _TO_OURS, Count(), _DROP),
    _rule("not published", _TO_OURS, Count(), _DROP),
    _rule("out into the world", _OURS, Count(), _ACCEPT),
))  # fmt: skip

_POSTROUTING = Chain("postrouting", "nat", "postrouting", _SNAT, (
    _rule("localhost means the bridge, seen from inside",
          _TO_OURS, Is("ip saddr", _LOOPBACK), Count(), Masquerade()),
    _rule("back into its own network by way of the host",
          _AT_HOME, Is("ct status", "dnat"), Count(), Masquerade()),
    _rule("neighbours stay who they are", _AT_HOME, _ACCEPT),
    _rule("what leaves comes from the host",
          In(("iifname",), "masqueraded"), Count(), Masquerade()),
))  # fmt: skip

_CHAINS = (_ARRIVALS, _PREROUTING, _OUTPUT, _FORWARD, _POSTROUTING)

# Also for a cable that outlives its container: a program of the host may still hold the
# namespace, in which the same address answers as in that of the next container.
_GUARDED = (
    _rule("its own address",
          In(("iifname", "ether saddr", "ip saddr"), "endpoints"), _ACCEPT),
    _rule("asks who has an address, as itself",
          In(("iifname", "ether saddr", "arp saddr ip"), "endpoints"), _ACCEPT),
    _rule("its own address of version 6",
          In(("iifname", "ether saddr", "ip6 saddr"), "endpoints6"), _ACCEPT),
    _rule("neighbours ask from link-local addresses",
          Is("ip6 saddr", "fe80::/10"), _ACCEPT),
    _rule("or from none", Is("ip6 saddr", "::"), _ACCEPT),
    _rule("somebody else's", Count(), _DROP),
)  # fmt: skip
