"""Archives of `cp`: where things land, how they are packed, and how they are unpacked.

An archive from a container is a stranger's: what is unpacked stays below the directory it
lands in (no absolute names, no way up, no writing through a link), belongs to whoever
unpacks, and device nodes are left out unless we are root.

Source: moby, pkg/archive/copy.go, PrepareArchiveCopy(); PEP 706.
"""

import copy
import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, Protocol, cast

from pyminidock.cli.failures import ERROR, WordsRefused

_PIECE_BYTES = 1 << 16
_BLOCK_BYTES = 512


class Found(Protocol):
    """What is at the destination."""

    @property
    def exists(self) -> bool:
        """Whether anything is."""

    @property
    def is_directory(self) -> bool:
        """Whether a directory is."""


class Landing(NamedTuple):
    """The directory that gets it, and the name that its top has there ("." is none)."""

    directory: str
    name: str


def landing(
    target: str, found: Found, *, is_directory: bool, name: str, is_content: bool
) -> Landing:
    """Decide where things land.  Raises WordsRefused, Docker's sentences.

    `name` is the source's own; `is_content` if only what is in it is meant.
    """
    wants_directory = target.endswith(("/", "/.")) or target in (".", "..")
    if found.is_directory:
        return Landing(target, "." if is_content else name)
    if found.exists and is_directory:
        raise _refused("cannot copy directory")
    if wants_directory and not is_directory:
        raise _refused("not a directory" if found.exists else "no such directory")
    path = PurePosixPath(target)
    return Landing(str(path.parent), path.name)


def packed(
    source: str, where: Landing, *, follows: bool, counted: list[int]
) -> Iterator[bytes]:
    """Pack a file or a tree under the name it shall have; count the bytes of files."""
    root = Path(source)
    for path in (root, *_below(root)):
        relative = path.relative_to(root)
        name = str(PurePosixPath(where.name) / PurePosixPath(*relative.parts))
        entry = _described(path, name, follows=follows and path == root)
        if entry is None:  # a socket
            continue
        if entry.islnk():  # each file travels whole
            entry.type, entry.size = tarfile.REGTYPE, path.stat().st_size
        yield entry.tobuf(tarfile.PAX_FORMAT)
        if entry.isreg():
            counted[0] += entry.size
            yield from _content(path, entry.size)
    yield bytes(2 * _BLOCK_BYTES)


def _described(path: Path, name: str, *, follows: bool) -> tarfile.TarInfo | None:
    """Describe a file for an archive; a socket cannot be."""
    with tarfile.open(fileobj=io.BytesIO(), mode="w", dereference=follows) as archive:
        return archive.gettarinfo(str(path), arcname=name)


def _below(root: Path) -> Iterator[Path]:
    """Give all that is below a directory, each after the directory it is in."""
    if root.is_symlink() or not root.is_dir():
        return
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted((*folders, *files)):
            yield Path(folder) / name


def _content(path: Path, size: int) -> Iterator[bytes]:
    """Give exactly so many bytes: a file that shrinks is filled with zeros."""
    left = size
    with path.open("rb") as file:
        while left and (piece := file.read(min(left, _PIECE_BYTES))):
            left -= len(piece)
            yield piece
    yield bytes(left + -size % _BLOCK_BYTES)


def unpack(pieces: Iterable[bytes], where: Landing) -> int:
    """Unpack an archive where it lands; give the size of its files.

    Raises WordsRefused for an entry that would leave the directory.
    """
    total = 0
    is_root = os.geteuid() == 0
    with tarfile.open(fileobj=cast(BinaryIO, _Stream(pieces)), mode="r|") as archive:
        # Ours judges each entry, on the first 3.11, too, which knows no filters yet.
        archive.extraction_filter = lambda entry, _: entry
        for entry in archive:
            renamed = _renamed(entry, where.name)
            if (entry.isdev() and not is_root) or not renamed.name:
                continue
            try:
                archive.extract(_owned(renamed, where.directory), where.directory)
            except (_Outside, KeyError, OSError) as refusal:
                raise _refused(f"{renamed.name}: {refusal}") from refusal
            total += entry.size
    return total


def _renamed(entry: tarfile.TarInfo, name: str) -> tarfile.TarInfo:
    """Give the top of an archive another name; hard links within it follow."""

    def moved(path: str) -> str:
        parts = PurePosixPath(path).parts
        return str(PurePosixPath(name, *parts[1:])) if parts else name

    link = moved(entry.linkname) if entry.islnk() else entry.linkname
    renamed = copy.copy(entry)
    renamed.name, renamed.linkname = moved(entry.name), link
    return renamed


class _Outside(Exception):
    """An entry would land outside, or be a hard link to what is there."""


def _owned(entry: tarfile.TarInfo, place: str) -> tarfile.TarInfo:
    """Let an entry be ours, below its place, whatever links lie there.  Raises _Outside."""
    below = os.path.realpath(place)
    for name in (entry.name, entry.linkname) if entry.islnk() else (entry.name,):
        aim = os.path.realpath(Path(below, name))
        if os.path.commonpath([aim, below]) != below:
            raise _Outside(f"{name} would be outside of {place}")
    kept = copy.copy(entry)
    kept.uid, kept.gid, kept.uname, kept.gname = os.geteuid(), os.getegid(), "", ""
    return kept


class _Stream:
    """Pieces as a file that can only be read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._rest = iter(pieces), b""

    def read(self, size: int) -> bytes:
        """Give so many bytes, fewer only at the end."""
        while len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
        given, self._rest = self._rest[:size], self._rest[size:]
        return given


def _refused(what: str) -> WordsRefused:
    return WordsRefused(
        what, why="what is copied lands in a directory that is there, and stays below it",
        try_next="minidock cp --help", exit_code=ERROR,
    )  # fmt: skip
