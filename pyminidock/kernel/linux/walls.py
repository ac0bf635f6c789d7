"""Verbs that build a container's walls, in the order of a birth, up to the ready report.

Each is one call of the plan, performed by the child on itself: namespaces, the new root and
what is mounted in it, devices, the pivot, what may only be read or not be seen at all, and
the limits of the process.  Each can be reported, and the child held after it.

Source: docs/birth.md for the order and its reasons; man 2 of each call.
"""

import errno
import fcntl
import os
import resource
import stat
import struct

from pyminidock.kernel.linux import sockets, syscalls
from pyminidock.kernel.linux.birth import Birth, wait_for_go
from pyminidock.kernel.linux.filesystems import new_filesystem
from pyminidock.kernel.linux.paths import (
    NULL_DEVICE,
    attach,
    cover,
    open_inside,
    open_null,
    open_or_make,
    open_place,
)
from pyminidock.kernel.linux.trees import clone_below

_TIOCSCTTY, _TIOCSPTLCK, _TIOCGPTPEER, _TIOCSWINSZ = 0x540E, 0x40045431, 0x5441, 0x5414
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


def join_cgroup(birth: Birth, path: bytes) -> None:
    # A zero means the writer itself.  In v1 `tasks` moves one thread, and one that moves
    # itself needs no lock over all processes of the machine: 0.03 ms, not 9.
    try:
        descriptor = os.open(path + b"/tasks", os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # v2
        descriptor = os.open(path + b"/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
    os.write(descriptor, b"0")
    os.close(descriptor)


def enter_namespace(birth: Birth, namespace: str, flag: int) -> None:
    if namespace != birth.ahead:
        syscalls.unshare(flag)


def join_sandbox(birth: Birth, sandbox: bytes) -> None:
    birth.receive_rest()
    if birth.sandbox < 0:
        raise OSError(errno.EBADF, "no sandbox came with the order")
    syscalls.setns(birth.sandbox, syscalls.CLONE_FLAGS["network"])
    os.close(birth.sandbox)
    birth.sandbox = -1


def refuse_tracers(birth: Birth) -> None:
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)


def die_with_parent(birth: Birth) -> None:
    # The signal comes from whoever is the parent at its death.  getppid() is 0 for a PID 1,
    # so the shim itself says when it has taken over, and for exec when the usher is gone.
    wait_for_go(birth.shim)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, sockets.SIGKILL)


def join_keyring(birth: Birth, name: bytes) -> int:
    try:
        syscalls.join_session_keyring(name)
    except OSError as refusal:
        if refusal.errno != errno.ENOSYS:
            raise
        return 1
    return 0


def set_propagation(birth: Birth, target: bytes, kind: int, is_recursive: bool) -> None:
    syscalls.mount_setattr(
        syscalls.AT_FDCWD, target, recursive=is_recursive, propagation=kind
    )


def attach_root(birth: Birth, target: bytes) -> None:
    birth.receive_rest()
    syscalls.move_mount(birth.root_mount, syscalls.AT_FDCWD, target)
    os.close(birth.root_mount)
    birth.root = os.open(target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    status = os.fstat(birth.root)
    birth.root_place = (status.st_dev, status.st_ino)


def make_directory(birth: Birth, path: bytes, mode: int) -> None:
    handle = open_or_make(birth, path, is_directory=True, mode=mode)
    if not stat.S_ISDIR(os.fstat(handle).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "", path)
    os.close(handle)


def mount(
    birth: Birth, filesystem: bytes, source: bytes, target: bytes, attributes: int,
    is_readonly: bool, options: tuple[tuple[bytes, bytes], ...], must_be_plain: bool,
) -> None:  # fmt: skip
    if must_be_plain:
        # A symbolic link named /proc would receive our writes to sysctl and attributes.
        # Source: CVE-2019-16884, CVE-2019-19921.
        name = target.strip(b"/")
        try:
            handle = os.open(
                name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=birth.root
            )
        except FileNotFoundError:
            handle = open_or_make(birth, target, is_directory=True)
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "", target)
    else:
        if filesystem == b"tmpfs" and b"mode" not in dict(options):
            options += _mode_of(birth, target)
        handle = open_place(birth, target, is_directory=True)
    mount = birth.stock.take(
        filesystem, source, options, attributes, is_readonly=is_readonly
    )
    if filesystem == b"proc" and birth.proc < 0:
        birth.proc, birth.proc_device = os.dup(mount), os.fstat(mount).st_dev
    if target == b"/dev":
        birth.devices = os.fstat(mount).st_dev
    cover(birth, target)
    if filesystem == b"tmpfs":
        birth.own[target] = os.dup(mount)
    attach(mount, handle)


