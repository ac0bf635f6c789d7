"""A program logs its own calls; what glass tells of it is the same, no more and no less.

Every name on the way of a path is one lookup (`path.resolved`), and what a call wants in
the end is one more event (`call.answered`), with its errno.
"""

import errno
import json
import os
import random
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyminidock.engine import glass
from pyminidock.events import CallAnswered, PathResolved
from pyminidock.kernel.glass import hearing, mounting
from tests.edge.overlay_stacks import LIBC, MNT_DETACH

pytestmark = pytest.mark.edge
Entry = tuple[str, str, str]  # call, path, errno


@pytest.fixture
def union(tmp_path: Path) -> Iterator[tuple[hearing.Hearing, Path]]:
    """Give what hears a union, and where it is mounted."""
    for name in ("lower", "base", "upper", "work", "merged"):
        (tmp_path / name).mkdir()
    for place in ("lower/a", "base/a", "base/b"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "low").write_text(place)
    layers = [str(tmp_path / "lower"), str(tmp_path / "base")]
    handle = hearing.start(
        layers, str(tmp_path / "upper"), str(tmp_path / "work"), (), str(tmp_path)
    )
    merged = tmp_path / "merged"
    mounting.attach(handle, str(merged))
    os.close(handle)
    line = hearing.connect(str(tmp_path))
    assert line is not None
    flow(line, merged)
    yield line, merged
    line.close()
    LIBC.umount2(str(merged).encode(), MNT_DETACH)


def flow(line: hearing.Hearing, merged: Path) -> None:
    """Say that nobody holds anybody, and wait until that is heard.

    Until then answers wait for a word of ours; of two words the first is heard first.
    """
    line.say("flow")
    mark = f"{merged}/begin"
    asking = threading.Thread(target=os.path.lexists, args=(mark,))
    asking.start()
    while asking.is_alive():
        for record in line.hear(0.05):
            line.say(f"go {record['unique']}")
    asking.join()


class Program:
    """Makes random calls below two directories, and logs what each asks for."""

    def __init__(self, root: str, number: int) -> None:
        self.root, self.dice, self.log = root, random.Random(number), list[Entry]()

    def run(self) -> list[Entry]:
        """Make a dozen calls."""
        names = [f"/{top}/{name}" for top in "ab" for name in ("low", "x", "y", "z")]
        for _ in range(12):
            one, other = self.dice.sample(names, 2)
            word = self.dice.choice(
                ("stat", "open", "create", "mkdir", "unlink", "rmdir", "rename", "link")
            )
            if word in ("rename", "link"):
                self._two(word, one, other)
            elif word != "stat":
                self._one(word, one)
            self._status(one)
        return self.log

    def _walk(self, *paths: str) -> None:
        self.log += [("lookup", path, "") for path in paths]

    def _status(self, path: str) -> tuple[int, bool]:
        """Look a name up; give its inode, 0 for none, and whether it is a directory."""
        self._walk(path[:2], path)
        try:
            found = os.lstat(self.root + path)
        except FileNotFoundError:
            return 0, False
        return found.st_ino, stat.S_ISDIR(found.st_mode)

    def _one(self, word: str, path: str) -> None:
        _, is_directory = self._status(path)
        self._walk(path[:2], path)
        if word == "open" and is_directory:  # OPENDIR
            word = ""
        self._call(word or "open", path, lambda: ONE[word or "open"](self.root + path))
        if not word:
            self.log.pop()

    def _two(self, word: str, old: str, new: str) -> None:
        (mine, _), (theirs, _) = self._status(old), self._status(new)
        self._walk(*((old[:2], new[:2], old) if word == "rename" else (old[:2], old)))
        if mine:
            self._walk(*((new,) if word == "rename" else (new[:2], new)))
        call = os.rename if word == "rename" else os.link
        self._call(word, new, lambda: call(self.root + old, self.root + new))
        if word == "rename" and mine and mine == theirs:  # two names of one: no request
            self.log.pop()

    def _call(self, word: str, path: str, make: Callable[[], object]) -> None:
        try:
            make()
        except OSError as refusal:
            if refusal.errno not in KNOWN_BEFORE[word]:
                self.log.append((word, path, errno.errorcode[refusal.errno or 0]))
            return
        self.log.append((word, path, ""))


ONE: dict[str, Callable[[str], object]] = {
    "open": lambda path: os.close(os.open(path, os.O_RDONLY)),
    "create": lambda path: os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)),
    "mkdir": os.mkdir,
    "unlink": os.unlink,
    "rmdir": os.rmdir,
}
# The kernel refuses these by what the lookups have said, and asks no more.
KNOWN_BEFORE = {
    "open": (errno.ENOENT,),
    "create": (errno.EEXIST,),
    "mkdir": (errno.EEXIST,),
    "unlink": (errno.ENOENT, errno.EISDIR),
    "rmdir": (errno.ENOENT, errno.ENOTDIR),
    "rename": (errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
    "link": (errno.ENOENT, errno.EEXIST, errno.EPERM),
}


def told_of(line: hearing.Hearing, merged: Path, pid: int) -> list[Entry]:
    """Give all that is told of a process that has ended: up to a call of our own."""
    found: list[Entry] = []
    mark = f"/end-{pid}"
    os.path.lexists(f"{merged}{mark}")
    while True:
        for record in line.hear(30.0):
            for _, event in glass.events(record):
                match event:
                    case PathResolved(path) if path == mark:
                        return found
                    case PathResolved(path) if record["pid"] == pid:
                        found.append(("lookup", path, ""))
                    case CallAnswered(call, path, error) if record["pid"] == pid:
                        found.append((call, path, error))
        assert not line.is_over


def test_what_is_told_of_a_program_is_what_it_did(
    union: tuple[hearing.Hearing, Path], at_length: Callable[[int], int]
) -> None:
    line, merged = union
    for number in range(at_length(500)):
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.write(writing, json.dumps(Program(str(merged), number).run()).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            logged = [tuple(entry) for entry in json.load(answer)]
        os.waitpid(pid, 0)
        told = told_of(line, merged, pid)
        assert Counter(told) == Counter(logged), (number, logged, told)
