"""Who holds a story has to be there: a story that nobody looks at goes on by itself.

    held ──► "state" to the page, once a second ──► the page answers "here"
      │                                                │
      │      no answer for LOST_S                       closed, reloaded, asleep, offline:
      ▼                                                 no answer
    released

The page answers what it is told, rather than by a clock of its own: browsers slow the
clocks of pages that nobody looks at, and such a page is still there.  A kernel that dies
closes its gates with its connection, and the engine lets go; so nothing is held by nobody
for longer than five seconds.
"""

LOST_S = 4.0  # after the last answer; with half a second between two looks, below 5
FIRST_S = 10.0  # for a page to load what it needs, before it answers for the first time
HELD_BEAT_S = 1.0  # between two "state" while it is held
LIVE_BEAT_S = 2.0  # … while it goes on
STILL_BEAT_S = 10.0  # … when it is over


class Presence:
    """Whether somebody looks.  Times are seconds of one clock.

    >>> presence = Presence()
    >>> presence.held(now=0.0)
    >>> presence.is_lost(now=9.9), presence.is_lost(now=10.1)
    (False, True)
    >>> presence.seen(now=20.0)
    >>> presence.is_lost(now=23.9), presence.is_lost(now=24.1)
    (False, True)
    """

    def __init__(self, first_s: float = FIRST_S) -> None:
        self._first_s = first_s
        self._seen_at: float | None = None
        self._held_at = 0.0

    def held(self, now: float) -> None:
        """Note that the story is held from now on."""
        self._held_at = now

    def seen(self, now: float) -> None:
        """Note a sign of life."""
        self._seen_at = now

    def is_lost(self, now: float) -> bool:
        """Say whether whoever looked has gone, or nobody came."""
        if self._seen_at is None:
            return now - self._held_at > self._first_s
        return now - max(self._seen_at, self._held_at) > LOST_S


def beat_s(*, is_live: bool, is_held: bool) -> float:
    """Give the seconds between two signs of life of the kernel."""
    if is_held:
        return HELD_BEAT_S
    return LIVE_BEAT_S if is_live else STILL_BEAT_S
