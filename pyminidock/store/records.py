"""Records of containers: JSON files that are whole or absent, never half.

    containers/<id>/config.json     the record
    containers/<id>/…               what else belongs to the container: its writable layer
    trash/<id>                      on its way out
    quarantine/<time>-<id>/         a record nobody can read, and `reason` why

Writing is always: temporary file, fsync, rename, fsync of the directory.  A reader, or the
next engine after a crash, therefore sees the old record or the new one.  Names are unique:
of those who claim one at the same time, one wins.

Source: man 2 rename, fsync; "All File Systems Are Not Created Equal" (OSDI 2014), table 3.
"""

import datetime
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from pyminidock.errors import MinidockError
from pyminidock.store.failpoints import reach

VERSION = 1
MAX_RECORD_BYTES = 4 << 20

Content = Mapping[str, Any]
_ENCODE = json.JSONEncoder(ensure_ascii=True, allow_nan=False).encode


class NoSuchContainer(MinidockError):
    """No container has this name or id."""

    status = 404


class AmbiguousId(MinidockError):
    """The beginning of an id is that of several containers."""

    status = 400


class NameTaken(MinidockError):
    """Another container has this name."""

    status = 409


class RecordUnreadable(MinidockError):
    """A record is not what was written."""


class RecordTooNew(MinidockError):
    """A record was written by a newer release; reading it as an old one would harm it."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that was set aside."""

    id: str
    path: str
    reason: str


class Records:
    """The containers of one root directory.  Any thread may ask; `root` is locked."""

    def __init__(
        self, root: Path, remove_tree: Callable[[Path], object] | None = None
    ) -> None:
        """`remove_tree` takes a tree away that a container may have filled; see layers."""
        self._root, self.directory = root, root / "containers"
        self._remove_tree = remove_tree or discard_tree
        for path in (root, self.directory):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._contents: dict[str, Content] = {}
        self._texts: dict[str, dict[str, str]] = {}  # of each value above, as written
        self._names: dict[str, str] = {}  # name to id
        self._lock = Lock()  # guards the three above; no file is touched under it

    def load(self, wall: float) -> tuple[Quarantined, ...]:
        """Read every record; set aside what cannot be read.  Raises RecordTooNew.

        A directory without a record is a creation or a removal that a crash ended: it
        belongs to nobody and is left to `strays`.
        """
        aside = []
        for path in sorted(self.directory.iterdir()):
            if not (path / "config.json").exists():
                continue
            try:
                content = _read(path / "config.json", path.name)
                self._names.setdefault(content["name"], path.name)
                self._contents[path.name] = content
            except RecordUnreadable as damage:
                aside.append(self.set_aside(path.name, damage.why, wall))
        return tuple(aside)

    def strays(self) -> tuple[Path, ...]:
        """Give what a crash left: directories without a record, trash, temporary files."""
        known = set(self._contents)
        trash = self._root / "trash"
        return (
            *(path for path in sorted(self.directory.iterdir()) if path.name not in known),
            *(sorted(trash.iterdir()) if trash.is_dir() else ()),
            *sorted(self.directory.glob("*/tmp-*")),
        )

    def claim(self, name: str, container: str) -> None:
        """Reserve a name for a container.  Raises NameTaken; one winner."""
        with self._lock:
            owner = self._names.setdefault(name, container)
        if owner != container:
            raise NameTaken(
                f'Conflict. The container name "/{name}" is already in use by container'
                f' "{owner}". You have to remove (or rename) that container to be able to'
                " reuse that name.",
                why="a name leads to one container, or nobody could tell which is meant",
                try_next=f"minidock rm {name}",
                lesson="names",
            )

    def let_go(self, name: str) -> None:
        """Give one name of a container back; others may claim it from now on."""
        with self._lock:
            self._names.pop(name, None)

    def release(self, container: str) -> None:
        """Give the names of a container back."""
        with self._lock:
            self._contents.pop(container, None)
            self._texts.pop(container, None)
            for name in [name for name, owner in self._names.items() if owner == container]:
                del self._names[name]

    def put(self, container: str, content: Content, *, is_durable: bool = True) -> None:
        """Write a record; its directory is made if missing.

        Without `is_durable` a power cut may lose this version, or damage the record; a
        crash of the engine loses nothing.  A value that is the very object of last time is
        not spelled again.
        """
        directory = self.directory / container
        content = {"v": VERSION, **content}
        with self._lock:
            before, known = (
                self._contents.get(container, {}),
                self._texts.get(container, {}),
            )
        if not before:
            directory.mkdir(mode=0o700, exist_ok=True)
        texts = {
            name: known[name]
            if name in known and before.get(name) is value
            else _ENCODE(value)
            for name, value in content.items()
        }
        text = ", ".join([f'"{name}": {spelled}' for name, spelled in texts.items()])
        _replace(
            directory, "config.json", f"{{{text}}}".encode("ascii"), is_durable=is_durable
        )
        with self._lock:
            self._contents[container], self._texts[container] = content, texts

    def get(self, container: str) -> Content:
        """Give the record of a container by its full id.  Raises NoSuchContainer."""
        with self._lock:
            if container in self._contents:
                return self._contents[container]
        raise no_such_container(container)

    def find(self, reference: str) -> str:
        """Give the id that a name, an id or the unambiguous beginning of an id means.

        Raises NoSuchContainer, AmbiguousId.  Source: Docker, an exact name wins over a
        prefix.
        """
        with self._lock:
            name = reference.removeprefix("/")
            if reference in self._contents:
                return reference
            if self._names.get(name) in self._contents:
                return self._names[name]
            meant = [each for each in self._contents if each.startswith(reference)]
        if not reference or not meant:
            raise no_such_container(reference)
        if len(meant) > 1:
            raise AmbiguousId(
                f"multiple IDs found with provided prefix: {reference}",
                why=f"{len(meant)} containers have an id that begins so",
                try_next="minidock ps --all --no-trunc",
                lesson="names",
            )
        return meant[0]

    def all(self) -> tuple[Content, ...]:
        """Give every record, in the order of their ids."""
        with self._lock:
            return tuple(self._contents[each] for each in sorted(self._contents))

    def remove(self, container: str) -> None:
        """Remove a record with its directory; an absent one is fine.

        The directory is renamed first: whatever interrupts the removal, no half of a
        container is left under its name.
        """
        self.discard(self.directory / container)
        self.release(container)

    def discard(self, path: Path) -> None:
        """Remove a file or directory of this root, by way of the trash."""
        trash = self._root / "trash"
        if path.parent != trash:
            target = trash / path.name
            try:
                path.rename(target)
            except OSError:  # there is no trash yet, or in it something of this name
                trash.mkdir(mode=0o700, exist_ok=True)
                self._remove_tree(target)
                try:
                    path.rename(target)
                except FileNotFoundError:
                    return
            path = target
            reach("record.trashed")
        self._remove_tree(path)
        reach("record.removed")

    def set_aside(self, container: str, why: str, wall: float) -> Quarantined:
        """Move a damaged container out of the way, with all it holds: that is user data."""
        self.release(container)
        path = self.directory / container
        moment = datetime.datetime.fromtimestamp(wall, datetime.UTC)
        target = self._root / "quarantine" / f"{moment:%Y%m%dT%H%M%S}-{path.name}"
        target.parent.mkdir(mode=0o700, exist_ok=True)
        path.rename(target)
        _replace(target, "reason", f"{why}\n".encode())
        return Quarantined(path.name, str(target), why)


