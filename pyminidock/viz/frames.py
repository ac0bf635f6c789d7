"""What changed from one moment to the next, and how to get to any moment quickly.

A frame is the difference of two worlds as a list of operations, and the way back is the
difference of the same two worlds the other way round:

    Set(path, value)            a value is new or another
    Delete(path)                a key is gone
    Append(path, value, cap)    a ring got one more item, and lost its oldest if full
    Retract(path, forgotten)    the way back: the newest goes, the lost ones return

The player keeps frames, and now and then a whole world: a *keyframe*, as soon as the
operations since the last one outweigh a copy.  So all keyframes together weigh no more
than all frames, one step costs its operations, and a jump costs less than one keyframe's
budget.  A keyframe every so many steps would not do: worlds grow.

The same functions take differences of scenes, or of any frozen dataclass.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar, assert_never

from pyminidock.events.journal import Record
from pyminidock.viz.rings import Ring
from pyminidock.viz.things import EMPTY, Step, World
from pyminidock.viz.world import fold

Path = tuple[str, ...]
State = TypeVar("State")

MAX_OPERATIONS = 64  # of one frame: beyond, the nearest whole is set instead
MAX_FRAMES = 100_000  # of one player: beyond, the oldest steps stay in the file
KEYFRAME_BUDGET = 256  # operations


@dataclass(frozen=True, slots=True)
class Set:
    """Put `value` at `path`."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the key at `path`."""

    path: Path


@dataclass(frozen=True, slots=True)
class Append:
    """Add `value` to the ring at `path`, which keeps `cap` items."""

    path: Path
    value: Any
    cap: int


@dataclass(frozen=True, slots=True)
class Retract:
    """Take the newest item of the ring at `path` away; what it had pushed out returns."""

    path: Path
    forgotten: tuple[Any, ...]


Operation = Set | Delete | Append | Retract


@dataclass(frozen=True, slots=True)
class Frame:
    """The step that event number `seq` made: how to go there, and how to come back."""

    seq: int
    forward: tuple[Operation, ...]
    back: tuple[Operation, ...]


def difference(old: State, new: State) -> tuple[Operation, ...]:
    """Give the operations that turn `old` into `new`; at most MAX_OPERATIONS.

    >>> from pyminidock.viz.things import World
    >>> difference(World(story="a"), World(story="b"))
    (Set(path=('story',), value='b'),)
    """
    found = tuple(_difference((), old, new))
    for depth in range(3, 0, -1):
        if len(found) <= MAX_OPERATIONS:
            break
        found = _coarser(found, new, depth)
    return found


def apply(operations: Iterable[Operation], state: State) -> State:
    """Give `state` after the operations; what they do not touch is shared, not copied."""
    for operation in operations:
        state = _applied(state, operation.path, operation)
    return state


def frame(old: World, new: World, seq: int) -> Frame:
    """Give the step from one world to the next, both ways."""
    return Frame(seq, difference(old, new), difference(new, old))


def _difference(path: Path, old: Any, new: Any) -> Iterator[Operation]:
    """Go down where both are of one kind; what is the same object is equal."""
    if old is new:
        return
    if isinstance(new, Ring) and isinstance(old, Ring) and old.cap == new.cap:
        yield from _ring_difference(path, old, new)
    elif isinstance(new, Mapping) and isinstance(old, Mapping):
        for key in sorted(old.keys() - new.keys()):
            yield Delete((*path, key))
        for key in sorted(new):
            if key in old:
                yield from _difference((*path, key), old[key], new[key])
            else:
                yield Set((*path, key), new[key])
    elif is_dataclass(new) and type(old) is type(new) and not isinstance(new, Step):
        for each in fields(new):
            name = each.name
            yield from _difference((*path, name), getattr(old, name), getattr(new, name))
    elif old != new:
        yield Set(path, new)


def _ring_difference(path: Path, old: Ring[Any], new: Ring[Any]) -> Iterator[Operation]:
    """A ring that got or lost one item is told by that item; any other is set whole."""
    if new.items and old.add(new.items[-1]) == new:
        yield Append(path, new.items[-1], new.cap)
    elif old.items and new.add(old.items[-1]) == old:
        yield Retract(path, new.items[: len(new.items) - len(old.items) + 1])
    elif old != new:
        yield Set(path, new)


