"""How programs end, and how a plan is taken back.

An end runs forwards: the first process of a PID namespace takes the others with it, shims
write down how, and namespaces without anyone in them go.  An undo runs backwards: the
cells of the tables that a plan changed get their old values, whatever other plans did to
other cells meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from pyminidock.kernel.model.world import HOST_INIT, Task, World, swept
from pyminidock.kernel.port import ExitStatus

KILLED = ExitStatus(128 + 9, signal=9)


def ended(world: World, pids: Iterable[int], status: ExitStatus) -> World:
    """End the processes `pids` with `status`; those that go with them are killed."""
    chosen = set(pids) & world.tasks.keys()
    gone = chosen | {pid for p in chosen for pid in _dependants(world, world.tasks[p])}
    records = {
        task.serves: status if task.child in chosen else KILLED
        for task in world.tasks.values()
        if task.role == "shim" and task.child in gone and task.pid not in gone
    }
    tasks = {pid: task for pid, task in world.tasks.items() if pid not in gone}
    return swept(replace(world, tasks=tasks, records={**world.records, **records}))


def _dependants(world: World, first: Task) -> set[int]:
    """Name who dies when `first` does: its PID namespace, and whoever asked to."""
    inside = first.namespaces["pid"]
    mates = {p for p, task in world.tasks.items() if task.namespaces["pid"] == inside}
    is_host = inside == world.tasks[HOST_INIT].namespaces["pid"]
    gone = mates if first.pid == min(mates) and not is_host else set[int]()
    return gone | {
        p for p, t in world.tasks.items() if t.parent == first.pid and t.dies_with_parent
    }


@dataclass(frozen=True, slots=True)
class Change:
    """One cell of one table: None stands for absent."""

    table: str
    key: object
    before: object
    after: object


def changes(before: World, after: World) -> tuple[Change, ...]:
    """Say which cells differ between two worlds.

    >>> changes(World(hostnames={1: "a"}), World(hostnames={1: "b"}))
    (Change(table='hostnames', key=1, before='a', after='b'),)
    """
    found = []
    for table in fields(World):
        old, new = getattr(before, table.name), getattr(after, table.name)
        if old is new:
            continue
        for key in (*old, *(key for key in new if key not in old)):
            if old.get(key) != new.get(key):
                found.append(Change(table.name, key, old.get(key), new.get(key)))
    return tuple(found)


def undone(world: World, made: Iterable[Change]) -> World:
    """Give cells their old values, last change first.

    A cell that someone else has changed again since is theirs, and stays.

    >>> undone(World(hostnames={1: "b"}), [Change("hostnames", 1, "a", "b")]).hostnames
    {1: 'a'}
    """
    tables = {table.name: dict(getattr(world, table.name)) for table in fields(World)}
    for change in reversed(tuple(made)):
        cells = tables[change.table]
        if cells.get(change.key) != change.after:
            continue
        if change.before is None:
            cells.pop(change.key, None)
        else:
            cells[change.key] = change.before
    return World(**tables)
