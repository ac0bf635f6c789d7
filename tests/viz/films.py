"""Films for whoever tests a player: a story's header, frames and sources as one JSON.

python -m tests.viz.films               lists the stories
python -m tests.viz.films cold          writes {"header", "frames", "sources"}
python -m tests.viz.films long 10000    a build with so many events (or chatty, busy)
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyminidock
from pyminidock import events as e
from pyminidock.events.journal import Header, Record
from pyminidock.viz.excerpts import excerpts
from pyminidock.viz.film import Reel, header
from pyminidock.viz.views import suiting
from pyminidock.viz.world import fold_all
from tests.viz import buildstory, story

MOST_NAMES = 200  # that an engine tells of one step
HOSTILE = "a\x1b[2J<img onerror=x>\u202e</script>\ud800\x00" + "x" * 5000


def read(path: str) -> str | None:
    """Give the text of a file of the package."""
    file = Path(pyminidock.__file__).parent / path
    return file.read_text() if file.is_file() else None


def film(told: Header, records: Iterable[Record], *, live: bool = False) -> dict[str, Any]:
    """Make the whole film of a story."""
    records = tuple(records)
    views = suiting(fold_all(records))
    frames = list(Reel(views).frames(records))
    return {
        "header": header(told, views, is_live=live),
        "frames": frames,
        "sources": excerpts((frame["src"] for frame in frames), read),
    }


def long(events: int = 10_000) -> tuple[Record, ...]:
    """A build of about so many events: most are names that its steps wrote."""
    steps, each = max(events // MOST_NAMES, 20), min(max(events // 20, 1), MOST_NAMES)
    heard: list[e.Event] = list(buildstory.OPENING)
    for step in range(1, steps + 1):
        heard.append(e.StepStarted(step, steps, "0", f"RUN make part{step}", step + 1))
        heard.append(e.CacheMissed(step, "first"))
        for n in range(each):
            path = f"/usr/lib/part{step}/directory{n // 32}/file{n}.so"
            heard.append(e.FileChanged(path, "added", "file", 0o644, 0, 0, 100 + n))
        chain = f"sha256:{step:064x}"
        heard.append(e.LayerCommitted(chain, chain, 100 * each, each))
        heard.append(e.StepFinished(step, f"sha256:{step + 64:064x}", step * 100, False))
    heard.append(e.ImageTagged("sha256:" + "a9" * 32, "docker.io/library/app:latest"))
    return buildstory.baked(heard)


def chatty(events: int = 10_000) -> tuple[Record, ...]:
    """A build of so many events: its one RUN prints a line, again and again."""
    said = [e.StepPrinted(3, "stdout", f"compiling part {n}\n") for n in range(events)]
    kinds = [type(each) for each in buildstory.COLD]
    number = kinds.index(e.StepPrinted)
    return buildstory.baked((*buildstory.COLD[:number], *said, *buildstory.COLD[number:]))


def busy(events: int = 10_000) -> tuple[Record, ...]:
    """A container in which a program is started again and again, so many events in all."""
    born = [each for each in story.BIRTH if type(each) in _OF_EXEC]
    heard: list[e.Event] = [*story.STORY[:-4]]
    while len(heard) < events:
        name = f"{len(heard):064x}"
        heard += [
            e.RequestReceived("POST", f"/exec/{name[:12]}/start"), e.ShimForked(9),
            *born, e.ExecStarted(story.ID, name, len(heard)),
            e.ExecExited(story.ID, name, 0),
        ]  # fmt: skip
    return story.recorded([*heard, *story.STORY[-4:]])


_OF_EXEC = (
    e.CgroupJoined, e.NamespaceEntered, e.InitForked, e.TracersRefused, e.ParentDeathBound,
    e.StreamsReopened, e.UmaskSet, e.ResourceLimited, e.BirthReady, e.UserTaken,
    e.CapabilitiesSet, e.SeccompInstalled, e.ProgramExecuted,
)  # fmt: skip


def hostile() -> tuple[Record, ...]:
    """A story whose every text is somebody's attack."""
    heard = (
        *buildstory.OPENING, *buildstory.FROM,
        e.StepStarted(2, 2, "0", f"RUN {HOSTILE}", 3), e.CacheMissed(2, "first"),
        e.StepPrinted(2, "stdout", HOSTILE + "\n"),
        e.FileChanged(f"/{HOSTILE}", "added", "file", 0o644, 0, 0, 1),
        e.LayerCommitted(HOSTILE, HOSTILE, 1, 1),
        e.BuildFailed(2, HOSTILE, 1, HOSTILE),
    )  # fmt: skip
    return buildstory.baked(heard)


STORIES: Mapping[str, tuple[Header, tuple[Record, ...]]] = {
    "run": (story.HEADER, story.recorded()),
    **{name: (buildstory.HEADER, buildstory.baked(heard))
       for name, heard in buildstory.STORIES.items()},
    "hostile": (buildstory.HEADER, hostile()),
}  # fmt: skip


LONG: Mapping[str, Callable[[int], tuple[Record, ...]]] = {
    "long": long, "chatty": chatty, "busy": busy,
}  # fmt: skip


def main(name: str = "", events: str = "10000") -> None:
    """Write one film."""
    if name in LONG:
        told = story.HEADER if name == "busy" else buildstory.HEADER
        made = film(told, LONG[name](int(events)))
    elif name in STORIES:
        made = film(*STORIES[name])
    else:
        sys.exit("\n".join([*STORIES, *(f"{each} [EVENTS]" for each in LONG)]))
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
