"""Words at the engine's door: requests, gates, what was lost or put in order."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

DOOR: Mapping[str, Words] = {
    "request.received": (
        "A client asks: {method} {path}",
        "One API call is one operation; what follows happens because of it.",
        "HTTP over the daemon's Unix socket: {method} {path}",
    ),
    "request.refused": (
        "The engine says no: {what}",
        "A refusal comes before anything is changed, or after all of it was undone.",
        "HTTP status {status}",
    ),
    "gate.held": (
        "Held at {at_kind} until someone lets it go on",
        "Only this story waits; the half-made container can be looked at from outside.",
        "gate {gate}: emit() blocks its own thread after event {at}",
    ),
    "gate.released": (
        "The story goes on: {by}",
        "A gate whose client is gone opens by itself, so nothing stays held for ever.",
        "gate {gate} released by {by}",
    ),
    "events.dropped": (
        "This listener was too slow and missed {count} events",
        "The engine never waits for a listener; what was missed is in the journal.",
        "events {first} to {last} did not fit into the listener's ring",
    ),
    "journal.dropped": (
        "The journal was full: its oldest stories are gone",
        "The journal is bounded; what was dropped is recorded, so no loss is silent.",
        "{events} events of {stories}, {size_bytes} bytes",
    ),
    "orphan.removed": (
        "Something left over was cleaned up: {what} {name}",
        "At its start the daemon removes what is its own and belongs to nobody any more.",
        "{what}: {name}",
    ),
    "shortfall.found": (
        "This machine gives less than was asked: {what} {given} instead of {asked}",
        "The reason: {why}",
        "asked {asked}, given {given}: {why}",
    ),
}
