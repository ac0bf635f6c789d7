r"""FUSE on the wire: what the kernel asks, and what it is answered, as bytes.

    request   fuse_in_header (40 bytes)   a struct of the request   names, each with its \0
    reply     fuse_out_header (16 bytes)  a struct of the reply     or nothing, and an errno

One request is one read(2) from /dev/fuse, one reply is one write(2).  A reply repeats the
`unique` of its request, so replies need no order: what is not answered yet, waits.

All functions here take and give values.  Source: Linux, include/uapi/linux/fuse.h,
protocol 7.41; the struct's name stands beside each format.
"""

import os
import stat
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

MAJOR, MINOR = 7, 41
MAX_WRITE = 1 << 20  # bytes of data in one request
BUFFER_BYTES = MAX_WRITE + 4096
ROOT = 1  # the node that the mount itself is
NAME_MAX = 255
FOREVER_S = 3600  # attributes change through us alone, so the kernel may keep them


class Op(IntEnum):
    """enum fuse_opcode: what the kernel wants to know, or to be done."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    READLINK = 5
    SYMLINK = 6
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    LINK = 13
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    SETXATTR = 21
    GETXATTR = 22
    LISTXATTR = 23
    REMOVEXATTR = 24
    FLUSH = 25
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    CREATE = 35
    INTERRUPT = 36
    DESTROY = 38
    BATCH_FORGET = 42
    FALLOCATE = 43
    RENAME2 = 45
    LSEEK = 46
    COPY_FILE_RANGE = 47
    SYNCFS = 50
    TMPFILE = 51
    STATX = 52


# What we ask for in INIT.  Not asked for: READDIRPLUS, which searches the branches once for
# every name; the write-back cache, which would keep sizes and times from us.
FUSE_ASYNC_READ, FUSE_ATOMIC_O_TRUNC, FUSE_BIG_WRITES = 1 << 0, 1 << 3, 1 << 5
FUSE_PARALLEL_DIROPS, FUSE_MAX_PAGES, FUSE_INIT_EXT = 1 << 18, 1 << 22, 1 << 30
FUSE_DONT_MASK, FUSE_POSIX_ACL = 1 << 6, 1 << 20  # only where access lists are wanted
FUSE_NO_EXPORT_SUPPORT = 1 << 38  # a handle outlives no FORGET: overlayfs gives none either
WISHES = (
    FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES
    | FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES | FUSE_INIT_EXT | FUSE_NO_EXPORT_SUPPORT
)  # fmt: skip

FOPEN_KEEP_CACHE, FOPEN_CACHE_DIR, FOPEN_NOFLUSH = 1 << 1, 1 << 3, 1 << 5

FATTR_MODE, FATTR_UID, FATTR_GID, FATTR_SIZE = 1 << 0, 1 << 1, 1 << 2, 1 << 3
FATTR_ATIME, FATTR_MTIME, FATTR_FH = 1 << 4, 1 << 5, 1 << 6
FATTR_ATIME_NOW, FATTR_MTIME_NOW = 1 << 7, 1 << 8

IN_HEADER = Struct("<IIQQIIIHH")  # fuse_in_header: len opcode unique nodeid uid gid pid …
OUT_HEADER = Struct("<IiQ")  # fuse_out_header: len error unique
_ATTR = Struct("<6Q10I")  # fuse_attr: ino size blocks, three times, their rests, mode …
_ENTRY = Struct("<IiQ4QII")  # fuse_out_header, fuse_entry_out without its fuse_attr
_ATTR_OUT = Struct("<IiQQII")  # fuse_out_header, fuse_attr_out without it
_STATX_NLINK, _STATX_WORD = Struct("<I"), Struct("<Q")
_STATX_OUT = Struct("<IiQQII16x")  # fuse_out_header, fuse_statx_out without fuse_statx
_OPEN_OUT = Struct("<IiQQIi")  # fuse_out_header, fuse_open_out
_OPENED = Struct("<QIi")  # fuse_open_out
_COUNT_OUT = Struct("<IiQII")  # fuse_out_header, fuse_write_out or fuse_getxattr_out
_STATFS_OUT = Struct("<IiQ5Q4I24x")  # fuse_out_header, fuse_kstatfs
_LSEEK_OUT = Struct("<IiQQ")  # fuse_out_header, fuse_lseek_out
_INIT_IN = Struct("<IIII")  # fuse_init_in, its first four words
_INIT_MORE = Struct("<16xI")  # fuse_init_in, flags2: there since Linux 5.17
_INIT_OUT = Struct("<IiQIIIIHHIIHHII24x")  # fuse_out_header, fuse_init_out
_DIRENT = Struct("<QQII")  # fuse_dirent: ino off namelen type, then the name

OPEN_IN = Struct("<II")  # fuse_open_in: flags open_flags
CREATE_IN = Struct("<IIII")  # fuse_create_in: flags mode umask open_flags
MKNOD_IN = Struct("<IIII")  # fuse_mknod_in: mode rdev umask
MKDIR_IN = Struct("<II")  # fuse_mkdir_in: mode umask
RENAME_IN = Struct("<Q")  # fuse_rename_in: newdir
RENAME2_IN = Struct("<QII")  # fuse_rename2_in: newdir flags
LINK_IN = Struct("<Q")  # fuse_link_in: oldnodeid
SETATTR_IN = Struct("<II6Q8I")  # fuse_setattr_in
READ_IN = Struct("<QQIIQII")  # fuse_read_in: fh offset size read_flags lock_owner flags
WRITE_IN = Struct("<QQIIQII")  # fuse_write_in: fh offset size write_flags …
RELEASE_IN = Struct("<QIIQ")  # fuse_release_in: fh flags release_flags lock_owner
FSYNC_IN = Struct("<QII")  # fuse_fsync_in: fh fsync_flags
SETXATTR_IN = Struct("<II")  # fuse_setxattr_in: size flags
GETXATTR_IN = Struct("<II")  # fuse_getxattr_in: size
INTERRUPT_IN = Struct("<Q")  # fuse_interrupt_in: unique
FORGET_IN = Struct("<Q")  # fuse_forget_in: nlookup
BATCH_FORGET_IN = Struct("<II")  # fuse_batch_forget_in: count
FORGET_ONE = Struct("<QQ")  # fuse_forget_one: nodeid nlookup
FALLOCATE_IN = Struct("<QQQII")  # fuse_fallocate_in: fh offset length mode
LSEEK_IN = Struct("<QqII")  # fuse_lseek_in: fh offset whence; below 0 is an error
COPY_IN = Struct("<QQQQQQQ")  # fuse_copy_file_range_in

_U64, _U32 = (1 << 64) - 1, (1 << 32) - 1
_SECOND_NS = 1_000_000_000


class Request(NamedTuple):
    """One question of the kernel: who asks for what, about which node."""

    opcode: int
    unique: int
    nodeid: int
    uid: int
    gid: int
    pid: int
    body: memoryview


class Wanted(NamedTuple):
    """fuse_setattr_in: the attributes that are to change; `valid` says which."""

    valid: int
    padding: int
    handle: int
    size: int
    lock_owner: int
    atime_s: int
    mtime_s: int
    ctime_s: int
    atime_rest_ns: int
    mtime_rest_ns: int
    ctime_rest_ns: int
    mode: int
    unused4: int
    uid: int
    gid: int
    unused5: int

    @property
    def atime_ns(self) -> int:
        """Nanoseconds since 1970, or before."""
        return _signed(self.atime_s) * _SECOND_NS + self.atime_rest_ns

    @property
    def mtime_ns(self) -> int:
        """Nanoseconds since 1970, or before."""
        return _signed(self.mtime_s) * _SECOND_NS + self.mtime_rest_ns


def _signed(seconds: int) -> int:
    return seconds - (1 << 64) if seconds >> 63 else seconds


def request(packet: memoryview) -> Request:
    r"""Read one request.

    >>> packet = IN_HEADER.pack(44, Op.LOOKUP, 7, ROOT, 1000, 100, 4711, 0, 0) + b"etc\0"
    >>> found = request(memoryview(packet))
    >>> Op(found.opcode).name, found.unique, found.nodeid, names(found.body)
    ('LOOKUP', 7, 1, [b'etc'])
    """
    length, opcode, unique, nodeid, uid, gid, pid, _, _ = IN_HEADER.unpack_from(packet)
    return Request(opcode, unique, nodeid, uid, gid, pid, packet[40:length])


def names(body: memoryview, start: int = 0) -> list[bytes]:
    """Read the names that end a request, each ended by a zero byte."""
    return bytes(body[start:]).split(b"\0")[:-1]


# ── Replies ───────────────────────────────────────────────────────────────────────────────


def refusal(unique: int, errno: int) -> bytes:
    """Say no."""
    return OUT_HEADER.pack(16, -errno, unique)


def done(unique: int) -> bytes:
    """Say yes, and nothing else."""
    return OUT_HEADER.pack(16, 0, unique)


def data(unique: int, content: bytes) -> bytes:
    """Give bytes: what was read, the target of a link, an attribute's value."""
    return OUT_HEADER.pack(16 + len(content), 0, unique) + content


