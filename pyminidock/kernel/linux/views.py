"""A container's tree as the engine may touch it, while strangers move things in it.

    running    the mount that the program itself has as its root, cloned
    stopped    its layers, stacked anew; to write, with its own upper directory

Either way it is one filesystem: what hangs in it for the program alone (/proc, /dev, a
tmpfs) is not there.  A few files of the engine can be hung in, as the program sees them.

Nothing here trusts a name.  To clone the mount of a program one has to stand in its mount
namespace; a thread of ours goes there, makes one system call and comes back, and a program
that has changed its own root meanwhile changes nothing: the namespace's root counts.  Every
later step goes by `openat2` from the root's handle, with the root as the root: no link, and
no directory that is moved away under us, leads out.

Source: man 2 open_tree, openat2, setns, unshare; mount_namespaces(7); hardening.md C.1.
"""

import errno
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TypeVar

from pyminidock.kernel.linux import overlay, syscalls
from pyminidock.kernel.linux.proc import start_time
from pyminidock.kernel.linux.trees import clone_below
from pyminidock.kernel.port import Hung, Process

_IN_ROOT = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
_MOUNTS = syscalls.CLONE_FLAGS["mount"]
_FILESYSTEM = 0x00000200  # CLONE_FS: the thread gets a root and a directory of its own
_NAMESPACE = b"/proc/thread-self/ns/mnt"
_HANDLE = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
T = TypeVar("T")


class LinuxView:
    """A port.View: the handle of a root, and of the namespace in which it is hung up."""

    def __init__(
        self, root: int, namespace: int = -1, held: frozenset[tuple[int, int]] = frozenset()
    ) -> None:
        self._root, self._namespace, self.held = root, namespace, held
        self._lock = threading.Lock()

    def open(self, path: bytes, flags: int) -> int:
        """See port."""
        return syscalls.openat2(self._root, path or b".", flags, resolve=_IN_ROOT)

    def name(self, file: int, directory: int, name: bytes) -> None:
        """See port."""
        syscalls.name_file(file, directory, name)

    def close(self) -> None:
        """See port."""
        with self._lock:
            for handle in (self._namespace, self._root):
                if handle >= 0:
                    os.close(handle)
            self._namespace = self._root = -1


def of_running(process: Process, files: Sequence[Hung], place: str) -> LinuxView:
    """Give the root of a running program, with `files` hung in.

    Raises ProcessLookupError where it is gone, OSError.
    """
    name = f"/proc/{process.pid}/ns/mnt"
    try:
        theirs = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH)) from None
    try:
        if start_time(process.pid) != process.start_time:  # somebody else by now
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        root = _apart(lambda ours: _cloned_root(theirs, ours))
    finally:
        os.close(theirs)
    return _furnished(root, files, place)


def of_layers(
    lower: Sequence[str],
    upper: str,
    work: str,
    files: Sequence[Hung],
    place: str,
) -> LinuxView:
    """Stack layers and hang `files` in; without `work` what is in `upper` is read only."""
    stack = lower if work else (upper, *lower)
    root = overlay.prepare(stack, upper if work else "", work)
    return _furnished(root, files, place)


def _furnished(root: int, files: Sequence[Hung], place: str) -> LinuxView:
    """Hang files of the host into a tree, in a mount namespace that nobody else sees."""
    if not files:
        return LinuxView(root)
    try:
        held = frozenset(_identity(each) for each in files if not each.below)
        return LinuxView(root, _apart(lambda _ours: _hung_up(root, files, place)), held)
    except BaseException:
        os.close(root)
        raise


def _identity(hung: Hung) -> tuple[int, int]:
    status = Path(hung.source).stat()
    return status.st_dev, status.st_ino


def _cloned_root(theirs: int, ours: int) -> int:
    syscalls.unshare(_FILESYSTEM)  # only who shares neither may change namespaces
    syscalls.setns(theirs, _MOUNTS)
    try:
        return syscalls.open_tree_clone(syscalls.AT_FDCWD, b"/", recursive=False)
    finally:
        syscalls.setns(ours, _MOUNTS)


def _cloned(hung: Hung) -> int:
    """Clone a tree of the host, for reading if that is all that the container may."""
    clone = clone_below(os.fsencode(hung.source), os.fsencode(hung.below))
    if hung.is_readonly:
        syscalls.mount_setattr(clone, b"", recursive=True, add=syscalls.MOUNT_ATTR_RDONLY)
    return clone


def _hung_up(root: int, files: Sequence[Hung], place: str) -> int:
    """Attach the tree and the files in a namespace of their own; give its handle."""
    with ExitStack() as opened:

        def held(handle: int) -> int:
            opened.callback(os.close, handle)
            return handle

        clones = [(held(_cloned(each)), os.fsencode(each.target)) for each in files]
        syscalls.unshare(_MOUNTS)
        namespace = os.open(_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            syscalls.mount_setattr(
                syscalls.AT_FDCWD, b"/", recursive=True, propagation=syscalls.MS_PRIVATE
            )
            spot = held(os.open(place, _HANDLE))
            syscalls.move_mount(root, spot)
            for clone, target in clones:
                with suppress(FileNotFoundError, NotADirectoryError):  # it took it away
                    flags = os.O_PATH | os.O_CLOEXEC
                    spot = syscalls.openat2(root, target, flags, resolve=_IN_ROOT)
                    try:
                        syscalls.move_mount(clone, spot)
                    finally:
                        os.close(spot)
        except BaseException:
            os.close(namespace)
            raise
    return namespace


def _apart(work: Callable[[int], T]) -> T:
    """Do something in a thread that may leave our namespaces, and comes back at its end.

    `work` is given a handle on the mount namespace of the engine.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        ours = os.open(_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            try:
                results.append(work(ours))
            finally:
                syscalls.unshare(_FILESYSTEM)
                syscalls.setns(ours, _MOUNTS)
        except BaseException as failure:  # it is raised by who waits
            failures.append(failure)
        finally:
            os.close(ours)

    thread = threading.Thread(target=run, name="view")
    thread.start()
    thread.join()
    for failure in failures:
        raise failure
    return results[0]
