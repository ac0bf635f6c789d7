"""System calls that Python does not offer, each as one small function.

A wrapper gives the result or raises OSError with the errno of this very call, and asks for
close-on-exec itself, because descriptors made behind Python's back do not get it by
default.  Everything is a plain number, bytes or None: this module also runs between fork
and exec, where nothing may be imported, looked up or collected.

Source: the manual page of each call (section 2); numbers from the kernel's unistd headers,
equal on x86_64 and aarch64 from 424 on.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Callable

_libc = ctypes.CDLL(None, use_errno=True)
_holding_python = ctypes.PyDLL(None, use_errno=True)
_holding_python.syscall.restype = ctypes.c_long
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
_prctl = _libc.prctl
_prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
_prctl.restype = ctypes.c_int

_IS_ARM = os.uname().machine == "aarch64"
NR_PIVOT_ROOT = 41 if _IS_ARM else 155
NR_CLONE = 220 if _IS_ARM else 56
NR_UNSHARE = 97 if _IS_ARM else 272
NR_SETNS = 268 if _IS_ARM else 308
NR_MOUNT = 40 if _IS_ARM else 165
NR_UMOUNT2 = 39 if _IS_ARM else 166
NR_KEYCTL = 219 if _IS_ARM else 250
NR_CAPGET = 90 if _IS_ARM else 125
NR_CAPSET = 91 if _IS_ARM else 126
NR_SECCOMP = 277 if _IS_ARM else 317
NR_BPF = 280 if _IS_ARM else 321
NR_GETCWD = 17 if _IS_ARM else 79
NR_SYNCFS = 267 if _IS_ARM else 306
NR_PERSONALITY = 92 if _IS_ARM else 135
NR_LINKAT = 37 if _IS_ARM else 265
NR_STATX = 291 if _IS_ARM else 332
NR_OPEN_TREE, NR_MOVE_MOUNT, NR_FSOPEN, NR_FSCONFIG, NR_FSMOUNT = 428, 429, 430, 431, 432
NR_CLOSE_RANGE, NR_OPENAT2, NR_MOUNT_SETATTR = 436, 437, 442

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_STATX_DONT_SYNC = 0x4000
AT_RECURSIVE = 0x8000
AT_SYMLINK_FOLLOW = 0x400
AT_SYMLINK_NOFOLLOW = 0x100

CLONE_FLAGS = {
    "time": 0x00000080,
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "network": 0x40000000,
}
NAMESPACE_FILES = {
    "mount": "mnt", "cgroup": "cgroup", "uts": "uts", "ipc": "ipc", "user": "user",
    "pid": "pid", "network": "net", "time": "time",
}  # fmt: skip

MS_SHARED, MS_SLAVE, MS_PRIVATE = 1 << 20, 1 << 19, 1 << 18
MNT_DETACH = 2

MOUNT_ATTR = {
    "ro": 0x01, "nosuid": 0x02, "nodev": 0x04, "noexec": 0x08,
    "noatime": 0x10, "strictatime": 0x20, "relatime": 0x00,
    "nodiratime": 0x80, "nosymfollow": 0x200000,
}  # fmt: skip
MOUNT_ATTR_RDONLY = 0x01

_OPEN_TREE_CLONE = 1
_OPEN_TREE_CLOEXEC = os.O_CLOEXEC
_FSOPEN_CLOEXEC = 1
_FSMOUNT_CLOEXEC = 1
_FSCONFIG_SET_FLAG, _FSCONFIG_SET_STRING, _FSCONFIG_CMD_CREATE = 0, 1, 6
_MOVE_MOUNT_F_EMPTY_PATH, _MOVE_MOUNT_T_EMPTY_PATH = 0x04, 0x40

RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS = 0x02, 0x04
RESOLVE_BENEATH, RESOLVE_IN_ROOT = 0x08, 0x10

PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_SET_KEEPCAPS = 1, 3, 4, 8
PR_SET_NAME, PR_CAPBSET_READ, PR_CAPBSET_DROP = 15, 23, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

_SIGCHLD = 17
_CAPABILITY_VERSION_3 = 0x20080522
_KEYCTL_JOIN_SESSION_KEYRING = 1
_SECCOMP_SET_MODE_FILTER = 1
_NEW_LISTENER, _WAIT_KILLABLE = 0x8, 0x20  # SECCOMP_FILTER_FLAG_*


def enter(number: int, *arguments: int | bytes | None) -> int:
    """Enter the kernel; every argument as wide as a register, errno read at once."""
    words = [
        ctypes.c_long(word) if isinstance(word, int) else ctypes.c_char_p(word)
        for word in arguments
    ]
    result: int = _syscall(ctypes.c_long(number), *words)
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return result


_WIDTHS: dict[str, type[ctypes.c_long | ctypes.c_char_p]] = {
    "n": ctypes.c_long,
    "b": ctypes.c_char_p,
}


def _call(number: int, kinds: str) -> Callable[..., int]:
    """Give a system call as a function; of its `kinds`, "n" is a number, "b" bytes or None.

    What it takes is written down once, so nothing is looked at again at each call: a birth
    makes two hundred, and `enter` would spend half a millisecond on them.
    """
    function = _libc["syscall"]  # each time another object, with types of its own
    function.argtypes = [ctypes.c_long, *(_WIDTHS[kind] for kind in kinds)]
    function.restype = ctypes.c_long

    def perform(*arguments: int | bytes | None) -> int:
        result: int = function(number, *arguments)
        if result < 0:
            errno = ctypes.get_errno()
            raise OSError(errno, os.strerror(errno))
        return result

    return perform


_unshare, _setns = _call(NR_UNSHARE, "n"), _call(NR_SETNS, "nn")
_fsopen, _fsmount = _call(NR_FSOPEN, "bn"), _call(NR_FSMOUNT, "nnn")
_fsconfig = _call(NR_FSCONFIG, "nnbbn")
_open_tree, _move_mount = _call(NR_OPEN_TREE, "nbn"), _call(NR_MOVE_MOUNT, "nbnbn")
_mount_setattr, _openat2 = _call(NR_MOUNT_SETATTR, "nbnbn"), _call(NR_OPENAT2, "nbbn")
_statx, _STATX_BYTES, _STATX_ALL = _call(NR_STATX, "nbnnn"), 256, 0xFFF
_MOUNT_ATTR, _OPEN_HOW = struct.Struct("<QQQQ"), struct.Struct("<QQQ")


def prctl(option: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> int:
    """Change or read an attribute of the process.  Source: man 2 prctl."""
    result: int = _prctl(option, a, b, c, d)
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return result


def unshare(flags: int) -> None:
    """Leave shared namespaces for new ones.  (`os.unshare` came with Python 3.12.)."""
    _unshare(flags)


def fork_into_new_pid_namespace() -> int:
    """Fork a PID 1; gives its number out here, and 0 inside.

    Only for a process with one thread: Python's own fork takes no flags, and unshare(2)
    would put every later child into the namespace too.  The interpreter is not let go of
    during the call, so the copy has nothing to repair.  Source: man 2 clone.
    """
    result: int = _holding_python.syscall(
        ctypes.c_long(NR_CLONE), ctypes.c_long(CLONE_FLAGS["pid"] | _SIGCHLD),
        *[ctypes.c_long(0)] * 4,
    )  # fmt: skip
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return result


def setns(descriptor: int, flags: int) -> None:
    """Enter the namespace behind a descriptor.  (`os.setns` came with Python 3.12.)."""
    _setns(descriptor, flags)


def fsopen(filesystem: bytes) -> int:
    """Begin to make a filesystem; give its configuration descriptor."""
    return _fsopen(filesystem, _FSOPEN_CLOEXEC)


def fsconfig_string(context: int, key: bytes, value: bytes) -> None:
    """Set one `key=value` option, 255 bytes of value at most."""
    _fsconfig(context, _FSCONFIG_SET_STRING, key, value, 0)


def fsconfig_flag(context: int, key: bytes) -> None:
    """Set one option that has no value."""
    _fsconfig(context, _FSCONFIG_SET_FLAG, key, None, 0)


def fscreate(context: int) -> None:
    """Create the filesystem that has been configured."""
    _fsconfig(context, _FSCONFIG_CMD_CREATE, None, None, 0)


def fsmount(context: int, attributes: int) -> int:
    """Give a handle on the filesystem that was created, mounted nowhere yet."""
    return _fsmount(context, _FSMOUNT_CLOEXEC, attributes)


def open_tree_clone(directory: int, path: bytes, *, recursive: bool) -> int:
    """Clone the mount at `path` (empty: at the descriptor itself), attached nowhere."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | (AT_RECURSIVE if recursive else 0)
    return _open_tree(directory, path, flags | (0 if path else AT_EMPTY_PATH))


