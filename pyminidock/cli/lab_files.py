"""The course's notebooks in a person's own folder, where what they wrote is theirs.

    course      00-tour/lesson.ipynb  "B"        what this version brings
    folder      00-tour/lesson.ipynb  "A"        what lies there
    noted       00-tour/lesson.ipynb  digest A   what we put there last time

A file that is still as we put it is brought up to date.  A file that is not ours any more,
because somebody worked in it, stays, and is named.  The notes lie in the folder itself, in
`.minidock-lab.json`; without them nothing that is there is touched.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NOTES = ".minidock-lab.json"
_SKIPPED = {".ipynb_checkpoints", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of each file, by its path below the folder."""

    new: tuple[str, ...]
    kept: tuple[str, ...]  # somebody changed it, so it is not the course's any more


Sources = Mapping[str, Path]
"""What the course consists of: the name of each file below the folder, and where it is."""


def bring(sources: Sources, folder: Path) -> Copied:
    """Copy what is new or still ours; leave what somebody changed.  Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    noted = dict(_noted(folder))
    new, kept = [], []
    for name, source in sources.items():
        ours = source.read_bytes()
        there = folder / name
        is_there = there.is_symlink() or there.exists()
        if is_there and _digest_of(there) == _digest(ours):
            noted[name] = _digest(ours)
        elif is_there and _digest_of(there) != noted.get(name):
            kept.append(name)
        else:
            _write(there, ours)
            noted[name] = _digest(ours)
            new.append(name)
    text = json.dumps(noted, indent=1, sort_keys=True) + "\n"
    if new or noted != _noted(folder):
        _write(folder / NOTES, text.encode())
    return Copied(tuple(new), tuple(kept))


def sources_in(notebooks: Path, lessons: Path) -> Sources:
    """Find the notebooks, and beside each the recorded stories of its lesson."""
    found = {
        path.relative_to(notebooks).as_posix(): path
        for path in sorted(notebooks.rglob("*"))
        if path.is_file() and not set(path.relative_to(notebooks).parts) & _SKIPPED
    }
    recorded = (path.relative_to(lessons) for path in lessons.glob("*/trace/*.jsonl"))
    return found | {name.as_posix(): lessons / name for name in sorted(recorded)}


def _noted(folder: Path) -> Mapping[str, str]:
    """Read what we put there; what cannot be read was written by somebody else."""
    try:
        told = json.loads((folder / NOTES).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _write(place: Path, content: bytes) -> None:
    """Put a file there in one piece: whoever has it open reads the old or the new one."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(place)


def _digest_of(place: Path) -> str:
    """Give the digest of a plain file; what is none is somebody's own."""
    return _digest(place.read_bytes()) if place.is_file() else "no file"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
