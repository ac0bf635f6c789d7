"""What happens between fork and exec: the process that becomes PID 1 builds its own walls.

The child decides nothing.  It walks a list of verbs, calls the function of each with plain
numbers, and reports each call on the birth socket; in lockstep it then waits for one byte
before it goes on, which is where a person may hold it.

    child ──(index, errno, value, time)──► daemon          one report per call
    child ◄────────────── go ───────────── daemon          in lockstep only
    child ◄────────────── go ───────────── shim            when it has become the parent

From CloseDescriptors on nothing more is reported but a failure; the socket closes on exec,
so its end-of-file says that the program has taken over.

Nothing is imported here after the fork, no name service is asked, and every path of the
container is opened below a handle on its root (openat2, RESOLVE_IN_ROOT), because the tree
was made by a stranger.  Targets are opened first and mounted on through their handle.

Source: the order and its reasons are the project's birth order, docs/birth.md; man 2 of
each call; runc's history of escapes, told beside the verbs that close them.
"""

import errno
import fcntl
import os
import resource
import signal
import socket
import stat
import struct
import sys
import time
from collections.abc import Callable

from pyminidock.kernel.linux import syscalls
from pyminidock.kernel.linux.proc import name_process

Words = tuple[object, ...]  # plain numbers, bytes and tuples of these, as `wire` spells

REPORT = struct.Struct("<iiqqi")  # index, errno, value, monotonic ns, length of the detail

_TIOCSCTTY, _TIOCSPTLCK, _TIOCGPTPEER, _TIOCSWINSZ = 0x540E, 0x40045431, 0x5441, 0x5414
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_IN_ROOT = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
_NULL_DEVICE = os.makedev(1, 3)
_LONGEST_CHAIN = 40  # symbolic links in one path, as in the kernel
_SILENT = ("CloseDescriptors", "ChangeDirectory", "DropBoundingSet", "BecomeUser",
           "SetCapabilities", "ForbidNewPrivileges", "InstallSeccomp")  # fmt: skip


class Aborted(Exception):
    """The daemon hung up: nobody wants this process any more."""


class Order:
    """What the daemon sent: the calls, and how to walk them."""

    calls: tuple[tuple[str, Words], ...]
    first: int  # index of the first call within the whole plan
    lockstep: bool
    last_capability: int
    fail_at: tuple[int, int]  # (index, errno): this call fails, for the fault sweep

    def __init__(self, message: dict[str, object]) -> None:
        vars(self).update(message)


class Birth:
    """What the child knows on its way: descriptors, and what the tail still has to do."""

    def __init__(self, report: int, shim: int, root_mount: int, order: "Order") -> None:
        self.report = report  # the birth socket, to the daemon
        self.shim = shim  # a socket to the shim: go bytes, and the pty master back
        self.root_mount = root_mount  # the detached tree; -1 for exec
        self.lockstep = order.lockstep
        self.last_capability = order.last_capability
        self.fail_at = order.fail_at
        self.index = 0  # of the call being made, within the whole plan
        self.root = -1  # O_PATH handle on the container's root
        self.proc = -1  # the procfs that we mounted ourselves, whatever lies on /proc now
        self.devices = -1  # st_dev of the tmpfs that we mounted on /dev
        self.late_directory = b""  # a working directory that needs the user's own powers


def live(birth: Birth, calls: tuple[tuple[str, Words], ...], first: int) -> None:
    """Perform the calls; ends in execve or in `os._exit`, never returns.

    `first` is the index of the first call within the whole plan.
    """
    try:
        _forget_python()
        for birth.index, (verb, words) in enumerate(calls, first):
            if birth.fail_at[0] == birth.index:
                raise OSError(birth.fail_at[1], "failed on purpose")
            value = VERBS[verb](birth, *words)
            if verb not in _SILENT:
                report(birth.report, birth.index, value=value or 0)
                if birth.lockstep:
                    wait_for_go(birth.report)
    except Aborted:
        _tell_shim(birth)
    except OSError as refusal:
        detail = refusal.filename if isinstance(refusal.filename, bytes) else b""
        value = refusal.filename2 if isinstance(refusal.filename2, int) else 0
        _last_words(birth, refusal.errno or errno.EIO, value, detail)
    except ValueError:  # Python refused what the kernel would have
        _last_words(birth, errno.EINVAL, 0, b"")
    except BaseException as surprise:  # a bug: say which, and leave
        _last_words(birth, errno.ENOTRECOVERABLE, 0, repr(surprise).encode())
    os._exit(1)