def _coarser(
    found: tuple[Operation, ...], new: object, depth: int
) -> tuple[Operation, ...]:
    """Replace operations below a common place by setting that place whole."""
    places = {operation.path[:depth] for operation in found}
    return tuple(_whole(place, new) for place in sorted(places))


def _whole(path: Path, new: Any) -> Operation:
    for name in path:
        if isinstance(new, Mapping) and name not in new:
            return Delete(path)
        new = _child(new, name)
    return Set(path, new)


def _child(state: Any, name: str) -> Any:
    return state[name] if isinstance(state, Mapping) else getattr(state, name)


def _applied(state: Any, path: Path, operation: Operation) -> Any:
    """Rebuild the few objects on the way down to the change."""
    if not path:
        return _changed_leaf(state, operation)
    name, *rest = path
    if isinstance(state, Mapping):
        if not rest and isinstance(operation, Delete):
            return {key: value for key, value in state.items() if key != name}
        return {**state, name: _applied(state.get(name), tuple(rest), operation)}
    # The field names of a dataclass are only known at run time here.
    changed = _applied(getattr(state, name), tuple(rest), operation)
    return replace(state, **{name: changed})


def _changed_leaf(state: Any, operation: Operation) -> Any:
    match operation:
        case Set(_, value):
            return value
        case Append(_, value, cap):
            return (state or Ring(cap)).add(value)
        case Retract(_, forgotten):
            items = forgotten + state.items[:-1]
            return Ring(state.cap, items, state.seen - 1)
        case Delete():
            return None
        case _:
            assert_never(operation)


class Player:
    """The frames of a story, and the world at one position among them.

    Position 0 is before the first record, position n after the nth.  `first` is the
    oldest position that can still be shown: beyond MAX_FRAMES the oldest steps are
    forgotten here, not in the file.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.position = 0
        self.first = 0
        self.world = EMPTY
        self._newest = EMPTY
        self._frames: list[Frame] = []
        self._keyframes: list[tuple[int, World]] = [(0, EMPTY)]
        self._weight = 0
        for record in records:
            self.add(record)

    @property
    def newest(self) -> World:
        """The world after the newest record, wherever the position is."""
        return self._newest

    @property
    def last(self) -> int:
        """The newest position."""
        return self.first + len(self._frames)

    def add(self, record: Record) -> None:
        """Record one more step at the end; the position stays where it is."""
        world = fold(self._newest, record)
        self._frames.append(frame(self._newest, world, record.seq))
        self._newest = world
        self._weight += len(self._frames[-1].forward)
        if self._weight >= max(KEYFRAME_BUDGET, _leaves(world)):
            self._keyframes.append((self.last, world))
            self._weight = 0
        if len(self._frames) > MAX_FRAMES:
            self._forget()

    def frame_at(self, position: int) -> Frame:
        """Give the frame whose end is `position`."""
        return self._frames[position - self.first - 1]

    def go(self, position: int) -> World:
        """Go to a position, the nearest one if there is no such; give its world."""
        position = min(max(position, self.first), self.last)
        start = bisect_right(self._keyframes, position, key=lambda each: each[0]) - 1
        near, world = self._keyframes[start]
        if abs(position - self.position) > position - near:
            self.position, self.world = near, world
        while self.position < position:
            self.position += 1
            self.world = apply(self.frame_at(self.position).forward, self.world)
        while self.position > position:
            self.world = apply(self.frame_at(self.position).back, self.world)
            self.position -= 1
        return self.world

    def position_of(self, seq: int) -> int:
        """Give the position after the record numbered `seq`, or after the last before."""
        numbers: Sequence[Frame] = self._frames
        return self.first + bisect_right(numbers, seq, key=lambda each: each.seq)

    def _forget(self) -> None:
        """Let the oldest steps go, up to the second keyframe."""
        if len(self._keyframes) < 2:
            return
        start, _ = self._keyframes[1]
        del self._frames[: start - self.first]
        del self._keyframes[0]
        self.first = start
        if self.position < start:
            self.position, self.world = self._keyframes[0]


def _leaves(world: World) -> int:
    """Estimate how much a whole world weighs, in values."""
    things = sum(len(c.mounts) + len(c.made) + 8 for c in world.containers.values())
    traits = sum(len(p.traits) + len(p.namespaces) for p in world.processes.values())
    build = world.build
    made = 8 * len(build.instructions) + 6 * len(build.layers) + len(build.files.items)
    return things + traits + made + len(world.steps.items) + len(world.paths)
