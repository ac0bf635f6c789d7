"""Trees on their way into a container: cloned, attached nowhere yet.

Where only a part of a volume is shown, strangers have written that part: the way down goes
by handles, and no link in it leads out.  A tree of another container can be cloned only by
who stands in its mount namespace: a process is sent there, and does nothing else.

Source: man 2 open_tree, openat2 (RESOLVE_BENEATH), setns.
"""

import errno
import os

from pyminidock.kernel.linux import sockets, syscalls
from pyminidock.kernel.linux.proc import start_time

_BENEATH = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_MAGICLINKS
_PLAINLY = syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_MAGICLINKS


def borrow(pid: int, started: int, path: bytes) -> int:
    """Clone the mount at `path` as process `pid`, started then, has it.

    Raises OSError: ESRCH where the number is another's by now.
    """
    there = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    if start_time(pid) != started:
        os.close(there)
        raise ProcessLookupError(errno.ESRCH, "the number belongs to another now")
    ours, its = sockets.pair()
    messenger = os.fork()
    if messenger == 0:
        os._exit(_send_clone(there, path, its))
    for descriptor in (there, its.detach()):
        os.close(descriptor)
    _, handles = sockets.receive_handles(ours, 1, 1)
    os.close(ours.detach())
    _, status = os.waitpid(messenger, 0)
    if not handles:
        code = os.waitstatus_to_exitcode(status)
        raise OSError(code if code > 0 else errno.EIO, "", path)
    return handles[0]


def _send_clone(namespace: int, path: bytes, line: sockets.Socket) -> int:
    """In the messenger: enter, clone, send; give an errno, or 0."""
    try:
        syscalls.setns(namespace, syscalls.CLONE_FLAGS["mount"])
        place = syscalls.openat2(syscalls.AT_FDCWD, path, os.O_PATH, resolve=_PLAINLY)
        tree = syscalls.open_tree_clone(place, b"", recursive=False)
        sockets.send_handles(line, b"t", [tree])
    except OSError as refusal:
        return refusal.errno or errno.EIO
    return 0


def clone_below(source: bytes, below: bytes = b"", *, is_recursive: bool = True) -> int:
    """Clone the mount at `source`, or at the path `below` in it.  Raises OSError."""
    if not below:
        return syscalls.open_tree_clone(syscalls.AT_FDCWD, source, recursive=is_recursive)
    top = os.open(source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        inner = syscalls.openat2(top, below, os.O_PATH, resolve=_BENEATH)
    finally:
        os.close(top)
    try:
        return syscalls.open_tree_clone(inner, b"", recursive=is_recursive)
    finally:
        os.close(inner)
