"""The desks of all containers: opened by a plan, served when the engine is ready.

    OpenNames ──► desk inside, rule inside          questions wait in the sockets
    serve     ──► the loop has the desk             they are answered
    leave     ──► closed                            the namespace can go

Between the two no question is lost, so a program may ask with its first breath.
"""

import threading
from contextlib import ExitStack

from pyminidock.kernel.linux.nameloop import NameLoop
from pyminidock.kernel.linux.namesockets import ADDRESS, PORT, Desk, open_desk
from pyminidock.kernel.linux.nftables import Nftables
from pyminidock.kernel.nametalk import Clerk
from pyminidock.kernel.rules import Chain, Element, MakeTable, Rule, SendTo, Set, Table

TABLE = "minidock_names"  # in the container's own network, where nobody else makes any
_FIELDS = ("ip daddr", "meta l4proto", "th dport")
_BEFORE_ROUTING = -100  # NF_IP_PRI_NAT_DST


class NameDesks:
    """Which desks there are, and the one loop that serves them."""

    def __init__(self) -> None:
        self.loop = NameLoop()
        self._waiting: dict[str, Desk] = {}
        self._lock = threading.Lock()

    def open(self, sandbox: str, namespace: int, undo: ExitStack) -> None:
        """Open a desk in the namespace behind a handle.  Raises OSError."""
        self.leave(sandbox)
        desk = open_desk(namespace, lead)
        with self._lock:
            self._waiting[sandbox] = desk
        undo.callback(self.leave, sandbox)

    def serve(self, sandbox: str, clerk: Clerk) -> None:
        """Let a clerk answer at a desk that was opened; none is fine."""
        with self._lock:
            desk = self._waiting.pop(sandbox, None)
        if desk is not None:
            self.loop.serve(sandbox, desk, clerk)

    def leave(self, sandbox: str) -> None:
        """Close a desk, whether it is served or not."""
        with self._lock:
            desk = self._waiting.pop(sandbox, None)
        if desk is not None:
            desk.close()
        self.loop.leave(sandbox)

    def close(self) -> None:
        """Close all desks."""
        with self._lock:
            waiting = list(self._waiting)
        for sandbox in waiting:
            self.leave(sandbox)
        self.loop.close()


def lead(datagrams: int, connections: int) -> None:
    """Lead port 53 to two ports, in the network in which this thread is.

    An earlier engine's rule is replaced.  To close the socket takes twenty times as long
    as to make the rule, and nobody waits for it.  Raises OSError.
    """
    kernel = Nftables()
    try:
        kernel.do(MakeTable((names_table(),), leading(datagrams, connections)))
    finally:
        threading.Thread(target=kernel.close, name="names-rule", daemon=True).start()


def names_table() -> Table:
    """Give the table that stands in each network that has a name server."""
    ports = Set(
        "servers", ("ipv4_addr", "inet_proto", "inet_service"),
        ("ipv4_addr", "inet_service"),
    )  # fmt: skip
    rule = Rule("questions for names go to the engine", (SendTo(_FIELDS, "servers"),))
    chain = Chain("asked", "nat", "output", _BEFORE_ROUTING, (rule,))
    return Table("inet", TABLE, (ports,), (chain,))


def leading(datagrams: int, connections: int) -> tuple[Element, ...]:
    """Give where the table leads to."""
    return tuple(
        Element("servers", (ADDRESS, name, str(PORT)), (ADDRESS, str(port)))
        for name, port in (("udp", datagrams), ("tcp", connections))
    )