def _mode_of(birth: Birth, path: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """A tree in memory looks like the directory that it covers, as Docker has it."""
    try:
        handle = open_inside(birth, path)
    except OSError:  # it will be made, and tmpfs has a mode of its own: 1777
        return ()
    mode = stat.S_IMODE(os.fstat(handle).st_mode)
    os.close(handle)
    return ((b"mode", b"%o" % mode),)


_SPREAD = {
    b"private": syscalls.MS_PRIVATE,
    b"slave": syscalls.MS_SLAVE,
    b"shared": syscalls.MS_SHARED,
}


def bind(
    birth: Birth, source: bytes, target: bytes, attributes: int, propagation: bytes,
    is_recursive: bool, guards_below: bool, below: bytes,
) -> None:  # fmt: skip
    mount = birth.held.pop(source, -1)
    if mount < 0:
        mount = clone_below(source, below, is_recursive=is_recursive)
    is_directory = stat.S_ISDIR(os.fstat(mount).st_mode)
    spread = _SPREAD[propagation]
    if attributes and not guards_below:
        syscalls.mount_setattr(mount, b"", add=attributes)
        attributes = 0
    syscalls.mount_setattr(mount, b"", recursive=True, add=attributes, propagation=spread)
    place = open_place(birth, target, is_directory=is_directory)
    if stat.S_ISDIR(os.fstat(place).st_mode) != is_directory:
        raise NotADirectoryError(errno.ENOTDIR, "", target)
    attach(mount, place)
    cover(birth, target)


def hold_tree(birth: Birth, source: bytes, is_flat: bool) -> None:
    birth.held[source] = clone_below(source, is_recursive=not is_flat)


def _device_directory(birth: Birth, path: bytes) -> tuple[int, bytes]:
    """Open the directory of a device to be made: it must lie on our own tmpfs.

    An image may hold /dev as a link to /etc.  Source: CVE-2026-41579.
    """
    directory, _, name = path.rpartition(b"/")
    if directory == b"/dev" and directory in birth.own:
        return os.dup(birth.own[directory]), name
    handle = open_or_make(birth, directory, is_directory=True)
    if os.fstat(handle).st_dev != birth.devices:
        raise OSError(errno.EXDEV, "", path)
    return handle, name


def make_device(
    birth: Birth, path: bytes, major: int, minor: int, mode: int, uid: int, gid: int,
    is_block: bool,
) -> None:  # fmt: skip
    handle, name = _device_directory(birth, path)
    device = os.makedev(major, minor)
    kind = stat.S_IFBLK if is_block else stat.S_IFCHR
    os.mknod(name, kind | mode, device, dir_fd=handle)
    made = os.stat(name, dir_fd=handle, follow_symlinks=False)
    if stat.S_IFMT(made.st_mode) != kind or made.st_rdev != device:
        raise OSError(errno.ESTALE, "", path)
    if uid or gid:
        os.chown(name, uid, gid, dir_fd=handle, follow_symlinks=False)
    os.close(handle)


def make_link(birth: Birth, path: bytes, points_to: bytes) -> None:
    directory, _, name = path.rpartition(b"/")
    if path.startswith(b"/dev/"):
        handle, name = _device_directory(birth, path)
    else:
        handle = open_or_make(birth, directory, is_directory=True)
    os.symlink(points_to, name, dir_fd=handle)
    os.close(handle)


def open_console(birth: Birth, rows: int, columns: int) -> None:
    # The peer is asked of the master itself: a path /dev/pts/N could be anybody's link, as
    # in CVE-2025-52565.
    master = open_inside(birth, b"/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
    peer = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
    if rows and columns:
        fcntl.ioctl(
            master, _TIOCSWINSZ, struct.pack("HHHH", rows & 0xFFFF, columns & 0xFFFF, 0, 0)
        )
    if birth.devices >= 0:  # a birth; an exec leaves the container's console alone
        mount = syscalls.open_tree_clone(peer, b"", recursive=False)
        attach(mount, open_or_make(birth, b"/dev/console", is_directory=False))
    shim = sockets.of(birth.shim)
    sockets.send_handles(shim, b"t", [master])
    shim.detach()
    os.close(master)
    fcntl.ioctl(peer, _TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(peer, descriptor)
    os.close(peer)


def raise_loopback(birth: Birth | None) -> None:
    """Set IFF_UP on lo: struct ifreq { char name[16]; short flags; ... }, 40 bytes.

    In a namespace that was made ahead it is up already, and all that is done here is to
    see that it is: to ask takes no lock, to change takes one of the whole machine.
    """
    probe = sockets.Socket(sockets.AF_INET, sockets.SOCK_DGRAM)
    asked = struct.pack("16sH22x", b"lo", 0)
    (flags,) = struct.unpack_from("H", fcntl.ioctl(probe, _SIOCGIFFLAGS, asked), 16)
    if not flags & _IFF_UP:
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))
    probe.close()


def pivot_root(birth: Birth) -> None:
    # The old root ends up stacked on the new one; it is entered by its handle, kept from
    # sending its own unmounting back to the host, and let go.  Source: man 2 pivot_root.
    old = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    os.fchdir(birth.root)
    syscalls.pivot_root(b".", b".")
    os.fchdir(old)
    syscalls.mount_setattr(
        syscalls.AT_FDCWD, b".", recursive=True, propagation=syscalls.MS_SLAVE
    )
    syscalls.umount_detach(b".")
    os.chdir("/")
    os.close(old)


def reopen_streams(birth: Birth) -> None:
    for descriptor in (0, 1, 2):
        status = os.fstat(descriptor)
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == NULL_DEVICE:
            null = open_null(birth, os.O_RDWR)
            os.dup2(null, descriptor)
            os.close(null)


def remount_readonly(birth: Birth, target: bytes) -> None:
    handle = open_inside(birth, target)
    syscalls.mount_setattr(handle, b"", add=syscalls.MOUNT_ATTR_RDONLY)
    os.close(handle)


def make_readonly(birth: Birth, path: bytes) -> int:
    try:
        handle = open_inside(birth, path)
    except FileNotFoundError:
        return 0
    mount = syscalls.open_tree_clone(handle, b"", recursive=True)
    syscalls.mount_setattr(mount, b"", recursive=True, add=syscalls.MOUNT_ATTR_RDONLY)
    attach(mount, handle)
    return 1


def mask(birth: Birth, path: bytes) -> int:
    try:
        handle = open_inside(birth, path)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        empty = new_filesystem(
            b"tmpfs", b"tmpfs", (), syscalls.MOUNT_ATTR_RDONLY, is_readonly=True
        )
        attach(empty, handle)
        return 2
    null = open_null(birth, os.O_PATH)
    attach(syscalls.open_tree_clone(null, b"", recursive=False), handle)
    os.close(null)
    return 1


def set_hostname(birth: Birth, hostname: bytes) -> None:
    sockets.name_host(hostname)


def _write_proc(birth: Birth, path: bytes, text: bytes) -> None:
    """Write below the procfs that we mounted, whatever may lie over /proc by now.

    Source: CVE-2025-52881.
    """
    descriptor = syscalls.openat2(
        birth.proc, path, os.O_WRONLY, resolve=syscalls.RESOLVE_BENEATH
    )
    if os.fstat(descriptor).st_dev != birth.proc_device:
        raise OSError(errno.EXDEV, "", path)
    os.write(descriptor, text)
    os.close(descriptor)


def write_sysctl(birth: Birth, key: bytes, value: bytes) -> None:
    _write_proc(birth, b"sys/" + key.replace(b".", b"/"), value)


def set_umask(birth: Birth, mask: int) -> None:
    os.umask(mask)


def limit_resource(birth: Birth, name: bytes, soft: int, hard: int) -> int:
    number: int = getattr(resource, "RLIMIT_" + name.decode().upper())
    try:
        resource.setrlimit(number, (soft, hard))
    except (ValueError, PermissionError):  # raising the hard limit needs CAP_SYS_RESOURCE
        _, ours = resource.getrlimit(number)
        below = [min(limit, ours) if limit >= 0 else ours for limit in (soft, hard)]
        resource.setrlimit(number, (below[0], below[1]))
        return 1
    return 0


def adjust_oom_score(birth: Birth, score: int) -> int:
    try:
        _write_proc(birth, b"self/oom_score_adj", str(score).encode())
    except PermissionError:
        return 1
    return 0


def announce_ready(birth: Birth) -> None:
    """Nothing is done here: the report is the deed."""
