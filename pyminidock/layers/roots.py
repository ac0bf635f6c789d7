"""Root directories by name: what a container stands on until there are images.

    layers/<id>/diff     the tree; <id> is the hash of its content
    roots/<name>.json    {"id": …, "config": …, "stand_in": …}

A root has the defaults of an image: command, variables, user, directory.  A *stand-in*
says so: `alpine` made of BusyBox has the name of one thing and is another, and every view
prints that.
"""

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from pyminidock.errors import MinidockError
from pyminidock.events import Emit, ImageFound, ignore
from pyminidock.image.config import ImageConfig

_NAME = re.compile(r"([a-z0-9]+(?:[._-][a-z0-9]+)*)(:latest)?")
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Root:
    """A tree with a name; `path` (host) is its top directory."""

    name: str
    id: str
    path: Path
    config: ImageConfig
    stand_in: str = ""


class NoSuchRoot(MinidockError):
    """Nothing here has this name."""

    status = 404


class RootDamaged(MinidockError):
    """The record of a root cannot be read, or its tree is gone."""


def find(root_dir: Path, name: str, *, emit: Emit = ignore) -> Root:
    """Find a root by name, with or without `:latest`.

    `root_dir` is the engine's own directory.  Raises NoSuchRoot, RootDamaged.
    """
    match = _NAME.fullmatch(name)  # checked whole before it becomes part of a path
    try:
        if match is None:
            raise FileNotFoundError
        text = (root_dir / "roots" / f"{match[1]}.json").read_text(encoding="utf-8")
    except FileNotFoundError as absence:
        known = ", ".join(names(root_dir)) or "none yet"
        shown = name if match is None or match[2] or ":" in name else f"{name}:latest"
        raise NoSuchRoot(
            f"No such image: {shown[:80]}",
            why=f"until images arrive, containers stand on roots made here: {known}",
            try_next="minidock bootstrap busybox && minidock run busybox true",
            lesson="images",
        ) from absence
    root = _read(root_dir, match[1], text)
    emit(ImageFound(root.name, f"sha256:{root.id}", (str(root.path),), root.stand_in))
    return root


def names(root_dir: Path) -> tuple[str, ...]:
    """List the names that `find` knows, in order.

    >>> names(Path("/nonexistent"))
    ()
    """
    return tuple(sorted(path.stem for path in (root_dir / "roots").glob("*.json")))


def _read(root_dir: Path, name: str, text: str) -> Root:
    try:
        record = json.loads(text)
        identifier, config = record["id"], record["config"]
        if not _ID.fullmatch(identifier):
            raise ValueError(f"{identifier!r} is no id")
        defaults = ImageConfig(
            tuple(config["command"]), tuple(config["entrypoint"]),
            tuple(config["environment"]), config["user"], config["working_directory"],
        )  # fmt: skip
        path = root_dir / "layers" / identifier / "diff"
        if not path.is_dir():
            raise ValueError(f"{path} is gone")
        return Root(name, identifier, path, defaults, record["stand_in"])
    except (ValueError, KeyError, TypeError) as damage:
        raise RootDamaged(
            f"the root {name!r} cannot be used: {damage}",
            why="its record or its tree was changed by somebody else",
            try_next=f"minidock bootstrap {name}",
            lesson="state-on-disk",
        ) from damage


def record(root_dir: Path, name: str, identifier: str, config: ImageConfig,
           *, stand_in: str = "") -> Root:  # fmt: skip
    """Give a tree its name; whoever reads sees the old record or the new one, whole."""
    directory = root_dir / "roots"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    place, half = directory / f"{name}.json", directory / f".{name}.json.new"
    text = json.dumps({"id": identifier, "config": asdict(config), "stand_in": stand_in})
    with half.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half.replace(place)
    _sync(directory)
    return find(root_dir, name)


def _sync(directory: Path) -> None:
    """Make a rename last.  Source: man 2 fsync, on directories."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
