"""The words about networks: bridges, sandboxes, and the cables between them."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

WIRING: Mapping[str, Words] = {
    "bridge.made": (
        "The network has a switch: the bridge {name}",
        "Ports of one bridge hear each other; the host is a neighbour with {addresses}.",
        "sendmsg(2) netlink RTM_NEWLINK {name} kind bridge mtu {mtu}, RTM_NEWADDR",
    ),
    "interface.removed": (
        "The network device {name} is gone from the host",
        "What hung on it is gone with it: its addresses, its routes, its ports.",
        "sendmsg(2) netlink RTM_DELLINK {name}",
    ),
    "sandbox.made": (
        "A network of its own waits for the container",
        "Made ahead, by a thread that is thrown away: so it can be wired up in peace.",
        "unshare(2) CLONE_NEWNET (0x40000000), socket(2) AF_NETLINK inside",
    ),
    "sandbox.found": (
        "The engine holds the network of the process {pid}",
        "A namespace is reached through any process in it; a handle keeps it in reach.",
        "setns(2) /proc/{pid}/ns/net in a thread that is thrown away, socket(2) inside",
    ),
    "sandbox.joined": (
        "The process enters the network that was wired up for it",
        "From here on it sees its own devices and addresses, and none of the host's.",
        "setns(2) CLONE_NEWNET (0x40000000), handle by SCM_RIGHTS",
    ),
    "endpoint.plugged": (
        "A cable leads from {bridge} to {inside} with {addresses}",
        "A veth pair: what enters one end leaves the other, here in another namespace.",
        "sendmsg(2) netlink RTM_NEWLINK {host_link} kind veth, peer {inside} {mac}, "
        "RTM_NEWADDR, RTM_NEWROUTE via {gateway}",
    ),
    "endpoint.unplugged": (
        "The cable to {inside} is pulled",
        "Both ends of a veth pair go at once, and the addresses with them.",
        "sendmsg(2) netlink RTM_DELLINK {inside} (host: {host_link})",
    ),
    "gateway.chosen": (
        "What is for no network of its own goes to {gateway}{gateway6}",
        "A host in several networks still needs one default way out.",
        "sendmsg(2) netlink RTM_NEWROUTE default via {gateway} {gateway6}",
    ),
}
