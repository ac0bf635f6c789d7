"""An archive that is unpacked into the tree of a living container.

    entry     parent: opened by its path, from the container's root, links followed inside
              name:   made below that handle, and never through a link

What an archive may do is Docker's: a name replaces what was there, two directories merge,
missing parents are made, and who climbs out of the directory it is unpacked into is
refused, as is a symbolic link that is written to lead out of it.

A program may be swapping parts of the path meanwhile.  Then an entry ends up in another
directory of the container, or is refused; a handle cannot lead out.  A file gets its name
when all of it is there: after a crash there is no half of one.

Source: moby, pkg/archive/archive.go, Unpack() and createTarFile(); hardening.md C.1, C.7.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pyminidock.grammar.gopaths import clean
from pyminidock.kernel.port import View
from pyminidock.layers.archive import ArchiveRefused, Entry, Kind
from pyminidock.layers.archive import shown as _text
from pyminidock.layers.clearing import clear
from pyminidock.layers.inside import unusable, words
from pyminidock.store.failpoints import reach

_PLACE = os.O_PATH | os.O_DIRECTORY
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_UNNAMED = os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC
_PIECE = 1 << 20
_TRIES = 8  # at a name that a program makes again and again
_MODES = {Kind.CHARACTER: stat.S_IFCHR, Kind.BLOCK: stat.S_IFBLK, Kind.FIFO: stat.S_IFIFO}
_KNOWN = ("unexpected EOF", "archive/tar: invalid tar header")  # Docker's words
_LATEST = 2**33  # seconds: what every filesystem can write down


@dataclass(frozen=True, slots=True)
class How:
    """How names come in: `owner` for all of them, None keeps each entry's own."""

    owner: tuple[int, int] | None = None
    keeps_kinds: bool = False  # no directory becomes something else, nor the other way
    has_devices: bool = True  # else they are left out, as in any user namespace


