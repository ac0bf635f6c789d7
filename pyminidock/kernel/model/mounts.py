"""A mount table, and what a birth does to it.

Rows stand in the order in which they were mounted, as in mountinfo.  A row hangs below the
mount that shows its target.  If that mount is shared, its peers in other namespaces get a
copy: that is how a mount escapes to the host, and why propagation is cut first.

    host      /            peer 20 ──┐ copies travel both ways while peers
    newborn   /            peer 20 ──┘ slave: only from the host; private: neither

Source: man 7 mount_namespaces; Documentation/filesystems/sharedsubtree.
"""

import errno
import posixpath
from collections.abc import Iterable
from dataclasses import replace

from pyminidock.kernel import calls
from pyminidock.kernel.model.stage import (
    Stage,
    act,
    below_root,
    demand,
    hold,
    is_there,
    living,
    put_node,
)
from pyminidock.kernel.model.tree import (
    DIRECTORY,
    Node,
    Place,
    holder,
    place,
    tree_of,
)
from pyminidock.kernel.model.world import ENGINE, Mount, World, number

FILESYSTEMS = ("proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2")
FLAGS = ("ro", "nosuid", "nodev", "noexec", "noatime", "strictatime", "relatime")
_OF_MOUNTINFO = ("nosuid", "nodev", "noexec", "noatime", "relatime")
# What each filesystem takes.  Source: Linux, mm/shmem.c, fs/devpts/inode.c, fs/proc/root.c.
TAKEN_OPTIONS = {
    "tmpfs": {"size", "nr_blocks", "nr_inodes", "mode", "uid", "gid", "huge", "mpol"},
    "devpts": {"uid", "gid", "mode", "ptmxmode", "newinstance", "max"},
    "proc": {"hidepid", "gid", "subset"},
}
NULL = (1, 3)


def flags_of(asked: Iterable[str]) -> tuple[str, ...]:
    """Spell flags as mountinfo does: ro or rw first, relatime unless asked otherwise.

    >>> flags_of(["noexec", "nosuid"])
    ('rw', 'nosuid', 'noexec', 'relatime')
    """
    given = set(asked)
    if unknown := given - set(FLAGS) - {"rw"}:
        raise OSError(errno.EINVAL, f"no mount flag is called {min(unknown)}")
    if not given & {"noatime", "strictatime"}:
        given.add("relatime")
    return ("ro" if "ro" in given else "rw", *(f for f in _OF_MOUNTINFO if f in given))


def prepare(stage: Stage, call: calls.PrepareOverlay) -> Stage:
    """Stack layers into a mount that hangs nowhere yet."""
    if not call.lower or bool(call.upper) != bool(call.work) or (
        call.upper and call.upper == call.work
    ):  # fmt: skip
        raise OSError(
            errno.EINVAL, "an overlay needs a lower directory, and work beside upper"
        )
    name = f"overlay {call.upper}" if call.upper else "image"
    world, taken = number(stage.world, "mount")
    if name not in world.trees:
        world = replace(world, trees={**world.trees, name: world.trees["image"]})
    written = (f"upperdir={call.upper}", f"workdir={call.work}") if call.upper else ()
    mode = "rw" if call.upper else "ro"
    options = (mode, f"lowerdir={':'.join(call.lower)}", *written)
    flags = flags_of([mode, *call.flags])
    handle = Mount(taken, "", "overlay", "overlay", flags, options, name)
    return replace(stage, world=world, prepared=handle)


def hang(stage: Stage, row: Mount) -> Stage:
    """Add `row` to the actor's table, and to those that share the mount below it."""
    mine = stage.task.namespaces["mount"]
    below = stage.rows[holder(stage.rows, row.target)]
    tables: dict[int, tuple[Mount, ...]] = {}
    world = stage.world
    peer = 0
    if below.peer:
        world, peer = number(world, "peer")
    for ns, rows in world.mounts.items():
        is_reached = ns == mine or any(
            below.peer in (r.peer, r.master) and r.target == below.target for r in rows
        )
        if (below.peer and is_reached) or ns == mine:
            world, taken = number(world, "mount")
            tables[ns] = (*rows, replace(row, number=taken, peer=peer))
    return replace(stage, world=replace(world, mounts={**world.mounts, **tables}))


