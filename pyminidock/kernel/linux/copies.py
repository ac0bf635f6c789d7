"""A copy of some wiring on a host that exists for one request, and is gone with it.

    thread ── unshare ──► a host with nothing but lo
                            │ the plan: bridges, sandboxes, cables, rules
                            │ if wanted: other programs' tables, as the real host has them
                            │ sockets in the place of processes
                            └ one request ──► which socket took it?

The very deeds that wire up containers wire up the copy; they find their way because the
network belongs to the thread.  When the thread goes back, nobody lives there any more, and
the kernel takes all of it away: no device of the real host, no rule, no process is touched.

Source: man 2 unshare; man 7 network_namespaces.
"""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace

from pyminidock.kernel.attempts import Rehearsal, Rehearsed, Server
from pyminidock.kernel.linux import attempting, sandboxes
from pyminidock.kernel.linux import rtnetlink as rt
from pyminidock.kernel.linux.foreigntables import ForeignTable, tables_of_others
from pyminidock.kernel.linux.namedesks import NameDesks
from pyminidock.kernel.linux.netlink import Netlink
from pyminidock.kernel.linux.nftables import Nftables
from pyminidock.kernel.linux.wiring import Wiring
from pyminidock.kernel.rules import RuleCall

_LOOPBACK = 1  # the number of lo
_BACKLOG = 8
_ALL_LINKS = rt.all_of(rt.RTM_GETLINK)
_STATE_OF_WIRE, _UP = 16, b"\6"  # IFLA_OPERSTATE, IF_OPER_UP
_PATIENCE_S = 1.2  # the kernel hurries with most news of cables, and else waits a second


def rehearse(wanted: Rehearsal, names: NameDesks) -> Rehearsed:
    """Perform a rehearsal; nothing is left of it.  Raises OSError."""
    others = tables_of_others(wanted.without) if wanted.without else ()
    with ExitStack() as undo:
        stage = sandboxes.make()
        undo.callback(stage.close)
        undo.enter_context(sandboxes.standing_in(stage.handle))
        wiring = Wiring(names)
        undo.callback(wiring.close)
        rules = Nftables()
        undo.callback(rules.close)
        host = undo.enter_context(Netlink())
        host.batch([rt.raise_link(_LOOPBACK)])
        for call in wanted.plan:
            if isinstance(call, RuleCall):
                rules.do(call)
            else:
                wiring.do(call, ExitStack())  # what is undone here is all of it
        left_out = tuple(_made_again(rules, others))
        _wait_for_links([host, *(each.netlink for each in wiring.sandboxes.values())])
        waiting = [
            (each, undo.enter_context(_open(wiring, each))) for each in wanted.servers
        ]
        asker = wiring.sandboxes.get(wanted.asker)
        done = attempting.attempt(wanted.wanted, asker.handle if asker else None)
        return Rehearsed(replace(done, left_out=left_out), _taker(waiting))


def _made_again(rules: Nftables, others: Sequence[ForeignTable]) -> Iterator[str]:
    """Make the tables of other programs in the copy; name those that it does not take."""
    for each in others:
        try:
            rules.send(each.messages)
        except OSError:
            yield f"{each.family} {each.name}"


def _wait_for_links(lines: Sequence[Netlink]) -> None:
    """Wait until every cable and its bridge carry something, as the kernel sees it."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        if all(_carries(link) for line in lines for link in _links(line)):
            return
        time.sleep(0.002)


def _links(line: Netlink) -> Iterator[dict[int, bytes]]:
    """Give devices: cables, and bridges that have any."""
    found = {
        rt.IFINFO.unpack_from(body)[2]: rt.attributes(body[rt.IFINFO.size :])
        for body in line.ask(_ALL_LINKS)
    }
    used = {rt.number(each.get(rt.IFLA_MASTER, b"")) for each in found.values()}
    return (link for index, link in found.items() if rt.IFLA_LINK in link or index in used)


def _carries(link: dict[int, bytes]) -> bool:
    return link.get(_STATE_OF_WIRE) == _UP


def _open(wiring: Wiring, server: Server) -> socket.socket:
    """Let somebody wait where a process waited; who has no sandbox waits on the host."""
    line = _made(wiring, server)
    line.setblocking(False)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with suppress(OSError):  # an address that the copy does not have: nobody waits there
        line.bind((server.address, server.port))
        if server.protocol == "tcp":
            line.listen(_BACKLOG)
    return line


def _made(wiring: Wiring, server: Server) -> socket.socket:
    kind = socket.SOCK_STREAM if server.protocol == "tcp" else socket.SOCK_DGRAM
    if server.sandbox not in wiring.sandboxes:
        return socket.socket(socket.AF_INET, kind | socket.SOCK_CLOEXEC)
    with sandboxes.standing_in(wiring.sandboxes[server.sandbox].handle):
        return socket.socket(socket.AF_INET, kind | socket.SOCK_CLOEXEC)


def _taker(waiting: list[tuple[Server, socket.socket]]) -> str | None:
    for server, line in waiting:
        with suppress(OSError):
            if server.protocol == "tcp":
                line.accept()[0].close()
            else:
                line.recv(1)
            return server.sandbox
    return None
