"""The book of networks: which there are, who is in them now, and which bridges exist.

    networks    rows of the store, by id                   survive everything
    endpoints   of containers that run, by network         survive in their records
    bridges     devices on the host                        made for the first user

Addresses are given out and taken back here, under one lock, so no two containers get one.
A network in which somebody has an endpoint cannot be removed, from the moment in which the
address is given out.

Source: moby, libnetwork/controller.go; daemon/network.go.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from threading import RLock

from pyminidock.container.spec import from_json, to_json
from pyminidock.errors import MinidockError
from pyminidock.network import ipam
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.objects import (
    BRIDGE,
    BRIDGE_NAME,
    DEFAULT_BRIDGE,
    HOST,
    HOST_BINDING,
    ICC,
    MASQUERADE,
    MTU,
    NONE,
    Net,
    Network,
    Pool,
)
from pyminidock.network.plan import bridge_name, mark_of
from pyminidock.network.wish import check_options
from pyminidock.store.networks import NetworkRow, NetworkRows, name_taken

Foreign = Callable[[], Iterable[Net]]
"""Gives the destinations that the host knows ways to, besides our own bridges."""


class NoSuchNetwork(MinidockError):
    """There is no network of this name or id."""

    status = 404


class NetworkAmbiguous(MinidockError):
    """The beginning of an id is that of several networks."""

    status = 400


class NetworkInUse(MinidockError):
    """Somebody runs in the network."""

    status = 403


class NetworkBook:
    """The networks of one engine.  Any thread may ask."""

    def __init__(
        self, rows: NetworkRows, root: str, *, new_id: Callable[[], str],
        wall: Callable[[], float], publish_on: str = "127.0.0.1",
    ) -> None:  # fmt: skip
        self._rows, self.mark = rows, mark_of(root)
        self._new_id, self._wall, self._publish_on = new_id, wall, publish_on
        self._networks: dict[str, Network] = {}
        self._live: dict[str, dict[str, Endpoint]] = {}  # network to container to endpoint
        self._last_pool = ""
        self._lock = RLock()  # guards all above
        self.bridges: set[str] = set()  # of ours, that are known to be there
        self.listen: Callable[[], Callable[[], None]] = lambda: lambda: None
        self.hears_no_more: Callable[[], None] | None = None  # nobody listens yet
        self.wiring = RLock()  # held while a bridge is made or removed

    # ── Which there are ───────────────────────────────────────────────────────────────────

    def load(self, foreign: Foreign) -> None:
        """Read the rows; make the three that are always there, if they are missing."""
        with self._lock:
            for row in self._rows.all():
                self._networks[row.id] = from_json(Network, dict(row.content))
            known = {each.name for each in self._networks.values()}
            for made in (self._default(), self._plain(HOST, "host"),
                         self._plain(NONE, "null")):  # fmt: skip
                if made.name not in known:
                    self._keep(made)
        self.settle(foreign)

    def settle(self, foreign: Foreign) -> None:
        """Give the default network other addresses if the host has got a way to its own.

        Not while its bridge is there, or somebody in it: another engine has come meanwhile.
        """
        ways = tuple(foreign())
        with self._lock:
            self._settle(ways)

    def _settle(self, ways: tuple[Net, ...]) -> None:
        found = next(n for n in self._networks.values() if n.name == BRIDGE)
        if found.bridge in self.bridges or self._live.get(found.id):
            return
        if found.pools and not any(ipam.overlap(found.pools[0].net, w) for w in ways):
            return
        others = [p.net for n in self._networks.values() for p in n.pools if n != found]
        with suppress(ipam.PoolsExhausted):  # a start in it will say so
            pool = ipam.next_pool(others, ways)
            moved = replace(found, pools=(pool,), asked=(pool,))
            self._rows.change(_row(moved))
            self._networks[found.id] = moved

    def _plain(self, name: str, driver: str) -> Network:
        return Network(
            self._new_id(), name, driver, self._wall(), ipam_options=None
        )  # fmt: skip

    def _default(self) -> Network:
        made = Network(self._new_id(), BRIDGE, created=self._wall(), ipam_options=None)
        bridge = bridge_name(self.mark, made)
        options = {
            DEFAULT_BRIDGE: "true", ICC: "true", MASQUERADE: "true",
            HOST_BINDING: self._publish_on, BRIDGE_NAME: bridge, MTU: "1500",
        }  # fmt: skip
        return replace(made, bridge=bridge, options=tuple(options.items()))

    def _keep(self, network: Network) -> None:
        self._rows.add(_row(network))
        self._networks[network.id] = network

    def all(self) -> tuple[Network, ...]:
        """Give every network, by name."""
        with self._lock:
            return tuple(sorted(self._networks.values(), key=lambda each: each.name))

    def by_id(self) -> Mapping[str, Network]:
        """Give every network by its id."""
        with self._lock:
            return dict(self._networks)

    def get(self, network: str) -> Network | None:
        """Give a network by its whole id."""
        with self._lock:
            return self._networks.get(network)

    def find(self, reference: str) -> Network:
        """Find a network by its name, its id or the beginning of it.

        Raises NoSuchNetwork, NetworkAmbiguous.  Source: moby, daemon/network.go,
        FindNetwork(): an id, then a name, then the beginning of an id.
        """
        with self._lock:
            if reference in self._networks:
                return self._networks[reference]
            named = [n for n in self._networks.values() if n.name == reference]
            begun = [n for n in self._networks.values() if n.id.startswith(reference)]
        if named:
            return named[0]
        if not reference or not begun:
            raise no_such_network(reference)
        if len(begun) > 1:
            raise NetworkAmbiguous(
                f"network {reference} is ambiguous ({len(begun)} matches found based on ID"
                " prefix)",
                why="several networks have an id that begins so",
                try_next="minidock network ls --no-trunc",
                lesson="networks",
            )
        return begun[0]

    # ── Making and removing ───────────────────────────────────────────────────────────────

    def add(self, network: Network, foreign: Foreign) -> Network:
        """Take in a new network; give it a pool where it has none, and a bridge.

        Raises NetworkTaken, PoolTaken, PoolsExhausted, AddressTaken, StoreFull.
        """
        with self._lock:
            others = tuple(self._networks.values())
            if any(each.name == network.name for each in others):
                raise name_taken(network.name)
            if network.is_wired:
                network = self._wired(network, others, foreign)
            self._keep(network)
            return network

    def _wired(
        self, network: Network, others: tuple[Network, ...], foreign: Foreign
    ) -> Network:
        pools = []
        for pool in network.asked:
            if pool.version == 6 and not network.is_ipv6:
                continue
            ipam.check_pool(pool, others)
            pools.append(ipam.complete(pool))
        if not any(pool.version == 4 for pool in pools):
            taken = [pool.net for each in others for pool in each.pools]
            chosen = ipam.next_pool(taken, foreign(), self._last_pool)
            self._last_pool = chosen.subnet
            pools.append(chosen)
        if network.is_ipv6 and not any(pool.version == 6 for pool in pools):
            raise ipam.no_ipv6()
        check_options(network.options)
        bridges = {each.bridge: each for each in others if each.bridge}
        name = bridge_name(self.mark, network, bridges.keys())
        if other := bridges.get(name):
            raise NetworkInUse(
                f"cannot create network {network.id} ({name}): conflicts with network"
                f" {other.id} ({name}): networks have same bridge name",
                why=f"network {other.name} has this bridge",
                try_next="minidock network create NAME",
                lesson="networks",
            )
        return replace(network, pools=tuple(pools), bridge=name)

    def remove(self, network: Network) -> None:
        """Forget a network in which nobody runs.  Raises NetworkInUse, StoreFull."""
        with self._lock:
            if self._live.get(network.id):
                raise NetworkInUse(
                    f"error while removing network: network {network.name} id {network.id}"
                    " has active endpoints",
                    why="containers run in it: " + ", ".join(
                        container[:12] for container in self._live[network.id]
                    ),
                    try_next=f"minidock network disconnect {network.name} CONTAINER",
                    lesson="networks",
                )  # fmt: skip
            self._rows.remove(network.id)
            self._networks.pop(network.id, None)
            self._live.pop(network.id, None)

    # ── Who is in them ────────────────────────────────────────────────────────────────────

    def allot(self, container: str, wish: Endpoint, new_id: str) -> Endpoint:
        """Give a container its addresses in a network; all but the name of its interface.

        Raises NoSuchNetwork, AddressTaken, AddressesExhausted.
        """
        with self._lock:
            network = self._networks.get(wish.network_id)
            if network is None:
                raise no_such_network(wish.network_id or wish.network)
            if network.is_wired and not network.pools:
                raise ipam.no_pool()
            made = replace(wish, id=new_id)
            for pool in network.pools:
                is_four = pool.version == 4
                wanted = wish.wants if is_four else wish.wants6
                used = self._used(network, is_four=is_four)
                address = ipam.allot(network, pool, used, wanted)
                made = _addressed(made, network, pool, address)
            self._live.setdefault(network.id, {})[container] = made
            return made

    def _used(self, network: Network, *, is_four: bool) -> set[str]:
        live = self._live.get(network.id, {}).values()
        return {each.address if is_four else each.address6 for each in live}

    def occupy(self, container: str, endpoint: Endpoint) -> None:
        """Note the endpoint of a container, as it is now."""
        with self._lock:
            self._live.setdefault(endpoint.network_id, {})[container] = endpoint

    def release(self, container: str, network: str) -> Endpoint | None:
        """Take back what a container had in a network; None if that was nothing."""
        with self._lock:
            return self._live.get(network, {}).pop(container, None)

    def live(self, network: str) -> Mapping[str, Endpoint]:
        """Give the endpoints in a network, by container."""
        with self._lock:
            return dict(self._live.get(network, {}))

    def devices(self) -> Mapping[str, set[str]]:
        """Name the host's devices that containers hang on, and those containers."""
        found: dict[str, set[str]] = {}
        with self._lock:
            for network, rows in self._live.items():
                bridge = self._networks[network].bridge if rows else ""
                for container, each in rows.items():
                    for name in filter(None, (bridge, each.host_link)):
                        found.setdefault(name, set()).add(container)
        return found

    def of_container(self, container: str) -> tuple[Endpoint, ...]:
        """Give the endpoints that a container has now."""
        with self._lock:
            return tuple(
                rows[container] for rows in self._live.values() if container in rows
            )


def _addressed(endpoint: Endpoint, network: Network, pool: Pool, address: str) -> Endpoint:
    gateway = "" if network.is_internal else pool.gateway
    if pool.version == 4:
        return replace(endpoint, address=address, prefix=pool.prefix, gateway=gateway)
    return replace(endpoint, address6=address, prefix6=pool.prefix, gateway6=gateway)


def _row(network: Network) -> NetworkRow:
    return NetworkRow(network.id, network.name, to_json(network))


def no_such_network(reference: str) -> NoSuchNetwork:
    """Make the refusal for a name or id that leads nowhere."""
    return NoSuchNetwork(
        f"network {reference[:200]} not found",
        why="neither a name nor the beginning of exactly one id reads so",
        try_next="minidock network ls",
        lesson="networks",
    )


def ways_of(destinations: Iterable[str]) -> tuple[Net, ...]:
    """Read destinations of routes; that of everything is nobody's pool."""
    nets = (ipaddress.ip_network(each, strict=False) for each in destinations if each)
    return tuple(net for net in nets if net.prefixlen)
