"""Stories of builds, for tests of the pictures: cold, edited, failed, with two stages.

The events are the real classes in the real order; digests and times are made up.  `baked`
stamps them as the recorder would: what happens in a step has the step's first event as its
parent.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.events.journal import Header, Record
from tests.viz.story import recorded

STORY_NAME = "build-5e1f00000000"
HEADER = Header(STORY_NAME, "build -t app", "2026-01-01T00:00:00Z", "linux-root")
BASE, APP = "sha256:" + "ba5e" * 16, "sha256:" + "a9" * 32
IMAGES = [f"sha256:{n:064x}" for n in range(1, 10)]
CHAINS = [f"sha256:{n:064x}" for n in range(0xC0, 0xD0)]
SUMS = ("11" * 32, "22" * 32)

TEXTS = ("FROM python", "COPY requirements.txt .", "RUN pip install -r requirements.txt",
         "ENV LEVEL=1", "COPY sample.py .", 'CMD ["python3", "sample.py"]')  # fmt: skip
TOTAL = len(TEXTS)
OPENING: tuple[Event, ...] = (
    e.RequestReceived("POST", "/build"),
    e.PathIgnored(".git", True, ".dockerignore", 2, ".git"),
    e.ContextReceived(3, 4096, "/var/lib/minidock/layers/tmp-1/context"),
    *(e.InstructionParsed(n, "0", text, n + 1, n + 1) for n, text in enumerate(TEXTS, 1)),
)


def begun(step: int) -> Event:
    return e.StepStarted(step, TOTAL, "0", TEXTS[step - 1], step + 1)


def ended(step: int, milliseconds: int, *, cached: bool = False) -> Event:
    return e.StepFinished(step, IMAGES[step], milliseconds, cached)


FROM: tuple[Event, ...] = (
    begun(1), e.ImageFound("python", BASE, ("/l/1", "/l/0"), "host python 3.11"),
    e.LayerFound(CHAINS[0], CHAINS[0], 2_000_000, 288, ("docker.io/library/alpine:latest",
                 "docker.io/library/python:latest")),
    e.LayerFound(CHAINS[1], CHAINS[1], 73_000_000, 752), ended(1, 2),
)  # fmt: skip
COLD: tuple[Event, ...] = (
    *OPENING, *FROM,
    begun(2), e.CacheMissed(2, "first"),
    e.FileCopied("requirements.txt", "/requirements.txt", "file", 0o644, 0, 0, 6),
    e.LayerCommitted(CHAINS[2], CHAINS[2], 6, 1), ended(2, 12),
    begun(3), e.CacheMissed(3, "parent", "step", "", "", IMAGES[2]),
    e.ContainerCreated("c" * 64, "keen_knuth", IMAGES[2], ("/bin/sh", "-c", "pip")),
    e.PlanMade("c" * 64, 2, ("Fork", "Execute")), e.UmaskSet(0o22),
    e.StepPrinted(3, "stdout", "installed flask\n"),
    e.StepPrinted(3, "stderr", "careful: \x1b[2J\n"),
    e.ContainerExited("c" * 64, 0, 0, False),
    e.FileChanged("/lib/flask", "added", "directory", 0o755, 0, 0, 0),
    e.FileChanged("/lib/flask/app.py", "added", "file", 0o644, 0, 0, 12_000),
    e.FileChanged("/etc/passwd", "changed", "file", 0o644, 0, 0, 300),
    e.FileChanged("/tmp/old", "deleted", "file", 0o600, 0, 0, 99),  # noqa: S108
    e.LayerCommitted(CHAINS[3], CHAINS[3], 12_300, 4), e.FilesOmitted(96),
    e.ContainerRemoved("c" * 64, "keen_knuth"), ended(3, 4_480),
    begun(4), e.CacheMissed(4, "parent", "step", "", "", IMAGES[3]),
    e.ConfigChanged(4, "environment", ("PATH=/bin",), ("PATH=/bin", "LEVEL=1")),
    ended(4, 1),
    begun(5), e.CacheMissed(5, "parent", "step", "", "", IMAGES[4]),
    e.FileCopied("sample.py", "/sample.py", "file", 0o755, 0, 0, 1500, "changed"),
    e.LayerCommitted(CHAINS[4], CHAINS[4], 1500, 1), ended(5, 9),
    begun(6), e.CacheMissed(6, "parent", "step", "", "", IMAGES[5]),
    e.ConfigChanged(6, "command", ("python3",), ("python3", "sample.py")), ended(6, 1),
    e.ImageBuilt("0", IMAGES[6]), e.ImageTagged(IMAGES[6], "docker.io/library/app:latest"),
)  # fmt: skip


def _cached(step: int, *found: Event) -> tuple[Event, ...]:
    hit = e.CacheHit(step, IMAGES[step])
    return (begun(step), hit, *found, ended(step, 12, cached=True))


HITS: tuple[Event, ...] = (
    *OPENING, *FROM, *_cached(2, e.LayerFound(CHAINS[2], CHAINS[2], 6, 1)),
    *_cached(3, e.LayerFound(CHAINS[3], CHAINS[3], 12_300, 4)), *_cached(4),
)  # fmt: skip
CACHED: tuple[Event, ...] = (
    *HITS, *_cached(5, e.LayerFound(CHAINS[4], CHAINS[4], 1500, 1)), *_cached(6),
    e.ImageBuilt("0", IMAGES[6]), e.ImageTagged(IMAGES[6], "docker.io/library/app:latest"),
)  # fmt: skip
EDITED: tuple[Event, ...] = (
    *HITS, begun(5), e.CacheMissed(5, "file", "content", "sample.py", *SUMS),
    e.CacheMissed(5, "file", "mode", "sample.py", "0644", "0755"),
    e.FileCopied("sample.py", "/sample.py", "file", 0o755, 0, 0, 1600, "changed"),
    e.LayerCommitted(CHAINS[5], CHAINS[5], 1600, 1), e.StepFinished(5, APP, 9, False),
    begun(6), e.CacheMissed(6, "parent", "step", "", "", APP), ended(6, 1),
    e.ImageBuilt("0", IMAGES[7]),
    e.ImageTagged(IMAGES[7], "docker.io/library/app:latest", IMAGES[6]),
)  # fmt: skip
FAILURE = "The command '/bin/sh -c pip' returned a non-zero code: 7"
FAILED: tuple[Event, ...] = (
    *OPENING, *FROM, *_cached(2, e.LayerFound(CHAINS[2], CHAINS[2], 6, 1)),
    begun(3), e.CacheMissed(3, "first"), e.StepPrinted(3, "stderr", "no such package\n"),
    e.BuildFailed(3, FAILURE, 7, "minidock run -it 000000000000 sh"),
    e.RequestRefused(400, FAILURE),
)  # fmt: skip
STAGES: tuple[Event, ...] = (
    e.RequestReceived("POST", "/build"), e.ContextReceived(1, 10, "/x"),
    e.InstructionParsed(1, "tests", "FROM busybox AS tests", 1, 1),
    e.InstructionParsed(2, "build", "FROM busybox AS build", 2, 2),
    e.InstructionParsed(3, "build", "COPY a /a", 3, 3),
    e.InstructionParsed(4, "2", "FROM scratch", 4, 4),
    e.InstructionParsed(5, "2", "COPY --from=build /a /a", 5, 5),
    e.StepSkipped(1, 5, "tests", "FROM busybox AS tests", 1),
    e.StepStarted(2, 5, "build", "FROM busybox AS build", 2),
    e.LayerFound(CHAINS[0], CHAINS[0], 2_000_000, 288), e.StepFinished(2, BASE, 1, False),
    e.StepStarted(3, 5, "build", "COPY a /a", 3), e.CacheMissed(3, "first"),
    e.FileCopied("a", "/a", "file", 0o644, 0, 0, 10),
    e.LayerCommitted(CHAINS[6], CHAINS[6], 10, 1), e.StepFinished(3, IMAGES[1], 5, False),
    e.ImageBuilt("build", IMAGES[1]),
    e.StepStarted(4, 5, "2", "FROM scratch", 4), e.StepFinished(4, "", 0, False),
    e.StepStarted(5, 5, "2", "COPY --from=build /a /a", 5), e.CacheMissed(5, "first"),
    e.FileCopied("a", "/a", "file", 0o644, 0, 0, 10),
    e.LayerCommitted(CHAINS[7], CHAINS[7], 10, 1), e.StepFinished(5, IMAGES[2], 5, False),
    e.ImageBuilt("2", IMAGES[2]), e.ImageTagged(IMAGES[2], "docker.io/library/app:latest"),
)  # fmt: skip
STORIES = {"cold": COLD, "cached": CACHED, "edited": EDITED, "failed": FAILED,
           "stages": STAGES}  # fmt: skip


def baked(heard: Iterable[Event], start: int = 1) -> tuple[Record, ...]:
    """Stamp the events of a build."""
    return tuple(_baked(heard, start))


def _baked(heard: Iterable[Event], start: int) -> Iterator[Record]:
    opened, birth = 0, 0
    for record in recorded(heard, start):
        phase = "birth" if record.phase else "step" if opened else ""
        parent = birth or opened
        if record.kind == "step.started":
            opened, parent, phase = record.seq, 0, "step"
        birth = record.seq if record.kind == "plan.made" else birth
        if record.kind in ("build.failed", "image.built", "image.tagged", "step.skipped"):
            opened, parent, phase = 0, 0, ""
        yield replace(record, story=STORY_NAME, operation="build-1", parent=parent,
                      phase=phase)  # fmt: skip
        if record.kind == "container.exited":
            birth = 0
        if record.kind == "step.finished":
            opened = 0
