"""A program logs what it did to its files; what fanotify tells of it is the same.

Fanotify tells repeated deeds of one program on one file once, so sets are compared, and of
a file every deed that it can see: no more and no less.
"""

import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pyminidock.events import Event, FileNoticed, FilesMissed
from pyminidock.kernel.glass.disk import Disk
from pyminidock.kernel.linux import overlay
from pyminidock.kernel.watch.explaining import Explaining
from pyminidock.kernel.watch.files import Files
from pyminidock.unionfs.branches import Stack
from pyminidock.unionfs.whiteout import TRUSTED

pytestmark = pytest.mark.edge
Entry = tuple[str, str, str]  # deed, path, new path


class Watched:
    """An overlay that is mounted nowhere, and all that is told of it."""

    def __init__(self, ground: Path) -> None:
        for name in ("lower/a", "base/a", "base/b", "upper", "work"):
            (ground / name).mkdir(parents=True)
        for place in ("lower/a", "base/a", "base/b"):
            (ground / place / "low").write_text(place)
        layers = [str(ground / name) for name in ("lower", "base")]
        upper, work = str(ground / "upper"), str(ground / "work")
        self.handle = overlay.prepare(layers, upper, work, (), has_handles=True)
        self.tree = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.handle)
        self.root = Path(f"/proc/{os.getpid()}/fd/{self.tree}")
        places = [
            Disk(each, each, TRUSTED, is_upper=each == upper) for each in (upper, *layers)
        ]
        self.heard: list[Event] = []
        self.files = Files(self.tree, Explaining(Stack((*places,))), self._hear)
        self.files.flow()
        self.files.bear()

    def _hear(self, events: list[Event], _: int) -> None:
        self.heard += events


@pytest.fixture
def union(tmp_path: Path) -> Iterator[Watched]:
    """A watched overlay of two layers."""
    made = Watched(tmp_path)
    yield made
    for descriptor in (made.files.holding, made.files.listening, made.tree, made.handle):
        os.close(descriptor)


class Program:
    """Does random things below two directories, and logs each that came to pass."""

    def __init__(self, root: str, number: int) -> None:
        self.root, self.dice, self.log = root, random.Random(number), list[Entry]()

    def run(self) -> list[Entry]:
        """Do a dozen things."""
        names = [f"/{top}/{name}" for top in "ab" for name in ("low", "x", "y", "z")]
        for _ in range(12):
            one, other = self.dice.sample(names, 2)
            word = self.dice.choice(sorted(DONE))
            with suppress(OSError):
                given = [self.root + one, self.root + other]
                is_done = DONE[word](*given[: 1 + (word in TWO)])
                if is_done is not False:
                    named = {"other": other, "above": one[:2]}
                    self.log += [
                        (deed, named.get(at, one), other if at == "to" else "")
                        for deed, at in TOLD[word]
                    ]
        return self.log


def _open(path: str, flags: int) -> None:
    """Open a file; of a directory that is gone since fanotify knows no name any more."""
    if Path(path).is_dir():
        raise IsADirectoryError(path)
    os.close(os.open(path, flags, 0o600))


def _chmod(path: str) -> None:
    _open(path, os.O_PATH)
    Path(path).chmod(0o600)


def _append(path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.write(file, b"x")
    os.close(file)


def _rename(old: str, new: str) -> bool:
    """Rename; two names of one file stay as they are."""
    with suppress(OSError):
        if os.path.samestat(os.lstat(old), os.lstat(new)):
            return False
    Path(old).rename(new)
    return True


TWO = ("rename", "link")  # what takes two names
DONE: dict[str, Callable[..., object]] = {
    "look": os.lstat,
    "list": lambda path: list(Path(path).parent.iterdir()),
    "open": lambda path: _open(path, os.O_RDONLY),
    "create": lambda path: _open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY),
    "append": _append,
    "chmod": _chmod,
    "mkdir": os.mkdir,
    "unlink": os.unlink,
    "rmdir": os.rmdir,
    "rename": _rename,
    "link": os.link,
}
TOLD: dict[str, tuple[tuple[str, str], ...]] = {
    "look": (),
    "list": (("opened", "above"),),
    "open": (("opened", ""),),
    "create": (("created", ""), ("opened", ""), ("closed", "")),
    "append": (("opened", ""), ("changed", ""), ("closed", "")),
    "chmod": (("given attributes", ""),),
    "mkdir": (("created", ""),),
    "unlink": (("removed", ""),),
    "rmdir": (("removed", ""),),
    "rename": (("renamed", "to"),),
    "link": (("created", "other"),),
}


def told_of(union: Watched, pid: int) -> set[Entry]:
    """Give all that is told of a process that has ended."""
    union.heard.clear()
    union.files.drain()
    assert not any(isinstance(event, FilesMissed) for event in union.heard)
    noticed = [event for event in union.heard if isinstance(event, FileNoticed)]
    assert {event.pid for event in noticed} <= {pid}
    return {(event.deed, event.path, event.to) for event in noticed}


def test_what_is_told_of_a_program_is_what_it_did(
    union: Watched, at_length: Callable[[int], int]
) -> None:
    for number in range(at_length(500)):
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            log = Program(str(union.root), number).run()
            os.write(writing, json.dumps(log).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            logged = {tuple(entry) for entry in json.load(answer)}
        os.waitpid(pid, 0)
        assert told_of(union, pid) == logged, number
