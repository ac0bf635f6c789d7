"""One stop of a request on its way, and what was seen there."""

from dataclasses import dataclass

OK, DIES, UNSEEN = "ok", "dies", "unseen"


@dataclass(frozen=True, slots=True)
class Hop:
    """One stop: `state` is ok, dies or unseen (nothing got that far, or nobody can look).

    `evidence` are facts as the kernel told them, a line for each.
    """

    place: str  # client, name, host port, rule, firewall, bridge, cable, container, process
    what: str
    state: str = OK
    evidence: tuple[str, ...] = ()
