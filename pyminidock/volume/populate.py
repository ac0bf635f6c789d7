"""The first use of an empty volume: what the image has at that place is copied into it.

    image's directory ──copied──► volumes/<name>/tmp-fill      nobody sees it
                                        │ complete, on the disk
                                        ▼
                                  volumes/<name>/fill ──moved──► _data, name by name

Owners, modes, times, links and attributes come along, and the volume's own directory gets
those of the image's.  What a crash leaves of `tmp-fill` is thrown away; what is in `fill`
goes on its way at the next start.  A name that somebody made in the volume meanwhile stays.

Source: moby, container/container_unix.go, CopyImagePathContent(); containerd, fs.CopyDir().
"""

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field

_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 1 << 20
_UNWANTED = "trusted.overlay."  # how an overlay marks its own directories


@dataclass(slots=True)
class Copied:
    """What was copied, as it grows."""

    files: int = 0
    size_bytes: int = 0
    _names: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)
    _held: list[int] = field(default_factory=list)


def copy_tree(source: int, target: int) -> Copied:
    """Copy what the open directory `source` holds into the empty one `target`.

    `source` does not change meanwhile.  Raises OSError.
    """
    copied = Copied()
    try:
        _copy_directory(source, target, copied)
    finally:
        for handle in copied._held:
            os.close(handle)
    return copied


def _copy_directory(source: int, target: int, copied: Copied) -> None:
    for name in sorted(os.listdir(source)):
        _copy_name(source, target, name, copied)
    _describe(source, target)


def _copy_name(source: int, target: int, name: str, copied: Copied) -> None:
    found = os.open(name, _LOOK, dir_fd=source)
    try:
        status = os.fstat(found)
        copied.files += 1
        if stat.S_ISDIR(status.st_mode):
            _copy_below(source, target, name, copied)
        elif not _is_linked(status, target, name, copied):
            _copy_single(found, status, target, name, copied)
    finally:
        os.close(found)


def _copy_below(source: int, target: int, name: str, copied: Copied) -> None:
    there = os.open(name, _DIRECTORY, dir_fd=source)
    try:
        os.mkdir(name, 0o700, dir_fd=target)
        here = os.open(name, _DIRECTORY, dir_fd=target)
        try:
            _copy_directory(there, here, copied)
        finally:
            os.close(here)
    finally:
        os.close(there)


def _is_linked(status: os.stat_result, target: int, name: str, copied: Copied) -> bool:
    """Give a file that was copied before its second name."""
    if status.st_nlink < 2:
        return False
    key = (status.st_dev, status.st_ino)
    if key in copied._names:
        where, first = copied._names[key]
        os.link(first, name, src_dir_fd=where, dst_dir_fd=target, follow_symlinks=False)
        return True
    handle = os.dup(target)
    copied._held.append(handle)
    copied._names[key] = (handle, name)
    return False


def _copy_single(
    found: int, status: os.stat_result, target: int, name: str, copied: Copied
) -> None:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        _copy_file(found, target, name)
        copied.size_bytes += status.st_size
        return
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(b"", dir_fd=found), name, dir_fd=target)
    elif stat.S_ISSOCK(mode):
        return  # its program is not there
    else:
        os.mknod(name, mode, status.st_rdev, dir_fd=target)
        os.chown(name, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
        os.chmod(name, stat.S_IMODE(mode), dir_fd=target)
    os.chown(name, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
    os.utime(
        name, ns=(status.st_atime_ns, status.st_mtime_ns), dir_fd=target,
        follow_symlinks=False,
    )  # fmt: skip


def _copy_file(found: int, target: int, name: str) -> None:
    there = os.open(f"/proc/self/fd/{found}", _READ)
    try:
        here = os.open(name, _NEW, 0o600, dir_fd=target)
        try:
            while True:
                try:
                    moved = os.copy_file_range(there, here, _PIECE)
                except OSError as refusal:
                    if refusal.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS,
                                             errno.EOPNOTSUPP):  # fmt: skip
                        raise
                    moved = os.sendfile(here, there, None, _PIECE)
                if not moved:
                    break
            _describe(there, here)
        finally:
            os.close(here)
    finally:
        os.close(there)


def _describe(source: int, target: int) -> None:
    """Give an open file or directory the owner, mode, attributes and times of another."""
    status = os.fstat(source)
    os.fchown(target, status.st_uid, status.st_gid)
    os.fchmod(target, stat.S_IMODE(status.st_mode))
    with suppress(OSError):  # a filesystem without attributes
        for attribute in os.listxattr(source):
            if not attribute.startswith(_UNWANTED):
                with suppress(OSError):
                    os.setxattr(target, attribute, os.getxattr(source, attribute))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def move_in(staged: int, target: int) -> None:
    """Move what a complete copy holds into the volume; a name that is taken stays."""
    status = os.fstat(staged)
    for name in sorted(os.listdir(staged)):
        try:
            os.stat(name, dir_fd=target, follow_symlinks=False)
        except FileNotFoundError:
            os.rename(name, name, src_dir_fd=staged, dst_dir_fd=target)
    os.fchown(target, status.st_uid, status.st_gid)
    os.fchmod(target, stat.S_IMODE(status.st_mode))
    with suppress(OSError):
        for attribute in os.listxattr(staged):
            with suppress(OSError):
                os.setxattr(target, attribute, os.getxattr(staged, attribute))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