def report(descriptor: int, index: int, *, error: int = 0, value: int = 0,
           detail: bytes = b"") -> None:  # fmt: skip
    """Tell the daemon how the call with this number ended."""
    detail = detail[:512]
    head = REPORT.pack(index, error, value, time.monotonic_ns(), len(detail))
    try:
        os.write(descriptor, head + detail)
    except OSError:
        raise Aborted from None


def wait_for_go(descriptor: int) -> None:
    """Wait for one byte.  Raises Aborted when the other side hung up instead."""
    try:
        byte = os.read(descriptor, 1)
    except OSError:
        raise Aborted from None
    if not byte:
        raise Aborted


def _last_words(birth: Birth, error: int, value: int, detail: bytes) -> None:
    _tell_shim(birth)
    try:
        report(birth.report, birth.index, error=error, value=value, detail=detail)
    except Aborted:
        return


def _tell_shim(birth: Birth) -> None:
    """Say that no program came of this: the shim then leaves no exit record."""
    try:
        os.write(birth.shim, b"!")
    except OSError:
        return


def _forget_python() -> None:
    """From here on an import fails loudly instead of running a stranger's module."""
    name_process(b"minidock-birth")
    sys.path[:] = []
    sys.meta_path[:] = []
    sys.path_hooks[:] = []
    os.setsid()
    os.umask(0)  # modes of nodes and directories are meant as they are given


# ── Paths of the container ───────────────────────────────────────────────────────────────


def _open(birth: Birth, path: bytes, flags: int = os.O_PATH) -> int:
    """Open a path of the container below its root; symbolic links stay inside."""
    return syscalls.openat2(birth.root, path.lstrip(b"/") or b".", flags, resolve=_IN_ROOT)


