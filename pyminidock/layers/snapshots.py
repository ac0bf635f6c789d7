"""The writable place of one container: an empty tree above, read-only trees below.

    containers/<id>/
      rootfs/   where the stacked tree is hung up, seen in the container's namespace only
      upper/    all that the container writes
      work/     the kernel's own, on the same filesystem as upper
    layers/<id>/
      diff/     a tree of the image, shared by all containers
      init/     a thin layer of ours: .dockerenv and places to hang the engine's files on

The init layer keeps what the engine needs out of `upper`, so that the container's own
changes stay the container's.  It may not change what the image says: where the image has a
link or a file in place of /etc or /dev, nothing is put over it.  So what it holds follows
from the image's trees alone; the first container makes it beside the topmost tree, with
which it goes, and the others share it.

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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from pyminidock.events import Emit, SnapshotPrepared, SnapshotRemoved, ignore
from pyminidock.layers.merged import Merged

_MANY = 1000  # names of one directory that are looked at together
_TRIES = 20  # to remove a tree in which somebody else is at work
_DISTURBED = (errno.ENOENT, errno.ENOTEMPTY)
_PARTS = ("rootfs", "work", "upper")
_GIVEN = "given"  # an empty file beside them
_INIT = "init"
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


def prepare(
    directory: Path, lower: Sequence[Path], *, init: Path | None = None, emit: Emit = ignore
) -> Snapshot:
    """Give the container of `directory` (ROOT/containers/<id>) an empty writable tree.

    `lower` are the image's trees, topmost first.  `directory` is made if it is missing;
    nobody but the engine may enter it, while the trees inside have ordinary modes.
    `init` is the shared init layer, see `init_beside`; without it there is one of its own.
    Raises FileExistsError if a snapshot is there already.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in _PARTS:
            _make_directory(part, 0o755, handle)
        try:
            if init is None or not init.exists():
                _make_init(directory, handle, lower, init)
        except OSError:
            for part in (*_PARTS, _INIT):
                remove_tree(directory / part)
            raise
    finally:
        os.close(handle)
    snapshot = find(directory, lower, init=init)
    emit(SnapshotPrepared(directory.name, snapshot.lower, snapshot.upper, snapshot.work))
    return snapshot


def find(directory: Path, lower: Sequence[Path], *, init: Path | None = None) -> Snapshot:
    """Give the snapshot that `prepare` made before, for another start."""
    layers = (str(init or directory / _INIT), *map(str, lower))
    return Snapshot(
        layers, f"{directory}/upper", f"{directory}/work", f"{directory}/rootfs"
    )


def init_beside(lower: Sequence[Path]) -> Path | None:
    """Say where the containers of an image have their init layer; None: it has no tree."""
    return lower[0].parent / _INIT if lower else None


def renew(directory: Path, lower: Sequence[Path], snapshot: Snapshot) -> None:
    """Make a snapshot as empty as it was, with the init layer that it had.

    One into which somebody put files, see `keep`, stays as it is.
    """
    if (directory / _GIVEN).exists():
        return
    remove(directory)
    init = Path(snapshot.lower[0])
    prepare(directory, lower, init=None if init.parent == directory else init)


def keep(directory: Path) -> None:
    """Note that files are put in from outside, which a start that fails may not take."""
    (directory / _GIVEN).touch(mode=0o600)


def remove(directory: Path, *, emit: Emit = ignore) -> None:
    """Remove what `prepare` made, and all that was written; absent parts are no error.

    What else lies in `directory` stays.  The trees must not be mounted any more.
    """
    for part in (*_PARTS, _INIT):
        remove_tree(directory / part)
    emit(SnapshotRemoved(directory.name))


def restore_init(directory: Path, lower: Sequence[Path], snapshot: Snapshot) -> None:
    """Make the init layer anew where the tree beside it was made anew without it."""
    init = Path(snapshot.lower[0])
    if init.exists() or not all(tree.exists() for tree in lower):
        return  # the start will say what is missing
    handle = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _make_init(directory, handle, lower, None if init.parent == directory else init)
    finally:
        os.close(handle)


def _make_init(
    directory: Path, handle: int, lower: Sequence[Path], shared: Path | None
) -> None:
    """Make an init layer in a container's directory, and share it from there."""
    _make_directory(_INIT, 0o755, handle)
    _fill_init(handle, lower)
    if shared is not None:
        _share(directory / _INIT, shared)


def _share(made: Path, init: Path) -> None:
    """Give a finished init layer its shared name, unless another container was faster.

    It is names and modes only, which a journal keeps in order: no half of it survives.
    """
    try:
        made.rename(init)
    except OSError as refusal:
        if refusal.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        remove_tree(made)


