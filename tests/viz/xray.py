"""One container whose every lookup is told: reading, appending, deleting, making anew.

Its image has three layers, A lowest; /etc/motd is in A and C, /srv/data in B alone.
"""

from collections.abc import Iterable
from dataclasses import replace

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.events.journal import JSON, Record
from tests.viz.story import HOME, ID, recorded

ROOM = "/var/lib/minidock/layers"
C, B, A = (letter * 12 for letter in "cba")
TREES = tuple(f"{ROOM}/{letter * 64}/diff" for letter in "cba")
LOWER = (f"{ROOM}/{'c' * 64}/init", *TREES)
MADE_BY = ("RUN echo world > /etc/motd", "RUN mkdir /srv/data", "FROM scratch")

CREATED: tuple[Event, ...] = (
    e.RequestReceived("POST", "/containers/create?name=web"),
    e.ImageFound("app", "sha256:…", TREES, "", MADE_BY),
    e.ContainerCreated(ID, "web", "app", ("sh",)),
    e.SnapshotPrepared(ID, LOWER, f"{HOME}/upper", f"{HOME}/work"),
)


def asks(path: str, *answers: tuple[str, str], of: tuple[str, ...] = ()) -> list[Event]:
    """Ask layers for a path; `of` is who has it in the end."""
    probes = (e.LayerProbed(path, layer, answer) for layer, answer in answers)
    return [*probes, e.PathResolved(path, of)]


ETC = asks("/etc", ("upper", "absent"), ("init", "directory"), (C, "directory"),
           (B, "absent"), (A, "directory"), of=("init", C, A))  # fmt: skip
MOTD = asks("/etc/motd", ("init", "absent"), (C, "file"), of=(C,))
SRV = asks("/srv", ("upper", "absent"), ("init", "absent"), (C, "absent"),
           (B, "directory"), (A, "absent"), of=(B,))  # fmt: skip
DATA = asks("/srv/data", (B, "directory"), of=(B,))
LOG = asks("/srv/data/log", (B, "file"), of=(B,))
READ = (*CREATED, *ETC, *MOTD)
APPENDED = (
    *READ, *SRV, *DATA, *LOG, e.PathCopiedUp("/srv", B, "directory", 0),
    e.PathCopiedUp("/srv/data", B, "directory", 0),
    e.PathCopiedUp("/srv/data/log", B, "content", 20_000_000),
)  # fmt: skip
DELETED = (
    *APPENDED, *MOTD, e.PathCopiedUp("/etc", "init", "directory", 0),
    e.WhiteoutMade("/etc/motd"),
)  # fmt: skip
AGAIN = (*DELETED, e.WhiteoutMade("/srv/data"), e.OpaqueMade("/srv/data"))
STORY = AGAIN


def seen(heard: Iterable[Event], command: str = "cat", pid: int = 7) -> tuple[Record, ...]:
    """Stamp events as a live union tells them: observed, and by whom."""
    who: dict[str, JSON] = {"pid": pid, "command": command}
    return tuple(
        replace(each, evidence="observed", data={**each.data, **who})
        if each.kind in SEEN
        else each
        for each in recorded(heard)
    )


SEEN = ("layer.probed", "path.resolved", "path.copied.up", "whiteout.made", "opaque.made")