def entry(unique: int, nodeid: int, attr: bytes) -> bytes:
    """Give what a name leads to.  The name is not to be kept, what it leads to is."""
    return _ENTRY.pack(144, 0, unique, nodeid, 0, 0, FOREVER_S, 0, 0) + attr


def attributes(unique: int, attr: bytes) -> bytes:
    """Give the attributes of a node."""
    return _ATTR_OUT.pack(120, 0, unique, FOREVER_S, 0, 0) + attr


def statx(unique: int, found: bytearray, ino: int, nlink: int, blocks: int) -> bytes:
    """Give struct statx, which is struct fuse_statx, with three fields of our own."""
    _STATX_NLINK.pack_into(found, 16, nlink)
    _STATX_WORD.pack_into(found, 32, ino)
    _STATX_WORD.pack_into(found, 48, blocks)
    return _STATX_OUT.pack(48 + len(found), 0, unique, FOREVER_S, 0, 0) + found


def opened(unique: int, handle: int, flags: int) -> bytes:
    """Give a handle for an open file or directory."""
    return _OPEN_OUT.pack(32, 0, unique, handle, flags, 0)


def created(unique: int, nodeid: int, attr: bytes, handle: int, flags: int) -> bytes:
    """Give what a new name leads to, and a handle on it."""
    head = _ENTRY.pack(160, 0, unique, nodeid, 0, 0, FOREVER_S, 0, 0)
    return head + attr + _OPENED.pack(handle, flags, 0)