def move_mount(mount: int, directory: int, path: bytes = b"") -> None:
    """Attach a detached mount at `path` below a handle, or at the handle itself."""
    flags = _MOVE_MOUNT_F_EMPTY_PATH | (0 if path else _MOVE_MOUNT_T_EMPTY_PATH)
    _move_mount(mount, b"", directory, path, flags)


def mount_setattr(
    directory: int, path: bytes, *, recursive: bool = False,
    add: int = 0, remove: int = 0, propagation: int = 0,
) -> None:  # fmt: skip
    """Change flags or propagation of a mount.

    struct mount_attr { __u64 attr_set, attr_clr, propagation, userns_fd; }
    """
    attributes = _MOUNT_ATTR.pack(add, remove, propagation, 0)
    flags = (AT_RECURSIVE if recursive else 0) | (0 if path else AT_EMPTY_PATH)
    _mount_setattr(directory, path, flags, attributes, len(attributes))


def openat2(directory: int, path: bytes, flags: int, *, resolve: int, mode: int = 0) -> int:
    """Open `path` below a handle under rules that no symbolic link can break.

    struct open_how { __u64 flags, mode, resolve; }.  Tried again while a rename races with
    the walk (EAGAIN), as the manual page asks.
    """
    how = _OPEN_HOW.pack(flags | os.O_CLOEXEC, mode, resolve)
    for _ in range(128):
        try:
            return _openat2(directory, path, how, len(how))
        except BlockingIOError:
            continue
    raise BlockingIOError(11, "the path changed under every attempt to open it")


