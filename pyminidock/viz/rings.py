"""A list that forgets: what was added last stays, what came first goes."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Ring(Generic[Item]):
    """The last `cap` of all items ever added; `seen` counts the forgotten ones too.

    >>> Ring(2).add("a").add("b").add("c")
    Ring(cap=2, items=('b', 'c'), seen=3)
    """

    cap: int
    items: tuple[Item, ...] = ()
    seen: int = 0

    def add(self, item: Item) -> "Ring[Item]":
        """Give the ring with one more item, and without its oldest if it was full."""
        return Ring(self.cap, (*self.items, item)[-self.cap :], self.seen + 1)
