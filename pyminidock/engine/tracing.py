"""Following one request: look, try, look again, and say where it ended and why.

    who asks whom ─► look ─► name ─► one real attempt ─► look ─► sight
                                                                  │ judge, walk
    hops as events in the story of the container ◄────────────────┘

The attempt is a connection that is opened and closed, with nothing said.  From another
machine none can be made here: that request is rehearsed in a copy of the wiring, and of the
rules of every other program.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from pyminidock.engine import proving, seeing
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.errors import MinidockError
from pyminidock.events import HopPassed, RequestArrived, RequestDied, ignore
from pyminidock.events.base import Emit
from pyminidock.kernel.attempts import Attempt, Attempted
from pyminidock.kernel.port import NotHere, ProcessGone
from pyminidock.network.causes import UNEXPLAINED, Cause, judge
from pyminidock.network.copying import rehearsal, watched
from pyminidock.network.hops import DIES, OK, Hop
from pyminidock.network.remedies import remedy
from pyminidock.network.sight import (
    CONTAINER,
    HOST,
    OUTSIDE,
    Asked,
    HostSight,
    Sight,
    Subject,
)
from pyminidock.network.walk import walk

Document = dict[str, Any]
_LOCALHOST = "127.0.0.1"
_QUICKLY_S = 0.5


class RequestUnclear(MinidockError):
    """It is not said whom the request is for."""

    status = 400


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be traced; `origin` is host, outside, or the name of a container.

    `address` is that of the host, or of the container, that is asked; "" is the usual one.
    """

    port: int
    container: str = ""
    protocol: str = "tcp"
    origin: str = HOST
    address: str = ""
    proves: bool = False


def trace(house: House, wanted: Wanted) -> Document:
    """Follow one request, and tell it.  Raises NoSuchContainer, RequestUnclear, NoWayIn."""
    begun = house.kernel.clock()
    sight = see(house, wanted)
    cause = judge(sight)
    if cause == UNEXPLAINED and house.kernel.clock() - begun < _QUICKLY_S:
        sight = see(house, wanted)  # something may have been on its way in or out
        cause = judge(sight)
    hops = walk(sight, cause)
    emit = _voice(house, sight)
    elapsed_s = house.kernel.clock() - begun
    _tell(sight, cause, hops, emit)
    told = _document(sight, cause, hops) | {"elapsed_s": round(elapsed_s, 4)}
    if wanted.proves and cause:
        told["proof"] = proving.prove(house, sight, cause, emit)
    return told


def see(house: House, wanted: Wanted) -> Sight:
    """Make the request, and give all that was seen of it."""
    before = seeing.look(house)
    asker = house.life(wanted.origin) if wanted.origin not in (HOST, OUTSIDE) else None
    target = house.life(wanted.container) if wanted.container else None
    if target is None and (asker is None or wanted.address):
        target = seeing.meant(house, wanted.port, wanted.protocol, before)
    if target is None and asker:
        raise RequestUnclear(
            f"whom does {asker.name} ask at port {wanted.port}?",
            why="between containers a port is that of one of them",
            try_next=f"minidock explain port CONTAINER {wanted.port} --from {asker.name}",
            lesson="networks",
        )
    asked = Asked(
        _name(wanted, target, asker), wanted.port, wanted.protocol,
        CONTAINER if asker else wanted.origin, asker.name if asker else "",
    )  # fmt: skip
    sight = Sight(
        asked, _address(house, wanted, before),
        _subject(house, target, before, before), _subject(house, asker, before, before),
        host=HostSight(way_in=seeing.device_of(_address(house, wanted, before), before)),
        own_tables=(seeing.table_name(house),),
    )  # fmt: skip
    sight = _looked_up(house, sight, wanted, asker)
    sight = _tried(house, sight, asker)
    after = seeing.look(house)
    older = sight.attempted.older_tables if sight.attempted else ()
    return replace(
        sight, target=_subject(house, target, before, after),
        asker=_subject(house, asker, before, after),
        host=replace(
            seeing.host_sight(house, after, older), way_in=sight.host.way_in
        ),
    )  # fmt: skip


