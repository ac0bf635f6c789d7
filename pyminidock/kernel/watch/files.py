"""The files of one container: what is told of them, and who is held in open(2).

    listening   told of everything, after it happened; nobody waits
    holding     asked before anything is executed, and, while a gate is set, before any open

Executing always asks, because that is where a process gets its name; it costs a program
some microseconds once.  While programs are held, opens are told when they ask and not once
more when they are done.

What is told costs a program what the kernel takes to note it.  So we read in handfuls, and
explain when the program takes a breath: where processors are few, it would wait for us.

Where the overlay cannot give handles (it was stacked without nfs_export), the kernel tells
with descriptors instead, and nothing is heard of names that come and go.

Source: man 7 fanotify.  A group whose last descriptor is closed lets everybody go on, so a
watcher that dies holds nobody.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from pyminidock.events import Event, FileNoticed, FilesMissed, WatchBegan
from pyminidock.kernel.watch import marking, records
from pyminidock.kernel.watch.commands import Commands
from pyminidock.kernel.watch.explaining import Explaining
from pyminidock.kernel.watch.records import Notice, Place

Tell = Callable[[list[Event], int], None]
"""Told events, and the number by which one who is held for them is let go; 0: nobody is."""

_LISTENED = (
    records.OPEN | records.OPEN_EXEC | records.MODIFY | records.CLOSE_WRITE
    | records.ATTRIB | records.CREATE | records.DELETE | records.RENAME | records.ONDIR
)  # fmt: skip
_WITHOUT_NAMES = (
    records.OPEN | records.OPEN_EXEC | records.MODIFY | records.CLOSE_WRITE | records.ONDIR
)
_LOST_ITS_NAME = (
    records.ATTRIB | records.ONDIR
)  # of a directory itself: told beside its end
_OPENS = records.OPEN | records.OPEN_EXEC
UNSEEN = (
    "stat, access and readlink", "names that do not exist",
    "how often one program repeats a deed", "volumes, /proc, /dev and /sys",
    "which layers the kernel asked",
)  # fmt: skip
_UNSEEN_BY_DESCRIPTOR = ("what is created, renamed or removed",)
REST_S = 0.005  # between two looks at what has happened, so that not each deed wakes us
QUIET_S, LATE_S = 0.02, 0.2  # explained once nothing has happened for so long, or then
_AT_A_TIME = 50  # notes that are explained before the kernel has its turn again
_AT_ONCE = 1 << 16  # bytes of one read
_TURNS = 64  # reads before somebody else has a turn


class Files:
    """Both groups on one overlay.  Raises OSError where fanotify is forbidden."""

    def __init__(self, tree: int, explaining: Explaining, tell: Tell) -> None:
        self._tree, self._explaining, self._tell = tree, explaining, tell
        self._directories, self._commands = marking.Directories(tree), Commands()
        self._held: dict[int, int] = {}  # number -> descriptor that waits to be allowed
        self._number = 0
        self.strangers: set[int] = set()  # pids of engines: they must never wait
        self._unexplained: deque[FileNoticed] = deque()
        self._oldest = self._newest = self._looked = 0.0  # when it was noted, or looked for
        self.is_holding = self.is_born = False
        self.holding = marking.hold()
        marking.mark(self.holding, records.OPEN_EXEC_PERM, tree)
        try:
            self.listening = marking.listen()
            marking.mark(self.listening, _LISTENED, tree)
            self.has_names = True
        except OSError:
            self.listening = marking.listen_by_descriptor()
            marking.mark(self.listening, _WITHOUT_NAMES, tree)
            self.has_names = False

    def describe(self) -> WatchBegan:
        """Say how it is watched, and what cannot be seen so."""
        if self.has_names:
            return WatchBegan("fanotify", UNSEEN)
        why = "the layers are stacked without nfs_export, so directories have no handles"
        return WatchBegan("fanotify", (*UNSEEN, *_UNSEEN_BY_DESCRIPTOR), why)

    def descriptors(self) -> list[int]:
        """Say what to wait for."""
        if self.is_holding or time.monotonic() - self._looked >= REST_S:
            return [self.holding, self.listening]
        return [self.holding]

    def patience_s(self) -> float:
        """Say how long nobody has to look for anything but `descriptors`."""
        now = time.monotonic()
        rest = self._looked + REST_S - now
        if not self._unexplained:
            return rest if rest > 0 else 1.0
        due = min(self._newest + QUIET_S, self._oldest + LATE_S) - now
        if self.is_holding or due <= 0:
            return 0.0
        return min(rest, due) if rest > 0 else due

    def turn(self, ready: set[int]) -> None:
        """Do what the kernel wants; then explain, if it is time to."""
        if self.holding in ready:
            self.answer()
        if self.listening in ready:
            self._looked = time.monotonic()
            self.listen()
        if not self.patience_s():
            self._explain(_AT_A_TIME)

    def drain(self) -> None:
        """Tell all that has happened until now."""
        self.listen()
        self._explain(len(self._unexplained))

    # ── What the engine wants ────────────────────────────────────────────────────────────

    def hold(self) -> None:
        """Ask before every open from now on."""
        if not self.is_holding:
            self.listen()
            self.is_holding = True
            marking.mark(self.holding, records.OPEN_PERM, self._tree)

    def flow(self) -> None:
        """Ask only before programs are executed; whoever is held goes on."""
        if self.is_holding:
            self.listen()
            marking.unmark(self.holding, records.OPEN_PERM, self._tree)
            self.is_holding = False
        for number in list(self._held):
            self.go(number)

    def go(self, number: int) -> None:
        """Let one who is held go on; who is gone needs nothing."""
        descriptor = self._held.pop(number, None)
        if descriptor is not None:
            marking.allow(self.holding, descriptor)

    def bear(self) -> None:
        """Say that the program runs: until then it was we who built its walls."""
        if not self.is_born:
            self._drop()
            self.is_born = True

    # ── What the kernel tells ────────────────────────────────────────────────────────────

    def answer(self) -> None:
        """Read who asks to go on, and let them, unless they are to be held."""
        for notice in self._read(self.holding):
            path = marking.path_of(notice.descriptor)
            if notice.mask & records.OPEN_EXEC_PERM and notice.pid not in self.strangers:
                self.bear()
                self.listen()  # all that it did under its old name
                self._commands.executes(notice.pid, path)
            if notice.pid in self.strangers or not (self.is_born and self.is_holding):
                marking.allow(self.holding, notice.descriptor)
            else:
                self._hold(notice, path)

    def _hold(self, notice: Notice, path: str) -> None:
        self._explain(len(self._unexplained))  # what came before is told before
        self._number += 1
        self._held[self._number] = notice.descriptor
        command = self._commands.asks(notice.pid)
        events: list[Event] = []
        for deed in records.deeds(notice.mask):
            events += self._told(FileNoticed(deed, path, "", notice.pid, command))
        self._tell(events, self._number)

    def listen(self) -> None:
        """Read what has happened, and note it."""
        names: dict[int, str] = {}  # nobody gets another one while we read
        before = len(self._unexplained)
        for notice in self._read(self.listening):
            self._notice(notice, names)
        if len(self._unexplained) > before:
            self._newest = time.monotonic()
            if not before:
                self._oldest = self._newest

    def _notice(self, notice: Notice, names: dict[int, str]) -> None:
        if notice.mask & records.OVERFLOW:
            self._tell([FilesMissed(0)], 0)
            return
        try:
            path = self._path(notice)
        except OSError:  # its directory is gone: nobody knows any more where it was
            if notice.mask != _LOST_ITS_NAME:
                self._tell([FilesMissed(1)], 0)
            return
        if not self.is_born or notice.pid in self.strangers:
            return
        to = self._at(notice.to) if notice.to else ""
        if notice.mask & records.ONDIR and notice.mask & (records.RENAME | records.DELETE):
            self._directories.forget()
        told_before = _OPENS if self.is_holding else 0
        if notice.pid not in names:
            names[notice.pid] = self._commands.name(notice.pid)
        command = names[notice.pid]
        self._unexplained += (
            FileNoticed(deed, path, to, notice.pid, command)
            for deed in records.deeds(notice.mask & ~told_before)
        )

    def _explain(self, most: int) -> None:
        """Explain and tell what was noted, so much at a time.

        Nobody waits for this, while whoever executes a program waits for our answer.
        """
        self._explaining.afresh()
        for _ in range(min(most, len(self._unexplained))):
            self._tell([*self._told(self._unexplained.popleft())], 0)

    def _told(self, noticed: FileNoticed) -> Iterator[Event]:
        """Give what was seen, and behind it what the lookup says of it."""
        yield noticed
        explained = self._explaining.explain(noticed.deed, noticed.path, noticed.to)
        for event in explained:
            yield replace(event, pid=noticed.pid, command=noticed.command)

    def _path(self, notice: Notice) -> str:
        if notice.place:
            return self._at(notice.place)
        try:
            return marking.path_of(notice.descriptor)
        finally:
            os.close(notice.descriptor)

    def _at(self, place: Place) -> str:
        directory = self._directories.path(place.directory)
        name = os.fsdecode(place.name)
        return directory if name == "." else f"{directory.rstrip('/')}/{name}"

    def _drop(self) -> None:
        """Forget what our own work has left in the queue."""
        for notice in self._read(self.listening):
            if notice.descriptor >= 0:
                os.close(notice.descriptor)

    @staticmethod
    def _read(group: int) -> Iterable[Notice]:
        for _ in range(_TURNS):
            told = b""
            with suppress(BlockingIOError):
                told = os.read(group, _AT_ONCE)
            if not told:
                return
            yield from records.parse(told)
