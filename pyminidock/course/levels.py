"""Playing a level: start it, check it, ask for a hint, undo what was done.

    start   put the world as the level's start has it        undo   the same, again
    check   judge every condition of the goal                hint   the next of three

Whoever plays keeps what is theirs.  What a level makes carries a label that names the
level and the thing; what is made during the level under a name that the level asks for
belongs to it as well.  Only such things are removed.  Where a name is taken by something
else, the start is refused and says by what.

Hints cost a star each and are never locked; more operations than par cost nothing, because
a par that costs rewards commands that nobody can read.
"""

import io
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pyminidock.client.handles import Client
from pyminidock.client.packing import send_alone
from pyminidock.client.transport import Refused
from pyminidock.course import progress
from pyminidock.course.deeds import deeds
from pyminidock.course.goal import Verdict, judge
from pyminidock.course.lesson import Container, Image, Level
from pyminidock.course.sight import Look
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record

LABEL = "org.pyminidock.level"
MOST_STARS = 3


class LevelBlocked(MinidockError):
    """A name that the level needs belongs to something else."""

    status = 409


class NoSuchCause(MinidockError):
    """A level does not offer this cause."""

    status = 404


class StartFailed(MinidockError):
    """What a level begins with could not be made."""

    status = 500


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found; true where all of it holds."""

    level: Level
    verdicts: tuple[Verdict, ...]
    deeds: tuple[str, ...] | None  # since the start; None if it was never started
    hints: int

    @property
    def ok(self) -> bool:
        """Whether the level is solved."""
        return all(verdict.ok for verdict in self.verdicts)

    @property
    def why(self) -> str:
        """What is missing, one sentence for each condition that fails."""
        whys = [verdict.why for verdict in self.verdicts if not verdict.ok]
        return "; ".join(dict.fromkeys(whys))

    @property
    def stars(self) -> int:
        """One less for each hint."""
        return max(0, MOST_STARS - self.hints)

    def demand(self) -> None:
        """Raise AssertionError, saying what is missing, unless the level is solved."""
        assert self.ok, f"{self.level.id}: {self.why}"  # noqa: S101  (its very purpose)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        lines = [f"Level {self.level.id}: {'solved' if self.ok else 'not yet'}"]
        for verdict in self.verdicts:
            lines.append(f"  [{'x' if verdict.ok else ' '}] {verdict.text}")
            lines += [f"        {verdict.why}"] if verdict.why else []
        if self.ok and self.deeds is not None:
            done = f"{len(self.deeds)} operation{'' if len(self.deeds) == 1 else 's'}"
            lines.append(f"  {done} (par {self.level.par}), {self.stars} of 3 stars")
        return "\n".join(lines)


# ── Starting ─────────────────────────────────────────────────────────────────────────────


def start(client: Client, level: Level, path: Path | None = None) -> None:
    """Put the world as the level begins; what an earlier try made is removed.

    Raises LevelBlocked, StartFailed, ProgressUnreadable.
    """
    known = progress.load(path)["levels"].get(level.id, {})
    begun = time.time()
    _clear(client, level, known)
    made: dict[str, str] = {}
    for step in level.start:
        if isinstance(step, Image):
            made[step.name] = _build(client, level, step)
        else:
            _run(client, level, step)
    with progress.changing(path) as told:
        entry = told["levels"].setdefault(level.id, {})
        entry |= {"began": begun, "ready": time.time(), "made": made, "hints": 0}
        entry |= {"sizes": _sizes(client)}
        entry.pop("said", None)


def undo(client: Client, level: Level, path: Path | None = None) -> None:
    """Put the world back as the level began; raises as `start`."""
    start(client, level, path)


def _clear(client: Client, level: Level, known: Mapping[str, Any]) -> None:
    """Remove what belongs to the level.  Raises LevelBlocked before anything is removed."""
    steps = level.start
    containers = {*level.containers, *(s.name for s in steps if isinstance(s, Container))}
    images = {*level.images, *(s.name for s in steps if isinstance(s, Image))}
    began = float(known.get("began", "inf"))
    doomed = []
    for name in sorted(containers):
        if told := _found(partial(client.inspect, name)):
            its_own = _is_labelled(level, name, told["Config"])
            if not its_own and _moment(told["Created"]) < began:
                raise _blocked(
                    level, "container", name, f"minidock rename {name} my-{name}"
                )
            doomed.append(str(told["Id"]))
    ours = _named_since(client, known) if known.get("began") else set()
    untagged = []
    for name in sorted(images):
        if told := _found(partial(client.images.inspect, name)):
            if not _is_labelled(level, name, told["Config"]) and name not in ours:
                way = f"minidock tag {name} my-{name}; minidock rmi {name}"
                raise _blocked(level, "image", name, way)
            untagged.append(name)
    for id in doomed:
        client.remove(id, force=True, volumes=True)
    for name in [*untagged, *dict(known.get("made", {})).values()]:
        with suppress(Refused):  # gone already, or somebody's container stands on it
            client.images.remove(name)


def _is_labelled(level: Level, name: str, config: Mapping[str, Any]) -> bool:
    """Whether a thing says that the level made it; what inherits the label does not."""
    return (config.get("Labels") or {}).get(LABEL) == f"{level.id} {name}"


def _found(ask: Any) -> dict[str, Any]:
    """Give what inspect tells; nothing where there is no such thing."""
    with suppress(Refused):
        return dict(ask())
    return {}


def _moment(text: str) -> float:
    """Read a moment as Docker writes it, in seconds since 1970.

    >>> _moment("1970-01-01T00:00:01.500000001Z")
    1.5
    """
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _blocked(level: Level, kind: str, name: str, way: str) -> LevelBlocked:
    return LevelBlocked(
        f"level {level.id} needs the name {name}, and {kind} {name} is yours",
        why="a level removes only what it made, or what was made for it",
        try_next=f"{way}, then start the level again",
    )


def _build(client: Client, level: Level, image: Image) -> str:
    archive = io.BytesIO()
    send_alone(image.dockerfile.encode(), archive.write)
    labels = json.dumps({LABEL: f"{level.id} {image.name}"})
    query = {
        "t": [image.name],
        "labels": labels,
        "dockerfile": "Dockerfile",
        "version": "1",
    }
    id = ""
    for told in client.builds.build(query, [archive.getvalue()]):
        if "errorDetail" in told:
            raise _failed(level, image.name, str(told["errorDetail"].get("message", "")))
        if "aux" in told:
            id = str(told["aux"]["ID"])
    return id


def _run(client: Client, level: Level, container: Container) -> None:
    image, *words = container.words
    body = {
        "Image": image, "Cmd": words or None, "HostConfig": {"NetworkMode": "none"},
        "Labels": {LABEL: f"{level.id} {container.name}"},
    }  # fmt: skip
    try:
        client.start(client.create(body, container.name))
    except Refused as refusal:
        raise _failed(level, container.name, refusal.what) from refusal


def _failed(level: Level, name: str, what: str) -> StartFailed:
    return StartFailed(
        f"level {level.id} cannot begin: {name}: {what}",
        why="it begins with images and containers that the engine makes",
        try_next="minidock bootstrap busybox, then start the level again",
    )


# ── Checking ─────────────────────────────────────────────────────────────────────────────


def check(client: Client, level: Level, path: Path | None = None) -> Checked:
    """Judge the world; a level that is solved is written down as solved.

    Raises ProgressUnreadable.
    """
    known = progress.load(path)["levels"].get(level.id, {})
    done = None if "ready" not in known else tuple(_deeds(client, known))
    said = {level.id: known["said"]} if "said" in known else {}
    look = Look(client, said=said, kept=known.get("made", {}))
    verdicts = tuple(judge(predicate, look) for predicate in level.goal)
    checked = Checked(level, verdicts, done, int(known.get("hints", 0)))
    with progress.changing(path) as told:
        entry = told["levels"].setdefault(level.id, {})
        entry["tries"] = entry.get("tries", 0) + 1
        if checked.ok:
            best = max(checked.stars, entry.get("stars", 0))
            entry |= {"done": True, "stars": best, "operations": len(done or ())}
    return checked


def hint(level: Level, path: Path | None = None) -> tuple[int, str]:
    """Give the next hint and its number; behind the third, the solution (number 4)."""
    with progress.changing(path) as told:
        entry = told["levels"].setdefault(level.id, {})
        entry["hints"] = min(entry.get("hints", 0) + 1, len(level.hints) + 1)
        number = entry["hints"]
    if number > len(level.hints):
        return number, level.solution
    return number, level.hints[number - 1]


def name_cause(level: Level, id: str, path: Path | None = None) -> None:
    """Say what was the cause, by the id of one of its causes.  Raises NoSuchCause."""
    if id not in [cause.id for cause in level.causes]:
        raise NoSuchCause(
            f"level {level.id} has no cause {id}",
            why=f"its causes are {', '.join(cause.id for cause in level.causes) or 'none'}",
            try_next=f"%level {level.id}",
        )
    with progress.changing(path) as told:
        told["levels"].setdefault(level.id, {})["said"] = id


def _sizes(client: Client) -> dict[str, int]:
    """How long each story was when the level began: only what grew is read."""
    return {str(told["story"]): int(told["size_bytes"]) for told in client.stories()}


def _grown(client: Client, known: Mapping[str, Any]) -> Iterator[tuple[Record, ...]]:
    """Give the records of each story that was told since the level began."""
    sizes = known.get("sizes", {})
    for name, size in _sizes(client).items():
        if sizes.get(name) != size:
            yield client.story(name).records


def _deeds(client: Client, known: Mapping[str, Any]) -> Iterator[str]:
    for records in _grown(client, known):
        yield from deeds(records, float(known["ready"]))


def _named_since(client: Client, known: Mapping[str, Any]) -> set[str]:
    """Give the names of images that were given since the level began, without :latest.

    An image may be older than its name: the cache had it.
    """
    return {
        str(record.data.get("name", "")).removesuffix(":latest")
        for records in _grown(client, known)
        for record in records
        if record.kind == "image.tagged" and record.wall > float(known["began"])
    }
