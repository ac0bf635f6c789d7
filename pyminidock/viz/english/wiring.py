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
    "names.opened": (
        "Questions for names arrive at the engine",
        "Two sockets were opened inside; a rule leads port 53 of 127.0.0.11 to them.",
        "setns(2), socket(2), bind(2) 127.0.0.11 inside; nft: dnat 127.0.0.11:53",
    ),
    "name.asked": (
        "Asked for {name}, the name server says {answers}",
        "It knows everybody on the networks of who asks: names, aliases, short ids, links.",
        "recvfrom(2) 127.0.0.11: {kind}? {name}, sendto(2) {answers} ttl 600",
    ),
    "name.asked/empty": (
        "{name} is known, but has nothing of the kind {kind}",
        "An empty answer, not a refusal: so that nobody asks elsewhere for a neighbour.",
        "recvfrom(2) 127.0.0.11: {kind}? {name}, sendto(2) NOERROR without an answer",
    ),
    "name.asked/home": (
        "{name} is a single word, and nobody outside is asked for it",
        "Somebody said ndots: then words without a dot are meant for this network alone.",
        "recvfrom(2) 127.0.0.11: {kind}? {name}, sendto(2) NOERROR without an answer",
    ),
    "name.asked/forwarded": (
        "{name} is nobody here, so {server} was asked",
        "What no neighbour is called is a question for the servers of the host, or --dns.",
        "recvfrom(2) 127.0.0.11: {kind}? {name}, sendto(2) {server}:53",
    ),
    "name.asked/unheard": (
        "{name} is nobody here, and no server answered",
        "Each server had four seconds; none of them helped, so the answer is SERVFAIL.",
        "recvfrom(2) 127.0.0.11: {kind}? {name}, sendto(2) SERVFAIL",
    ),
    "name.asked/enclosed": (
        "{name} is nobody here, and there is nobody outside to ask",
        "An internal network has no way out, not for questions either: SERVFAIL it is.",
        "recvfrom(2) 127.0.0.11: {kind}? {name}, sendto(2) SERVFAIL",
    ),
    "gateway.chosen": (
        "What is for no network of its own goes to {gateway}{gateway6}",
        "A host in several networks still needs one default way out.",
        "sendmsg(2) netlink RTM_NEWROUTE default via {gateway} {gateway6}",
    ),
}
