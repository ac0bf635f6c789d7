"""Which volumes there are, and where their data lies.

    volumes/<name>/_data           what containers see
    volumes/<name>/volume.json     what the row says, for the day on which rows are lost
    tmp-…                          one that is being made
    row                            the truth

A directory comes before its row, a row goes before its directory.  What a crash leaves
without a row is looked at: an empty directory was never promised to anybody and goes; one
that holds data gets its row back, for data goes only when somebody says so.

Source: moby, volume/local/local.go and volume/service/store.go.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyminidock.store.database import Database
from pyminidock.store.examine import Repair
from pyminidock.store.failpoints import reach
from pyminidock.store.files import DISK, Files, telling_full, temporary, write_whole

DATA, PAPER = "_data", "volume.json"
FILL = "fill"  # a complete copy on its way into _data
_MAX_PAPER_BYTES = 1 << 20
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """One volume of the driver `local`; None is what Docker shows as null."""

    name: str
    created_wall: float  # seconds since 1970
    labels: Pairs | None = None
    options: Pairs | None = None


class Volumes:
    """The volumes of one root.  Any thread may ask; who changes holds `db.guard`."""

    def __init__(
        self, root: Path, db: Database, remove_tree: Callable[[Path], None],
        files: Files = DISK,
    ) -> None:  # fmt: skip
        self._root, self._db, self._files = root, db, files
        self._remove_tree = remove_tree
        self.directory = root / "volumes"

    def data(self, name: str) -> Path:
        """Say where the data of a volume lies (host)."""
        return self.directory / name / DATA

    def get(self, name: str) -> VolumeRow | None:
        """Give a volume, or None."""
        found = self._db.ask("SELECT * FROM volumes WHERE name = ?", name)
        return _volume(found[0]) if found else None

    def all(self) -> tuple[VolumeRow, ...]:
        """Give every volume, by name."""
        return tuple(map(_volume, self._db.ask("SELECT * FROM volumes ORDER BY name")))

    def add(self, row: VolumeRow) -> None:
        """Make a volume that is not there: directory, then row.  Raises StoreFull."""
        making = temporary(self._root)  # a volume may be called tmp-1
        with telling_full(self._root):
            try:
                self._files.make_directory(making)
                self._files.make_directory(making / DATA)
                making.chmod(0o701)
                (making / DATA).chmod(0o755)
                write_whole(making / PAPER, _spelled(row), files=self._files)
                reach("volume.made")
                self._files.rename(making, self.directory / row.name)
                reach("volume.renamed")
                self._files.sync_directory(self.directory)
                reach("volume.directory")
                self._insert(row)
            except OSError:
                self._remove_tree(making)
                raise
            except sqlite3.Error:
                self._throw_away(row.name)
                raise

    def _insert(self, row: VolumeRow) -> None:
        with self._db.write(answers_stay=True) as rows:
            rows.execute(
                "INSERT INTO volumes VALUES (?, ?, ?, ?)",
                (row.name, row.created_wall, _text(row.labels), _text(row.options)),
            )

    def remove(self, name: str) -> None:
        """Remove a volume: the row, then all that it holds; an absent one is fine."""
        with self._db.write(makes_room=True, answers_stay=True) as rows:
            rows.execute("DELETE FROM volumes WHERE name = ?", (name,))
        reach("volume.row")
        self._throw_away(name)
        reach("volume.removed")

    def _throw_away(self, name: str) -> None:
        gone = temporary(self._root / "trash")
        with suppress(FileNotFoundError):
            self._files.rename(self.directory / name, gone)
            reach("volume.trashed")
            self._remove_tree(gone)

    # ── After a crash ────────────────────────────────────────────────────────────────────

    def look_after(self) -> list[Repair]:
        """Compare rows with directories; see above."""
        found: list[Repair] = []
        known = {row.name for row in self.all()}
        there = {path.name for path in self.directory.iterdir() if path.is_dir()}
        for name in sorted(there - known):
            if _is_empty(self.directory / name):
                self._throw_away(name)
                found.append(Repair("removed", "volume", name, "it was never finished"))
            else:
                self._insert(self._read(name))
                why = "it holds data, and nobody has said that it shall go"
                found.append(Repair("rebuilt", "volume", name, why))
        for name in sorted(known - there):
            with self._db.write(makes_room=True, answers_stay=True) as rows:
                rows.execute("DELETE FROM volumes WHERE name = ?", (name,))
            found.append(Repair("lost", "volume", name, "its directory is not there"))
        return found

    def rebuild(self) -> list[Repair]:
        """Give every directory its row again, in a database that knows nothing yet."""
        names = sorted(path.name for path in self.directory.iterdir() if path.is_dir())
        for name in names:
            self._insert(self._read(name))
        return [Repair("rebuilt", "volume", name, "from its directory") for name in names]

    def _read(self, name: str) -> VolumeRow:
        """Read what a directory says of itself; as little as its name, if need be."""
        place = self.directory / name
        with suppress(OSError, ValueError, RecursionError, TypeError, AttributeError):
            with (place / PAPER).open("rb") as paper:
                told = json.loads(paper.read(_MAX_PAPER_BYTES))
            return VolumeRow(
                name, float(told["created"]), _pairs(told["labels"]),
                _pairs(told["options"]),
            )  # fmt: skip
        return VolumeRow(name, place.stat().st_mtime)


def _is_empty(place: Path) -> bool:
    """Say whether a directory of ours holds no data, and none on its way."""
    with suppress(FileNotFoundError):
        if any((place / FILL).iterdir()):
            return False
    try:
        return not any((place / DATA).iterdir())
    except FileNotFoundError:
        return all(path.name == PAPER for path in place.iterdir())


def _volume(row: sqlite3.Row) -> VolumeRow:
    labels = json.loads(row["labels"]) if row["labels"] else None
    options = json.loads(row["options"]) if row["options"] else None
    return VolumeRow(row["name"], row["created"], _pairs(labels), _pairs(options))


def _pairs(told: Mapping[str, str] | None) -> Pairs | None:
    if told is None:
        return None
    return tuple((str(name), str(value)) for name, value in sorted(told.items()))


def _text(pairs: Pairs | None) -> str:
    return "" if pairs is None else json.dumps(dict(pairs))


def _spelled(row: VolumeRow) -> bytes:
    told = {
        "name": row.name,
        "created": row.created_wall,
        "labels": None if row.labels is None else dict(row.labels),
        "options": None if row.options is None else dict(row.options),
    }
    return json.dumps(told).encode()
