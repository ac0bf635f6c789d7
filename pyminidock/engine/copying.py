"""Files in and out of a container: what `docker cp` asks for.

    stat      what is at a path                          HEAD  /containers/N/archive
    read      that, and it as an archive                 GET
    write     unpack an archive into a directory         PUT

The container may run, stand still or have ended.  If it runs, what is read and written is
the very tree of its program; if not, its layers are stacked for the moment, and it cannot
start while something is written.  Either way /proc, /dev and every tmpfs are absent, as
with Docker: who writes to /dev/x writes below the mount, where no program sees it.

Source: moby, daemon/archive_unix.go and daemon/archive.go.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from stat import S_ISDIR
from threading import Lock
from typing import Self

from pyminidock.container.spec import ContainerSpec
from pyminidock.engine import volumemounts
from pyminidock.engine.furnishing import tell_mounted, tell_unmounted
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.signalling import PATIENCE_S
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import PathArchived, PathExtracted
from pyminidock.grammar.binds import clean
from pyminidock.grammar.gopaths import base, from_root
from pyminidock.kernel.port import Hung, Process, ProcessGone, Tree, View
from pyminidock.layers import snapshots
from pyminidock.layers.archive import Stream, read_entries
from pyminidock.layers.compression import decompressed
from pyminidock.layers.incoming import How, Incoming
from pyminidock.layers.inside import PathStat, follow, lstat, status_of, unusable, words
from pyminidock.layers.outgoing import Outgoing
from pyminidock.volume.points import MountPoint, holder, volumes_of

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_ENGINE_FILES = ("hostname", "hosts", "resolv.conf")


class FileNotInContainer(MinidockError):
    """There is nothing at this path of the container."""

    status = 404


class Pieces:
    """An archive on its way out: pieces of bytes.  Holds its view until it is closed."""

    def __init__(self, pieces: Iterator[bytes], done: Callable[[], None]) -> None:
        self._pieces, self._done = pieces, done
        self._lock, self._is_closed, self._is_done = Lock(), False, False

    def __iter__(self) -> Self:
        """Give itself."""
        return self

    def __next__(self) -> bytes:
        """Give the next piece; lets go of everything behind the last one."""
        with self._lock:
            try:
                if not self._is_closed:
                    return next(self._pieces)
                raise StopIteration
            except BaseException:
                self._let_go()
                raise

    def close(self) -> None:
        """Give no more pieces; from any thread."""
        self._is_closed = True
        if self._lock.acquire(blocking=False):  # else who reads lets go
            try:
                self._let_go()
            finally:
                self._lock.release()

    def _let_go(self) -> None:
        if not self._is_done:
            self._is_done = True
            self._pieces = iter(())  # a walk that nobody holds closes its handles
            self._done()


def stat(house: House, reference: str, path: str) -> PathStat:
    """Tell what is at a path.  Raises NoSuchContainer, FileNotInContainer, PathUnusable."""
    life = house.life(reference)
    with _told(house, life):
        view = open_view(house, life)
        try:
            with _finding(path, reference):
                return lstat(view, path)
        finally:
            view.close()


def read(
    house: House, reference: str, path: str, *, via: Via = NOBODY
) -> tuple[PathStat, Pieces]:
    """Give what is at a path, and it as an archive.  Raises as `stat`."""
    life = house.life(reference)
    spec = house.kept(life.id).spec
    with operation(house, life.story, "read", via) as voice, ExitStack() as behind:
        behind.enter_context(_mounted(house, spec, voice))
        view = open_view(house, life)
        behind.callback(view.close)
        whole = from_root(path)
        with _finding(path, reference):
            found = lstat(view, whole)
            pieces = _begun(_packed(view, whole, is_directory=S_ISDIR(found.mode)))
        voice(PathArchived(life.id, path))
        later = behind.pop_all()
    return found, Pieces(pieces, later.close)


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Get the first piece now, while a refusal is still an answer.

    Raises FileNotFoundError, PathUnusable where a program has moved things meanwhile.
    """
    try:
        first = next(pieces)
    except FileNotFoundError:
        raise
    except OSError as refusal:
        raise unusable(f"open {refusal.filename or 'path'}: {words(refusal)}") from refusal
    return chain((first,), pieces)


