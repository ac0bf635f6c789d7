"""Where a birth has got to: the world, and whose hands are at work.

A call is a function from one stage to the next.  A plan performed up to call *n* is the
stage after *n* steps, and nobody outside it has seen anything until the body says so.
"""

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pyminidock.grammar.capabilities import BITS
from pyminidock.kernel.model.tree import Node, Place, walk
from pyminidock.kernel.model.world import Mount, Task, World, with_task


@dataclass(frozen=True, slots=True)
class Stage:
    """A world in the middle of a plan; `value` answers the last call (port.Answer)."""

    world: World
    actor: int  # the pid of whoever performs the next call
    shim: int = 0
    prepared: Mount | None = None  # the detached overlay: a handle, mounted nowhere
    root: str = ""  # where the container's root hangs in the actor's mount namespace
    value: int = 0
    sandboxes: Mapping[str, int] = field(default_factory=dict)  # held by this plan
    borrowed: Mapping[str, Mount] = field(default_factory=dict)  # of others, by source

    @property
    def task(self) -> Task:
        """Whoever performs the next call."""
        return self.world.tasks[self.actor]

    @property
    def rows(self) -> tuple[Mount, ...]:
        """The mount table that the actor sees."""
        return self.world.mounts[self.task.namespaces["mount"]]


def act(stage: Stage, task: Task, value: int = 0) -> Stage:
    """Go on with the actor changed."""
    return replace(stage, world=with_task(stage.world, task), value=value)


def demand(stage: Stage, capability: str, code: int = errno.EPERM) -> None:
    """Refuse, with `code`, an actor who lacks a capability."""
    if not stage.task.powers.effective >> BITS[capability] & 1:
        raise OSError(code, f"this needs {capability}, and it is gone by now")


def living(stage: Stage, pid: int, start_time: int) -> Task:
    """Find a process.

    Raises ENOENT where its number is free, ESRCH where another process has it.
    """
    found = stage.world.tasks.get(pid)
    if found is None:
        raise OSError(errno.ENOENT, f"process {pid} is gone")
    if found.start_time != start_time:
        raise OSError(errno.ESRCH, f"{pid} is another process by now")
    return found


def below_root(stage: Stage, path: str, *, follow_last: bool = True) -> Place:
    """Find a path of the container.  Raises EBADF before there is a root to hold on to."""
    hold(stage, "root")
    return walk(stage.rows, stage.world.trees, stage.root, path, follow_last=follow_last)


def from_inside(stage: Stage, path: str) -> Place:
    """Find a path as the actor itself would, from its own root and working directory."""
    task = stage.task
    whole = path if path.startswith("/") else f"{task.directory}/{path}"
    return walk(stage.rows, stage.world.trees, task.root, whole)


def hold(stage: Stage, handle: str) -> None:
    """Refuse, with EBADF, an actor who has no such handle, or has closed it."""
    if handle not in stage.task.handles:
        raise OSError(errno.EBADF, f"there is no handle on the {handle}")


def is_there(look: Callable[[], Place]) -> Place | None:
    """Take a look; None where the path, or a parent, is absent."""
    try:
        found = look()
    except FileNotFoundError:
        return None
    return found if found.node else None


def put_node(stage: Stage, found: Place, node: Node) -> Stage:
    """Make `node` at a place that was found empty.  Raises EROFS, ENOENT, EPERM.

    procfs has no files of ours (ENOENT) and sysfs takes no directories (EPERM).
    """
    row = stage.rows[found.row]
    if "ro" in row.flags:
        raise OSError(errno.EROFS, f"{row.target} is mounted read-only")
    if row.filesystem in ("proc", "sysfs"):
        code = errno.ENOENT if row.filesystem == "proc" else errno.EPERM
        raise OSError(code, f"nobody can make files in {row.filesystem}")
    tree = {**stage.world.trees[row.tree], found.inside: node}
    trees = {**stage.world.trees, row.tree: tree}
    return replace(stage, world=replace(stage.world, trees=trees))
