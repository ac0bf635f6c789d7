"""Changing the upper directory so that no moment shows half of a change.

What has to appear complete is made in the work directory, on the same filesystem, and then
renamed to its place, which is one step for whoever looks and for whoever pulls the plug:

    work/#3   being copied ─── renameat2 ───►  upper/etc/motd

Unionfs decides what has to happen; here it happens, effect by effect.  What lies in `upper`
afterwards is what the kernel's overlayfs would have written, to the mode of a whiteout.

Source: Linux, fs/overlayfs/copy_up.c and dir.c; man 2 renameat2, mknod.
"""

import errno
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress

from pyminidock.kernel.glass import copying
from pyminidock.kernel.glass.disk import Disk
from pyminidock.kernel.glass.privatenames import DEFAULT
from pyminidock.kernel.glass.renaming import EXCHANGE, WHITEOUT, rename
from pyminidock.kernel.linux import syscalls
from pyminidock.unionfs.branches import above
from pyminidock.unionfs.effects import (
    Clear,
    CopyUp,
    Effect,
    Extent,
    FillUp,
    Link,
    Make,
    MakeUnnamed,
    Newborn,
    Remove,
    Rename,
    SetOpaque,
    SetRedirect,
    Whiteout,
)

_WHITEOUT_MODE = stat.S_IFCHR  # 0:0, and nobody may do anything with it


