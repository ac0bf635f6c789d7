"""Stories as files: one for each, bounded together.

    ROOT/journal/run-3f2a91….jsonl     a header, then one line for each event

Lines are appended in whole batches, so a crash costs at most the last batch and cuts at
most one line.  When all files together reach the limit the story that began first goes;
the story that was being written then notes how much went.  Files are for their owner only
(0600): a story tells what somebody did.
"""

import datetime
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyminidock.errors import MinidockError
from pyminidock.events.journal import (
    Header,
    LineDamaged,
    Trace,
    TraceUnreadable,
    from_line,
    header_from_line,
    header_to_line,
    read_trace,
)
from pyminidock.grammar.credentials import left_over

LIMIT_BYTES = 256 << 20
_TAIL_BYTES = 64 << 10


class NoSuchStory(MinidockError):
    """No story of this name is in the journal (any more)."""

    status = 404


class SecretLeft(MinidockError):
    """An export would carry something that looks like a credential."""

    status = 409


@dataclass(frozen=True, slots=True)
class Entry:
    """One story in the journal."""

    header: Header
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """What had to go to make room."""

    stories: tuple[str, ...]
    events: int
    size_bytes: int


class Journals:
    """The files of one root directory.  One thread writes; any may read."""

    def __init__(self, directory: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._directory, self._limit_bytes = directory, limit_bytes
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sizes = {path.stem: path.stat().st_size for path in self._files()}
        self._total_bytes = sum(self._sizes.values())
        self._order = sorted(self._sizes, key=self._began)

    def begin(self, header: Header) -> None:
        """Start the file of a story.  Raises FileExistsError if it has one."""
        self._write(header.story, header_to_line(header) + "\n", os.O_CREAT | os.O_EXCL)
        self._order.append(header.story)

    def resume(self, story: str) -> Header | None:
        """Go on with the file of a story; None where there is none, or none that is whole.

        A line that a crash had cut is taken off, so that what follows stays readable.
        """
        header = self._header(story) if self.has(story) else None
        if header is not None:
            content = self._path(story).read_bytes()
            whole = content.rfind(b"\n") + 1
            os.truncate(self._path(story), whole)
            self._sizes[story] -= len(content) - whole
            self._total_bytes -= len(content) - whole
        return header

    def has(self, story: str) -> bool:
        """Say whether a story has a file."""
        return story in self._sizes

    def append(self, story: str, lines: Sequence[str]) -> None:
        """Write a batch of lines in one piece."""
        self._write(story, "".join(f"{line}\n" for line in lines), 0)

    def make_room(self) -> Dropped | None:
        """Drop the stories that began first while all together are above the limit."""
        gone: list[str] = []
        events = size_bytes = 0
        while self._total_bytes - size_bytes > self._limit_bytes and self._order:
            story = self._order.pop(0)
            with self._path(story).open("rb") as file:
                events += max(0, sum(1 for _ in file) - 1)  # the first line is the header
            self._path(story).unlink()
            size_bytes += self._sizes.pop(story)
            gone.append(story)
        self._total_bytes -= size_bytes
        return Dropped(tuple(gone), events, size_bytes) if gone else None

    def entries(self) -> tuple[Entry, ...]:
        """List the stories in the order in which they began; damaged files are left out."""
        found = []
        for story in tuple(self._order):
            if header := self._header(story):
                found.append(Entry(header, self._sizes.get(story, 0)))
        return tuple(found)

    def last(self) -> str:
        """Name the story that began last.  Raises NoSuchStory where none did."""
        if not self._order:
            raise _no_such("last", "nothing has been run in this root directory yet")
        return self._order[-1]

    def read(self, story: str) -> Trace:
        """Read a story, up to the first damage.  Raises NoSuchStory, TraceUnreadable."""
        return read_trace(self.lines(story))

    def export(self, story: str) -> tuple[str, ...]:
        """Give the lines to be taken elsewhere.  Raises NoSuchStory, SecretLeft."""
        lines = tuple(self.lines(story))
        for number, line in enumerate(lines, start=1):
            if found := left_over(line):
                raise SecretLeft(
                    f"line {number} of {story} holds what looks like a credential",
                    why=f"it reads {found[:6]}…, and an export may travel to strangers",
                    try_next=f"minidock trace show {story}",
                    lesson="secrets",
                )
        return lines

    def lines(self, story: str) -> Iterator[str]:
        """Give the lines of a story's file, the header first.  Raises NoSuchStory."""
        if not self.has(story):
            known = ", ".join(self._order[-3:]) or "none"
            raise _no_such(story, f"the journal holds {len(self._order)} stories ({known})")
        try:
            content = self._path(story).read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            raise _no_such(story, "it was dropped to make room") from None
        return iter(content.splitlines())

    def newest_number(self) -> int:
        """Give the highest seq that was ever written here, 0 for none.

        The file that was written last has it; as clocks of file systems are coarse, every
        file of the same second is looked at.
        """
        times = {path: path.stat().st_mtime for path in self._files()}
        newest = max(times.values(), default=0.0)
        recent = [path for path, time in times.items() if time > newest - 1]
        return max((_last_number(path) for path in recent), default=0)

    def _write(self, story: str, text: str, flags: int) -> None:
        flags |= os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path(story), flags, 0o600)
        before = os.fstat(descriptor).st_size
        try:
            content = text.encode("ascii")
            while content:
                content = content[os.write(descriptor, content) :]
        except OSError:  # a full disk; half a line would spoil the next one
            os.ftruncate(descriptor, before)
            raise
        finally:
            os.close(descriptor)
        self._sizes[story] = self._sizes.get(story, 0) + len(text)
        self._total_bytes += len(text)

    def _path(self, story: str) -> Path:
        return self._directory / f"{story}.jsonl"

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob("*.jsonl"))

    def _began(self, story: str) -> tuple[str, str]:
        header = self._header(story)
        return (header.created if header else "", story)

    def _header(self, story: str) -> Header | None:
        try:
            with self._path(story).open(encoding="ascii", errors="replace") as file:
                return header_from_line(file.readline(_TAIL_BYTES))
        except (FileNotFoundError, TraceUnreadable):
            return None


def created(wall: float) -> str:
    """Write a moment as a header has it, so fine that stories sort by it.

    >>> created(0.25)
    '1970-01-01T00:00:00.250000Z'
    """
    moment = datetime.datetime.fromtimestamp(wall, datetime.UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def began(header: Header, *, otherwise: float) -> float:
    """Read the moment of a header back, in seconds since 1970.

    >>> began(Header("run-1", "", created(0.25), "simulated"), otherwise=0.0)
    0.25
    """
    try:
        return datetime.datetime.fromisoformat(header.created).timestamp()
    except ValueError:
        return otherwise


def _last_number(path: Path) -> int:
    """Give the seq of the last whole line of a file."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode("ascii", errors="replace").splitlines()
    for line in reversed(lines):
        try:
            return from_line(line).seq
        except LineDamaged:  # the header, or a line that a crash had cut
            continue
    return 0


def _no_such(story: str, why: str) -> NoSuchStory:
    return NoSuchStory(
        f"no such story: {story}", why=why, try_next="minidock trace ls", lesson="traces"
    )
