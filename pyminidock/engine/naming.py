"""A name for a container whose person gave none: an adjective and somebody worth knowing.

Drawn from the container's own id, which is random, so no dice are thrown here.  After a few
names that are taken the beginning of the id itself will do, as in Docker.
"""

from collections.abc import Iterator

_ADJECTIVES = (
    "brave", "bright", "calm", "clever", "curious", "eager", "fair", "gentle", "happy",
    "honest", "keen", "kind", "lively", "lucid", "modest", "nimble", "patient", "proud",
    "quiet", "serene", "sharp", "steady", "tidy", "wise",
)  # fmt: skip
_PEOPLE = (
    "allen", "bartik", "borg", "cerf", "clarke", "dijkstra", "engelbart", "floyd",
    "goldberg", "hamilton", "hopper", "johnson", "kay", "kernighan", "knuth", "lamport",
    "liskov", "lovelace", "mcilroy", "milner", "naur", "perlman", "ritchie", "thompson",
    "torvalds", "turing", "wirth",
)  # fmt: skip


def names(container: str) -> Iterator[str]:
    """Give names to try for the container with this id, the last of them surely free.

    >>> list(names("0123456789abcdef" * 4))[:2]
    ['gentle_turing', 'wise_johnson7']
    """
    for attempt in range(6):
        number = int(container[attempt * 8 : attempt * 8 + 8], 16)
        person = _PEOPLE[number // len(_ADJECTIVES) % len(_PEOPLE)]
        digit = str(number % 10) if attempt else ""
        yield f"{_ADJECTIVES[number % len(_ADJECTIVES)]}_{person}{digit}"
    yield container[:12]