class Upper:
    """The branch that changes, and the work directory beside it."""

    def __init__(self, disks: Sequence[Disk], work: str) -> None:
        self.disks, self.disk = disks, disks[0]
        self.work = os.path.join(work, "work")  # as the kernel calls it
        with suppress(FileExistsError):
            os.mkdir(self.work, 0)
        self.ready: dict[tuple[int, str], str] = {}  # copied ahead, by a worker
        self._count = 0
        self._clean()

    def perform(self, effect: Effect) -> None:
        """Carry out one effect.  Raises OSError."""
        match effect:
            case CopyUp():
                self._copy_up(effect)
            case FillUp():
                self._fill_up(effect)
            case Make():
                self._make(effect)
            case Link(old) if old is not None:
                source = self.disk.place(old)
                self._link(
                    lambda name: os.link(source, name, follow_symlinks=False), effect
                )
            case Remove(path):
                self._remove(path)
            case Whiteout(path):
                self._whiteout(path)
            case Clear(path):
                self._clear(path)
            case Rename():
                self._rename(effect)
            case SetOpaque(path):
                self._mark(self.disk.place(path), "opaque", b"y")
            case SetRedirect(path, to):
                self._mark(self.disk.place(path), "redirect", os.fsencode(to))
            case Link() | MakeUnnamed():
                raise OSError(errno.EINVAL, "needs the file in hand")

    # ── Copying up ───────────────────────────────────────────────────────────────────────

    def _copy_up(self, effect: CopyUp) -> None:
        source = self.disks[effect.branch].place(effect.source)
        found = os.lstat(source)
        parent = self.disk.place(above(effect.path))
        times = os.stat(parent)
        temporary = self.ready.pop((effect.branch, effect.source), "")
        if effect.extent is not Extent.CONTENT or not temporary:
            self._discard(temporary)
            temporary = self._blank(source, found)
            if effect.extent is Extent.CONTENT:
                self._or_remove(temporary, lambda: copying.copy(source, temporary))
        self._or_remove(temporary, lambda: self._finish(effect, source, found, temporary))
        os.utime(parent, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _finish(
        self, effect: CopyUp, source: str, found: os.stat_result, temporary: str
    ) -> None:
        copying.copy_attributes(source, found, temporary, self.disk.spelling.prefix)
        if effect.extent is Extent.METADATA and stat.S_ISREG(found.st_mode):
            os.truncate(temporary, found.st_size)
            self._mark(temporary, "metacopy", b"")
            os.utime(temporary, ns=(found.st_atime_ns, found.st_mtime_ns))
        os.rename(temporary, self.disk.place(effect.path))

    def _blank(self, source: str, found: os.stat_result) -> str:
        """Make an empty one of the same kind in the work directory."""
        mode = found.st_mode
        if stat.S_ISLNK(mode):
            return self._new(lambda name: os.symlink(os.readlink(source), name))
        if stat.S_ISDIR(mode):
            return self._new(lambda name: os.mkdir(name, 0o700))
        kind = stat.S_IFMT(mode)
        return self._new(lambda name: os.mknod(name, kind | 0o600, found.st_rdev))

    def _fill_up(self, effect: FillUp) -> None:
        """Give a file its bytes, whose attributes are there already."""
        place = self.disk.place(effect.path)
        found = os.lstat(place)
        if effect.size_bytes:
            copying.copy(self.disks[effect.branch].place(effect.source), place)
        else:
            os.truncate(place, 0)
        os.utime(place, ns=(found.st_atime_ns, found.st_mtime_ns))
        os.removexattr(place, self.disk.spelling.prefix + "metacopy")  # a redirect may stay

    def copy_ahead(
        self, branch: int, source: str, is_wanted: Callable[[], bool]
    ) -> str | None:
        """Copy content into the work directory, in a worker; None if nobody wants it more.

        Raises OSError.
        """
        place = self.disks[branch].place(source)
        temporary = self._new(lambda name: os.mknod(name, stat.S_IFREG | 0o600))
        if self._or_remove(temporary, lambda: copying.copy(place, temporary, is_wanted)):
            return temporary
        self._discard(temporary)
        return None

    # ── Making ───────────────────────────────────────────────────────────────────────────

    def _make(self, effect: Make) -> None:
        place = self.disk.place(effect.path)
        if not effect.over_whiteout and not effect.is_opaque:
            make(place, effect.newborn)
            return
        temporary = self._new(lambda name: self._make_aside(name, effect.newborn))

        def put() -> None:
            if effect.is_opaque:
                self._mark(temporary, "opaque", b"y")
            if effect.over_whiteout and stat.S_ISDIR(effect.newborn.mode):
                rename(temporary, place, EXCHANGE)
                os.unlink(temporary)
            else:
                os.rename(temporary, place)

        self._or_remove(temporary, put)

    def _make_aside(self, name: str, newborn: Newborn) -> None:
        """Make something in the work directory with what it inherits where it will lie."""
        if not newborn.heritage:
            make(name, newborn)
            return
        home = self._new(os.mkdir)
        try:
            os.setxattr(home, DEFAULT, newborn.heritage)
            make(f"{home}/new", newborn)
            os.rename(f"{home}/new", name)
        finally:
            os.rmdir(home)

    def make_unnamed(self, directory: str, newborn: Newborn) -> int:
        """Open a file that is in no directory, for reading and writing.  Raises OSError."""
        flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
        descriptor = os.open(self.disk.place(directory), flags, newborn.mode & 0o7777)
        own(descriptor, newborn)
        return descriptor

    def link_unnamed(self, descriptor: int, effect: Link) -> None:
        """Give such a file its first name.  Raises OSError."""

        def link(name: str) -> None:
            syscalls.name_file(descriptor, syscalls.AT_FDCWD, os.fsencode(name))

        self._link(link, effect)

    def _link(self, link: Callable[[str], None], effect: Link) -> None:
        place = self.disk.place(effect.new)
        if not effect.over_whiteout:
            link(place)
            return
        temporary = self._new(link)
        self._or_remove(temporary, lambda: os.rename(temporary, place))

    # ── Taking away ──────────────────────────────────────────────────────────────────────

    def _remove(self, path: str) -> None:
        place = self.disk.place(path)
        if not stat.S_ISDIR(os.lstat(place).st_mode):
            os.unlink(place)
            return
        try:
            os.rmdir(place)
        except OSError:  # whiteouts in it: out of sight first, then one by one
            temporary = self._name()
            os.rename(place, temporary)
            self._empty(temporary)

    def _whiteout(self, path: str) -> None:
        place = self.disk.place(path)
        temporary = self._new(lambda name: os.mknod(name, _WHITEOUT_MODE, 0))
        try:
            is_directory = stat.S_ISDIR(os.lstat(place).st_mode)
        except FileNotFoundError:
            is_directory = False

        def put() -> None:
            if is_directory:
                rename(temporary, place, EXCHANGE)
                self._empty(temporary)
            else:
                os.rename(temporary, place)

        self._or_remove(temporary, put)

    def _clear(self, path: str) -> None:
        """Let an empty directory be one that holds nothing in the upper layer either."""
        place = self.disk.place(path)
        found = os.lstat(place)
        temporary = self._new(lambda name: os.mkdir(name, 0o700))

        def put() -> None:
            copying.copy_attributes(place, found, temporary, self.disk.spelling.prefix)
            self._mark(temporary, "opaque", b"y")
            rename(temporary, place, EXCHANGE)
            self._empty(temporary)

        self._or_remove(temporary, put)

    def _rename(self, effect: Rename) -> None:
        old, new = self.disk.place(effect.old), self.disk.place(effect.new)
        flags = EXCHANGE if effect.exchange else WHITEOUT if effect.leaves_whiteout else 0
        rename(old, new, flags)
        if effect.drops_whiteout:
            os.unlink(old)

    # ── The work directory ───────────────────────────────────────────────────────────────

    def _mark(self, place: str, mark: str, value: bytes) -> None:
        name = self.disk.spelling.prefix + mark
        os.setxattr(place, name, value, follow_symlinks=False)

    def _name(self) -> str:
        self._count += 1
        return f"{self.work}/#{self._count:x}"

    def _new(self, make_it: Callable[[str], object]) -> str:
        name = self._name()
        make_it(name)
        return name

    def _or_remove(self, temporary: str, step: Callable[[], object]) -> object:
        """Do one step; if it fails, nothing of it stays in the work directory."""
        try:
            return step()
        except BaseException:
            self._discard(temporary)
            raise

    def _discard(self, temporary: str) -> None:
        if temporary:
            with suppress(OSError):
                try:
                    os.unlink(temporary)
                except IsADirectoryError:
                    self._empty(temporary)

    def _empty(self, directory: str) -> None:
        """Remove a directory that holds nothing but whiteouts, or what is half-made."""
        for name in os.listdir(directory):
            self._discard(os.path.join(directory, name))
        os.rmdir(directory)

    def _clean(self) -> None:
        """Remove what a server that was killed left half-made."""
        for name in os.listdir(self.work):
            self._discard(os.path.join(self.work, name))


# ── One object, with the owner that the program has ──────────────────────────────────────


def make(place: str, newborn: Newborn) -> None:
    """Make a file, directory, link or device.  Raises OSError."""
    mode = newborn.mode
    if stat.S_ISLNK(mode):
        os.symlink(newborn.target, place)
        os.lchown(place, newborn.uid, newborn.gid)
        return
    if stat.S_ISDIR(mode):
        os.mkdir(place, mode & 0o7777)
    else:
        os.mknod(place, mode, newborn.device)
    own(place, newborn)


def own(place: str | int, newborn: Newborn) -> None:
    """Give a new object its owner, and the bits of its mode that a new owner loses."""
    os.chown(place, newborn.uid, newborn.gid)
    mode = newborn.mode & 0o7777
    if newborn.heritage:  # the list has made less of it
        mode = mode & ~0o777 | os.stat(place).st_mode & 0o777
    os.chmod(place, mode)
