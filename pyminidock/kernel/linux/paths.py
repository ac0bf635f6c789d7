"""Paths of a container, opened below a handle on its root and never as host paths.

The tree was made by a stranger: any name in it may be a link to anywhere.  What exists is
opened with openat2, which keeps every link inside; what is missing is made one name at a
time, links followed by their text.  A target is opened first and mounted on through its
handle, so it cannot be exchanged in between.

Source: man 2 openat2 (RESOLVE_IN_ROOT), move_mount; CVE-2021-30465: targets resolved twice.
"""

import errno
import os
import stat

from pyminidock.kernel.linux import syscalls
from pyminidock.kernel.linux.birth import Birth

NULL_DEVICE = os.makedev(1, 3)
_IN_ROOT = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
_WITHOUT_LINKS = _IN_ROOT | syscalls.RESOLVE_NO_SYMLINKS
_ITSELF = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST_CHAIN = 40  # symbolic links in one path, as in the kernel


def open_inside(birth: Birth, path: bytes, flags: int = os.O_PATH) -> int:
    """Open a path of the container below its root; symbolic links stay inside."""
    return syscalls.openat2(birth.root, path.lstrip(b"/") or b".", flags, resolve=_IN_ROOT)


def open_or_make(
    birth: Birth, path: bytes, *, is_directory: bool, mode: int = 0o755
) -> int:
    """Open a mount target below the root; what is missing is made on the way.

    Most lie in what we have just mounted empty, by its handle, or are there without a link
    on the way: that is one step.
    """
    directory, _, name = path.rpartition(b"/")
    try:
        if directory not in birth.own or name in (b"", b".", b".."):
            inside = path.lstrip(b"/") or b"."
            return syscalls.openat2(birth.root, inside, os.O_PATH, resolve=_WITHOUT_LINKS)
        return _new(birth.own[directory], name, is_directory=is_directory, mode=mode)
    except OSError:  # something is missing, or was there already: name by name
        pass
    return _walk(birth, path, is_directory=is_directory, mode=mode)


def cover(birth: Birth, target: bytes) -> None:
    """Forget the handles on what will be, or has been, covered by a mount at `target`."""
    for covered in [each for each in birth.own if (each + b"/").startswith(target + b"/")]:
        os.close(birth.own.pop(covered))


def _walk(birth: Birth, path: bytes, *, is_directory: bool, mode: int) -> int:
    """Open or make name by name.

    Links are followed by their text and never by the kernel, so one that dangles, or that
    leads to /proc/1/root, still ends inside; ".." climbs the handles we came by.
    """
    handles = [os.dup(birth.root)]
    rest = [name for name in path.split(b"/") if name]
    links = 0
    while rest:
        name = rest.pop(0)
        if name in (b".", b".."):
            if name == b".." and len(handles) > 1:
                os.close(handles.pop())
            continue
        found = _step(handles[-1], name, is_directory=is_directory or bool(rest), mode=mode)
        if stat.S_ISLNK(os.fstat(found).st_mode):
            text = os.readlink(b"", dir_fd=found)
            os.close(found)
            links += 1
            if links > _LONGEST_CHAIN:
                raise OSError(errno.ELOOP, "", path)
            rest = [part for part in text.split(b"/") if part] + rest
            while text.startswith(b"/") and len(handles) > 1:
                os.close(handles.pop())
            continue
        if rest and not stat.S_ISDIR(os.fstat(found).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "", path)
        handles.append(found)
    for handle in handles[:-1]:
        os.close(handle)
    return handles[-1]


def _step(directory: int, name: bytes, *, is_directory: bool, mode: int) -> int:
    """Open one name below a directory, itself and not where it leads; made if absent."""
    try:
        return os.open(name, _ITSELF, dir_fd=directory)
    except FileNotFoundError:
        return _new(directory, name, is_directory=is_directory, mode=mode)


def _new(directory: int, name: bytes, *, is_directory: bool, mode: int) -> int:
    """Make one name below a directory, and open it.  Raises FileExistsError."""
    if is_directory:
        os.mkdir(name, mode, dir_fd=directory)
    else:
        flags_to_make = os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        os.close(os.open(name, flags_to_make, 0o644, dir_fd=directory))
    return os.open(name, _ITSELF, dir_fd=directory)


def open_place(birth: Birth, path: bytes, *, is_directory: bool) -> int:
    """Open a place to mount on, unless a link of the image leads to /proc or to the root.

    A mount there could cover a mask, or replace /proc/self.  Source: CVE-2015-3630; what is
    typed as /proc was judged when the request was read.
    """
    handle = open_or_make(birth, path, is_directory=is_directory)
    place = os.fstat(handle)
    is_in_proc = place.st_dev == birth.proc_device and not path.startswith(b"/proc")
    if is_in_proc or (place.st_dev, place.st_ino) == birth.root_place:
        raise OSError(errno.EXDEV, "", path)
    return handle


def attach(mount: int, target: int) -> None:
    """Hang a detached mount on an opened target; both handles are done with."""
    syscalls.move_mount(mount, target)
    os.close(mount)
    os.close(target)


def open_null(birth: Birth, flags: int) -> int:
    """Open the container's /dev/null, and believe it only as character device 1:3.

    Otherwise a mask could be a gift.  Source: CVE-2025-31133.
    """
    null = open_inside(birth, b"/dev/null", flags)
    status = os.fstat(null)
    if not stat.S_ISCHR(status.st_mode) or status.st_rdev != NULL_DEVICE:
        raise OSError(errno.ENODEV, "", b"/dev/null")
    return null