def _packed(view: View, path: str, *, is_directory: bool) -> Iterator[bytes]:
    """Pack a directory under its last name, "." and "/" being names too, or a file."""
    work, name = Outgoing(view), base(path).encode(errors="surrogateescape")
    place = path.encode(errors="surrogateescape")
    if is_directory:
        return work.directory(place, name)
    return work.file(place, name)


def write(  # noqa: PLR0913  (what Docker's query says)
    house: House, reference: str, path: str, stream: Stream, *,
    keeps_kinds: bool = False, takes_owner: bool = False, via: Via = NOBODY,
) -> None:  # fmt: skip
    """Unpack an archive, packed or not, into a directory.

    `keeps_kinds`: no directory is replaced by a file, nor the other way.  `takes_owner`:
    all of it belongs to the container's user, if it has one; Docker knows only those who
    are in /etc/passwd by name, and fails for a number.  Raises as `stat`.
    """
    life = house.life(reference)
    kept = house.kept(life.id)
    with (
        operation(house, life.story, "write", via) as voice,
        _mounted(house, kept.spec, voice),
        _writable(house, life) as view,
        _finding(path, reference),
    ):
        place = _place(view, path)
        point = holder(kept.spec.points, clean(place))
        if point and not point.is_writable:
            raise unusable(
                "mounted volume is marked read-only",
                why="it was mounted with :ro, which is a promise to its data",
                try_next="docker run --volume, without :ro",
            )
        if kept.spec.is_root_readonly and not point:
            raise unusable(
                "container rootfs is marked read-only",
                why="it was made with --read-only, which is a promise to the program",
                try_next="docker run --tmpfs or a volume, for what has to be written",
            )
        entries = read_entries(
            decompressed(stream, emit=voice), emit=voice, may_lack_end=True, may_climb=True
        )
        how = _how(house, kept, takes_owner=takes_owner, keeps_kinds=keeps_kinds)
        Incoming(view, place, how).take(entries)
        voice(PathExtracted(life.id, path))


def _how(house: House, kept: Kept, *, takes_owner: bool, keeps_kinds: bool) -> How:
    """Say whose the files shall be; in a namespace of one user there is no choice."""
    if house.machine.is_single_user:
        return How((0, 0), keeps_kinds, has_devices=False)
    spec = kept.spec
    return How((spec.uid, spec.gid) if takes_owner and spec.user else None, keeps_kinds)


def _place(view: View, path: str) -> str:
    """Find the directory to unpack into; links that lead to it are followed."""
    place = follow(view, f"/{path}")
    asked = from_root(path)
    end = "/." if asked.endswith("/.") else "/" if asked.endswith("/") else ""
    whole = place.rstrip("/") + end if end else place
    if not S_ISDIR(status_of(view, whole, f"lstat {whole}").st_mode):
        raise unusable("extraction point is not a directory")
    return place


@contextmanager
def _told(house: House, life: Life) -> Iterator[None]:
    """Tell that the volumes are hung up for a look, if there are any."""
    spec = house.kept(life.id).spec
    if not volumes_of(spec.points):
        yield
        return
    with operation(house, life.story, "look") as voice, _mounted(house, spec, voice):
        yield


@contextmanager
def _mounted(house: House, spec: ContainerSpec, voice: Voice) -> Iterator[None]:
    with volumemounts.held(house, spec.points, f"copy {spec.id}"):
        tell_mounted(spec, voice)
        try:
            yield
        finally:
            tell_unmounted(spec, voice)