def _open_or_make(
    birth: Birth, path: bytes, *, is_directory: bool, mode: int = 0o755
) -> int:
    """Open a mount target below the root; what is missing is made on the way.

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
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=directory)
    except FileNotFoundError:
        pass
    if is_directory:
        os.mkdir(name, mode, dir_fd=directory)
    else:
        flags_to_make = os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        os.close(os.open(name, flags_to_make, 0o644, dir_fd=directory))
    return os.open(name, flags, dir_fd=directory)


def _open_place(birth: Birth, path: bytes, *, is_directory: bool) -> int:
    """Open a place to mount on, unless a link of the image leads to /proc or to the root.

    A mount there could cover a mask, or replace /proc/self.  Source: CVE-2015-3630; what is
    typed as /proc was judged when the request was read.
    """
    handle = _open_or_make(birth, path, is_directory=is_directory)
    place, root = os.fstat(handle), os.fstat(birth.root)
    is_in_proc = birth.proc >= 0 and place.st_dev == os.fstat(birth.proc).st_dev
    if (is_in_proc and not path.startswith(b"/proc")) or os.path.samestat(place, root):
        raise OSError(errno.EXDEV, "", path)
    return handle


def _attach(mount: int, target: int) -> None:
    """Hang a detached mount on an opened target; both handles are done with."""
    syscalls.move_mount(mount, target)
    os.close(mount)
    os.close(target)


def _new_filesystem(
    filesystem: bytes, source: bytes, options: tuple[tuple[bytes, bytes], ...],
    attributes: int, *, is_readonly: bool,
) -> int:  # fmt: skip
    context = syscalls.fsopen(filesystem)
    syscalls.fsconfig_string(context, b"source", source)
    for key, value in options:
        if value:
            syscalls.fsconfig_string(context, key, value)
        else:
            syscalls.fsconfig_flag(context, key)
    if is_readonly:
        syscalls.fsconfig_flag(context, b"ro")
    mount = syscalls.fsmount(context, attributes)
    os.close(context)
    return mount


# ── Verbs, in the order of a birth ───────────────────────────────────────────────────────


def _join_cgroup(birth: Birth, path: bytes) -> None:
    # A zero means the writer itself.  In v1 `tasks` moves one thread, and one that moves
    # itself needs no lock over all processes of the machine: 0.03 ms, not 9.
    try:
        descriptor = os.open(path + b"/tasks", os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # v2
        descriptor = os.open(path + b"/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
    os.write(descriptor, b"0")
    os.close(descriptor)


def _enter_namespace(birth: Birth, namespace: bytes, flag: int) -> None:
    syscalls.unshare(flag)


def _refuse_tracers(birth: Birth) -> None:
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)


def _die_with_parent(birth: Birth) -> None:
    # The signal comes from whoever is the parent at its death.  getppid() is 0 for a PID 1,
    # so the shim itself says when the midwife is gone and it has become the parent.
    wait_for_go(birth.shim)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)


def _join_keyring(birth: Birth, name: bytes) -> None:
    try:
        syscalls.join_session_keyring(name)
    except OSError as refusal:
        if refusal.errno != errno.ENOSYS:
            raise


def _set_propagation(birth: Birth, target: bytes, kind: int, is_recursive: bool) -> None:
    syscalls.mount_setattr(
        syscalls.AT_FDCWD, target, recursive=is_recursive, propagation=kind
    )


def _attach_root(birth: Birth, target: bytes) -> None:
    syscalls.move_mount(birth.root_mount, syscalls.AT_FDCWD, target)
    os.close(birth.root_mount)
    birth.root = os.open(target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def _make_directory(birth: Birth, path: bytes, mode: int) -> None:
    handle = _open_or_make(birth, path, is_directory=True, mode=mode)
    if not stat.S_ISDIR(os.fstat(handle).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "", path)
    os.close(handle)


def _mount(
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
            handle = _open_or_make(birth, target, is_directory=True)
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "", target)
    else:
        if filesystem == b"tmpfs" and b"mode" not in dict(options):
            options += _mode_of(birth, target)
        handle = _open_place(birth, target, is_directory=True)
    mount = _new_filesystem(
        filesystem, source, options, attributes, is_readonly=is_readonly
    )
    if filesystem == b"proc" and birth.proc < 0:
        birth.proc = os.dup(mount)
    if target == b"/dev":
        birth.devices = os.fstat(mount).st_dev
    _attach(mount, handle)


def _mode_of(birth: Birth, path: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """A tree in memory looks like the directory that it covers, as Docker has it."""
    try:
        handle = _open(birth, path)
    except OSError:  # it will be made, and tmpfs has a mode of its own: 1777
        return ()
    mode = stat.S_IMODE(os.fstat(handle).st_mode)
    os.close(handle)
    return ((b"mode", b"%o" % mode),)


def _bind(birth: Birth, source: bytes, target: bytes, attributes: int) -> None:
    mount = syscalls.open_tree_clone(syscalls.AT_FDCWD, source, recursive=True)
    is_directory = stat.S_ISDIR(os.fstat(mount).st_mode)
    syscalls.mount_setattr(
        mount, b"", recursive=True, add=attributes, propagation=syscalls.MS_PRIVATE
    )
    _attach(mount, _open_place(birth, target, is_directory=is_directory))


def _device_directory(birth: Birth, path: bytes) -> tuple[int, bytes]:
    """Open the directory of a device to be made: it must lie on our own tmpfs.

    An image may hold /dev as a link to /etc.  Source: CVE-2026-41579.
    """
    directory, _, name = path.rpartition(b"/")
    handle = _open_or_make(birth, directory, is_directory=True)
    if os.fstat(handle).st_dev != birth.devices:
        raise OSError(errno.EXDEV, "", path)
    return handle, name


def _make_device(
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


def _make_link(birth: Birth, path: bytes, points_to: bytes) -> None:
    directory, _, name = path.rpartition(b"/")
    if path.startswith(b"/dev/"):
        handle, name = _device_directory(birth, path)
    else:
        handle = _open_or_make(birth, directory, is_directory=True)
    os.symlink(points_to, name, dir_fd=handle)
    os.close(handle)


def _open_console(birth: Birth, rows: int, columns: int) -> None:
    # The peer is asked of the master itself: a path /dev/pts/N could be anybody's link, as
    # in CVE-2025-52565.
    master = _open(birth, b"/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
    peer = fcntl.ioctl(master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
    if rows and columns:
        fcntl.ioctl(master, _TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    if birth.devices >= 0:  # a birth; an exec leaves the container's console alone
        mount = syscalls.open_tree_clone(peer, b"", recursive=False)
        _attach(mount, _open_or_make(birth, b"/dev/console", is_directory=False))
    with socket.socket(fileno=os.dup(birth.shim)) as shim:
        socket.send_fds(shim, [b"t"], [master])
    os.close(master)
    fcntl.ioctl(peer, _TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(peer, descriptor)
    os.close(peer)


def _raise_loopback(birth: Birth) -> None:
    """Set IFF_UP on lo: struct ifreq { char name[16]; short flags; ... }, 40 bytes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
        asked = struct.pack("16sH22x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(probe, _SIOCGIFFLAGS, asked), 16)
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))


