"""What helps against each cause: one command or one changed line, and why it helps."""

from dataclasses import dataclass

from pyminidock.network.causes import Cause
from pyminidock.network.sight import CONTAINER, OUTSIDE, Place, Sight, Subject

_NOBODY = Subject("CONTAINER")
_NOWHERE = Place("NETWORK")


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do: `command` as typed, and `why` it changes the answer."""

    command: str
    why: str


def remedy(sight: Sight, cause: Cause) -> Remedy:
    """Give the way out of a cause."""
    return _REMEDIES.get(cause.name, _unexplained)(sight)


def _not_published(sight: Sight) -> Remedy:
    target = sight.target or _NOBODY
    port = _port_inside(sight)
    return Remedy(
        f"docker run -p {sight.asked.port}:{port}{_suffix(sight)} …   "
        f"(make {target.name} anew: ports are given at its creation)",
        "EXPOSE is a note in the image; only -p makes the host pass requests on",
    )


def _other_address(sight: Sight) -> Remedy:
    wish = next(w for w in sight.wishes if w.protocol == sight.asked.protocol)
    if sight.asked.origin == OUTSIDE:
        return Remedy(
            f"docker run -p 0.0.0.0:{wish.host_port}:{wish.container_port} …",
            f"it answers on {wish.host_address} alone, which other machines cannot reach",
        )
    return Remedy(
        f"curl http://{wish.host_address}:{wish.host_port}/   "
        f"(or -p {sight.address}:{wish.host_port}:{wish.container_port})",
        f"it answers on {wish.host_address} alone, and {sight.address} was asked",
    )


def _wrong_protocol(sight: Sight) -> Remedy:
    target = sight.target or _NOBODY
    wish = next(iter(sight.wishes), None)
    spoken = sight.asked.protocol
    inner = wish.container_port if wish else sight.asked.port
    if wish and any((e.port, e.protocol) == (inner, spoken) for e in target.listening):
        return Remedy(
            f"docker run -p {wish.host_port}:{inner}/{spoken} …",
            f"without /{spoken} a port is published for {wish.protocol} only",
        )
    other = "udp" if spoken == "tcp" else "tcp"
    return Remedy(
        f"speak {other} to port {sight.asked.port}",
        f"what listens there speaks {other}; to {spoken} it is deaf",
    )


def _port_taken(sight: Sight) -> Remedy:
    holder, wish = sight.other_holder, sight.wishes[0]
    who = f"{holder.program} (pid {holder.pid})" if holder else "another container"
    return Remedy(
        f"docker run -p {wish.host_port + 1}:{wish.container_port} …   (or end {who})",
        f"one port of one address has one owner, and {who} came first",
    )


def _not_running(sight: Sight) -> Remedy:
    resting = [e for e in (sight.asker, sight.target) if e and not e.is_running]
    name = resting[0].name if resting else "CONTAINER"
    return Remedy(
        f"docker start {name}   (docker logs {name} tells why it ended)",
        "the rules and the address of a container go when its process ends",
    )


def _no_network(sight: Sight) -> Remedy:
    lone = [e for e in (sight.asker, sight.target) if e and not e.places]
    name = lone[0].name if lone else "CONTAINER"
    return Remedy(
        f"docker run --network bridge … (in the place of --network none), as {name}",
        "it has its loopback device and no cable to anywhere",
    )


def _internal(sight: Sight) -> Remedy:
    target = sight.target or _NOBODY
    inner = next((e for e in target.places if e.is_internal), _NOWHERE)
    if sight.asked.origin == CONTAINER:
        asker = sight.asker or _NOBODY
        return Remedy(
            f"docker network connect {inner.network} {asker.name}",
            "an internal network has no way out, and no way in but being a member",
        )
    return Remedy(
        f"docker network connect bridge {target.name}",
        f"-p has no effect while {inner.network}, which is internal, is its only network",
    )


def _other_network(sight: Sight) -> Remedy:
    target, asker = sight.target or _NOBODY, sight.asker or _NOBODY
    place = next(iter(target.places), _NOWHERE)
    return Remedy(
        f"docker network connect {place.network} {asker.name}",
        "bridges are kept apart: packets from one to another are dropped, not refused",
    )


def _name_unknown(sight: Sight) -> Remedy:
    target, asker = sight.target or _NOBODY, sight.asker or _NOBODY
    return Remedy(
        f"docker network create app && docker network connect app {target.name} && "
        f"docker network connect app {asker.name}",
        "only networks that somebody made have a name server",
    )


def _foreign_firewall(sight: Sight) -> Remedy:
    drop = sight.dropped_by
    inner = sight.inner_address or sight.address
    if drop is None:
        return Remedy(
            f"iptables-legacy -I FORWARD -d {inner} -j ACCEPT",
            f"older tables ({', '.join(sight.host.older_tables)}) decide besides nftables",
        )
    where = f"{drop.family} {drop.table} {drop.chain}"
    inner = inner if drop.destination.startswith(inner) else sight.address
    return Remedy(
        f"nft insert rule {where} ip daddr {inner} {sight.asked.protocol} dport "
        f"{sight.container_port or sight.asked.port} accept   (or the setting of whoever "
        f"owns the table {drop.table})",
        "an accept in one table cannot undo a drop in another",
    )


def _no_listener(sight: Sight) -> Remedy:
    target = sight.target or _NOBODY
    others = sorted({
        e.port for e in target.listening
        if e.protocol == sight.asked.protocol and not e.is_loopback
    })  # fmt: skip
    if others and (sight.asked.origin == CONTAINER or sight.is_direct):
        return Remedy(f"ask port {others[0]}", f"that is where {target.name} listens")
    if others:
        return Remedy(
            f"docker run -p {sight.asked.port}:{others[0]}{_suffix(sight)} …",
            f"inside it listens on {others[0]}, not on {sight.container_port}",
        )
    return Remedy(
        f"docker logs {target.name}   (does the server start, and on which port?)",
        "the host passed the request on, and no process inside waits for it",
    )


def _loopback_only(sight: Sight) -> Remedy:
    socket = sight.waiting[0]
    return Remedy(
        f"let {socket.program or 'the server'} listen on 0.0.0.0:{socket.port} in the "
        f"place of {socket.address}:{socket.port}",
        "127.0.0.1 in a container is that container's own; requests come by eth0",
    )


def _unexplained(sight: Sight) -> Remedy:
    return Remedy(
        "minidock doctor", "look at the hop at which the trail is lost, and what is there"
    )


def _port_inside(sight: Sight) -> int:
    """Guess which port was meant: what listens, else what is exposed, else the same."""
    target, spoken = sight.target or _NOBODY, sight.asked.protocol
    listening = [e.port for e in target.listening
                 if e.protocol == spoken and not e.is_loopback]  # fmt: skip
    exposed = [port for port, protocol in target.exposed if protocol == spoken]
    best = [port for port in exposed if port in listening]
    return next(iter((*best, *listening, *exposed)), sight.asked.port)


def _suffix(sight: Sight) -> str:
    return "/udp" if sight.asked.protocol == "udp" else ""


_REMEDIES = {
    "not-published": _not_published,
    "other-address": _other_address,
    "wrong-protocol": _wrong_protocol,
    "port-taken": _port_taken,
    "not-running": _not_running,
    "no-network": _no_network,
    "internal-network": _internal,
    "other-network": _other_network,
    "name-unknown": _name_unknown,
    "foreign-firewall": _foreign_firewall,
    "no-listener": _no_listener,
    "loopback-only": _loopback_only,
}