@contextmanager
def _finding(path: str, reference: str) -> Iterator[None]:
    """Say that nothing is at the path, whatever it was that was missing."""
    try:
        yield
    except FileNotFoundError as absence:
        raise FileNotInContainer(
            f"Could not find the file {path} in container {reference}",
            why="what is mounted for the program alone (/proc, /dev, a tmpfs) is not seen",
            try_next=f"minidock exec {reference} ls -la, along the path",
            lesson="union-filesystem",
        ) from absence


# ── Views ────────────────────────────────────────────────────────────────────────────────


def open_view(
    house: House, life: Life, *, is_writable: bool = False, has_files: bool = True
) -> View:
    """Open the tree of a container, with the engine's files in /etc if it ever ran.

    Raises NotHere.
    """
    tree = _tree(house, house.kept(life.id), has_files=has_files)
    if process := alive(life):
        try:
            return house.kernel.view(tree, process, is_writable=is_writable)
        except ProcessGone:
            life.until(lambda: life.exit is not None, PATIENCE_S)
    if has_files and house.kept(life.id).spec.points:
        _make_places(house, life, is_mine=is_writable)
    return house.kernel.view(tree, is_writable=is_writable)


def _make_places(house: House, life: Life, *, is_mine: bool) -> None:
    """Make the places of volumes in a container that never ran, as its start would."""
    if not is_mine:
        with life.hosting():
            _make_places(house, life, is_mine=True)
        return
    kept = house.kept(life.id)
    bare = replace(_tree(house, kept, has_files=False), files=())
    view = house.kernel.view(bare)
    try:
        missing = [point for point in kept.spec.points if not _is_there(view, point.target)]
    finally:
        view.close()
    if not missing:
        return
    snapshots.keep(house.directory(life.id))
    view = house.kernel.view(bare, is_writable=True)
    try:
        for point in missing:
            is_file = point.kind == "bind" and not Path(point.source).is_dir()
            _make(view, point.target, is_directory=not is_file)
    finally:
        view.close()


def _is_there(view: View, path: str) -> bool:
    try:
        os.close(view.open(os.fsencode(path), os.O_PATH))
    except OSError:
        return False
    return True


def _make(view: View, path: str, *, is_directory: bool) -> None:
    """Make a directory or an empty file, and what is missing above it."""
    above, _, name = path.rpartition("/")
    if above and not _is_there(view, above):
        _make(view, above, is_directory=True)
    handle = view.open(os.fsencode(above or "/"), os.O_PATH | os.O_DIRECTORY)
    try:
        with suppress(FileExistsError):
            if is_directory:
                os.mkdir(name, 0o755, dir_fd=handle)
            else:
                os.close(os.open(name, _NEW_FILE, 0o644, dir_fd=handle))
    finally:
        os.close(handle)


def alive(life: Life) -> Process | None:
    """Give the program of a container while it lives, moving or not."""
    with life.changed:
        return life.process if life.exit is None else None


@contextmanager
def _writable(house: House, life: Life) -> Iterator[View]:
    """Open the tree to write; no other overlay gets its upper directory meanwhile."""
    with life.hosting():
        snapshots.keep(house.directory(life.id))
        view = open_view(house, life, is_writable=True)
        try:
            yield view
        finally:
            view.close()


def _tree(house: House, kept: Kept, *, has_files: bool) -> Tree:
    snapshot, hung = kept.snapshot, list[Hung]()
    if has_files:
        hung = [_hung(point) for point in kept.spec.points]
        taken = {each.target for each in hung}
        if kept.state != "created" or kept.error:  # a start that failed wrote them, too
            files = ((name, f"/etc/{name}") for name in _ENGINE_FILES)
            hung += [
                Hung(f"{kept.spec.names_from or kept.spec.directory}/{name}", target)
                for name, target in files if target not in taken
            ]  # fmt: skip
        hung.sort(key=lambda each: each.target.count("/"))
    return Tree(snapshot.lower, snapshot.upper, snapshot.work, snapshot.target, tuple(hung))


def _hung(point: MountPoint) -> Hung:
    return Hung(point.source, point.target, point.subpath, not point.is_writable)