def set_propagation(stage: Stage, call: calls.SetPropagation) -> Stage:
    """Cut, or halve, the bond between the actor's mounts and their peers."""
    if call.propagation not in ("slave", "private"):
        raise OSError(errno.EINVAL, f"no propagation is called {call.propagation}")
    top = stage.rows[holder(stage.rows, call.target)].target
    if top != call.target:
        raise OSError(errno.EINVAL, f"nothing is mounted at {call.target}")

    def changed(row: Mount) -> Mount:
        is_below = f"{row.target.rstrip('/')}/".startswith(f"{top.rstrip('/')}/")
        if row.target != top and not (call.is_recursive and is_below):
            return row
        master = row.peer or row.master if call.propagation == "slave" else 0
        return replace(row, peer=0, master=master)

    return _with_rows(stage, tuple(changed(row) for row in stage.rows))


def attach_root(stage: Stage, call: calls.AttachRoot) -> Stage:
    """Hang the prepared overlay where pivot_root will find it."""
    if stage.prepared is None:
        raise OSError(errno.EBADF, "there is no stacked tree: PrepareOverlay comes first")
    hung = hang(stage, replace(stage.prepared, target=call.target))
    hung = act(hung, replace(hung.task, handles=(*hung.task.handles, "root")))
    return replace(hung, prepared=None, root=call.target)


def make_directory(stage: Stage, path: str, mode: int = 0o755) -> Stage:
    """Make `path` and its missing parents, one name at a time."""
    stage, found = find_directory(stage, path, mode)
    if found.node is None or found.node.kind != "directory":
        raise OSError(errno.ENOTDIR, f"{path} is no directory")
    return stage


def mount(stage: Stage, call: calls.Mount) -> Stage:
    """Mount a filesystem of the kernel's own."""
    if call.filesystem not in FILESYSTEMS:
        raise OSError(errno.ENODEV, f"no filesystem is called {call.filesystem}")
    flags = flags_of(call.flags)
    if call.must_be_plain:
        plain = is_there(lambda: below_root(stage, call.target, follow_last=False))
        if call.target.count("/") != 1 or (
            plain and plain.node and plain.node.kind == "link"
        ):
            raise OSError(errno.ENOTDIR, f"{call.target} is no directory of the root's own")
    stage, found = find_directory(stage, call.target)
    if found.node is None or found.node.kind != "directory":
        raise OSError(errno.EINVAL, f"{call.target} is no directory to mount on")
    world, taken = number(stage.world, "mount")
    tree, grown = f"memory {taken}", tree_of({})
    match call.filesystem:
        case "proc" | "sysfs":
            tree, grown = call.filesystem, world.trees[call.filesystem]
        case "devpts":
            grown = tree_of({"ptmx": Node("char", 0o666, device=(5, 2))})
    world = replace(world, trees={**world.trees, tree: grown})
    row = Mount(
        taken, found.path, call.filesystem, call.source or call.filesystem, flags,
        _options(call), tree,
    )  # fmt: skip
    stage = hang(replace(stage, world=world), row)
    if call.filesystem == "proc":
        stage = act(stage, replace(stage.task, handles=(*stage.task.handles, "procfs")))
    return stage


