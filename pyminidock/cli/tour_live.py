"""The three stories behind the tour of the source: a run, a build, the same build again.

They are real, and they happen while one reads.  With `holds`, a story is begun when its
first stop is reached, and goes on event by event: the engine stands still at the line that
is on the screen.  Without, each story happens at once and is read from its trace.

What was made for the tour is taken away at its end: containers, images, gates.
"""

import io
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pyminidock.cli.step_deeds import Deed
from pyminidock.cli.step_gates import ANY, SteppedSource
from pyminidock.client.context import find_context
from pyminidock.client.following import follow
from pyminidock.client.handles import Client
from pyminidock.client.packing import send
from pyminidock.course.tour import Stop
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record

IMAGE = "minidock-tour"
_BETWEEN = 3  # numbers from one held event to the next: it is let go, and the next held
COMMAND = ("sh", "-c", "echo I am process $$; sleep 1")
DOCKERFILE = """\
FROM busybox
WORKDIR /tour
COPY told.txt .
RUN cat told.txt > again.txt
CMD ["cat", "again.txt"]
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """The event that fires a stop, and whether the engine stands still at it."""

    number: int  # its place in its story, from 1
    record: Record
    is_held: bool
    pid: int = 0  # of the process that stands still, as the host numbers it


@dataclass(slots=True)
class _Story:
    """One story that was begun; `held` is the event at which it stands."""

    name: str
    deed: Deed
    source: SteppedSource | None
    told: set[str]  # the kinds of what it has told so far
    held: Record | None = None
    is_over: bool = False


class Live:
    """The stories of the tour at one engine."""

    def __init__(self, client: Client, *, holds: bool) -> None:
        self._client, self._holds = client, holds
        self._stories: dict[str, _Story] = {}
        self._container = ""
        self._folder = tempfile.TemporaryDirectory(prefix="minidock-tour-")
        self._context: bytes | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def go_to(self, stop: Stop) -> Seen | None:
        """Let its story go on to the first event that fires a stop.

        None: this machine, or this time, did not tell it.  Raises a MinidockError.
        """
        story = self._stories.get(stop.story) or self._begin(stop.story)
        while not (story.is_over or story.told & set(stop.kinds)):
            self._go_on(story)
        records = self._records(story.name)
        for number, record in enumerate(records, 1):
            if record.kind in stop.kinds:
                is_held = bool(story.held and story.held.seq == record.seq)
                return Seen(number, record, is_held, _living(records) if is_held else 0)
        return None

    def name_of(self, story: str) -> str:
        """Give the name under which the engine keeps a story that was begun."""
        return self._stories[story].name

    def close(self) -> None:
        """Let everything go on to its end, and take away what was made."""
        for story in self._stories.values():
            if story.source:
                story.source.close()
        if self._container:
            with suppress(MinidockError, OSError):  # it was to remove itself
                self._client.remove(self._container, force=True)
        for story in self._stories.values():
            with suppress(MinidockError, OSError):
                story.deed.result()
        with suppress(MinidockError, OSError):
            self._client.images.remove(IMAGE, force=True)
        self._folder.cleanup()

    def _records(self, story: str) -> list[Record]:
        """Give what was told, without what was told about holding it."""
        told = self._client.story(story).records
        return [each for each in told if each.kind not in ("gate.held", "gate.released")]

    # ── One story ─────────────────────────────────────────────────────────────────────────

    def _begin(self, name: str) -> _Story:
        for earlier in self._stories.values():
            self._finish(earlier)
        made, work = self._run() if name == "run" else self._build()
        source = SteppedSource(self._client, made, (ANY,), made) if self._holds else None
        told = set[str]()
        if name == "run":  # what was told at its creation; a build has said nothing yet
            told = {record.kind for record in self._records(made)}
        story = self._stories[name] = _Story(made, Deed(work), source, told)
        if source:
            story.deed.begin()
        else:
            story.deed.do()
            self._finish(story)
        return story

    def _go_on(self, story: _Story) -> None:
        """Let it tell one more event; that it tells no more is its end."""
        assert story.source is not None  # noqa: S101  (without one it is over already)
        before = story.held.seq if story.held else 0
        if story.held:
            story.source.step()
        story.held = story.source.next_held()
        if story.held is None:
            self._finish(story)
        elif story.held.seq - before > _BETWEEN:  # what lies behind the birth is not held
            story.told |= {record.kind for record in self._records(story.name)}
        else:
            story.told.add(story.held.kind)

    def _finish(self, story: _Story) -> None:
        """Let it come to its end, and wait for that.  Raises what it raised."""
        if story.source:
            story.source.close()
        if not story.is_over:
            story.held, story.is_over = None, True
            story.deed.result()

    def _run(self) -> tuple[str, Callable[[], None]]:
        """Make a container; its story begins before it is started."""
        body = {
            "Image": "busybox", "Cmd": COMMAND, "AttachStdout": True, "AttachStderr": True,
            "HostConfig": {"AutoRemove": True, "NetworkMode": "none"},
        }  # fmt: skip
        container = self._container = self._client.create(body)

        def start() -> None:
            gone = self._client.waiting(container, "removed")
            self._client.start(container)
            gone.result()

        return f"run-{container[:12]}", start

    def _build(self) -> tuple[str, Callable[[], None]]:
        """Open a build; what it copies is new each time the tour is taken."""
        if self._context is None:
            folder = Path(self._folder.name)
            (folder / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
            (folder / "told.txt").write_text(f"{time.time_ns()}\n", encoding="ascii")
            packed = io.BytesIO()
            send(find_context(str(folder), ""), packed.write)
            self._context = packed.getvalue()
        archive = io.BytesIO(self._context)
        number = self._client.builds.opened(f"build -t {IMAGE}")
        query = {"t": [IMAGE], "dockerfile": "Dockerfile", "buildid": number}

        def build() -> None:
            follow(self._client, query, archive, lambda _said: None)

        return f"build-{number}", build


def _living(records: Sequence[Record]) -> int:
    """Give the number of the process that was born last; 0 if none lives."""
    pid = 0
    for record in records:
        if record.kind == "init.forked":
            pid = int(str(record.data["pid"]))
        elif record.kind == "container.exited":
            pid = 0
    return pid