def _pivot_root(birth: Birth) -> None:
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


def _null(birth: Birth, flags: int) -> int:
    """Open the container's /dev/null, and believe it only as character device 1:3.

    Otherwise a mask could be a gift.  Source: CVE-2025-31133.
    """
    null = _open(birth, b"/dev/null", flags)
    status = os.fstat(null)
    if not stat.S_ISCHR(status.st_mode) or status.st_rdev != _NULL_DEVICE:
        raise OSError(errno.ENODEV, "", b"/dev/null")
    return null


def _reopen_streams(birth: Birth) -> None:
    for descriptor in (0, 1, 2):
        status = os.fstat(descriptor)
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == _NULL_DEVICE:
            null = _null(birth, os.O_RDWR)
            os.dup2(null, descriptor)
            os.close(null)


def _remount_readonly(birth: Birth, target: bytes) -> None:
    handle = _open(birth, target)
    syscalls.mount_setattr(handle, b"", add=syscalls.MOUNT_ATTR_RDONLY)
    os.close(handle)


def _make_readonly(birth: Birth, path: bytes) -> int:
    try:
        handle = _open(birth, path)
    except FileNotFoundError:
        return 0
    mount = syscalls.open_tree_clone(handle, b"", recursive=True)
    syscalls.mount_setattr(mount, b"", recursive=True, add=syscalls.MOUNT_ATTR_RDONLY)
    _attach(mount, handle)
    return 1


def _mask(birth: Birth, path: bytes) -> int:
    try:
        handle = _open(birth, path)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        empty = _new_filesystem(
            b"tmpfs", b"tmpfs", (), syscalls.MOUNT_ATTR_RDONLY, is_readonly=True
        )
        _attach(empty, handle)
        return 2
    null = _null(birth, os.O_PATH)
    _attach(syscalls.open_tree_clone(null, b"", recursive=False), handle)
    os.close(null)
    return 1


def _set_hostname(birth: Birth, hostname: bytes) -> None:
    socket.sethostname(hostname.decode())


def _write_proc(birth: Birth, path: bytes, text: bytes) -> None:
    """Write below the procfs that we mounted, whatever may lie over /proc by now.

    Source: CVE-2025-52881.
    """
    descriptor = syscalls.openat2(
        birth.proc, path, os.O_WRONLY, resolve=syscalls.RESOLVE_BENEATH
    )
    if os.fstat(descriptor).st_dev != os.fstat(birth.proc).st_dev:
        raise OSError(errno.EXDEV, "", path)
    os.write(descriptor, text)
    os.close(descriptor)


