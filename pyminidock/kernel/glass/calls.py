"""Which call of a program a request is the end of, and what came of it.

    CREATE motd in node 3   ──►  create("/etc/motd") = 0
    UNLINK motd in node 3   ──►  unlink("/etc/motd") = EBUSY

A call asks for each name on its way first (LOOKUP); what it wants in the end is the request
that is its own.  What goes on with what is open (READ, GETATTR …) tells nothing of layers,
so it is not told.

Source: Linux, include/uapi/linux/fuse.h; fs/fuse/dir.c.
"""

import errno
import os
from collections.abc import Callable

from pyminidock.events import CallAnswered
from pyminidock.kernel.glass import wire
from pyminidock.kernel.glass.loop import Reply
from pyminidock.kernel.glass.tree import Tree
from pyminidock.kernel.glass.wire import Op, Request
from pyminidock.unionfs.branches import inside


def answered(tree: Tree, asked: Request, reply: Reply) -> CallAnswered | None:
    """Tell which call has its answer now; None for what is no call's own request."""
    read = _CALLS.get(asked.opcode)
    if read is None:
        return None
    call, path, old = read(tree, asked)
    header = reply if isinstance(reply, bytes) else reply[0]
    _, refused, _ = wire.OUT_HEADER.unpack_from(header)
    return CallAnswered(call, path, errno.errorcode.get(-refused, ""), old)


Names = tuple[str, str, str]  # the call, its path, the other path


def _at(tree: Tree, nodeid: int, name: bytes | None = None) -> str:
    node = tree.nodes.get(nodeid)
    if node is None:
        return ""
    return node.called if name is None else inside(node.path, os.fsdecode(name))


def _named(call: str, skipped: int) -> Callable[[Tree, Request], Names]:
    """Read a request whose body is so many bytes, and then the name of what it is about."""

    def read(tree: Tree, asked: Request) -> Names:
        return call, _at(tree, asked.nodeid, wire.names(asked.body, skipped)[0]), ""

    return read


def _moved(skipped: int) -> Callable[[Tree, Request], Names]:
    def read(tree: Tree, asked: Request) -> Names:
        (target,) = wire.RENAME_IN.unpack_from(asked.body)
        old, new = wire.names(asked.body, skipped)[:2]
        return "rename", _at(tree, target, new), _at(tree, asked.nodeid, old)

    return read


def _linked(tree: Tree, asked: Request) -> Names:
    (old,) = wire.LINK_IN.unpack_from(asked.body)
    name = wire.names(asked.body, 8)[0]
    return "link", _at(tree, asked.nodeid, name), _at(tree, old)


_CALLS: dict[int, Callable[[Tree, Request], Names]] = {
    Op.OPEN: lambda tree, asked: ("open", _at(tree, asked.nodeid), ""),
    Op.CREATE: _named("create", wire.CREATE_IN.size),
    Op.MKDIR: _named("mkdir", wire.MKDIR_IN.size),
    Op.MKNOD: _named("mknod", wire.MKNOD_IN.size),
    Op.SYMLINK: _named("symlink", 0),
    Op.UNLINK: _named("unlink", 0),
    Op.RMDIR: _named("rmdir", 0),
    Op.RENAME: _moved(wire.RENAME_IN.size),
    Op.RENAME2: _moved(wire.RENAME2_IN.size),
    Op.LINK: _linked,
}
