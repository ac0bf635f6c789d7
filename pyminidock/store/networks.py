"""The rows of networks, and `networks.json` beside them, from which they can be made again.

    state.db        networks: id, name, content       the truth
    networks.json   [{"id": …, "name": …, …}, …]      drawn after each change

What a row says beyond its id and its name is a JSON object that `network` understands.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyminidock.errors import MinidockError
from pyminidock.store.database import Database
from pyminidock.store.files import DISK, Files, StoreFull, write_whole

BESIDE = "networks.json"
MAX_BYTES = 16 << 20


class NetworkTaken(MinidockError):
    """Another network has this name."""

    status = 409


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """One network; `content` holds its id and its name once more."""

    id: str
    name: str
    content: Mapping[str, Any]


class NetworkRows:
    """The networks of one root directory.  Any thread may ask."""

    def __init__(self, root: Path, db: Database, files: Files = DISK) -> None:
        self._path, self._db, self._files = root / BESIDE, db, files

    def all(self) -> tuple[NetworkRow, ...]:
        """Give every network, by name."""
        return tuple(map(_row, self._db.ask("SELECT * FROM networks ORDER BY name")))

    def add(self, row: NetworkRow) -> None:
        """Keep a new network.  Raises NetworkTaken, StoreFull."""
        text = json.dumps(dict(row.content), separators=(",", ":"))
        with self._db.write(answers_stay=True) as rows:
            try:
                rows.execute(
                    "INSERT INTO networks VALUES (?, ?, ?)", (row.id, row.name, text)
                )
            except sqlite3.IntegrityError as refusal:
                raise name_taken(row.name) from refusal
            self._db.after_commit(self.project)

    def change(self, row: NetworkRow) -> None:
        """Keep what has become of a network.  Raises StoreFull."""
        text = json.dumps(dict(row.content), separators=(",", ":"))
        with self._db.write(answers_stay=True) as rows:
            rows.execute(
                "UPDATE networks SET name = ?, content = ? WHERE id = ?",
                (row.name, text, row.id),
            )
            self._db.after_commit(self.project)

    def remove(self, network: str) -> None:
        """Forget a network, by its id; an absent one is fine."""
        with self._db.write(makes_room=True, answers_stay=True) as rows:
            rows.execute("DELETE FROM networks WHERE id = ?", (network,))
            self._db.after_commit(self.project)

    def project(self) -> bool:
        """Draw `networks.json` from the rows; False if nothing was to be changed."""
        text = json.dumps([dict(row.content) for row in self.all()], indent=1).encode()
        with suppress(OSError):
            if self._path.read_bytes() == text:
                return False
        with suppress(StoreFull):  # the next engine draws it again
            write_whole(self._path, text, is_durable=False, files=self._files)
        return True

    def beside(self) -> tuple[NetworkRow, ...]:
        """Read `networks.json`; what cannot be read there is not known."""
        found: list[NetworkRow] = []
        with suppress(OSError, ValueError, RecursionError):
            if self._path.stat().st_size <= MAX_BYTES:
                known = json.loads(self._path.read_bytes())
                found = [
                    NetworkRow(each["id"], each["name"], each)
                    for each in (known if isinstance(known, list) else ())
                    if _is_network(each)
                ]
        return tuple(found)


def _is_network(each: object) -> bool:
    return isinstance(each, dict) and all(
        isinstance(each.get(name), str) and each[name] for name in ("id", "name")
    )


def _row(row: sqlite3.Row) -> NetworkRow:
    return NetworkRow(row["id"], row["name"], json.loads(row["content"]))


def name_taken(name: str) -> NetworkTaken:
    """Make the refusal for a name that leads to another network."""
    return NetworkTaken(
        f"network with name {name} already exists",
        why="a name leads to one network, or nobody could tell which is meant",
        try_next=f"minidock network inspect {name}",
        lesson="networks",
    )