def _write_sysctl(birth: Birth, key: bytes, value: bytes) -> None:
    _write_proc(birth, b"sys/" + key.replace(b".", b"/"), value)


def _set_umask(birth: Birth, mask: int) -> None:
    os.umask(mask)


def _limit_resource(birth: Birth, name: bytes, soft: int, hard: int) -> int:
    number: int = getattr(resource, "RLIMIT_" + name.decode().upper())
    try:
        resource.setrlimit(number, (soft, hard))
    except (ValueError, PermissionError):  # raising the hard limit needs CAP_SYS_RESOURCE
        _, ours = resource.getrlimit(number)
        below = [min(limit, ours) if limit >= 0 else ours for limit in (soft, hard)]
        resource.setrlimit(number, (below[0], below[1]))
        return 1
    return 0


def _adjust_oom_score(birth: Birth, score: int) -> int:
    try:
        _write_proc(birth, b"self/oom_score_adj", str(score).encode())
    except PermissionError:
        return 1
    return 0


def _announce_ready(birth: Birth) -> None:
    """Nothing is done here: the report is the deed."""


def _close_descriptors(birth: Birth) -> None:
    # A directory of the host left open is a way out, by WORKDIR /proc/self/fd/7, as in
    # CVE-2024-21626.
    os.set_inheritable(birth.report, False)
    spare = fcntl.fcntl(birth.report, fcntl.F_DUPFD_CLOEXEC, 5)
    shim = fcntl.fcntl(birth.shim, fcntl.F_DUPFD_CLOEXEC, 5)
    os.dup2(spare, 3, inheritable=False)
    os.dup2(shim, 4, inheritable=False)
    birth.report, birth.shim, birth.root, birth.proc = 3, 4, -1, -1
    syscalls.close_from(5)


def _change_directory(birth: Birth, path: bytes) -> None:
    try:
        os.chdir(path)
    except PermissionError:  # a directory of the user's own; asked again as that user
        birth.late_directory = path
        return
    _verify_directory(path)


def _verify_directory(path: bytes) -> None:
    """Refuse a working directory that lies outside the root.

    Source: CVE-2024-21626; the kernel then says "(unreachable)/...".
    """
    if not syscalls.working_directory().startswith(b"/"):
        raise OSError(errno.EXDEV, "", path)


def _drop_bounding_set(birth: Birth, kept: int) -> None:
    for bit in range(birth.last_capability + 1):
        if not kept >> bit & 1:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, bit)


def _become_user(birth: Birth, uid: int, gid: int, groups: tuple[int, ...]) -> None:
    syscalls.prctl(syscalls.PR_SET_KEEPCAPS, 1)
    for descriptor in (0, 1, 2):
        status = os.fstat(descriptor)
        if status.st_uid != uid and status.st_rdev != _NULL_DEVICE:
            try:
                os.fchown(descriptor, uid, -1)
            except OSError as refusal:
                if refusal.errno not in (errno.EPERM, errno.EROFS, errno.EINVAL):
                    raise
    if groups:  # none are given where only one uid exists: there it is forbidden
        os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise OSError(errno.EPERM, "")
    # Taking another user's identity clears both; without them the program could be traced
    # by its neighbours, or outlive its shim.
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if birth.late_directory:
        os.chdir(birth.late_directory)
        _verify_directory(birth.late_directory)


def _set_capabilities(birth: Birth, mask: int) -> None:
    syscalls.prctl(syscalls.PR_SET_KEEPCAPS, 0)
    syscalls.prctl(syscalls.PR_CAP_AMBIENT, syscalls.PR_CAP_AMBIENT_CLEAR_ALL)
    syscalls.capset(mask, mask, 0)
    # Changed capabilities may have cleared it, as in _become_user.
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)


def _forbid_new_privileges(birth: Birth) -> None:
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)


def _install_seccomp(birth: Birth, program: bytes) -> None:
    syscalls.load_seccomp(program)


