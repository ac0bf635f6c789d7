"""A folder becomes the archive that a build sends, and everything left out gets a reason.

The archive depends on names, modes, content and whole seconds only: names are sorted,
everything belongs to 0:0, nobody is named.  The same folder gives the same bytes.

Nothing is followed.  Every directory is opened by name beneath the handle of the one above
it, and what has become a symlink meanwhile is refused: a folder under somebody else's hands
cannot make us send a file from outside.

Source: docker-build-and-api 2.1, 2.3; moby, pkg/archive/archive.go, TarWithOptions().
"""

import io
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from pyminidock.client.context import IGNORE_FILE, Context, ContextRefused, cannot_read
from pyminidock.events import Emit, PathIgnored, ignore
from pyminidock.grammar.ignore import Matched, Verdict
from pyminidock.layers.archive import Entry, Kind, Stream
from pyminidock.layers.tarwriter import Writer

MOST_EVENTS = 200  # of ignored paths; the report has all of them
_DEEPEST = 512  # directories inside each other
_CAPABILITY = "security.capability"
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_KINDS = {
    stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.DIRECTORY, stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFIFO: Kind.FIFO, stat.S_IFCHR: Kind.CHARACTER, stat.S_IFBLK: Kind.BLOCK,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ignored:
    """One path that stayed at home; a directory stands for all below it."""

    path: str
    is_directory: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Sent:
    """What went out; `size_bytes` is the whole archive."""

    entries: int
    size_bytes: int
    ignored: tuple[Ignored, ...] = ()
    skipped: tuple[str, ...] = ()  # sockets, which no archive can hold


def send(
    context: Context, write: Callable[[bytes], object], *, emit: Emit = ignore
) -> Sent:
    """Pack the folder of `context` into calls of `write`.

    Raises ContextRefused, BodyTooShort, and what `write` raises.
    """
    packer = _Packer(context, write, emit)
    try:
        top = os.open(context.directory, _OPEN | os.O_DIRECTORY)
    except OSError as error:
        raise cannot_read(error, context.directory) from error
    try:
        packer.directory(top, "", ())
    finally:
        os.close(top)
    packer.finish()
    return packer.sent()


def send_alone(dockerfile: bytes, write: Callable[[bytes], object]) -> Sent:
    """Pack a context that is a Dockerfile and nothing else, as `build -` sends it."""
    size = 0

    def count(data: bytes) -> None:
        nonlocal size
        size += len(data)
        write(data)

    writer = Writer(count)
    body = io.BytesIO(dockerfile)
    writer.add(Entry(b"Dockerfile", Kind.FILE, 0o600, size=len(dockerfile)), body)
    writer.close()
    return Sent(1, size)


@dataclass(slots=True)
class _Packer:
    """The state of one walk."""

    context: Context
    write: Callable[[bytes], object]
    emit: Emit
    size: int = 0
    entries: int = 0
    ignored: list[Ignored] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    links: dict[tuple[int, int], bytes] = field(default_factory=dict)
    has_ignore_file: bool = False

    def directory(self, handle: int, path: str, above: Matched) -> None:
        """Pack what is in an open directory; `path` is empty at the top."""
        if path.count("/") >= _DEEPEST:
            raise ContextRefused(
                f"error checking context: {path[:40]}… lies more than {_DEEPEST} deep",
                why="no archive with such paths could be unpacked",
                try_next="name it in .dockerignore",
            )
        try:
            names = sorted(os.listdir(handle), key=os.fsencode)
        except OSError as error:
            raise cannot_read(error, self.context.directory / path) from error
        for name in names:
            inside = f"{path}/{name}" if path else name
            try:
                self._one(handle, name, inside, above)
            except FileNotFoundError:
                continue  # it went away between two looks, as files do
            except OSError as error:
                raise cannot_read(error, self.context.directory / inside) from error

    def _one(self, parent: int, name: str, path: str, above: Matched) -> None:
        verdict, matched = self.context.rules.judge(path, above)
        found = os.lstat(name, dir_fd=parent)
        is_directory = stat.S_ISDIR(found.st_mode)
        if verdict.is_ignored and not (
            is_directory and self.context.rules.must_enter(path)
        ):
            self._leave_out(path, is_directory, verdict)
            return
        if not is_directory:
            self._pack(parent, name, path, found)
            return
        if not verdict.is_ignored:
            self._add(_entry(path, Kind.DIRECTORY, found))
        handle = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=parent)
        try:
            self.directory(handle, path, matched)
        finally:
            os.close(handle)

    def _leave_out(self, path: str, is_directory: bool, verdict: Verdict) -> None:
        self.ignored.append(Ignored(path, is_directory, verdict))
        if len(self.ignored) <= MOST_EVENTS:
            place = self.context.ignore_file
            self.emit(PathIgnored(path, is_directory, place, verdict.line, verdict.pattern))

    def _pack(self, parent: int, name: str, path: str, found: os.stat_result) -> None:
        """Pack anything but a directory."""
        kind = _KINDS.get(stat.S_IFMT(found.st_mode))
        if kind is None:
            self.skipped.append(path)
            return
        entry = _entry(path, kind, found)
        inode = (found.st_dev, found.st_ino)
        if found.st_nlink > 1 and inode in self.links:
            self._add(replace(entry, kind=Kind.HARD_LINK, link=self.links[inode], size=0))
            return
        if found.st_nlink > 1:
            self.links[inode] = entry.name
        if kind is Kind.SYMLINK:
            target = os.fsencode(os.readlink(name, dir_fd=parent))
            self._add(replace(entry, link=target))
        elif kind is Kind.FILE:
            self._file(parent, name, entry)
        else:
            device = (os.major(found.st_rdev), os.minor(found.st_rdev))
            is_device = kind in (Kind.CHARACTER, Kind.BLOCK)
            self._add(replace(entry, device=device if is_device else (0, 0)))

    def _file(self, parent: int, name: str, entry: Entry) -> None:
        handle = os.open(name, _OPEN, dir_fd=parent)
        with os.fdopen(handle, "rb", buffering=0) as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):  # it was, a moment ago
                self.skipped.append(os.fsdecode(entry.name))
                return
            entry = replace(entry, size=found.st_size, xattrs=_capability(handle))
            if self.context.foreign is not None and entry.name == os.fsencode(IGNORE_FILE):
                text = file.read() + self._own_name()
                self.has_ignore_file = True
                self._add(replace(entry, size=len(text)), io.BytesIO(text))
            else:
                self._add(entry, file)

    def finish(self) -> None:
        """Add a Dockerfile from elsewhere and its mention, and end the archive."""
        text = self.context.foreign
        if text is not None:
            name = os.fsencode(self.context.dockerfile)
            self._add(Entry(name, Kind.FILE, 0o600, size=len(text)), io.BytesIO(text))
            if not self.has_ignore_file:
                mention = IGNORE_FILE.encode() + self._own_name()
                entry = Entry(IGNORE_FILE.encode(), Kind.FILE, 0o600, size=len(mention))
                self._add(entry, io.BytesIO(mention))
        Writer(self._count).close()

    def sent(self) -> Sent:
        """Report."""
        return Sent(self.entries, self.size, tuple(self.ignored), tuple(self.skipped))

    def _own_name(self) -> bytes:
        return f"\n{self.context.dockerfile}\n".encode()

    def _add(self, entry: Entry, body: Stream | None = None) -> None:
        Writer(self._count).add(entry, body)
        self.entries += 1

    def _count(self, data: bytes) -> None:
        self.size += len(data)
        self.write(data)


def _entry(path: str, kind: Kind, found: os.stat_result) -> Entry:
    mode = stat.S_IMODE(found.st_mode)
    return Entry(os.fsencode(path), kind, mode, mtime=int(found.st_mtime_ns // 10**9))


def _capability(handle: int) -> dict[bytes, bytes]:
    """The one attribute that travels: what a program may do without being root."""
    with suppress(OSError, AttributeError):  # none set, no such thing here, or not Linux
        return {_CAPABILITY.encode(): os.getxattr(handle, _CAPABILITY)}
    return {}


def shown_size(size_bytes: int) -> str:
    """The size as the line `Sending build context to Docker daemon` shows it.

    >>> shown_size(4096), shown_size(512), shown_size(123_456_789)
    ('4.096kB', '512B', '123.5MB')
    """
    size, units = float(size_bytes), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.4g}{units[0]}"


def total_line(size_bytes: int) -> str:
    """What the docker command line prints before a build."""
    return f"Sending build context to Docker daemon  {shown_size(size_bytes)}"
