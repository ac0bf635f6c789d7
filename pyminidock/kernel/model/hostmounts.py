"""What the engine mounts on the host itself: a row more, or less, in its own mount table.

    source ──HostMount──► host's table: … + row at target      who is born later sees it
                          host's table: … - row at target      who has it keeps it

Source: man 2 mount, umount2.
"""

import errno
from dataclasses import replace

from pyminidock.kernel.answers import HostMount
from pyminidock.kernel.model.mounts import FILESYSTEMS, TAKEN_OPTIONS
from pyminidock.kernel.model.tree import place, tree_of
from pyminidock.kernel.model.world import ENGINE, Mount, World, number

_READONLY, _BIND = 1, 4096


def mount_on_host(world: World, wanted: HostMount) -> World:
    """Hang one more row into the host's table.  Raises OSError as mount(2) does."""
    namespace, rows = _table(world)
    if wanted.verb != "mount":
        if not any(row.target == wanted.target for row in rows):
            raise OSError(errno.EINVAL, f"nothing is mounted at {wanted.target}")
        return world
    if not wanted.flags & _BIND:
        _refuse_odd(wanted)
    flags = ("ro" if wanted.flags & _READONLY else "rw", "relatime")
    world, taken = number(world, "mount")
    if wanted.flags & _BIND:
        source = place(rows, world.trees, wanted.source)
        if source.node is None:
            raise OSError(errno.ENOENT, f"{wanted.source} does not exist")
        row = replace(
            rows[source.row], number=taken, target=wanted.target, flags=flags,
            root=f"/{source.inside}", peer=0, master=0,
        )  # fmt: skip
    else:
        tree = f"memory {taken}"
        world = replace(world, trees={**world.trees, tree: tree_of({})})
        options = tuple(filter(None, wanted.options.split(",")))
        row = Mount(
            taken, wanted.target, wanted.filesystem, wanted.source, flags, options, tree
        )
    return replace(world, mounts={**world.mounts, namespace: (*rows, row)})


def unmount_from_host(world: World, target: str) -> World:
    """Take the uppermost row at `target` away, if there is one."""
    namespace, rows = _table(world)
    found = [index for index, row in enumerate(rows) if row.target == target]
    if not found:
        return world
    gone = rows[found[-1]]
    mounts = {**world.mounts, namespace: tuple(row for row in rows if row != gone)}
    shown = {row.tree for table in mounts.values() for row in table}
    trees = {
        name: tree
        for name, tree in world.trees.items()
        if name != gone.tree or name in shown or not name.startswith("memory ")
    }
    return replace(world, mounts=mounts, trees=trees)


def _table(world: World) -> tuple[int, tuple[Mount, ...]]:
    namespace = world.tasks[ENGINE].namespaces["mount"]
    return namespace, tuple(world.mounts[namespace])


def _refuse_odd(wanted: HostMount) -> None:
    if wanted.filesystem not in FILESYSTEMS:
        raise OSError(errno.ENODEV, f"no filesystem is called {wanted.filesystem}")
    known = TAKEN_OPTIONS.get(wanted.filesystem, set())
    for word in filter(None, wanted.options.split(",")):
        if word.partition("=")[0] not in known:
            raise OSError(errno.EINVAL, f"{wanted.filesystem} has no option {word}")