class Incoming:
    """The directory `place` (no link in it) of a view, while an archive is unpacked."""

    def __init__(self, view: View, place: str, how: How) -> None:
        self._view, self._how = view, how
        self._place = os.fsencode(place)
        self._times: list[tuple[bytes, int]] = []  # of directories: they come last
        self._verbs: dict[Kind, Callable[[Entry, int, bytes, bytes], None]] = {
            Kind.FILE: self._file, Kind.DIRECTORY: self._directory,
            Kind.SYMLINK: self._symlink, Kind.HARD_LINK: self._hard_link,
            Kind.CHARACTER: self._node, Kind.BLOCK: self._node, Kind.FIFO: self._node,
        }  # fmt: skip

    def take(self, entries: Iterable[Entry]) -> None:
        """Unpack all.  What came before a refusal stays, as with Docker.

        Raises PathUnusable, FileNotFoundError, ArchiveRefused.
        """
        try:
            for entry in entries:
                self._put(entry)
                reach("copy.entry")
        except ArchiveRefused as refusal:
            known = next((each for each in _KNOWN if each in refusal.what), "")
            why = f"{refusal.what}; {refusal.why}"
            raise unusable(known or refusal.what, why, refusal.try_next) from refusal
        for path, time_ns in self._times:
            with suppress(OSError):
                self._date(path, time_ns)
        reach("copy.dated")

    def _put(self, entry: Entry) -> None:
        path = _joined(self._place, entry.name)
        if not (path + b"/").startswith(self._place.rstrip(b"/") + b"/"):
            unable(f"{_quoted(entry.name)} is outside of {_quoted(self._place)}")
        if entry.name == b".":
            return  # what it is unpacked into stays as it is
        if entry.kind in (Kind.CHARACTER, Kind.BLOCK) and not self._how.has_devices:
            return
        above, _, name = path.rpartition(b"/")
        parent = self._parent(above or b"/")
        try:
            with _told(_DOING[entry.kind], path):
                self._make_room(entry, parent, name, path)
                self._verbs[entry.kind](entry, parent, name, path)
        finally:
            os.close(parent)

    # ── Where ────────────────────────────────────────────────────────────────────────────

    def _parent(self, path: bytes) -> int:
        """Open the directory that holds a name; make it, and what is missing above it."""
        try:
            return self._view.open(path, _PLACE)
        except FileNotFoundError:
            if path == b"/":
                raise
        except OSError as refusal:
            unable(f"open {_text(path)}: {words(refusal)}")
        above, _, name = path.rpartition(b"/")
        parent = self._parent(above or b"/")
        try:
            with _told("mkdir", path), suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent)
                made = os.open(name, _DIRECTORY, dir_fd=parent)
                try:
                    os.fchown(made, 0, 0)
                    os.fchmod(made, 0o755)
                finally:
                    os.close(made)
        finally:
            os.close(parent)
        return self._view.open(path, _PLACE)

    def _make_room(self, entry: Entry, parent: int, name: bytes, path: bytes) -> None:
        """Take away what an entry replaces."""
        try:
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return
        is_directory = stat.S_ISDIR(status.st_mode)
        becomes_one = entry.kind is Kind.DIRECTORY
        if self._how.keeps_kinds and is_directory != becomes_one:
            have, want = ("directory", "non-directory")[:: 1 if is_directory else -1]
            unable(
                f"cannot overwrite {have} {_quoted(path)} with {want} "
                f"{_quoted(self._place)}"
            )
        if is_directory and becomes_one:
            return
        is_on_top = path.count(b"/") == 1
        try:  # Go puts the directory and a slash before the name, whatever it ends in
            clear(parent, name, b"/" + path if is_on_top else path, self._view.held)
        except OSError as refusal:
            where = refusal.filename or _text(path)
            unable(f"unlinkat {where}: {words(refusal)}")

    # ── One verb for each kind ───────────────────────────────────────────────────────────

    def _directory(self, entry: Entry, parent: int, name: bytes, path: bytes) -> None:
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
        made = os.open(name, _DIRECTORY, dir_fd=parent)
        try:
            self._describe(entry, made)
        finally:
            os.close(made)
        self._times.append((path, _time_of(entry)))

    def _file(self, entry: Entry, parent: int, name: bytes, path: bytes) -> None:
        """Write a file that has no name yet, then give it its name."""
        try:
            made = os.open(b".", _UNNAMED, 0o600, dir_fd=parent)
        except OSError as refusal:
            if refusal.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                raise
            self._file_in_place(entry, parent, name)
            return
        try:
            _pour(entry, made)
            reach("copy.written")
            self._describe(entry, made)
            _date_handle(made, _time_of(entry))
            self._again(lambda: self._view.name(made, parent, name), parent, name, path)
        finally:
            os.close(made)

    def _file_in_place(self, entry: Entry, parent: int, name: bytes) -> None:
        """Write a file under its name, where the filesystem knows no unnamed ones."""
        made = os.open(name, _NEW, 0o600, dir_fd=parent)
        try:
            _pour(entry, made)
            self._describe(entry, made)
            _date_handle(made, _time_of(entry))
        except BaseException:
            os.unlink(name, dir_fd=parent)
            raise
        finally:
            os.close(made)

    def _symlink(self, entry: Entry, parent: int, name: bytes, path: bytes) -> None:
        target = _joined(path.rpartition(b"/")[0] or b"/", entry.link)
        if not target.startswith(self._place):
            unable(f"invalid symlink {_quoted(path)} -> {_quoted(entry.link)}")
        self._again(lambda: os.symlink(entry.link, name, dir_fd=parent), parent, name, path)
        self._settle(entry, parent, name)

    def _hard_link(self, entry: Entry, parent: int, name: bytes, path: bytes) -> None:
        target = _joined(self._place, entry.link)
        if not target.startswith(self._place):
            unable(f"invalid hardlink {_quoted(target)} -> {_quoted(entry.link)}")
        above, _, first = target.rpartition(b"/")
        origin = self._view.open(above or b"/", _PLACE)

        def link() -> None:
            os.link(
                first, name, src_dir_fd=origin, dst_dir_fd=parent, follow_symlinks=False
            )

        try:
            self._again(link, parent, name, path)
        finally:
            os.close(origin)
        self._settle(entry, parent, name)

    def _node(self, entry: Entry, parent: int, name: bytes, path: bytes) -> None:
        number = 0 if entry.kind is Kind.FIFO else os.makedev(*entry.device)
        kind = _MODES[entry.kind]
        self._again(
            lambda: os.mknod(name, kind | 0o600, number, dir_fd=parent), parent, name, path
        )
        self._settle(entry, parent, name)

    def _again(
        self, make: Callable[[], None], parent: int, name: bytes, path: bytes
    ) -> None:
        """Make a name; if a program was quicker, take away what it made, a few times."""
        for _ in range(_TRIES):
            with suppress(FileExistsError):
                make()
                return
            clear(parent, name, path, self._view.held)
        make()

    # ── What it is like ──────────────────────────────────────────────────────────────────

    def _owner(self, entry: Entry) -> tuple[int, int]:
        return self._how.owner or (entry.uid, entry.gid)

    def _describe(self, entry: Entry, made: int) -> None:
        """Give an open file or directory its owner, then its mode, then its attributes."""
        os.fchown(made, *self._owner(entry))
        os.fchmod(made, entry.mode & 0o7777)
        for attribute, value in entry.xattrs.items():
            if attribute == b"security.capability" or attribute.startswith(b"user."):
                try:
                    os.setxattr(made, attribute, value)
                except OSError as refusal:
                    if refusal.errno not in (errno.ENOTSUP, errno.EPERM):
                        raise

    def _settle(self, entry: Entry, parent: int, name: bytes) -> None:
        """Give owner, mode and time to what is not opened; a link is never followed."""
        found = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            os.chown(name, *self._owner(entry), dir_fd=parent, follow_symlinks=False)
            if not stat.S_ISLNK(os.fstat(found).st_mode):
                Path(f"/proc/self/fd/{found}").chmod(entry.mode & 0o7777)
        finally:
            os.close(found)
        times = (_time_of(entry),) * 2
        os.utime(name, ns=times, dir_fd=parent, follow_symlinks=False)

    def _date(self, path: bytes, time_ns: int) -> None:
        handle = self._view.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _date_handle(handle, time_ns)
        finally:
            os.close(handle)