def discard_tree(path: Path) -> None:
    """Remove a directory with all in it, or a file; links themselves, never their aim."""
    if path.is_dir() and not path.is_symlink():
        assert shutil.rmtree.avoids_symlink_attacks  # noqa: S101  (true on Linux, macOS)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _replace(
    directory: Path, name: str, content: bytes, *, is_durable: bool = True
) -> None:
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        temporary = f"tmp-{name}"
        _write(temporary, content, place, is_durable=is_durable)
        reach("record.temporary")
        os.replace(temporary, name, src_dir_fd=place, dst_dir_fd=place)
        reach("record.renamed")
        if is_durable:
            os.fsync(place)
    finally:
        os.close(place)


def _write(name: str, content: bytes, place: int, *, is_durable: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(name, flags, 0o600, dir_fd=place)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
        if is_durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path, container: str) -> Content:
    """Read a record.  Raises RecordUnreadable, RecordTooNew."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MAX_RECORD_BYTES))
    except (OSError, ValueError, RecursionError) as damage:
        raise _unreadable(path, str(damage)) from damage
    if not isinstance(content, dict) or not isinstance(content.get("v"), int):
        raise _unreadable(path, "it is no JSON object with a version")
    if content["v"] > VERSION:
        raise RecordTooNew(
            f"{path} was written by a newer release",
            why=f"it has version {content['v']}, this release knows up to {VERSION}",
            try_next="install the newer release again, or use another --root",
            lesson="state-on-disk",
        )
    if content.get("id") != container or not isinstance(content.get("name"), str):
        raise _unreadable(path, f"it does not describe {container}")
    return content


def _unreadable(path: Path, why: str) -> RecordUnreadable:
    return RecordUnreadable(
        f"{path} cannot be read",
        why=why,
        try_next="look into the quarantine directory beside it",
        lesson="state-on-disk",
    )


def no_such_container(reference: str) -> NoSuchContainer:
    """Make the refusal for a name or id that leads nowhere."""
    return NoSuchContainer(
        f"No such container: {reference}",
        why="neither a name nor the beginning of exactly one id reads so",
        try_next="minidock ps --all",
        lesson="names",
    )
