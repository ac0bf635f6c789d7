"""Which layer answered, and what a change did above: worked out, for nobody has seen it.

The kernel tells that a file was used.  Which layers it asked for that it does not tell; but
the layers lie there, and the rules are known.  So each deed is looked up once more, by the
pure lookup, over the layers as they are now.

A directory on the way is told once, until something changes there: the kernel, too, asks
the layers once and keeps the answer (its dcache).  The last name is told each time.  For
many deeds that are explained together such a directory is looked up once, too.

Source: unionfs.search, unionfs.copyup.
"""

from collections.abc import Iterable
from dataclasses import replace

from pyminidock.events import (
    Event,
    LayerProbed,
    OpaqueMade,
    PathCopiedUp,
    PathResolved,
    WhiteoutMade,
    ignore,
)
from pyminidock.unionfs.branches import Branch, Seen, Spot, Stack, above, inside
from pyminidock.unionfs.lookup import Kind
from pyminidock.unionfs.search import find

Explained = LayerProbed | PathResolved | PathCopiedUp | WhiteoutMade | OpaqueMade

_MOST = 65536  # names that are remembered as told


class _Without:
    """A branch that does not have one of its names yet."""

    def __init__(self, branch: Branch, path: str) -> None:
        self.name, self._branch, self._path = branch.name, branch, path

    def look(self, path: str) -> Seen | None:
        """See Branch."""
        return None if path == self._path else self._branch.look(path)

    def names(self, path: str) -> Iterable[str]:
        """See Branch."""
        return self._branch.names(path)


class Explaining:
    """The layers of one container, the upper one first, asked by the rules."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._root = stack, stack.root()
        self._told: set[str] = set()
        self._raised: set[str] = set()
        self._spots: dict[str, Spot] = {}  # directories on the way, until `afresh`

    def afresh(self) -> None:
        """Look at every directory again: time has passed since the last look."""
        self._spots.clear()

    def know(self, paths: Iterable[str]) -> None:
        """Note what the upper layer spoke of before anybody was watched."""
        self._raised.update(paths)

    def explain(self, deed: str, path: str, to: str = "") -> list[Explained]:
        """Say what the layers answer for `path`, and what the deed did above them."""
        match deed:
            case "opened":
                return self._look(path)
            case "changed" | "closed" | "given attributes":  # "closed": it was written to
                return self._rise(path)
            case "created":
                self._forget(path)
                self._raise(path)
                spot, events = self._walk(self._stack, path)
                is_opaque = spot.upper and spot.upper.seen.kind is Kind.OPAQUE
                return [*events, OpaqueMade(path)] if is_opaque else events
            case "removed":
                self._forget(path)
                return self._gone(path)
            case "renamed":
                self._forget(path)
                self._forget(to)
                self._raise(to)
                return [*self._gone(path), *self._walk(self._stack, to)[1]]
            case _:  # executed: it is opened, too
                return []

    def ask(self, path: str) -> list[Explained]:
        """Say what the layers will answer for `path`: nothing has happened yet."""
        self.afresh()
        return self._walk(self._stack, path)[1]

    def _look(self, path: str) -> list[Explained]:
        """Look a name up; what the upper layer had not got then, as it was before."""
        if path not in self._raised:
            before, events = self._before(path)
            if before.exists:
                return events
        return self._walk(self._stack, path)[1]

    def _rise(self, path: str) -> list[Explained]:
        """Tell once that a file which a layer below has was copied up."""
        if path in self._raised:
            return []
        self._raise(path)
        below = self._before(path)[0]
        self._forget(above(path))
        if not below.exists or below.is_directory:
            return []
        top, layer = below.top, self._stack.branches[below.parts[0].branch].name
        if top.is_regular:
            return [PathCopiedUp(path, layer, "content", top.size_bytes)]
        return [PathCopiedUp(path, layer, "other", 0)]

    def _raise(self, path: str) -> None:
        """Note that the upper layer speaks of a name, and of each directory above."""
        while path != "/" and path not in self._raised:
            self.afresh()
            self._raised.add(path)
            path = above(path)

    def _before(self, path: str) -> tuple[Spot, list[Explained]]:
        """Look a name up as if the upper layer did not have it yet."""
        upper, *lower = self._stack.branches
        stack = replace(self._stack, branches=(_Without(upper, path), *lower))
        return self._walk(stack, path)

    def _walk(self, stack: Stack, path: str) -> tuple[Spot, list[Explained]]:
        """Walk as the kernel does; symbolic links have been followed by then."""
        events: list[Explained] = []

        def note(event: Event) -> None:
            assert isinstance(event, LayerProbed | PathResolved)  # noqa: S101  (find tells these)
            events.append(event)

        here = self._root
        names = [name for name in path.split("/") if name]
        for number, name in enumerate(names, 1):
            if not here.is_directory:
                break
            is_last = number == len(names)
            place = inside(here.path, name)
            is_told = not is_last and place in self._told
            known = self._spots.get(place) if is_told else None
            here = known or find(stack, here, name, emit=ignore if is_told else note)
            if here.is_directory:
                self._remember(place)
                if not is_last:
                    self._spots[place] = here
        return here, events

    def _remember(self, place: str) -> None:
        if len(self._told) >= _MOST:
            self._told.clear()
        self._told.add(place)

    def _gone(self, path: str) -> list[Explained]:
        """Tell of the whiteout that a deletion leaves, if a layer below has the name."""
        self._raise(path)
        return [WhiteoutMade(path)] if self._before(path)[0].exists else []

    def _forget(self, path: str) -> None:
        """What lies here and below it is looked up, and told, anew."""
        below = path.rstrip("/") + "/"
        self.afresh()
        self._told = {each for each in self._told
                      if each != path and not each.startswith(below)}  # fmt: skip
