"""The proof of a cause: the same request in a copy of the wiring, with and without it.

A cause is a claim.  Here it is tested: the wiring is copied into a host that is made for
this, the request dies there as it did; then exactly the named thing is undone, and it
arrives.  Neither the host nor a container is touched.
"""

from dataclasses import replace
from typing import Any

from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.events import RequestProved
from pyminidock.events.base import Emit
from pyminidock.kernel.attempts import Rehearsed
from pyminidock.network.causes import FOREIGN_FIREWALL, UNEXPLAINED, Cause
from pyminidock.network.copying import TARGET, Copy, copied, cured, rehearsal
from pyminidock.network.sight import Sight

Document = dict[str, Any]


class CopyRefused(MinidockError):
    """The copy of the wiring cannot be made here."""

    status = 500


def prove(house: House, sight: Sight, cause: Cause, emit: Emit) -> Document:
    """Rehearse the request as it is, and cured.  Raises NotHere, CopyRefused."""
    if cause == UNEXPLAINED:
        return {"before": "", "after": "", "holds": False}
    as_it_is = replace(copied(sight), is_dropped=cause == FOREIGN_FIREWALL)
    before = _rehearse(house, as_it_is) if sight.address else None
    after = _rehearse(house, cured(sight, cause))
    holds = (before is None or before.taken_by != TARGET) and after.taken_by == TARGET
    said = _word(before), _word(after)
    container = sight.target.id if sight.target else ""
    emit(RequestProved(container, cause.name, *said, holds))
    return {"before": said[0], "after": said[1], "holds": holds}


def _rehearse(house: House, copy: Copy) -> Rehearsed:
    try:
        return house.kernel.rehearse(rehearsal(copy))
    except OSError as refusal:
        raise CopyRefused(
            f"the wiring cannot be copied: {refusal.strerror or refusal}",
            why="a proof takes network namespaces and rules of its own",
            try_next="minidock doctor",
            lesson="networks",
        ) from refusal


def _word(done: Rehearsed | None) -> str:
    """Say in a word what came of it.

    >>> _word(None)
    'no address to ask'
    """
    if done is None:
        return "no address to ask"
    if done.taken_by == TARGET:
        return "arrives"
    return "another program takes it" if done.taken_by == "" else done.attempted.outcome
