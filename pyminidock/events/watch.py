"""What a live program asked of its files on the kernel's own overlay, as it was seen.

Whoever watches sees that a file was used, by whom; which layer answered it does not see.
That is worked out by the pure lookup and told right behind, as `explained`.  `pid` is the
program's number on the host, `command` its name, empty where it had ended before it could
be asked; paths are those of the container.
"""

from dataclasses import dataclass
from typing import ClassVar

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class WatchBegan(Event):
    """The files of a container are watched by `method`, which cannot see what is `unseen`.

    `why` says what kept us from the better method; empty: nothing did.
    """

    method: str
    unseen: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class WatchEnded(Event):
    """Nobody tells any more; `was_lost` while the container went on, unwatched."""

    was_lost: bool


@dataclass(frozen=True, slots=True)
class FilesMissed(Event):
    """More happened than could be told: `count` records; 0: nobody knows how many."""

    evidence: ClassVar[str] = "observed"
    count: int


@dataclass(frozen=True, slots=True)
class FileNoticed(Event):
    """A program `deed` a file: opened, executed, changed, created, removed, renamed ….

    Told by fanotify, which tells repeated deeds of one program on one file once.  `to` is
    the new path of what was renamed.
    """

    evidence: ClassVar[str] = "observed"
    deed: str
    path: str
    to: str
    pid: int
    command: str


@dataclass(frozen=True, slots=True)
class CallNoticed(Event):
    """A program is about to make the system call `call` with a name; it may still fail.

    `given` is the name as it was given, `path` the same from the container's root on, with
    no symbolic link followed; `to` is the second one of rename and link.
    """

    evidence: ClassVar[str] = "observed"
    call: str
    path: str
    to: str
    given: str
    pid: int
    command: str
