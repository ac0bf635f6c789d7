"""The words about rules for packets, and about ports of the host."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

SIFTING: Mapping[str, Words] = {
    "rules.made": (
        "The engine's rules for packets are in the kernel: {rules} of them",
        "They are in a table of their own, so nobody else's firewall is touched.",
        "sendmsg(2) netlink nf_tables batch: NEWTABLE {table} ({families}), "
        "{elements} elements",
    ),
    "rules.removed": (
        "The engine's rules for packets are gone",
        "One table held them all, so one message takes them all away.",
        "sendmsg(2) netlink nf_tables DELTABLE {table}",
    ),
    "elements.added": (
        "The rules hold for {elements} from now on",
        "Rules stay as they are; what they hold for moves in and out, all at once.",
        "sendmsg(2) netlink nf_tables NEWSETELEM {table} {elements}",
    ),
    "elements.dropped": (
        "The rules no longer hold for {elements}",
        "What was let in is let out by the same door, so nothing stays behind.",
        "sendmsg(2) netlink nf_tables DELSETELEM {table} {elements}",
    ),
    "port.bound": (
        "Port {port} of {address} leads to {to_address}:{to_port} ({protocol})",
        "The engine holds the port with a socket, so no other program can have it.",
        "bind(2) {protocol} {address}:{port}, listen(2); DNAT to {to_address}:{to_port}",
    ),
    "port.released": (
        "Port {port} of {address} is free again ({protocol})",
        "A port belongs to a container as long as its program runs.",
        "close(2) {protocol} {address}:{port}",
    ),
}
