"""What a build step made before: so it is not made again, and so a miss can be explained.

    (image before the step, key of the step)  →  image after the step

The key is a digest of everything that can change the result.  A digest cannot say what
changed, so the inputs are kept beside it, and of each name that was built its last build:
when nothing is found, the builder compares the two.  Of the files of a step, which may be
many, each is a row of its own: they are written and read one by one, in the order of names.

Source: moby, daemon/builder/dockerfile/imageprobe.go; hardening.md C.8.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyminidock.image.digest import Digest
from pyminidock.store.database import Database

_PAGE = 1000  # files of a step that are read together
_MOST_BUILDS = 4096  # stages of names, whose last build is remembered


class FileRow(NamedTuple):
    """One file of a step; `build.cachekey` knows what it means."""

    path: bytes
    kind: str
    mode: int
    uid: int
    gid: int
    size_bytes: int
    link: bytes
    sum: str
    content: int


@dataclass(frozen=True, slots=True)
class CacheRow:
    """One step that was done: `parent` is "" for a step on nothing.

    `inputs` are JSON values; `created` is seconds since 1970; `size_bytes` were written.
    `files` are taken when the row is added; afterwards BuildCache.files gives them.
    """

    parent: Digest
    key: str
    inputs: Mapping[str, Any] = field(hash=False)
    image: Digest
    created: float
    milliseconds: int = 0
    size_bytes: int = 0
    files: Iterable[FileRow] = field(default=(), compare=False, repr=False)
    number: int = field(default=0, compare=False)  # of the row, once it is one


@dataclass(frozen=True, slots=True)
class Hit:
    """The result of a step that was done before, and what it had cost."""

    image: Digest
    milliseconds: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DoneStep:
    """One step of the last build of a name; `parent` and `key` as in CacheRow.

    It stays when the image goes, for then it can be said that the image went.
    """

    parent: Digest
    key: str
    image: Digest
    text: str


class BuildCache:
    """The steps of one root.  A row goes when its image goes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, row: CacheRow) -> None:
        """Note a step whose image is noted; the same step again becomes the latest."""
        inputs = json.dumps(row.inputs, sort_keys=True, allow_nan=False)
        with self._db.write() as rows:
            done = rows.execute(
                "INSERT OR REPLACE INTO cache (parent, key, inputs, image, created,"
                " milliseconds, size_bytes) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    row.parent,
                    row.key,
                    inputs,
                    row.image,
                    row.created,
                    row.milliseconds,
                    row.size_bytes,
                ),
            )
            rows.executemany(
                "INSERT INTO cache_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((done.lastrowid, *file) for file in row.files),
            )

    def probe(self, parent: Digest, key: str) -> Hit | None:
        """Give what came of the latest step that did the same to the same, or None.

        The inputs, which may be of many files, are not read.
        """
        found = self._db.recall(
            _hit,
            "SELECT image, milliseconds, size_bytes FROM cache"
            " WHERE parent = ? AND key = ? ORDER BY number DESC LIMIT 1",
            parent, key,
        )  # fmt: skip
        return found[0] if found else None

    def files(self, row: CacheRow) -> Iterator[FileRow]:
        """Give the files that a step took, in the order of their names, page by page.

        Of steps that were noted before files had rows they are in `inputs`.
        """
        last = b""  # before every name
        while True:
            page = self._db.ask(
                "SELECT path, kind, mode, uid, gid, size_bytes, link, sum, content"
                " FROM cache_files WHERE number = ? AND path > ? ORDER BY path LIMIT ?",
                row.number, last, _PAGE,
            )  # fmt: skip
            yield from (FileRow(*each) for each in page)
            if len(page) < _PAGE:
                return
            last = page[-1]["path"]

    def after(self, parent: Digest, limit: int = 64) -> Iterator[CacheRow]:
        """Give the latest steps that stood on this image, the newest first, one by one."""
        numbers = self._db.ask(
            "SELECT number FROM cache WHERE parent = ? ORDER BY number DESC LIMIT ?",
            parent, limit,
        )  # fmt: skip
        for (number,) in numbers:
            yield from map(
                _row, self._db.ask("SELECT * FROM cache WHERE number = ?", number)
            )

    def anywhere(self, key: str) -> CacheRow | None:
        """Give the latest step that did the same, on whatever image, or None."""
        return self._first("key = ?", key)

    def of_image(self, image: Digest) -> CacheRow | None:
        """Give the latest step that led to an image, or None."""
        return self._first("image = ?", image)

    def remember(self, name: str, stage: str, steps: Sequence[DoneStep]) -> None:
        """Note how the last build of a name went through a stage; the oldest give way.

        Costs a look only, where it went as the time before.
        """
        if self.last(name, stage) == tuple(steps):
            return
        told = [[step.parent, step.key, step.image, step.text] for step in steps]
        text = json.dumps(told)
        with self._db.write() as rows:
            rows.execute(
                "INSERT OR REPLACE INTO builds (name, stage, steps) VALUES (?, ?, ?)",
                (name, stage, text),
            )
            rows.execute(
                "DELETE FROM builds WHERE number <= (SELECT max(number) FROM builds) - ?",
                (_MOST_BUILDS,),
            )

    def last(self, name: str, stage: str) -> tuple[DoneStep, ...]:
        """Tell how the last build of a name went through a stage; () if none is known."""
        found = self._db.recall(
            _steps, "SELECT steps FROM builds WHERE name = ? AND stage = ?", name, stage
        )
        return found[0] if found else ()

    def build_of(self, image: Digest) -> tuple[DoneStep, ...]:
        """Tell how the last stage went in which an image came about; () if none is known.

        The first step's `parent` is what FROM gave.  Looks through all builds.
        """
        for row in self._db.ask(
            "SELECT steps FROM builds WHERE instr(steps, ?) ORDER BY number DESC", image
        ):
            steps = _steps(row)
            if any(step.image == image for step in steps):
                return steps
        return ()

    def forget_image(self, image: Digest) -> None:
        """Forget the steps that led to an image."""
        with self._db.write(makes_room=True) as rows:
            rows.execute("DELETE FROM cache WHERE image = ?", (image,))

    def all(self) -> tuple[CacheRow, ...]:
        """Give every step, the oldest first."""
        with self._db.read() as rows:
            found = rows.execute("SELECT * FROM cache ORDER BY number").fetchall()
        return tuple(map(_row, found))

    def clear(self) -> int:
        """Forget every step; give how many they were.  What was built is not forgotten."""
        with self._db.write(makes_room=True) as rows:
            return rows.execute("DELETE FROM cache").rowcount

    def _first(self, condition: str, *values: str) -> CacheRow | None:
        query = f"SELECT * FROM cache WHERE {condition} ORDER BY number DESC LIMIT 1"  # noqa: S608  (ours)
        found = self._db.ask(query, *values)
        return _row(found[0]) if found else None


def _hit(row: sqlite3.Row) -> Hit:
    return Hit(*row)


def _steps(row: sqlite3.Row) -> tuple[DoneStep, ...]:
    return tuple(DoneStep(*step) for step in json.loads(row["steps"]))


def _row(row: sqlite3.Row) -> CacheRow:
    return CacheRow(
        row["parent"], row["key"], json.loads(row["inputs"]), row["image"], row["created"],
        row["milliseconds"], row["size_bytes"], number=row["number"],
    )  # fmt: skip
