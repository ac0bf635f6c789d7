"""One request as it was really made, and who could have answered it.

    attempt      a connection from inside a namespace, or from the host; at most a second
    passages     the rules of nftables that its first packet met on the host, in order,
                 as the kernel itself reports them: our rules and everybody else's
    listening    who waits for connections, by socket and process

The packet is followed by a mark that a table of our own sets on it, and on nothing else;
the table belongs to a socket and is gone with it.

Source: man 8 nft, "monitor trace"; linux/netfilter/nf_tables.h; man 5 proc_pid_net.
"""

from dataclasses import dataclass

from pyminidock.kernel.netcalls import NetCall
from pyminidock.kernel.rules import RuleCall

# What came of it:
CONNECTED = "connected"  # somebody took it, and said nothing yet
ANSWERED = "answered"  # somebody took it and said something
REFUSED = "refused"  # a machine said that nobody listens there
RESET = "reset"  # somebody took it and hung up
TIMED_OUT = "timed out"  # nobody said anything
UNREACHABLE = "unreachable"  # a machine said that no way leads there
SILENT = "silent"  # udp: sent, and no answer; that may be as it should be


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection to try: `sends` is said at its beginning, for udp as the datagram.

    `table` is the name of the table that marks it; "": it is not followed.
    """

    address: str
    port: int
    protocol: str = "tcp"
    sends: bytes = b""
    timeout_s: float = 1.0
    table: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """One rule, or the end of one chain, that the packet met.

    `kind` is rule, policy or return; `verdict` is accept, drop, continue, or where it goes.
    """

    family: str
    table: str
    chain: str
    kind: str
    verdict: str
    handle: int = 0  # the number of the rule, as `nft --handle list` shows it
    comment: str = ""
    entered: str = ""  # the device by which the packet came in
    leaves: str = ""  # and that by which it goes
    source: str = ""  # address:port, as far as the kernel told it
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of an attempt: one of the outcomes above."""

    outcome: str
    source: str = ""  # address:port
    destination: str = ""
    elapsed_s: float = 0.0
    said: bytes = b""  # the first that the other side said
    passages: tuple[Passage, ...] = ()
    was_followed: bool = False
    older_tables: tuple[str, ...] = ()  # of iptables before nftables, on the host
    left_out: tuple[str, ...] = ()  # of a copy: tables of others that it could not take

    @property
    def was_taken(self) -> bool:
        """Whether somebody took the connection."""
        return self.outcome in (CONNECTED, ANSWERED)


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that waits for requests, and the process that holds it; pid 0: unseen."""

    protocol: str
    address: str
    port: int
    inode: int = 0
    pid: int = 0
    program: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether only programs beside it reach it."""
        return self.address.startswith("127.") or self.address == "::1"

    def takes(self, address: str) -> bool:
        """Say whether requests to this address reach it.

        >>> Listening("tcp", "::", 80).takes("172.17.0.2")
        True
        """
        return self.address in ("0.0.0.0", "::", address)  # noqa: S104


@dataclass(frozen=True, slots=True)
class Server:
    """Somebody who waits in a copy: in `sandbox`, or on its host where that is ""."""

    sandbox: str
    protocol: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A copy of the wiring, and one request in it.

    `plan` is performed by a host that is made for it and has nothing but its loopback;
    `asker` is the sandbox from which the request comes, "" that host.  `without` is how the
    engine's own tables begin: all others of the real host are made in the copy, too; "":
    none of them is.
    """

    plan: tuple[NetCall | RuleCall, ...]
    servers: tuple[Server, ...]
    asker: str
    wanted: Attempt
    without: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of it, and in which sandbox it was taken; None: nowhere."""

    attempted: Attempted
    taken_by: str | None = None
