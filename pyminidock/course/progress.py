"""What somebody has reached, in one small file of their own.

    $XDG_STATE_HOME/pyminidock/progress.json      MINIDOCK_PROGRESS names another place
    {"version": 1, "levels": {"00.1": {…}}, "predictions": {"00.left": {…}}}

No names, no network.  The file is replaced as a whole, so it is never half written; two
notebooks at once take turns.  A file of a newer version is left alone and refused.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from pyminidock.errors import MinidockError

VERSION = 1
_TURN = Lock()  # the file's own lock is between processes only


class ProgressUnreadable(MinidockError):
    """The file is not ours, or of a newer version."""

    status = 400


def place() -> Path:
    """Tell where the file is."""
    if chosen := os.environ.get("MINIDOCK_PROGRESS"):
        return Path(chosen)
    state = os.environ.get("XDG_STATE_HOME")
    folder = Path(state) if state else Path.home() / ".local/state"
    return folder / "pyminidock" / "progress.json"


def load(path: Path | None = None) -> dict[str, Any]:
    """Give what is known; nothing yet is known where there is no file.

    Raises ProgressUnreadable.
    """
    path = path or place()
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        told = {"version": VERSION}
    except ValueError as mistake:
        raise _unreadable(path, "it is no JSON") from mistake
    if not isinstance(told, dict) or not isinstance(told.get("version"), int):
        raise _unreadable(path, "it has no version")
    if told["version"] > VERSION:
        raise _unreadable(path, f"it has version {told['version']}, and {VERSION} is known")
    tables = {name: told.get(name) for name in ("levels", "predictions")}
    return {
        "version": VERSION,
        **{
            name: table if isinstance(table, dict) else {} for name, table in tables.items()
        },
    }


@contextmanager
def changing(path: Path | None = None) -> Iterator[dict[str, Any]]:
    """Give what is known, to be changed within the block; then it is written.

    Raises ProgressUnreadable, OSError.
    """
    path = path or place()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _TURN, path.with_suffix(".lock").open("a") as lock:
        os.lockf(lock.fileno(), os.F_LOCK, 0)
        told = load(path)
        yield told
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(told, file, indent=1, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def _unreadable(path: Path, why: str) -> ProgressUnreadable:
    return ProgressUnreadable(
        f"{path} cannot be read: {why}",
        why="it is written by programs only, and by newer ones in another way",
        try_next=f"mv {path} {path}.old",
    )
