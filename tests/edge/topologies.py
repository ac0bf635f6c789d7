"""Topologies around one request: each cause planted for real, and its healthy twin.

Every builder makes the same thing twice: broken in exactly one way, or whole.  What it
gives is the request to trace.  The engine lives in a network namespace of its own, with
an address in a LAN where nobody else is.
"""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.edge.daemons import Daemon, daemon
from tests.reference import wait_until

LAN = "10.77.0.5"
_HOST = (
    "ip link set lo up; ip link add lan0 type veth peer name lan1; ip link set lan1 up; "
    f"ip addr add {LAN}/24 dev lan0; ip link set lan0 up; "
    'ip route add default via 10.77.0.1; exec "$@"'
)
_TAKER = (
    "import socket, sys\n"
    "kind, port = sys.argv[1:]\n"
    "is_stream = kind == 'tcp'\n"
    "line = socket.socket(type=socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM)\n"
    "line.bind(('0.0.0.0', int(port)))\n"
    "is_stream and line.listen()\n"
    "print(flush=True); sys.stdin.read()"
)
Document = dict[str, Any]


@dataclass
class Lab:
    """An engine, and what was made in it for one topology."""

    daemon: Daemon
    rng: random.Random
    _others: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _tables: list[str] = field(default_factory=list)
    _networks: list[str] = field(default_factory=list)
    _number: int = 0

    def name(self, kind: str) -> str:
        """Give a name that nothing has yet."""
        self._number += 1
        return f"{kind}{self._number}"

    def port(self) -> int:
        """Give any port."""
        return self.rng.randrange(1024, 32000)

    def network(self, **body: Any) -> str:
        """Make a network."""
        name = self.name("net")
        status, told = self.daemon.ask("POST", "/networks/create", {"Name": name, **body})
        assert status == 201, told
        self._networks.append(name)
        return name

    def run(
        self, *command: str, network: str = "bridge", ports: Document | None = None,
        exposes: str = "", may_fail: bool = False, awaits: int = 0,
    ) -> str:  # fmt: skip
        """Start a container, and wait until its socket waits."""
        name = self.name("c")
        exposed: Document = {
            port: {} for port in (*(ports or {}), *filter(None, (exposes,)))
        }
        body = {
            "Image": "busybox", "Cmd": list(command), "ExposedPorts": exposed,
            "HostConfig": {"NetworkMode": network, "PortBindings": ports or {}},
        }  # fmt: skip
        status, told = self.daemon.ask("POST", f"/containers/create?name={name}", body)
        assert status == 201, told
        status, told = self.daemon.ask("POST", f"/containers/{name}/start")
        assert may_fail or status == 204, told
        if awaits:
            wait_until(lambda: self._waits(name, awaits), 20.0, f"{name} to wait")
        return name

    def _pid(self, name: str) -> int:
        _, told = self.daemon.ask("GET", f"/containers/{name}/json")
        return int(told["State"]["Pid"])

    def _waits(self, name: str, port: int) -> bool:
        """Say whether a socket waits in a container, as its own /proc tells."""
        rows = []
        for file in ("tcp", "tcp6"):
            with open(f"/proc/{self._pid(name)}/net/{file}") as lines:  # noqa: PTH123
                rows += [line.split() for line in list(lines)[1:]]
        return any(
            row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port for row in rows
        )

    def serve(
        self, port: int, address: str = "", protocol: str = "tcp", **more: Any
    ) -> str:
        """Start a server; BusyBox has none for udp, so that one is lent to a container."""
        if protocol == "tcp":
            where = f"{address}:{port}" if address else str(port)
            command = ("httpd", "-f", "-h", "/", "-p", where)
            return self.run(*command, awaits=port, **more)
        name = self.run("sleep", "600", **more)
        self.take(port, "udp", self._pid(name))
        return name

    def address(self, name: str) -> str:
        """Give the address of a container."""
        _, told = self.daemon.ask("GET", f"/containers/{name}/json")
        places = told["NetworkSettings"]["Networks"].values()
        return next(str(each["IPAddress"]) for each in places if each["IPAddress"])

    def take(self, port: int, protocol: str = "tcp", beside: int = 0) -> None:
        """Let another program have a port: of the host, or in the network of a process."""
        words = [*self._inside(beside), sys.executable, "-c", _TAKER, protocol, str(port)]
        taker = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._others.append(taker)
        assert taker.stdout
        taker.stdout.readline()

    def forbid(self, rules: str) -> None:
        """Let another program have a table of rules."""
        name = self.name("strangers")
        table = f"table inet {name} {{\n{rules}\n}}\n"
        subprocess.run(
            [*self._inside(), "nft", "-f", "-"], input=table.encode(), check=True
        )
        self._tables.append(name)

    def _inside(self, pid: int = 0) -> tuple[str, ...]:
        return "nsenter", "-t", str(pid or self.daemon.pid), "-n", "--"

    def host(self, *words: str) -> list[str]:
        """Ask a tool of the host."""
        told = subprocess.run([*self._inside(), *words], capture_output=True, check=True)
        return told.stdout.decode().splitlines()

    def trace(self, request: Document) -> Document:
        """Follow a request."""
        status, told = self.daemon.ask("POST", "/minidock/network/trace", request)
        assert status == 200, told
        assert isinstance(told, dict)
        return told

    def _is_unplugged(self) -> bool:
        """Say whether the host's ends of all cables are gone: their names begin with mv."""
        return not any(": mv" in line for line in self.host("ip", "-o", "link"))

    def clear(self) -> None:
        """Take away what was made for one topology."""
        for other in self._others:
            other.communicate()
        for table in self._tables:
            subprocess.run(
                [*self._inside(), "nft", "delete", "table", "inet", table], check=True
            )
        self.daemon.clear()
        wait_until(self._is_unplugged, 20.0, "the cables to be gone")
        for network in self._networks:
            self.daemon.ask("DELETE", f"/networks/{network}")
        for list_ in (self._others, self._tables, self._networks):
            list_.clear()