def _subject(
    house: House, life: Life | None, before: seeing.Look, after: seeing.Look
) -> Subject | None:
    return seeing.subject(house, life, before, after) if life else None


def _name(wanted: Wanted, target: Life | None, asker: Life | None) -> str:
    if wanted.address:
        return wanted.address
    if asker and target:
        return target.name
    return "localhost" if wanted.origin == HOST else "this host"


def _address(house: House, wanted: Wanted, before: seeing.Look) -> str:
    """Give the address that is asked; "" where a name has to be looked up first."""
    if wanted.address:
        return wanted.address
    if wanted.origin == OUTSIDE:
        return seeing.lan_address(house, before.facts)
    return _LOCALHOST if wanted.origin == HOST else ""


def _looked_up(house: House, sight: Sight, wanted: Wanted, asker: Life | None) -> Sight:
    """Look the name up, where a container asks by name and has a network to ask in."""
    mine = sight.asker
    if asker is None or mine is None or wanted.address or not mine.places:
        return sight
    has_server = any(place.is_user_defined for place in mine.places)
    try:
        found = seeing.lookup(house, asker, sight.asked.name, has_server=has_server)
    except ProcessGone:
        return sight
    address = next(iter(found.addresses), "")
    if not address and not sight.shared and sight.target and sight.target.places:
        # Nobody tells its name there; whoever knows the address still gets no answer.
        address = sight.target.places[0].address
    return replace(sight, lookup=found, address=address)


def _tried(house: House, sight: Sight, asker: Life | None) -> Sight:
    if not sight.address or (sight.asker and not sight.asker.is_running):
        return sight
    if sight.asked.origin == OUTSIDE:
        return replace(sight, attempted=_rehearsed(house, sight))
    mark = f"{seeing.table_name(house)}_{house.kernel.new_id()[:6]}"
    request = Attempt(sight.address, sight.asked.port, sight.asked.protocol, table=mark)
    try:
        done = house.kernel.attempt(request, seeing.process_of(asker) if asker else None)
    except ProcessGone:
        return sight
    return replace(sight, attempted=done)


def _rehearsed(house: House, sight: Sight) -> Attempted | None:
    """Say what came of the request in a copy, as nobody can ask from elsewhere here."""
    try:
        return house.kernel.rehearse(rehearsal(watched(sight))).attempted
    except (NotHere, OSError):
        return None


# ── Telling ──────────────────────────────────────────────────────────────────────────────


def _voice(house: House, sight: Sight) -> Emit:
    if sight.target is None:
        return ignore
    life = house.life(sight.target.id)
    return house.recorder.operation(life.story, "trace")


def _tell(sight: Sight, cause: Cause | None, hops: tuple[Hop, ...], emit: Emit) -> None:
    container = sight.target.id if sight.target else ""
    for hop in hops:
        if hop.state == OK:
            emit(HopPassed(container, hop.place, hop.what, hop.evidence))
        elif hop.state == DIES and cause:
            helps = remedy(sight, cause).command
            emit(RequestDied(
                container, hop.place, cause.name, cause.title, helps, hop.evidence
            ))  # fmt: skip
    tried = sight.attempted
    if cause is None and tried:
        elapsed_us = round(tried.elapsed_s * 1_000_000)
        emit(RequestArrived(container, hops[0].what, tried.outcome, elapsed_us))


def _document(sight: Sight, cause: Cause | None, hops: tuple[Hop, ...]) -> Document:
    tried = sight.attempted
    return {
        "asked": asdict(sight.asked) | {"address": sight.address},
        "container": {"id": sight.target.id, "name": sight.target.name,
                      "state": sight.target.state} if sight.target else None,
        "arrived": cause is None and sight.arrived,
        "outcome": tried.outcome if tried else "not tried",
        "attempt": _attempt(tried),
        "cause": asdict(cause) if cause else None,
        "remedy": asdict(remedy(sight, cause)) if cause else None,
        "hops": [asdict(hop) for hop in hops],
        "proof": None,
    }  # fmt: skip


def _attempt(tried: Attempted | None) -> Document | None:
    if tried is None:
        return None
    return asdict(tried) | {"said": tried.said.decode("utf-8", "replace")}
