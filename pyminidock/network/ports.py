"""Which ports of the host a container asked for, and how that is told.

    -p 8080:80             one port of the host
    -p 8000-8010:80        the first of these that is free
    -p 80, -p 127.0.0.1::80, -P     any one that is free, counted upward from 32768
    EXPOSE 80              nothing but a word about the image

Docker binds larger ports first; so -P gives the smallest number to the largest port.

Source: docker/go-connections, nat/sort.go; moby, libnetwork/portallocator; measured with
Docker Engine 26.1.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyminidock.grammar.ports import sorted_ports
from pyminidock.network.nat import EVERYWHERE, Published

ANY = (32768, 60999)  # Linux's own choice for ports that nobody named
LOCAL = "127.0.0.1"
Hosts = tuple[tuple[str, str], ...]  # address and port of the host, as they were asked for
Rows = dict[str, list[dict[str, str]] | None]


@dataclass(frozen=True, slots=True)
class Wish:
    """One port of the host that is wanted: any one from `first` to `last`."""

    protocol: str
    inside: int
    address: str  # "" is wherever the network publishes
    first: int
    last: int

    @property
    def is_open(self) -> bool:
        """Whether there is a choice: then a port that is taken is no refusal yet."""
        return self.first != self.last

    @property
    def is_any(self) -> bool:
        """Whether no port was named at all."""
        return (self.first, self.last) == ANY


def wishes(
    published: Mapping[str, Hosts | None], exposed: Sequence[str], *, publishes_all: bool
) -> tuple[Wish, ...]:
    """Say what is wanted, in the order in which it is bound.

    >>> asked = {"80/tcp": (("", "8080"),)}
    >>> [each.first for each in wishes(asked, (), publishes_all=False)]
    [8080]
    """
    asked = {port: hosts or () for port, hosts in published.items()}
    for port in exposed if publishes_all else ():
        asked[port] = asked.get(port) or (("", ""),)
    found = [
        wish
        for port, hosts in asked.items()
        for each in single(port)
        for wish in (_wish(each, address, number) for address, number in hosts)
    ]
    order = {"tcp": 0}
    return tuple(sorted(found, key=lambda each: (
        0 if each.is_any else -each.first, -each.inside, order.get(each.protocol, 1),
    )))  # fmt: skip


def single(port: str) -> list[str]:
    """Take a range of ports apart.

    >>> single("80-81/udp")
    ['80/udp', '81/udp']
    """
    numbers, _, protocol = port.partition("/")
    first, _, last = numbers.partition("-")
    return [f"{n}/{protocol or 'tcp'}" for n in range(int(first), int(last or first) + 1)]


def _wish(port: str, address: str, host: str) -> Wish:
    number, _, protocol = port.partition("/")
    first, _, last = host.partition("-")
    if not int(first or 0):
        return Wish(protocol, int(number), address, *ANY)
    return Wish(protocol, int(number), address, int(first), int(last or first))


def addresses(asked: str, publish_on: str) -> tuple[str, ...]:
    """Say at which addresses of the host a port is bound; `publish_on` where none is said.

    >>> addresses("", "0.0.0.0"), addresses("", "127.0.0.1"), addresses("::1", "0.0.0.0")
    (('0.0.0.0', '::'), ('127.0.0.1',), ('::1',))
    """
    if asked:
        return (asked,)
    return EVERYWHERE if publish_on == EVERYWHERE[0] else (publish_on or LOCAL,)


# ── As it is told ─────────────────────────────────────────────────────────────────────────


def port_map(published: Iterable[Published], exposed: Iterable[str]) -> Rows:
    """Tell the ports in the shape of an inspect; null: offered, and not published.

    Of one port those come first that were bound first.

    >>> port_map((Published("tcp", "127.0.0.1", 8080, "172.17.0.2", 80),), ("443/tcp",))
    {'443/tcp': None, '80/tcp': [{'HostIp': '127.0.0.1', 'HostPort': '8080'}]}
    """
    rows: Rows = {each: None for port in exposed for each in single(port)}
    for one in published:
        port = f"{one.to_port}/{one.protocol}"
        known = rows.get(port) or []
        rows[port] = [*known, {"HostIp": one.address, "HostPort": str(one.port)}]
    return dict(sorted(rows.items()))


def rows(published: Iterable[Published], exposed: Iterable[str]) -> list[dict[str, Any]]:
    """Tell the ports in the shape of a list of containers."""
    told: list[dict[str, Any]] = []
    by_port = port_map(published, exposed)
    for port in sorted_ports(list(by_port)):
        number, _, protocol = port.partition("/")
        hosts = by_port[port]
        if hosts is None:
            told.append({"PrivatePort": int(number), "Type": protocol})
        for each in hosts or ():
            told.append({
                "IP": each["HostIp"], "PrivatePort": int(number),
                "PublicPort": int(each["HostPort"]), "Type": protocol,
            })  # fmt: skip
    return told