@contextmanager
def lab(seed: int) -> Iterator[Lab]:
    """Start an engine on a host of its own."""
    before = ("unshare", "--net", "sh", "-c", _HOST, "sh")
    with daemon(before=before) as engine:
        status, told = engine.ask("POST", "/minidock/bootstrap", {"name": "busybox"})
        assert status == 200, told
        yield Lab(engine, random.Random(seed))


# ── The twelve, and their twins ──────────────────────────────────────────────────────────


def _bound(port: int, inner: int, address: str = "", protocol: str = "tcp") -> Document:
    row = {"HostIp": address, "HostPort": str(port)}
    return {f"{inner}/{protocol}": [row]}


def _some_network(it: Lab) -> str:
    return it.network() if it.rng.random() < 0.4 else "bridge"


def not_published(it: Lab, *, is_broken: bool) -> Document:
    port = it.port()
    ports = None if is_broken else _bound(port, port)
    it.serve(port, network=_some_network(it), ports=ports, exposes=f"{port}/tcp")
    return {"port": port}


def other_address(it: Lab, *, is_broken: bool) -> Document:
    port, inner = it.port(), it.port()
    if it.rng.random() < 0.3:  # a container asks the host by its address
        it.serve(inner, ports=_bound(port, inner, "" if is_broken else LAN))
        asker = it.run("sleep", "600", network=_some_network(it))
        return {"port": port, "from": asker, "address": LAN}
    asked, other = it.rng.sample(["127.0.0.1", LAN], 2)
    bound = _bound(port, inner, other if is_broken else asked)
    it.serve(inner, network=_some_network(it), ports=bound)
    return {"port": port, "address": asked}


def port_taken(it: Lab, *, is_broken: bool) -> Document:
    port, inner = it.port(), it.port()
    if is_broken:
        it.take(port)
        it.run("sleep", "600", ports=_bound(port, inner), may_fail=True)
    else:
        it.serve(inner, ports=_bound(port, inner))
    return {"port": port}


def not_running(it: Lab, *, is_broken: bool) -> Document:
    port, inner = it.port(), it.port()
    network = _some_network(it)
    name = it.serve(inner, network=network, ports=_bound(port, inner))
    if it.rng.random() < 0.5 and network != "bridge":
        asker = it.run("sleep", "600", network=network)
        request: Document = {"port": inner, "container": name, "from": asker}
    else:
        request = {"port": port}
    if is_broken:
        it.daemon.ask("POST", f"/containers/{name}/stop?t=0")
    return request