def count(unique: int, size: int) -> bytes:
    """Give how many bytes were written, or how many a value has."""
    return _COUNT_OUT.pack(24, 0, unique, size, 0)


def position(unique: int, offset: int) -> bytes:
    """Give where data or a hole begins."""
    return _LSEEK_OUT.pack(24, 0, unique, offset)


def space(unique: int, found: os.statvfs_result) -> bytes:
    """Give how full the filesystem is."""
    return _STATFS_OUT.pack(
        96, 0, unique, found.f_blocks, found.f_bfree, found.f_bavail, found.f_files,
        found.f_ffree, found.f_bsize, found.f_namemax, found.f_frsize, 0,
    )  # fmt: skip


def attr(ino: int, found: os.stat_result, nlink: int, blocks: int) -> bytes:
    """Give attributes as the kernel takes them; `blocks` of 512 bytes."""
    atime, atime_ns = divmod(found.st_atime_ns, _SECOND_NS)
    mtime, mtime_ns = divmod(found.st_mtime_ns, _SECOND_NS)
    ctime, ctime_ns = divmod(found.st_ctime_ns, _SECOND_NS)
    return _ATTR.pack(
        ino, found.st_size, blocks, atime & _U64, mtime & _U64, ctime & _U64,
        atime_ns, mtime_ns, ctime_ns, found.st_mode, nlink, found.st_uid, found.st_gid,
        small_device(found.st_rdev) if found.st_rdev else 0, found.st_blksize, 0,
    )  # fmt: skip


# ── Devices, directories, the first words ─────────────────────────────────────────────────


def small_device(number: int) -> int:
    """Put a device number into 32 bits.  Source: Linux, new_encode_dev().

    >>> number = big_device(small_device(os.makedev(259, 70000)))
    >>> small_device(os.makedev(8, 1)), os.major(number), os.minor(number)
    (2049, 259, 70000)
    """
    major, minor = os.major(number), os.minor(number)
    return (minor & 0xFF) | (major << 8) | ((minor & ~0xFF) << 12)


def big_device(number: int) -> int:
    """Read one."""
    major = (number & 0xFFF00) >> 8
    return os.makedev(major, (number & 0xFF) | ((number >> 12) & 0xFFF00))


def dirent(ino: int, offset: int, name: bytes, mode: int) -> bytes:
    """Give one name of a directory; `offset` is where the next one is asked for."""
    head = _DIRENT.pack(ino & _U64, offset, len(name), stat.S_IFMT(mode) >> 12)
    return head + name + bytes(-len(name) % 8)


def greeting(unique: int, body: memoryview, wishes: int = WISHES) -> bytes:
    """Answer INIT: which version and which wishes we have.

    Raises OSError (EPROTO) for a kernel that speaks another version.
    """
    major, _minor, _readahead, offered = _INIT_IN.unpack_from(body)
    if offered & FUSE_INIT_EXT and len(body) >= _INIT_MORE.size:
        offered |= _INIT_MORE.unpack_from(body)[0] << 32
    wishes &= offered
    if major != MAJOR:
        raise OSError(71, f"the kernel speaks FUSE {major}, we speak {MAJOR}")
    return _INIT_OUT.pack(
        80, 0, unique, MAJOR, MINOR, MAX_WRITE, wishes & _U32, 64, 48,
        MAX_WRITE, 1, MAX_WRITE // 4096, 0, wishes >> 32, 0,
    )  # fmt: skip