def _execute(birth: Birth, argv: tuple[bytes, ...], environment: tuple[bytes, ...]) -> None:
    """Find the program as Docker does, then become it.

    A program that is found but cannot run (its interpreter is missing, say) has *started*
    for Docker, which lets it write one line and end with 1.  So do we; the report says what
    really happened: value = errno.  Source: docker-runtime measurements; man 2 execve.
    """
    program = _search(argv[0], environment)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these two
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    variables = dict(variable.split(b"=", 1) for variable in environment)
    try:
        os.execve(program, argv, variables)
    except OSError as refusal:
        error = refusal.errno or errno.EIO
        text = f"exec {os.fsdecode(argv[0])}: {os.strerror(error).lower()}\n"
        os.write(2, os.fsencode(text))
        report(birth.report, birth.index, value=error)
        os._exit(1)


def _search(name: bytes, environment: tuple[bytes, ...]) -> bytes:
    """Look for a program; `filename2` of the error is 1 when PATH was searched."""
    if b"/" in name:
        _require_program(name)
        return name
    path = next((v[5:] for v in environment if v.startswith(b"PATH=")), b"")
    for directory in path.split(b":") if name else ():
        candidate = (directory or b".") + b"/" + name
        try:
            _require_program(candidate)
        except OSError:
            continue
        return candidate
    raise OSError(errno.ENOENT, "", name, None, 1)


def _require_program(path: bytes) -> None:
    if stat.S_ISDIR(os.stat(path).st_mode):
        raise IsADirectoryError(errno.EISDIR, "", path)
    if not os.access(path, os.X_OK, effective_ids=True):
        raise PermissionError(errno.EACCES, "", path)


def rehearse(times: int) -> None:
    """Use the tools of the verbs before the first fork, on things that come to nothing.

    Python settles code as it runs; what is settled here need not be in every child, which
    lives for milliseconds.  Where something is not allowed, the verb itself will say so.
    """
    empty = {"calls": (), "first": 0, "lockstep": False, "last_capability": 0}
    birth = Birth(-1, -1, -1, Order({**empty, "fail_at": (-1, 0)}))
    birth.root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for _ in range(times):
            mount = _new_filesystem(
                b"tmpfs", b"tmpfs", ((b"mode", b"755"),), 0, is_readonly=True
            )
            syscalls.mount_setattr(mount, b"", propagation=syscalls.MS_PRIVATE)
            copy = syscalls.open_tree_clone(birth.root, b"proc", recursive=False)
            place = _open_or_make(birth, b"/proc/sys", is_directory=True)
            for descriptor in (mount, copy, place, _open(birth, b"/proc")):
                os.close(descriptor)
    except OSError:
        return


VERBS: dict[str, Callable[..., int | None]] = {
    "JoinCgroup": _join_cgroup,
    "EnterNamespace": _enter_namespace,
    "RefuseTracers": _refuse_tracers,
    "DieWithParent": _die_with_parent,
    "JoinKeyring": _join_keyring,
    "SetPropagation": _set_propagation,
    "AttachRoot": _attach_root,
    "MakeDirectory": _make_directory,
    "Mount": _mount,
    "Bind": _bind,
    "MakeDevice": _make_device,
    "MakeLink": _make_link,
    "OpenConsole": _open_console,
    "RaiseLoopback": _raise_loopback,
    "PivotRoot": _pivot_root,
    "ReopenStreams": _reopen_streams,
    "RemountReadonly": _remount_readonly,
    "MakeReadonly": _make_readonly,
    "Mask": _mask,
    "SetHostname": _set_hostname,
    "WriteSysctl": _write_sysctl,
    "SetUmask": _set_umask,
    "LimitResource": _limit_resource,
    "AdjustOomScore": _adjust_oom_score,
    "AnnounceReady": _announce_ready,
    "CloseDescriptors": _close_descriptors,
    "ChangeDirectory": _change_directory,
    "DropBoundingSet": _drop_bounding_set,
    "BecomeUser": _become_user,
    "SetCapabilities": _set_capabilities,
    "ForbidNewPrivileges": _forbid_new_privileges,
    "InstallSeccomp": _install_seccomp,
    "Execute": _execute,
}