_DOING = {
    Kind.FILE: "open", Kind.DIRECTORY: "mkdir", Kind.SYMLINK: "symlink",
    Kind.HARD_LINK: "link", Kind.CHARACTER: "mknod", Kind.BLOCK: "mknod",
    Kind.FIFO: "mknod",
}  # fmt: skip


@contextmanager
def _told(doing: str, path: bytes) -> Iterator[None]:
    """Tell a refusal of the kernel as Go does.  Raises PathUnusable, FileNotFoundError."""
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as refusal:
        raise unusable(f"{doing} {_text(path)}: {words(refusal)}") from refusal


def _pour(entry: Entry, made: int) -> None:
    left = entry.size
    while left:
        piece = entry.body.read(min(left, _PIECE))
        if not piece:
            unable("unexpected EOF")
        left -= len(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(made, rest) :]
        reach("copy.half")


def _date_handle(handle: int, time_ns: int) -> None:
    os.utime(handle, ns=(time_ns, time_ns))


def _time_of(entry: Entry) -> int:
    """Give nanoseconds since 1970; before that and far ahead are cut off."""
    if 0 <= entry.mtime < _LATEST:
        return entry.mtime * 10**9 + entry.nanoseconds
    return 0 if entry.mtime < 0 else _LATEST * 10**9


def _joined(directory: bytes, name: bytes) -> bytes:
    """Put a name below a directory, and clean the path as Go does."""
    return os.fsencode(clean(os.fsdecode(directory + b"/" + name)))


def _quoted(path: bytes) -> str:
    return '"' + _text(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def unable(what: str) -> NoReturn:
    """Raise the refusal."""
    raise unusable(what, why=_WHY)


_WHY = "an archive is unpacked into one directory of the container, and stays in it"
