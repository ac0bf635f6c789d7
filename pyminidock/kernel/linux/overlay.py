"""Layers stacked into one tree by the kernel, and small files read through the stack.

The tree is made with fsopen and comes back as a handle: it is mounted nowhere, so no mount
table of the host ever shows it, and closing the handle is all the undoing there is.

Names of directories go in one by one, so commas and colons in them mean nothing.  A name
over 255 bytes, or with a character that overlayfs would unescape, goes in as the path of
an open handle.  Source: Documentation/filesystems/overlayfs.rst, man 2 fsconfig.
"""

import itertools
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pyminidock.kernel.linux import syscalls, userns
from pyminidock.kernel.port import UnreadableFile

_LONGEST_STRING = 255  # bytes, of one fsconfig option
LARGEST_TEXT = 1 << 20  # bytes: /etc/passwd and /etc/group of any sane image
_IN_ROOT = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
_NO_LINKS = syscalls.RESOLVE_NO_SYMLINKS


def prepare(
    lower: Sequence[str], upper: str, work: str, flags: Sequence[str] = (), *,
    has_handles: bool = False,
) -> int:  # fmt: skip
    """Stack the directories, topmost first; give a handle on the detached tree.

    Without `upper` it is read-only; it then needs two lower layers or more.  With
    `has_handles` its files can be named by handles, as whoever watches them needs.
    """
    context = syscalls.fsopen(b"overlay")
    opened: list[int] = []
    try:
        syscalls.fsconfig_string(context, b"source", b"overlay")
        _set_lower(context, [_spell(name, opened) for name in lower])
        if upper:
            syscalls.fsconfig_string(context, b"upperdir", _spell(upper, opened))
            syscalls.fsconfig_string(context, b"workdir", _spell(work, opened))
        for option in (b"index", b"nfs_export") if has_handles else ():
            syscalls.fsconfig_string(context, option, b"on")
        if userns.is_single_user():  # trusted.* attributes are for the host's root alone
            syscalls.fsconfig_flag(context, b"userxattr")
        syscalls.fscreate(context)
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

    Layers that say nothing of these files are left out.  If that leaves one, it is read
    where it lies, for a mount and its end take the kernel a millisecond.  Else the upper
    directory is stacked read-only, as one more lower layer: a running container may be
    writing to it, and two overlays must not share an upper directory.
    """
    stack = [upper, *lower] if upper else list(lower)
    if len(stack) == 1:
        return _read_all(_open_tree(stack[0]), paths, _IN_ROOT)
    telling = [layer for layer in stack if any(_speaks_of(layer, path) for path in paths)]
    if not telling:
        return {}
    if len(telling) == 1:
        with suppress(_Unclear):
            return _read_all(_open_tree(telling[0]), paths, _IN_ROOT | _NO_LINKS)
    return _read_all(prepare(stack, "", ""), paths, _IN_ROOT)


class _Unclear(Exception):
    """One layer alone does not tell: there is a link, or no plain file."""


def _open_tree(path: str) -> int:
    return os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def _speaks_of(layer: str, path: str) -> bool:
    """Say whether a layer has a file, or hides what lies below, or is not plain there.

    It does neither where the way ends at a name that it lacks, if the directories on the
    way are real ones that let the layers below be seen.
    """
    tree = _open_tree(layer)
    try:
        for name in itertools.accumulate(Path(path).parts, os.path.join):
            try:
                found = syscalls.openat2(
                    tree, os.fsencode(name), os.O_PATH, resolve=_IN_ROOT | _NO_LINKS
                )
            except FileNotFoundError:
                return False
            except OSError:  # a link, or a file in place of a directory
                return True
            try:
                if name == path or not _is_transparent(found):
                    return True
            finally:
                os.close(found)
    finally:
        os.close(tree)
    return False


def _is_transparent(directory: int) -> bool:
    marks = os.listxattr(f"/proc/self/fd/{directory}")
    return not any(mark.endswith((".opaque", ".redirect")) for mark in marks)


def _read_all(tree: int, paths: Sequence[str], resolve: int) -> Mapping[str, bytes]:
    """Read what is there, and close the tree."""
    try:
        found = {path: _read(tree, path, resolve) for path in paths}
    finally:
        os.close(tree)
    return {path: text for path, text in found.items() if text is not None}


def _read(tree: int, path: str, resolve: int) -> bytes | None:
    """Read one small regular file below a handle; a FIFO or device is never waited for."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
    try:
        # What it is, before it is opened: opening a device can already have an effect.
        probe = syscalls.openat2(tree, os.fsencode(path), os.O_PATH, resolve=resolve)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as refusal:
        if resolve & _NO_LINKS:
            raise _Unclear from refusal
        raise _unreadable(path, os.strerror(refusal.errno or 0)) from refusal
    try:
        status = os.fstat(probe)
    finally:
        os.close(probe)
    if not stat.S_ISREG(status.st_mode):
        if resolve & _NO_LINKS:
            raise _Unclear
        raise _unreadable(path, "it is no regular file")
    if status.st_size > LARGEST_TEXT:
        raise _unreadable(path, f"it has {status.st_size} bytes")
    descriptor = syscalls.openat2(tree, os.fsencode(path), flags, resolve=resolve)
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
