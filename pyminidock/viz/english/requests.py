"""The words about one request on its way: the hops, the end, and the proof."""

from collections.abc import Mapping

from pyminidock.viz.english.words import Words

REQUESTS: Mapping[str, Words] = {
    "hop.passed": (
        "The request passes: {place}, {what}",
        "Every hop was looked at while a real connection was made: {seen}",
        "{seen}",
    ),
    "request.died": (
        "The request dies at the {place}: {title}",
        "What helps: {remedy}",
        "{cause}: {seen}",
    ),
    "request.arrived": (
        "The request arrives: {what}",
        "A process inside took the connection, after {elapsed_us} µs.",
        "connect(2): {outcome} after {elapsed_us} µs",
    ),
    "request.proved": (
        "Without its cause the request arrives, in a copy of the wiring: {holds}",
        "The copy has its own host and differs in one thing: {cause} is undone.",
        "unshare(2) CLONE_NEWNET; as it is: {before}; without {cause}: {after}",
    ),
}
