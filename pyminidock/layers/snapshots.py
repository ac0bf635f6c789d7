"""The writable place of one container: an empty tree above, read-only trees below.

    containers/<id>/
      rootfs/   where the stacked tree is hung up, seen in the container's namespace only
      upper/    all that the container writes
      work/     the kernel's own, on the same filesystem as upper
      init/     a thin layer of ours: .dockerenv and places to hang the engine's files on
    layers/<id>/diff    the image's trees, shared by all containers

The init layer keeps what the engine needs out of `upper`, so that the container's own
changes stay the container's.  It may not change what the image says: where the image has a
link or a file in place of /etc or /dev, nothing is put over it.

Removing is the dangerous half, because a container can fill its tree with anything.  It is
done with handles, one name at a time, never by joining names to paths, never through a
symbolic link or into another filesystem, and without recursion, however deep it is.

Source: moby, daemon/initlayer/setup_unix.go; Documentation/filesystems/overlayfs.rst.
"""

import errno
import itertools
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyminidock.events import Emit, SnapshotPrepared, SnapshotRemoved, ignore
from pyminidock.layers.merged import Merged

_PARTS = ("rootfs", "work", "upper", "init")
_STUBS = (  # path, kind: "d" directory, "f" empty file, or where a link leads
    ("dev", "d"), ("dev/pts", "d"), ("dev/shm", "d"), ("dev/console", "f"),
    ("etc", "d"), ("etc/hostname", "f"), ("etc/hosts", "f"), ("etc/resolv.conf", "f"),
    ("etc/mtab", "/proc/mounts"), ("proc", "d"), ("sys", "d"), (".dockerenv", "f"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Read-only trees below, one writable tree on top; all are host paths.

    `lower` is topmost first.  `target` is the empty directory where the stacked tree is
    hung up, in the container's own mount namespace only.
    """

    lower: tuple[str, ...]
    upper: str
    work: str
    target: str


def prepare(directory: Path, lower: Sequence[Path], *, emit: Emit = ignore) -> Snapshot:
    """Give the container of `directory` (ROOT/containers/<id>) an empty writable tree.

    `lower` are the image's trees, topmost first.  `directory` is made if it is missing;
    nobody but the engine may enter it, while the trees inside have ordinary modes.
    Raises FileExistsError if a snapshot is there already.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in _PARTS:
        (directory / part).mkdir()
        (directory / part).chmod(0o755)  # whatever the umask says
    try:
        _fill_init(directory / "init", lower)
    except OSError:
        for part in _PARTS:
            remove_tree(directory / part)
        raise
    snapshot = find(directory, lower)
    emit(SnapshotPrepared(directory.name, snapshot.lower, snapshot.upper, snapshot.work))
    return snapshot


def find(directory: Path, lower: Sequence[Path]) -> Snapshot:
    """Give the snapshot that `prepare` made before, for another start."""
    layers = (str(directory / "init"), *map(str, lower))
    upper, work, target = (str(directory / part) for part in ("upper", "work", "rootfs"))
    return Snapshot(layers, upper, work, target)


def remove(directory: Path, *, emit: Emit = ignore) -> None:
    """Remove what `prepare` made, and all that was written; absent parts are no error.

    What else lies in `directory` stays.  The trees must not be mounted any more.
    """
    for part in _PARTS:
        remove_tree(directory / part)
    emit(SnapshotRemoved(directory.name))


def _fill_init(init: Path, lower: Sequence[Path]) -> None:
    """Put in what the image lacks, in the image's own modes where it has the directory."""
    with Merged(lower) as image:
        for name, kind in _STUBS:
            if (init / name).parent.is_dir():  # else the image has something else there
                _put_stub(init / name, kind, image.lstat(name))


def _put_stub(place: Path, kind: str, found: os.stat_result | None) -> None:
    if kind == "d":
        if found is None or stat.S_ISDIR(found.st_mode):
            place.mkdir()
            place.chmod(stat.S_IMODE(found.st_mode) if found else 0o755)
            if found and (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(place, found.st_uid, found.st_gid)
    elif kind != "f":
        if found is None:
            place.symlink_to(kind)
    else:
        # A link of the image here would lead the engine's file somewhere else.
        place.touch(mode=0o755)
        place.chmod(0o755)


# ── Removal ──────────────────────────────────────────────────────────────────────────────


def remove_tree(path: Path) -> None:
    """Remove `path` and all below it; a symbolic link is removed, not followed.

    Holds three descriptors, whatever the depth: what a directory holds moves up to the top
    first, so no way down grows long.  Costs one rename for each directory.
    Raises OSError where the kernel refuses, with EXDEV at another filesystem.
    """
    try:
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        top = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISDIR(top.st_mode):
            _empty_out(path.name, parent, top.st_dev)
            os.rmdir(path.name, dir_fd=parent)
        else:
            os.unlink(path.name, dir_fd=parent)
    except FileNotFoundError:
        return
    finally:
        os.close(parent)


def _empty_out(name: str, parent: int, device: int) -> None:
    root = _open_directory(name, parent, device)
    free = (f".going-{number}" for number in itertools.count())
    try:
        while names := _some_names(root):
            for inner in names:
                if _is_unlinked(inner, root):
                    continue
                handle = _open_directory(inner, root, device)
                try:
                    _lift(handle, root, free)
                finally:
                    os.close(handle)
                os.rmdir(inner, dir_fd=root)
    finally:
        os.close(root)


def _lift(handle: int, root: int, free: Iterator[str]) -> None:
    """Unlink the files of a directory and move its directories up into `root`."""
    while names := _some_names(handle):
        for name in names:
            if not _is_unlinked(name, handle):
                target = next(word for word in free if not _exists(word, root))
                if os.geteuid() != 0:  # moving rewrites "..": the owner must be able to
                    os.chmod(name, 0o700, dir_fd=handle)
                os.rename(name, target, src_dir_fd=handle, dst_dir_fd=root)


def _some_names(handle: int) -> list[str]:
    """Give up to a thousand names, so that a full directory does not fill our memory."""
    with os.scandir(handle) as entries:
        return [entry.name for entry in itertools.islice(entries, 1000)]


def _is_unlinked(name: str, handle: int) -> bool:
    """Unlink a name; False if it is a directory."""
    if stat.S_ISDIR(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode):
        return False
    os.unlink(name, dir_fd=handle)
    return True


def _exists(name: str, handle: int) -> bool:
    try:
        os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _open_directory(name: str, parent: int, device: int) -> int:
    """Open a directory to empty it.  Raises OSError for a link or another filesystem."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    if os.geteuid() != 0:  # root needs no permission; an owner has to give it to itself
        os.chmod(name, 0o700, dir_fd=parent)
    handle = os.open(name, flags, dir_fd=parent)
    if os.fstat(handle).st_dev != device:
        os.close(handle)
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), name)
    return handle
