"""The way of one request, hop by hop, each with what was seen there.

    client ─► name ─► host port ─► firewall ─► bridge ─► cable ─► interface ─► process
              only where one       rules that its            the device        the socket
              was asked for        packet really met         inside            and its pid

A hop before the one where it died is ok, that one dies, and those behind it are unseen:
what is told of them is how they stood, not that the request was there.
"""

from collections.abc import Iterator

from pyminidock.kernel.attempts import Listening, Passage
from pyminidock.network.causes import Cause, judge
from pyminidock.network.hops import DIES, OK, UNSEEN, Hop
from pyminidock.network.sight import CONTAINER, OUTSIDE, Place, Sight

_ACCEPTS = ("accept", "continue", "return")
_MOST = 8  # lines of evidence of one hop


def walk(sight: Sight, cause: Cause | None = None) -> tuple[Hop, ...]:
    """Give the hops of a request; `cause` as `judge` names it, if that is known."""
    cause = cause or judge(sight)
    hops = [Hop(place, what, OK, lines[:_MOST]) for place, what, lines in _stops(sight)]
    if cause is None:
        return tuple(hops)
    end = _end(sight, cause, [hop.place for hop in hops])
    states = (OK if n < end else DIES if n == end else UNSEEN for n in range(len(hops)))
    return tuple(
        Hop(hop.place, hop.what, state, hop.evidence)
        for hop, state in zip(hops, states, strict=True)
    )


def _end(sight: Sight, cause: Cause, places: list[str]) -> int:
    """Find the hop at which it dies."""
    hop = cause.hop
    if hop in ("container", "bridge") and "host port" in places:
        hop = "host port"  # without process or cable nobody passes it on there
    if hop == "container":
        hop = "name" if sight.lookup and not sight.address else "interface"
    if hop == "":
        hop = _lost(sight)
    return places.index(hop) if hop in places else len(places) - 1


def _lost(sight: Sight) -> str:
    """Say where the trail is lost, of a request whose end nothing explains."""
    if sight.asked.origin == CONTAINER and not sight.address:
        return "name"
    place = _place(sight)
    if sight.way_in and not sight.way_in.is_live:
        return "host port"
    if sight.dropped_by:
        return "firewall"
    if place and not place.is_bridge_up:
        return "bridge"
    return "cable" if place and not place.is_cable_up else "interface"


# ── The stops ────────────────────────────────────────────────────────────────────────────

_Stop = tuple[str, str, tuple[str, ...]]


def _stops(sight: Sight) -> Iterator[_Stop]:
    yield _client(sight)
    if sight.lookup:
        yield _name(sight)
    is_local = bool(sight.target and sight.target.mode == "host")
    if sight.is_by_port and not is_local:
        yield _host_port(sight)
    if sight.attempted and sight.attempted.passages:
        yield _firewall(sight)
    if not is_local:
        yield from _wires(sight)
    yield _process(sight)


def _client(sight: Sight) -> _Stop:
    asked, tried = sight.asked, sight.attempted
    who = {CONTAINER: asked.asker, OUTSIDE: "another machine"}.get(asked.origin, "the host")
    lines = []
    if tried:
        way = f"{tried.source} → {tried.destination}" if tried.source else asked.name
        lines.append(f"{way}: {tried.outcome} after {tried.elapsed_s * 1000:.1f} ms")
        lines += [f"tried without the rules of {name}" for name in tried.left_out]
    return "client", f"{who} asks {asked.name}:{asked.port}/{asked.protocol}", tuple(lines)


def _name(sight: Sight) -> _Stop:
    lookup = sight.lookup
    assert lookup is not None  # noqa: S101  (asked before)
    server = f"name server {lookup.server}" if lookup.server else "/etc/hosts"
    said = ", ".join(lookup.addresses) or "no such name"
    return "name", f"{lookup.name} is looked up", (f"{server}: {said}",)


def _host_port(sight: Sight) -> _Stop:
    asked, lines = sight.asked, []
    for wish in sight.wishes:
        live = "in the rules" if wish.is_live else "not in the rules"
        met = wish.packets_after - wish.packets_before
        lines.append(
            f"{wish.host_address}:{wish.host_port}/{wish.protocol} → "
            f"{wish.container_port}: {live}, met by {met} packets"
        )
    if not sight.wishes:
        lines.append(f"no container publishes {asked.port}")
    if sight.target and sight.target.exposed:
        ports = ", ".join(f"{port}/{kind}" for port, kind in sight.target.exposed)
        lines.append(f"{sight.target.name} exposes {ports}: a note, no rule")
    if holder := sight.other_holder:
        lines.append(f"{_socket(holder)} has it on the host")
    if sight.target and sight.target.error:
        lines.append(sight.target.error)
    if sight.target and not sight.target.is_running:
        lines.append(f"{sight.target.name} is {sight.target.state}")
    lines += _belonging(sight)
    return "host port", f"port {asked.port} of {sight.address}", tuple(lines)


