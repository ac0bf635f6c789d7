"""The files of one log, opened together and read as if they were one.

    ID-json.log.2   oldest      closed; forgotten when the next one is full
    ID-json.log.1
    ID-json.log     youngest    grows

A full file may be compressed, ID-json.log.1.gz: it is unpacked into a file without a name,
and only if somebody wants to read in it.  Which file it was is its name in the archive.

A shim may give the files other names at any moment.  Who looks from the youngest to the
oldest misses none, for names only move that way; who looks twice and finds the same has
seen them in their order.  An open file stays what it is, whatever it is called by then.
"""

import gzip
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PIECE_BYTES = 1 << 17
_INNER = re.compile(
    rb"\x1f\x8b\x08\x08.{6}(\d+)-(\d+)\0", re.DOTALL
)  # an archive's own name
_TRIES = 20  # to see the same files twice, while they change their names


@dataclass(slots=True)
class OpenFile:
    """One file of a log, being read; `end` is how far it shall be read for now."""

    descriptor: int
    inode: int
    packed: tuple[int, int] | None = None  # of what is in an archive: inode, size
    is_packed: bool = False
    at: int = 0
    end: int = 0

    def is_same(self, other: "OpenFile") -> bool:
        """Say whether both are one file, which may have been packed meanwhile.

        Inodes alone do not tell: that of a file which was packed is given to a new one.
        """
        if (self.packed is None) == (other.packed is None):
            return self.inode == other.inode
        archive, plain = (self, other) if self.packed else (other, self)
        return archive.packed == (plain.inode, os.fstat(plain.descriptor).st_size)

    def measure(self) -> None:
        """Read on as far as it goes now."""
        self.end = 0 if self.is_packed else os.fstat(self.descriptor).st_size

    def skip(self) -> None:
        """Read nothing of what there is now."""
        self.at, self.is_packed = self.end, False

    def _unpack(self) -> None:
        """Put the contents of an archive in the place of the archive."""
        if not self.is_packed:
            return
        with (
            os.fdopen(self.descriptor, "rb") as packed,
            tempfile.TemporaryFile() as plain,
        ):
            self.descriptor = os.dup(plain.fileno())
            self.is_packed = False
            with suppress(OSError, EOFError, zlib.error):  # damaged: up to there
                shutil.copyfileobj(gzip.GzipFile(fileobj=packed), plain)
            plain.flush()
            self.measure()

    def pieces(self) -> Iterator[bytes]:
        """Read from `at` to `end` in whole lines; a line that is not whole yet stays."""
        self._unpack()
        size = _PIECE_BYTES
        while self.at < self.end:
            data = os.pread(self.descriptor, min(size, self.end - self.at), self.at)
            whole = data.rfind(b"\n") + 1
            if not whole and len(data) < size:
                return
            size = _PIECE_BYTES if whole else 2 * size  # a line longer than a piece
            self.at += whole
            if whole:
                yield data[:whole]

    def before_last(self, count: int) -> tuple[int, int]:
        """Find where the last `count` lines begin; give that, and how many there are."""
        self._unpack()
        found, at = 0, self.end
        while at > 0:
            start = max(0, at - _PIECE_BYTES)
            data = os.pread(self.descriptor, at - start, start)
            lines = data.count(b"\n")
            if found + lines > count:  # one more: the end of the line before them
                place = len(data)
                for _ in range(count + 1 - found):
                    place = data.rfind(b"\n", 0, place)
                return start + place + 1, count
            found, at = found + lines, start
        return 0, found


class LogFiles:
    """All files of a log that there were when it was opened, oldest first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.files = _opened(path)

    def measure(self) -> None:
        """Read as far as the log goes now."""
        for file in self.files:
            file.measure()

    def skip_to(self, count: int) -> None:
        """Begin with the last `count` lines of all that was measured."""
        for file in reversed(self.files):
            if count:
                file.at, found = file.before_last(count)
                count -= found
            else:
                file.skip()

    def pieces(self) -> Iterator[bytes]:
        """Read all that was measured; then only the youngest file stays open."""
        while self.files:
            yield from self.files[0].pieces()
            if len(self.files) == 1:
                return
            os.close(self.files.pop(0).descriptor)

    def renew(self) -> bool:
        """See whether younger files have been begun, and open them.

        If the one that was open has been forgotten meanwhile, what was written between it
        and the oldest of these is lost to the reader, too.
        """
        last = self.files[-1:]
        with suppress(FileNotFoundError):
            if [file.inode for file in last] == [self._path.stat().st_ino]:
                return False
        files = _opened(self._path)
        places = [n for n, file in enumerate(files) for one in last if file.is_same(one)]
        younger = files[places[0] + 1 :] if places else files
        for file in files[: len(files) - len(younger)]:
            os.close(file.descriptor)
        self.files += younger
        return bool(younger)

    def close(self) -> None:
        """Let go of all files."""
        while self.files:
            os.close(self.files.pop().descriptor)


def _opened(path: Path) -> list[OpenFile]:
    """Open the files of a log, oldest first, as soon as they keep their names."""
    for _ in range(_TRIES):
        files = list(_by_age(path))
        if _inodes(path) == [file.inode for file in files]:
            break
        for file in files:
            os.close(file.descriptor)
    else:
        files = list(_by_age(path))
    files.reverse()
    return files


def _by_age(path: Path) -> Iterator[OpenFile]:
    """Open every file once, youngest first.

    In the middle of a change of names, one name may be missing, but never two in a row.
    """
    seen, missing, number = list[OpenFile](), 0, 0
    while missing < 2:
        file = _found(path, number)
        missing = 0 if file else missing + 1
        number += 1
        if file is None:
            continue
        if any(file.is_same(one) for one in seen):
            os.close(file.descriptor)
        else:
            seen.append(file)
            yield file


def _found(path: Path, number: int) -> OpenFile | None:
    """Open the file with this number, packed or not."""
    name = f"{path.name}.{number}" if number else path.name
    for end in ("", ".gz"):
        try:
            descriptor = os.open(path.with_name(name + end), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        status = os.fstat(descriptor)
        inner = _INNER.match(os.pread(descriptor, 64, 0)) if end else None
        packed = (int(inner[1]), int(inner[2])) if inner else (0, 0)
        return OpenFile(descriptor, status.st_ino, packed if end else None, bool(end))
    return None


def _inodes(path: Path) -> list[int]:
    """Tell which file has which name now, youngest first."""
    files = list(_by_age(path))
    for file in files:
        os.close(file.descriptor)
    return [file.inode for file in files]