def no_listener(it: Lab, *, is_broken: bool) -> Document:
    port, inner = it.port(), it.port()
    waits = it.port() if is_broken else inner
    network = _some_network(it)
    if is_broken and it.rng.random() < 0.5:
        it.run("sleep", "600", network=network, ports=_bound(port, inner))
    else:
        it.serve(waits, network=network, ports=_bound(port, inner))
    return {"port": port}


def loopback_only(it: Lab, *, is_broken: bool) -> Document:
    port, inner = it.port(), it.port()
    address = "127.0.0.1" if is_broken else it.rng.choice(["", "0.0.0.0"])  # noqa: S104
    if it.rng.random() < 0.5:
        it.serve(inner, address, network=_some_network(it), ports=_bound(port, inner))
        return {"port": port}
    network = it.network()
    name = it.serve(inner, address, network=network)
    asker = it.run("sleep", "600", network=network)
    return {"port": inner, "container": name, "from": asker}


def other_network(it: Lab, *, is_broken: bool) -> Document:
    here = it.network()
    there = it.network() if is_broken else here
    inner = it.port()
    name = it.serve(inner, network=here)
    asker = it.run("sleep", "600", network=there)
    request: Document = {"port": inner, "container": name, "from": asker}
    return request | ({"address": it.address(name)} if it.rng.random() < 0.5 else {})


def name_unknown(it: Lab, *, is_broken: bool) -> Document:
    network = "bridge" if is_broken else it.network()
    inner = it.port()
    name = it.serve(inner, network=network)
    asker = it.run("sleep", "600", network=network)
    return {"port": inner, "container": name, "from": asker}


def no_network(it: Lab, *, is_broken: bool) -> Document:
    port, inner = it.port(), it.port()
    network = "none" if is_broken else it.network()
    if it.rng.random() < 0.5:
        ports = _bound(port, inner)
        it.serve(inner, network=network, ports=ports)
        return {"port": port}
    name = it.serve(inner, network=network)
    asker = it.run("sleep", "600", network="bridge" if is_broken else network)
    return {"port": inner, "container": name, "from": asker}


def internal_network(it: Lab, *, is_broken: bool) -> Document:
    port, inner = it.port(), it.port()
    network = it.network(Internal=is_broken)
    if it.rng.random() < 0.3:  # from within, to a port of the host
        it.serve(inner, ports=_bound(port, inner, LAN))
        asker = it.run("sleep", "600", network=network)
        return {"port": port, "from": asker, "address": LAN}
    it.serve(inner, network=network, ports=_bound(port, inner))
    return {"port": port}


def wrong_protocol(it: Lab, *, is_broken: bool) -> Document:
    port, inner = it.port(), it.port()
    published, other = it.rng.sample(["tcp", "udp"], 2)
    ports = _bound(port, inner, "", published)
    it.serve(inner, protocol=published, network=_some_network(it), ports=ports)
    return {"port": port, "protocol": other if is_broken else published}


def foreign_firewall(it: Lab, *, is_broken: bool) -> Document:
    port, inner = it.port(), it.port()
    it.serve(inner, network=_some_network(it), ports=_bound(port, inner))
    verdict = it.rng.choice(["drop", "reject"]) if is_broken else "accept"
    how = it.rng.choice(["counter", f'comment "{it.name("why")}"', ""])
    action = f"counter {verdict}" if how == "counter" else f"{verdict} {how}"
    priority = it.rng.choice([0, 10, -10])
    it.forbid(
        f" chain out {{ type filter hook output priority {priority};\n"
        f"  ip daddr != 127.0.0.1 tcp dport {inner} {action}\n }}"
    )
    return {"port": port}


Builder = Callable[..., Document]
BUILDERS: dict[str, Builder] = {
    "not-published": not_published, "other-address": other_address,
    "port-taken": port_taken, "not-running": not_running, "no-listener": no_listener,
    "loopback-only": loopback_only, "other-network": other_network,
    "name-unknown": name_unknown, "no-network": no_network,
    "internal-network": internal_network, "wrong-protocol": wrong_protocol,
    "foreign-firewall": foreign_firewall,
}  # fmt: skip


def shown(told: Document) -> str:
    """Give a trace for a failed assertion."""
    return json.dumps(told, indent=1, ensure_ascii=False)
