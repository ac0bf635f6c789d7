"""What a birth makes on the tmpfs of /dev, and nowhere else: nodes, links, the console.

An image may hold /dev as a link to /etc, or a regular file called /dev/null.  So a node is
made only on what was mounted on /dev a moment ago, and /dev/null is believed only as
character device 1:3.
"""

import errno
from dataclasses import replace

from pyminidock.kernel import calls
from pyminidock.kernel.model.mounts import find_directory, hang, in_likeness
from pyminidock.kernel.model.stage import Stage, act, below_root, is_there, put_node
from pyminidock.kernel.model.tree import Node, Place, seen


def make_device(stage: Stage, call: calls.MakeDevice) -> Stage:
    """Make a node on the tmpfs that was mounted on /dev, and nowhere else."""
    if not 0 <= call.major < 1 << 12 or not 0 <= call.minor < 1 << 20:
        raise OSError(errno.EINVAL, f"no device is numbered {call.major}:{call.minor}")
    stage, found = _empty_place(stage, call.path, is_device=True)
    kind = "block" if call.is_block else "char"
    device = (call.major, call.minor)
    node = Node(kind, call.mode, device=device, uid=call.uid, gid=call.gid)
    return put_node(stage, found, node)


def make_link(stage: Stage, call: calls.MakeLink) -> Stage:
    """Make a symbolic link; below /dev on our own tmpfs.  Raises EEXIST, EXDEV."""
    stage, found = _empty_place(stage, call.path, is_device=call.path.startswith("/dev/"))
    return put_node(stage, found, Node("link", 0o777, points_to=call.points_to))


def _empty_place(stage: Stage, path: str, *, is_device: bool) -> tuple[Stage, Place]:
    """Find where nothing is yet; a device lies on what we mounted on /dev, nowhere else."""
    stage, _ = find_directory(stage, path.rpartition("/")[0] or "/")
    found = below_root(stage, path, follow_last=False)
    row = stage.rows[found.row]
    if is_device and seen(replace(found, path=row.target), stage.root) != "/dev":
        raise OSError(errno.EXDEV, f"{path} is not on the tmpfs of /dev")
    if found.node is not None:
        raise OSError(errno.EEXIST, f"{path} exists")
    return stage, found


def open_console(stage: Stage, call: calls.OpenConsole) -> Stage:
    """Take a terminal of the container's own devpts; a birth binds it on /dev/console."""
    found = is_there(lambda: below_root(stage, "/dev/pts/ptmx"))
    if found is None:
        raise OSError(errno.ENOENT, "no devpts on /dev/pts has a terminal to take")
    if stage.root != "/":
        target = is_there(lambda: below_root(stage, "/dev/console"))
        if target is None:
            stage, target = in_likeness(stage, "/dev/console", is_directory=False)
        terminal = replace(stage.rows[found.row], target=target.path, root="/0")
        stage = hang(stage, terminal)
    size = (call.rows, call.columns)
    return act(stage, replace(stage.task, streams=("pts", "pts", "pts"), window=size))
