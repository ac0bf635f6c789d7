"""Why a request gets no answer: twelve causes, told apart by what was seen.

    the name           name-unknown
    the host's port    not-published · other-address · wrong-protocol · port-taken
    the container      not-running
    the wire           no-network · internal-network · other-network · foreign-firewall
    the process        no-listener · loopback-only

They are asked in the order in which a request meets them, so the first that holds is
where it died.  A cause is named from facts that were seen, never from the lack of an
answer alone; where no fact explains it, that is what is said (`unexplained`).
"""

from dataclasses import dataclass

from pyminidock.network.sight import OUTSIDE, Sight

_LOOPBACK = "127."


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason; `hop` is where on its way the request dies of it."""

    name: str
    title: str
    hop: str


NOT_PUBLISHED = Cause("not-published", "the port is not published", "host port")
OTHER_ADDRESS = Cause(
    "other-address", "the port is published on another address", "host port"
)
WRONG_PROTOCOL = Cause(
    "wrong-protocol", "the port is published for another protocol", "host port"
)
PORT_TAKEN = Cause("port-taken", "another program has the port of the host", "host port")
NOT_RUNNING = Cause("not-running", "the container is not running", "container")
NO_NETWORK = Cause("no-network", "the container has no network", "bridge")
INTERNAL_NETWORK = Cause(
    "internal-network", "its network is internal: nothing gets in or out", "bridge"
)
OTHER_NETWORK = Cause("other-network", "they are in different networks", "bridge")
NAME_UNKNOWN = Cause("name-unknown", "the default bridge knows no names", "name")
FOREIGN_FIREWALL = Cause(
    "foreign-firewall", "a rule of another program drops it", "firewall"
)
NO_LISTENER = Cause("no-listener", "nothing listens on that port inside", "process")
LOOPBACK_ONLY = Cause(
    "loopback-only", "it listens on 127.0.0.1 inside the container", "process"
)
UNEXPLAINED = Cause("unexplained", "what was seen does not explain it", "")

CAUSES = (
    NOT_PUBLISHED, OTHER_ADDRESS, PORT_TAKEN, NOT_RUNNING, NO_LISTENER, LOOPBACK_ONLY,
    OTHER_NETWORK, NAME_UNKNOWN, NO_NETWORK, INTERNAL_NETWORK, WRONG_PROTOCOL,
    FOREIGN_FIREWALL,
)  # fmt: skip


def judge(sight: Sight) -> Cause | None:
    """Name the cause; None where the request arrives."""
    cause = _at_the_asker(sight)
    cause = cause or (_at_the_port if sight.is_by_port else _at_the_name)(sight)
    cause = cause or _inside(sight)
    if cause or sight.arrived:
        return cause
    return UNEXPLAINED if sight.attempted else None


# ── From a container ─────────────────────────────────────────────────────────────────────


def _at_the_asker(sight: Sight) -> Cause | None:
    """See whether a container that asks can ask anybody."""
    asker = sight.asker
    if asker is None:
        return None
    if not asker.is_running:
        return NOT_RUNNING
    if not asker.places and asker.mode != "host":
        return NO_NETWORK
    is_shut_in = all(each.is_internal for each in asker.places) and asker.places
    return INTERNAL_NETWORK if is_shut_in and sight.is_by_port else None


def _at_the_name(sight: Sight) -> Cause | None:
    """Follow a request between containers up to the cable of the one that is asked."""
    asker, target = sight.asker, sight.target
    if asker is None or target is None:
        return None
    if not target.is_running:
        return NOT_RUNNING
    if not target.places:
        return NO_NETWORK
    if not sight.shared:
        lone = [each for each in (asker, target) if all(p.is_internal for p in each.places)]
        return INTERNAL_NETWORK if lone and sight.address else OTHER_NETWORK
    if sight.lookup and not sight.lookup.addresses:
        known = [each for each in sight.shared if each.is_user_defined]
        return UNEXPLAINED if known else NAME_UNKNOWN
    return None


# ── From the host, or from elsewhere ─────────────────────────────────────────────────────


def _at_the_port(sight: Sight) -> Cause | None:
    """Follow a request up to the cable of the container that is meant."""
    target = sight.target
    if target is None:
        return NOT_PUBLISHED
    if not target.is_running:
        taken = sight.wishes and (
            sight.other_holder
            or "address already in use" in target.error
            or "already allocated" in target.error
        )
        return PORT_TAKEN if taken else NOT_RUNNING
    if target.mode == "host":
        return None
    if not target.places:
        return NO_NETWORK
    return _published(sight)


def _published(sight: Sight) -> Cause | None:
    target = sight.target
    assert target is not None  # noqa: S101  (asked before)
    if not sight.wishes:
        return NOT_PUBLISHED
    if all(each.is_internal for each in target.places):
        return INTERNAL_NETWORK
    if all(wish.protocol != sight.asked.protocol for wish in sight.wishes):
        return WRONG_PROTOCOL
    if sight.way_in is None:
        return OTHER_ADDRESS
    if not sight.way_in.is_live and sight.other_holder:
        return PORT_TAKEN
    is_apart = sight.asker and sight.asker.places and not sight.shared
    return OTHER_NETWORK if is_apart and not sight.arrived else None


# ── On the wire, and inside ──────────────────────────────────────────────────────────────


def _inside(sight: Sight) -> Cause | None:
    """Follow it from the host's rules to the process."""
    if drop := sight.dropped_by:
        return UNEXPLAINED if drop.table in sight.own_tables else FOREIGN_FIREWALL
    target = sight.target
    if target is None or not target.is_running:
        return None
    other = {each.protocol for each in target.listening
             if each.port == sight.container_port} - {sight.asked.protocol}  # fmt: skip
    if not sight.waiting:
        is_between = not sight.is_by_port
        return WRONG_PROTOCOL if other and is_between else NO_LISTENER
    if all(each.is_loopback for each in sight.waiting) and not _is_beside(sight):
        return LOOPBACK_ONLY
    if not sight.arrived and sight.attempted and sight.host.older_tables:
        is_mute = sight.attempted.outcome in ("timed out", "unreachable")
        return FOREIGN_FIREWALL if is_mute else None
    return None


def _is_beside(sight: Sight) -> bool:
    """Say whether the asker shares the very network of the process: the host's, or its own.

    >>> from pyminidock.network.sight import Asked
    >>> _is_beside(Sight(Asked("localhost", 80), "127.0.0.1"))
    False
    """
    target = sight.target
    if target is None:
        return False
    if target.mode == "host" and sight.asked.origin != OUTSIDE:
        return sight.address.startswith(_LOOPBACK)
    return False
