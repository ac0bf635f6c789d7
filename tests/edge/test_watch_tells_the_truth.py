"""A program logs what it did to its files; what fanotify tells of it is the same.

Fanotify tells repeated deeds of one program on one file once, so sets are compared, and of
a file every deed that it can see: no more and no less.
"""

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pyminidock.events import FileNoticed, FilesMissed
from pyminidock.kernel.calls import PrepareOverlay
from pyminidock.kernel.glass.hearing import Hearing
from pyminidock.kernel.watch import hearing

pytestmark = pytest.mark.edge
Entry = tuple[str, str, str]  # deed, path, new path
MARK = "/end"


@pytest.fixture
def union(tmp_path: Path) -> Iterator[tuple[Hearing, Path]]:
    """Give what hears a watched overlay, and its root: it is mounted nowhere."""
    for name in ("lower/a", "base/a", "base/b", "upper", "work"):
        (tmp_path / name).mkdir(parents=True)
    for place in ("lower/a", "base/a", "base/b"):
        (tmp_path / place / "low").write_text(place)
    layers = str(tmp_path / "lower"), str(tmp_path / "base")
    handle = hearing.start(
        PrepareOverlay(
            layers, str(tmp_path / "upper"), str(tmp_path / "work"), watch=str(tmp_path)
        )
    )
    line = hearing.connect(str(tmp_path))
    assert line is not None
    with subprocess.Popen(["sleep", "infinity"]) as first:  # the watcher goes with it
        line.say("flow")
        line.say(f"born {first.pid}")
        yield line, Path(f"/proc/{os.getpid()}/fd/{handle}")
        first.kill()
    while not line.is_over:
        line.hear(1.0)
    line.close()
    os.close(handle)


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


def told_of(line: Hearing, pid: int) -> set[Entry]:
    """Give all that is told of a process, up to the mark that it made at its end."""
    found: set[Entry] = set()
    while True:
        for record in line.hear(30.0):
            for event in hearing.events(record):
                assert not isinstance(event, FilesMissed)
                match event:
                    case FileNoticed(_, path) if path == MARK:
                        return found
                    case FileNoticed(deed, path, to):
                        assert event.pid == pid
                        found.add((deed, path, to))
        assert not line.is_over


def test_what_is_told_of_a_program_is_what_it_did(
    union: tuple[Hearing, Path], at_length: Callable[[int], int]
) -> None:
    line, root = union
    for number in range(at_length(500)):
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.write(writing, json.dumps(Program(str(root), number).run()).encode())
            (root / MARK[1:]).mkdir()
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            logged = {tuple(entry) for entry in json.load(answer)}
        os.waitpid(pid, 0)
        (root / MARK[1:]).rmdir()
        assert told_of(line, pid) == logged, number