def name_file(descriptor: int, directory: int, name: bytes) -> None:
    """Give an open file that has no name (O_TMPFILE) its first one; none is replaced.

    The link that is followed is the kernel's own, to the descriptor.  Source: man 2 linkat.
    """
    origin = b"/proc/self/fd/%d" % descriptor
    enter(NR_LINKAT, AT_FDCWD, origin, directory, name, AT_SYMLINK_FOLLOW)


def statx(directory: int, path: bytes) -> bytearray:
    """Give struct statx (256 bytes) of a name that is not followed, or of the handle.

    Python's stat knows no time of birth.  Source: man 2 statx.
    """
    found = ctypes.create_string_buffer(_STATX_BYTES)
    flags = AT_SYMLINK_NOFOLLOW if path else AT_EMPTY_PATH
    _statx(directory, path, flags, _STATX_ALL, ctypes.addressof(found))
    return bytearray(found.raw)


def device_of(descriptor: int) -> tuple[int, int]:
    """Give major and minor number of the filesystem, which itself is asked nothing."""
    found = ctypes.create_string_buffer(_STATX_BYTES)
    flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC
    _statx(descriptor, b"", flags, 0, ctypes.addressof(found))
    major, minor = struct.unpack_from("=II", found, 136)
    return major, minor


def pivot_root(new: bytes, old: bytes) -> None:
    """Exchange the root mount of this namespace."""
    enter(NR_PIVOT_ROOT, new, old)


def syncfs(descriptor: int) -> None:
    """Write all of one filesystem to its disk.  Source: man 2 syncfs."""
    enter(NR_SYNCFS, descriptor)


def mount(
    source: bytes, target: bytes, filesystem: bytes, flags: int, options: bytes
) -> None:
    """Mount, remount, bind or spread, in one call.  Source: man 2 mount."""
    enter(NR_MOUNT, source, target, filesystem, flags, options)


def umount_detach(path: bytes) -> None:
    """Unmount lazily: gone from the tree now, freed at the last use."""
    enter(NR_UMOUNT2, path, MNT_DETACH)


def join_session_keyring(name: bytes) -> None:
    """Start a new session keyring."""
    enter(NR_KEYCTL, _KEYCTL_JOIN_SESSION_KEYRING, name)


def close_from(first: int) -> None:
    """Close every descriptor from `first` on."""
    enter(NR_CLOSE_RANGE, first, 0xFFFFFFFF, 0)


def working_directory() -> bytes:
    """Give what the kernel says: it begins with "(unreachable)" outside the root."""
    buffer = ctypes.create_string_buffer(4096)
    result = _syscall(ctypes.c_long(NR_GETCWD), buffer, ctypes.c_long(4096))
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return buffer.value


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """Set the three capability sets of this process.

    struct __user_cap_header_struct { __u32 version; int pid; };
    struct __user_cap_data_struct { __u32 effective, permitted, inheritable; }[2]
    """
    header = _CAPABILITY_VERSION_3.to_bytes(4, "little") + bytes(4)
    low, high = 0xFFFFFFFF, 32
    data = b"".join(
        word.to_bytes(4, "little")
        for word in (
            effective & low, permitted & low, inheritable & low,
            effective >> high, permitted >> high, inheritable >> high,
        )
    )  # fmt: skip
    enter(NR_CAPSET, header, data)


def load_seccomp(program: bytes) -> None:
    """Install a classic BPF program as the filter of this process.

    struct sock_fprog { unsigned short len; struct sock_filter *filter; }
    """
    _load(program, 0)


def _load(program: bytes, flags: int) -> int:
    buffer = bytearray(program or b"\0")  # no ctypes array: each size is a new class
    address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    head = (len(program) // 8).to_bytes(8, "little")
    fprog = head + address.to_bytes(8, "little")
    return enter(NR_SECCOMP, _SECCOMP_SET_MODE_FILTER, flags, fprog)


def load_listener(program: bytes) -> int:
    """Install a filter that tells; give the descriptor on which somebody is told.

    Who has been told of is then disturbed by nothing but its death (Linux 5.19).
    """
    try:
        return _load(program, _NEW_LISTENER | _WAIT_KILLABLE)
    except OSError as refusal:
        if refusal.errno != errno.EINVAL:
            raise
    return _load(program, _NEW_LISTENER)
