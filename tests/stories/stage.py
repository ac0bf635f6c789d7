"""A build on the simulated kernel: the engine is the real one, its programs are played.

What the program of a RUN prints, writes and ends with is written down in a `Part`; an
actor waits for each container of the story and plays it.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from pyminidock.build.options import Options
from pyminidock.engine import build
from pyminidock.engine.house import House
from pyminidock.events.journal import Record
from pyminidock.image.config import ImageConfig
from pyminidock.kernel.model import ModelBody
from pyminidock.kernel.recording import Recording
from tests.builder import Context, packed
from tests.engine import pictures


@dataclass(frozen=True)
class Part:
    """What a program does: `writes` are names in its root directory, None deletes one."""

    prints: str = ""
    writes: Mapping[str, str] = field(default_factory=dict)
    code: int = 0


@dataclass(frozen=True)
class Stage:
    """An engine with one image to build on, and the parts by a word of their command."""

    house: House
    body: ModelBody

    def build(
        self, context: Context, parts: Mapping[str, Part] | None = None
    ) -> tuple[Record, ...]:
        """Build as `-t app`; give the story as it was journalled."""
        building = build.start(self.house, Options(tags=("docker.io/library/app:latest",)))
        building.begin(io.BytesIO(packed(context)), ("POST", "/build"))
        ring = self.house.recorder.listen(story=building.story)
        actor = Thread(target=self._play, args=(ring, parts or {}), daemon=True)
        actor.start()
        building.run(lambda _message: None)
        actor.join(20)
        self.house.recorder.flush()
        return self.house.journals.read(building.story).records

    def _play(self, ring: Iterator[Record], parts: Mapping[str, Part]) -> None:
        """Play each program that is started, until the story ends."""
        for record in ring:
            if record.kind != "container.started":
                continue
            container, pid = str(record.data["container"]), int(str(record.data["pid"]))
            kept = self.house.kept(container)
            said = " ".join(kept.spec.argv)
            part = next((each for word, each in parts.items() if word in said), Part())
            for name, content in part.writes.items():
                path = Path(kept.snapshot.upper, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
                path.chmod(0o644)
            if part.prints:
                self.body.say(pid, part.prints.encode())
            self.body.finish(pid, part.code)


@contextmanager
def stage(root: Path, base: str) -> Iterator[Stage]:
    """Open an engine in `root` that has one image, called `base`."""
    pictures.furnish(root, ImageConfig(("sh",), environment=("PATH=/usr/bin:/bin",)), base)
    body = ModelBody()
    house = House(root, Recording(body))
    try:
        yield Stage(house, body)
    finally:
        house.close()