def _belonging(sight: Sight) -> Iterator[str]:
    """Say what is special about the networks of the target."""
    target = sight.target
    if target and target.is_running and not target.places and target.mode != "host":
        yield f"{target.name} has no network (--network {target.mode})"
    for each in target.places if target else ():
        if each.is_internal:
            yield f"network {each.network} is internal"


def _firewall(sight: Sight) -> _Stop:
    met = sight.attempted.passages if sight.attempted else ()
    decisive = [each for each in met if each.verdict not in _ACCEPTS] or [
        each for each in met if each.kind == "rule" and each.verdict != "continue"
    ]
    tables = list(dict.fromkeys(f"{each.family} {each.table}" for each in met))
    lines = [_rule(each) for each in decisive[: _MOST - 1]]
    if not decisive:
        lines.append(f"met {len(met)} rules and chains; none of them decided against it")
    return "firewall", f"rules of {', '.join(tables)}", tuple(lines)


def _rule(met: Passage) -> str:
    r"""Word one passage.

    >>> _rule(Passage("ip", "fw", "in", "policy", "drop"))
    'ip fw in: policy drop'
    """
    number = f" {met.handle}" if met.handle else ""
    said = f" “{met.comment}”" if met.comment else ""
    ways = f" ({met.source} → {met.destination})" if met.destination else ""
    where = f"{met.family} {met.table} {met.chain}"
    return f"{where}: {met.kind}{number}{said} {met.verdict}{ways}"


def _place(sight: Sight) -> Place | None:
    target = sight.target
    places = target.places if target else ()
    inner = target.place_of(sight.inner_address) if target else None
    return inner or next(iter(places), None)


def _wires(sight: Sight) -> Iterator[_Stop]:
    place = _place(sight)
    if place is None:
        yield "bridge", "no cable leads to it", tuple(_belonging(sight))
        return
    state = "up" if place.is_bridge_up else "down"
    lines = [f"bridge {place.bridge} is {state}, the host is {place.host_address or '–'}"]
    if sight.asker and not sight.shared and not sight.is_by_port:
        names = ", ".join(each.network for each in sight.asker.places) or "no network"
        lines.append(f"{sight.asker.name} is in {names}")
    lines += [f"network {place.network} is internal"] if place.is_internal else []
    yield "bridge", f"network {place.network}", tuple(lines)
    went = place.received_after - place.received_before
    cable = "up" if place.is_cable_up else "down or gone"
    yield (
        "cable",
        f"{place.host_link} ⇄ {place.inside}",
        (f"{place.host_link} is {cable}; {went} packets went in meanwhile",),
    )
    yield "interface", f"{place.inside} has {place.address or 'no address'}", tuple(
        f"{each.mac} is {each.address}: {each.state}"
        for each in sight.host.neighbours if each.address == place.address
    )  # fmt: skip


def _process(sight: Sight) -> _Stop:
    target = sight.target
    if target is None:
        return "process", "no container has to do with this port", ()
    port = sight.container_port
    lines = [_socket(each) for each in sight.waiting]
    if not port and target.is_running:  # no way leads in
        return "process", target.name, tuple(_socket(each) for each in target.listening)
    if not lines:
        others = [
            each for each in target.listening if not each.address.startswith("127.0.0.11")
        ]
        lines = [f"nothing listens on {port}/{sight.asked.protocol}"]
        lines += [f"but {_socket(each)}" for each in others]
    if not target.is_running:
        lines = [f"{target.name} is {target.state}"]
    where = f"{target.name}, port {port}" if port else target.name
    return "process", where, tuple(lines)


def _socket(socket: Listening) -> str:
    """Word a listener.

    >>> _socket(Listening("tcp", "::1", 80, 7, 12, "nginx"))
    'nginx (pid 12) listens on [::1]:80/tcp, socket 7'
    """
    host = f"[{socket.address}]" if ":" in socket.address else socket.address
    who = f"{socket.program or 'a program'} (pid {socket.pid or 'unseen'})"
    return f"{who} listens on {host}:{socket.port}/{socket.protocol}, socket {socket.inode}"