def bind(stage: Stage, call: calls.Bind) -> Stage:
    """Show a file or directory of the host inside the root, with flags added.

    The disk of this machine is unknown: a source that no tree knows counts as a file.
    """
    below_root(stage, "/")
    if stage.root == "/":
        raise OSError(errno.ENOENT, f"{call.source} of the host is out of reach by now")
    host = stage.world.mounts[stage.world.tasks[ENGINE].namespaces["mount"]]
    source = place(host, stage.world.trees, call.source)
    borrowed = stage.borrowed.get(call.source)
    is_directory = borrowed is not None or (
        source.node is not None and source.node.kind == "directory"
    )
    target = is_there(lambda: below_root(stage, call.target))
    if target is None:
        stage, target = in_likeness(stage, call.target, is_directory=is_directory)
    elif is_directory != (target.node is not None and target.node.kind == "directory"):
        raise OSError(errno.ENOTDIR, "a directory cannot cover a file, nor a file cover it")
    if borrowed is not None:
        row = replace(borrowed, target=target.path, peer=0, master=0)
        return hang(stage, row)
    shown = host[source.row]
    flags = flags_of((*call.flags, *(f for f in shown.flags if f != "rw")))
    row = replace(
        shown, target=target.path, root=f"/{source.inside}", flags=flags, peer=0, master=0
    )
    if source.node is None:
        world, taken = number(stage.world, "mount")
        row = replace(row, tree=f"memory {taken}")
        known = {**world.trees, row.tree: {source.inside: Node("file")}}
        stage = replace(stage, world=replace(world, trees=known))
    return hang(stage, row)


def hold_tree(stage: Stage, call: calls.HoldTree) -> Stage:
    """Take hold of a tree of the host.  Raises EINVAL after the pivot."""
    if stage.root == "/" and stage.task.root == "/" and "root" in stage.task.handles:
        raise OSError(errno.ENOENT, f"{call.source} of the host is out of reach by now")
    return act(stage, replace(stage.task, handles=(*stage.task.handles, "tree")))


def borrow_tree(stage: Stage, call: calls.BorrowTree) -> Stage:
    """Take a copy of a mount of another container.

    Raises ENOENT where the process or the path is gone, ESRCH where another process has
    its number.
    """
    demand(stage, "CAP_SYS_ADMIN")
    there = living(stage, call.pid, call.start_time)
    rows = stage.world.mounts[there.namespaces["mount"]]
    found = place(rows, stage.world.trees, f"{there.root.rstrip('/')}{call.path}")
    if found.node is None:
        raise OSError(errno.ENOENT, f"process {call.pid} has no {call.path}")
    row = rows[found.row]
    row = replace(row, root=posixpath.join(row.root, found.inside).rstrip("/") or "/")
    stage = replace(stage, borrowed={**stage.borrowed, call.source: row})
    return act(stage, replace(stage.task, handles=(*stage.task.handles, "tree")))


def in_likeness(stage: Stage, path: str, *, is_directory: bool) -> tuple[Stage, Place]:
    """Make an empty target for a bind: a directory, or a file, and what lies above."""
    parent = path.rstrip("/").rpartition("/")[0] or "/"
    stage = make_directory(stage, parent)
    empty = DIRECTORY if is_directory else Node("file")
    found = below_root(stage, path)
    return put_node(stage, found, empty), replace(found, node=empty)


def pivot_root(stage: Stage) -> Stage:
    """Make the container's root the root of the namespace; what hung elsewhere is gone.

    EINVAL: somebody shares the mount below, so the change would travel.  EBUSY: it is the
    root already.
    """
    hold(stage, "root")
    if stage.root == "/":
        raise OSError(errno.EBUSY, "this is the root mount already")
    rows, root = stage.rows, stage.root
    above = [r for r in rows if r.target != root and f"{root}/".startswith(_within(r))]
    if any(row.peer for row in (*above[:1], *above[-1:])) or any(
        row.peer for row in rows if row.target == root
    ):
        raise OSError(errno.EINVAL, "the mount above is shared: make it private first")
    kept = tuple(
        replace(row, target=row.target[len(root) :] or "/")
        for row in rows
        if f"{row.target}/".startswith(f"{root}/")
    )
    stage = replace(_with_rows(stage, kept), root="/")
    return act(stage, replace(stage.task, root="/", directory="/"))


def remount_readonly(stage: Stage, call: calls.RemountReadonly) -> Stage:
    """Refuse writes to the mount at `target`.  Raises EINVAL where nothing is mounted."""
    found = below_root(stage, call.target)
    if found.node is None:
        raise OSError(errno.ENOENT, f"{call.target} does not exist")
    if stage.rows[found.row].target != found.path:
        raise OSError(errno.EINVAL, f"nothing is mounted at {call.target}")
    rows = list(stage.rows)
    rows[found.row] = _readonly(rows[found.row])
    return _with_rows(stage, tuple(rows))


