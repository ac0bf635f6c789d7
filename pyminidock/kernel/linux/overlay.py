"""Layers stacked into one tree by the kernel, and small files read through the stack.

The tree is made with fsopen and comes back as a handle: it is mounted nowhere, so no mount
table of the host ever shows it, and closing the handle is all the undoing there is.

Names of directories go in one by one, so commas and colons in them mean nothing.  A name
over 255 bytes, or with a character that overlayfs would unescape, goes in as the path of
an open handle.  Source: Documentation/filesystems/overlayfs.rst, man 2 fsconfig.
"""

import os
import stat
from collections.abc import Mapping, Sequence

from pyminidock.kernel.linux import syscalls, userns
from pyminidock.kernel.port import UnreadableFile

_LONGEST_STRING = 255  # bytes, of one fsconfig option
LARGEST_TEXT = 1 << 20  # bytes: /etc/passwd and /etc/group of any sane image
_IN_ROOT = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS


def prepare(lower: Sequence[str], upper: str, work: str, flags: Sequence[str] = ()) -> int:
    """Stack the directories, topmost first; give a handle on the detached tree.

    Without `upper` it is read-only; it then needs two lower layers or more.
    """
    context = syscalls.fsopen(b"overlay")
    opened: list[int] = []
    try:
        syscalls.fsconfig_string(context, b"source", b"overlay")
        _set_lower(context, [_spell(name, opened) for name in lower])
        if upper:
            syscalls.fsconfig_string(context, b"upperdir", _spell(upper, opened))
            syscalls.fsconfig_string(context, b"workdir", _spell(work, opened))
        if userns.is_single_user():  # trusted.* attributes are for the host's root alone
            syscalls.fsconfig_flag(context, b"userxattr")
        return syscalls.fsmount(context, sum(syscalls.MOUNT_ATTR[name] for name in flags))
    finally:
        for descriptor in (context, *opened):
            os.close(descriptor)


def _set_lower(context: int, names: list[bytes]) -> None:
    """Give all layers in one string, as mount tables show it, or one by one (Linux 6.7)."""
    together = b":".join(names)
    if len(together) <= _LONGEST_STRING:
        syscalls.fsconfig_string(context, b"lowerdir", together)
        return
    for name in names:
        syscalls.fsconfig_string(context, b"lowerdir+", name)


def _spell(path: str, opened: list[int]) -> bytes:
    name = os.fsencode(path)
    if len(name) <= _LONGEST_STRING and not set(name) & set(b"\\:,\n"):
        return name
    opened.append(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
    return b"/proc/self/fd/%d" % opened[-1]


def look(lower: Sequence[str], upper: str, paths: Sequence[str]) -> Mapping[str, bytes]:
    """Read files as a container with these layers would see them; see port.look.

    The upper directory is stacked read-only, as one more lower layer: a running container
    may be writing to it, and two overlays must not share an upper directory.
    """
    stack = [upper, *lower] if upper else list(lower)
    if len(stack) > 1:
        tree = prepare(stack, "", "")
    else:
        tree = os.open(stack[0], os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = {path: _read(tree, path) for path in paths}
    finally:
        os.close(tree)
    return {path: text for path, text in found.items() if text is not None}


def _read(tree: int, path: str) -> bytes | None:
    """Read one small regular file below a handle; a FIFO or device is never waited for."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
    try:
        # What it is, before it is opened: opening a device can already have an effect.
        probe = syscalls.openat2(tree, os.fsencode(path), os.O_PATH, resolve=_IN_ROOT)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as refusal:
        raise _unreadable(path, os.strerror(refusal.errno or 0)) from refusal
    try:
        status = os.fstat(probe)
    finally:
        os.close(probe)
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable(path, "it is no regular file")
    if status.st_size > LARGEST_TEXT:
        raise _unreadable(path, f"it has {status.st_size} bytes")
    descriptor = syscalls.openat2(tree, os.fsencode(path), flags, resolve=_IN_ROOT)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _unreadable(path, "it changed while it was opened")
        return os.read(descriptor, LARGEST_TEXT)
    finally:
        os.close(descriptor)


def _unreadable(path: str, reason: str) -> UnreadableFile:
    return UnreadableFile(
        f"cannot read /{path.lstrip('/')} of the image: {reason}",
        why="users and groups are read from small regular files inside the image, "
        "so that an image cannot point the engine at a file of the host",
        try_next=f"docker run --user 0:0 with an image whose /{path.lstrip('/')} "
        "is a regular file under 1 MiB",
        lesson="users",
    )
