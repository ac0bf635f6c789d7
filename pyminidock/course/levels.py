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

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pyminidock.client.handles import Client
from pyminidock.course import progress
from pyminidock.course.deeds import deeds
from pyminidock.course.goal import Verdict, judge
from pyminidock.course.lesson import Level
from pyminidock.course.sight import Look
from pyminidock.course.staging import clear, make
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record

MOST_STARS = 3


class NoSuchCause(MinidockError):
    """A level does not offer this cause."""

    status = 404


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
    begun, began = time.time(), float(known.get("began", "inf"))
    since = partial(_named_since, client, known) if known.get("began") else set[str]
    clear(client, level, began, dict(known.get("made", {})), since)
    made = make(client, level)
    with progress.changing(path) as told:
        entry = told["levels"].setdefault(level.id, {})
        entry |= {"began": begun, "ready": time.time(), "made": made, "hints": 0}
        entry |= {"sizes": _sizes(client)}
        entry.pop("said", None)


def undo(client: Client, level: Level, path: Path | None = None) -> None:
    """Put the world back as the level began; raises as `start`."""
    start(client, level, path)


# ── Checking ─────────────────────────────────────────────────────────────────────────────


def check(client: Client, level: Level, path: Path | None = None) -> Checked:
    """Judge the world; a level that is solved is written down as solved.

    Raises ProgressUnreadable.
    """
    known = progress.load(path)["levels"].get(level.id, {})
    done = None if "ready" not in known else tuple(_deeds(client, known))
    said = {level.id: known["said"]} if "said" in known else {}
    look = Look(client, said=said, kept=known.get("made", {}))
    verdicts = tuple(
        _explained(level, known, judge(predicate, look)) if predicate.is_secret
        else judge(predicate, look)
        for predicate in level.goal
    )  # fmt: skip
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


def _explained(level: Level, known: Mapping[str, Any], verdict: Verdict) -> Verdict:
    """Say why a cause that was named is not it; which one is, nobody says."""
    whys = [cause.why for cause in level.causes if cause.id == known.get("said")]
    if verdict.ok or not whys or not whys[0]:
        return verdict
    return replace(verdict, why=f"{verdict.why}: {whys[0]}")


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