def make_readonly(stage: Stage, call: calls.MakeReadonly) -> Stage:
    """Bind a path on itself, read-only; an absent one is passed over."""
    found = is_there(lambda: below_root(stage, call.path))
    if found is None:
        return replace(stage, value=0)
    row = stage.rows[found.row]
    over = _readonly(replace(row, target=found.path, root=f"/{found.inside}"))
    return replace(hang(stage, over), value=1)


def mask(stage: Stage, call: calls.Mask) -> Stage:
    """Cover a file with /dev/null, a directory with an empty tmpfs."""
    try:
        found = is_there(lambda: below_root(stage, call.path))
    except NotADirectoryError:
        found = None
    if found is None or found.node is None:
        return replace(stage, value=0)
    if found.node.kind == "directory":
        world, taken = number(stage.world, "mount")
        tree = f"memory {taken}"
        world = replace(world, trees={**world.trees, tree: tree_of({})})
        empty = Mount(taken, found.path, "tmpfs", "tmpfs", flags_of(["ro"]), ("ro",), tree)
        return replace(hang(replace(stage, world=world), empty), value=2)
    null = device_at(stage, "/dev/null", NULL)
    over = replace(stage.rows[null.row], target=found.path, root=f"/{null.inside}")
    return replace(hang(stage, over), value=1)


def device_at(stage: Stage, path: str, device: tuple[int, int]) -> Place:
    """Find a device and verify its number.  Raises ENOENT; ENODEV for another one."""
    found = is_there(lambda: below_root(stage, path))
    if found is None or found.node is None:
        raise OSError(errno.ENOENT, f"{path} does not exist")
    if found.node.kind != "char" or found.node.device != device:
        raise OSError(errno.ENODEV, f"{path} is not the device {device[0]}:{device[1]}")
    return found


def own_table(world: World, rows: tuple[Mount, ...], namespace: int) -> World:
    """Copy a mount table for a new namespace: same rows, new numbers, same peers."""
    copied = []
    for row in rows:
        world, taken = number(world, "mount")
        copied.append(replace(row, number=taken))
    return replace(world, mounts={**world.mounts, namespace: tuple(copied)})


def find_directory(stage: Stage, path: str, mode: int = 0o755) -> tuple[Stage, Place]:
    """Find a directory of the container, making what is missing."""
    found, done = below_root(stage, "/"), ""
    for name in path.strip("/").split("/") if path.strip("/") else ():
        done = f"{done}/{name}"
        found = below_root(stage, done)
        if found.node is None:
            made = replace(DIRECTORY, mode=mode)
            stage, found = put_node(stage, found, made), replace(found, node=made)
    return stage, found


def _readonly(row: Mount) -> Mount:
    return replace(row, flags=("ro", *row.flags[1:]), peer=0, master=0)


def _within(row: Mount) -> str:
    return f"{row.target.rstrip('/')}/"


def _options(call: calls.Mount) -> tuple[str, ...]:
    """Give the superblock's options as mountinfo shows them: defaults are not shown."""
    hidden = {"newinstance", "mode=1777"}
    known = TAKEN_OPTIONS.get(call.filesystem, set())
    for word in filter(None, call.options.split(",")):
        if word.partition("=")[0] not in known and "cgroup" not in call.filesystem:
            raise OSError(errno.EINVAL, f"{call.filesystem} has no option {word}")
    words = [w.replace("mode=0", "mode=") for w in call.options.split(",") if w]
    return ("ro" if "ro" in call.flags else "rw", *(w for w in words if w not in hidden))


def _with_rows(stage: Stage, rows: tuple[Mount, ...]) -> Stage:
    mine = stage.task.namespaces["mount"]
    mounts = {**stage.world.mounts, mine: rows}
    return replace(stage, world=replace(stage.world, mounts=mounts))