def _fill_init(place: int, lower: Sequence[Path]) -> None:
    """Put in what the image lacks, in the image's own modes where it has the directory."""
    made = {""}
    with Merged(lower) as image:
        for name, kind in _STUBS:
            above = name.rpartition("/")[0]
            if above in made and _put_stub(f"init/{name}", kind, image.lstat(name), place):
                made.add(name)  # else the image has something else there


def _put_stub(name: str, kind: str, found: os.stat_result | None, place: int) -> bool:
    """Make one of them, unless the image has it; True if it was a directory."""
    if kind == "d":
        if found is not None and not stat.S_ISDIR(found.st_mode):
            return False
        _make_directory(name, stat.S_IMODE(found.st_mode) if found else 0o755, place)
        if found and (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(name, found.st_uid, found.st_gid, dir_fd=place)
        return True
    if kind != "f":
        if found is None:
            os.symlink(kind, name, dir_fd=place)
    else:
        # A link of the image here would lead the engine's file somewhere else.
        flags = os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        file = os.open(name, flags, 0o755, dir_fd=place)
        os.fchmod(file, 0o755)
        os.close(file)
    return False


def _make_directory(name: str, mode: int, place: int) -> None:
    os.mkdir(name, dir_fd=place)
    os.chmod(name, mode, dir_fd=place)  # whatever the umask says


# ── Removal ──────────────────────────────────────────────────────────────────────────────


def remove_tree(path: Path) -> None:
    """Remove `path` and all below it; a symbolic link is removed, not followed.

    Holds four descriptors, whatever the depth: what a directory holds moves up to the top
    first, so no way down grows long.  Where none is to be had, the spare ones are taken:
    what failed for want of descriptors must be able to go.  Costs one rename for each
    directory.  Whatever else comes and goes in there meanwhile, it is gone afterwards: an
    overlay that is being mounted makes its work directory anew.  Raises OSError where the
    kernel refuses, with EXDEV at another filesystem.
    """
    try:
        _remove_tree(path)
    except OSError as refusal:
        if refusal.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        with _SPARE.lent():
            _remove_tree(path)


class _Spare:
    """Descriptors for one removal at a time, of this process."""

    def __init__(self) -> None:
        self._held, self._lock = list[int](), Lock()

    def keep(self) -> None:
        """Have as many as a removal holds, if that can be."""
        with self._lock, suppress(OSError):
            while len(self._held) < 4:
                self._held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Give them away for the time being."""
        with self._lock:
            while self._held:
                os.close(self._held.pop())
            yield
        self.keep()


_SPARE = _Spare()
keep_spare = _SPARE.keep  # called once, by who opens a root directory


def _remove_tree(path: Path) -> None:
    try:
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        for tries_left in reversed(range(_TRIES)):
            try:
                _remove_below(path.name, parent)
                break
            except OSError as refusal:
                if not tries_left or refusal.errno not in _DISTURBED:
                    raise
    finally:
        os.close(parent)


def _remove_below(name: str, parent: int) -> None:
    """Remove it.  Raises OSError of `_DISTURBED` if somebody else is at work in there."""
    try:
        top = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(top.st_mode):
        _empty_out(name, parent, top.st_dev)
        os.rmdir(name, dir_fd=parent)
    else:
        os.unlink(name, dir_fd=parent)


def _empty_out(name: str, parent: int, device: int) -> None:
    root = _open_directory(name, parent, device)
    free = (f".going-{number}" for number in itertools.count())
    try:
        has_more = True
        while has_more:
            directories, has_more = _unlink_files(root)
            for inner in directories:
                handle = _open_directory(inner, root, device)
                try:
                    has_more |= _lift(handle, root, free)
                finally:
                    os.close(handle)
                os.rmdir(inner, dir_fd=root)
    finally:
        os.close(root)


def _lift(handle: int, root: int, free: Iterator[str]) -> bool:
    """Unlink the files of a directory and move its directories up; whether it had any."""
    has_any, has_more = False, True
    while has_more:
        directories, has_more = _unlink_files(handle)
        for name in directories:
            has_any = True
            target = next(word for word in free if not _exists(word, root))
            if os.geteuid() != 0:  # moving rewrites "..": the owner must be able to
                os.chmod(name, 0o700, dir_fd=handle)
            os.rename(name, target, src_dir_fd=handle, dst_dir_fd=root)
    return has_any


def _unlink_files(handle: int) -> tuple[list[str], bool]:
    """Unlink all but directories, and name those; whether there may be more of either.

    A thousand names at a time, so that a full directory does not fill our memory.
    """
    with os.scandir(handle) as entries:
        found = list(itertools.islice(entries, _MANY))
        kinds = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    for name, is_directory in kinds:
        if not is_directory:
            os.unlink(name, dir_fd=handle)
    return [name for name, is_directory in kinds if is_directory], len(kinds) == _MANY


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
