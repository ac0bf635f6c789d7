"""`minidock cp`: files between a container and this machine, as archives.

    cp web:/etc/motd .     the engine packs, we unpack below one directory
    cp dir web:/srv        we pack, the engine unpacks below one directory of the container
    cp web:/srv -          the archive itself, to stdout; and `cp - web:/srv` from stdin

Where things arrive is one rule for both directions: into a directory that is there they go
under their own name; else the last part of the destination is their new name.  `DIR/.`
means what is in it.

Source: docker/cli, cli/command/container/cp.go; moby, pkg/archive/copy.go.
"""

import os
import stat as modes
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import click

from pyminidock.cli.containers import meant
from pyminidock.cli.failures import ERROR, WordsRefused, tell
from pyminidock.cli.human import size
from pyminidock.cli.packing import landing, packed, unpack
from pyminidock.cli.progress import watched
from pyminidock.cli.words import Verb, switch
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused

_GO_DIRECTORY, _GO_LINK = 1 << 31, 1 << 27  # bits of Go's file modes


class Found(NamedTuple):
    """What is at a path, if anything is."""

    exists: bool
    is_directory: bool


def cp(words: tuple[str, ...], **given: Any) -> int:
    """Copy out of a container, or into it."""
    (source_of, source), (target_of, target) = map(_split, words)
    if source_of and target_of:
        raise _refused("copying between containers is not supported", words)
    if not source_of and not target_of:
        raise _refused("must specify at least one container source", words)
    name = source_of or target_of
    with connect() as client:
        try:
            if source_of:
                copied = _out(client, name, source, target, given)
                arrived = target
            else:
                copied = _in(client, source, name, target, given)
                arrived = f"{name}:{target}"
        except Refused as refusal:
            tell(meant(client, name, refusal))
            return ERROR
    if not given["quiet"] and sys.stderr.isatty() and "-" not in (source, target):
        click.echo(f"Successfully copied {size(copied)} to {arrived}", err=True)
    return 0


def _split(word: str) -> tuple[str, str]:
    """Cut CONTAINER:PATH; a path of this machine has no container.

    >>> _split("web:/etc"), _split("./a:b"), _split("/a:b")
    (('web', '/etc'), ('', './a:b'), ('', '/a:b'))
    """
    name, colon, path = word.partition(":")
    if word.startswith("/") or not colon or name.startswith("."):
        return "", word
    return name, path


# ── Out ───────────────────────────────────────────────────────────────────────────────────


def _out(client: Client, name: str, source: str, target: str, given: dict[str, Any]) -> int:
    """Copy out; give the size of the archive."""
    path = _followed(client, name, source) if given["follow_link"] else source
    quiet = bool(given["quiet"])
    if target != "-":
        _check_target(target)
    told, archive = client.files.archive(name, path)
    try:
        if target == "-":
            return sum(sys.stdout.buffer.write(piece) for piece in archive)
        is_directory = bool(int(told.get("mode", 0)) & _GO_DIRECTORY)
        where = landing(
            target, _found_here(target), is_directory=is_directory,
            name=PurePosixPath(source).name or "/",
            is_content=source.endswith("/.") or source == ".",
        )  # fmt: skip
        return unpack(archive if quiet else watched(archive, "copying"), where)
    finally:
        archive.close()


def _followed(client: Client, name: str, path: str) -> str:
    """Give what a link in the container leads to, at its end."""
    told = client.files.stat(name, path)
    is_link = int(told.get("mode", 0)) & _GO_LINK
    return str(told["linkTarget"]) if is_link else path


def _check_target(target: str) -> None:
    """Refuse a place where nothing can land.  Raises WordsRefused."""
    parent = os.path.dirname(os.path.abspath(target.rstrip("/") or "/"))  # noqa: PTH100, PTH120
    try:
        os.lstat(target)
    except NotADirectoryError as refusal:
        raise _refused(f"stat {os.path.abspath(target)}: not a directory") from refusal  # noqa: PTH100
    except OSError:
        pass  # what is not there yet
    if not os.path.isdir(parent):  # noqa: PTH112
        raise _refused(f'invalid output path: directory "{parent}" does not exist')
    if os.path.exists(target):  # noqa: PTH110
        mode = os.stat(target).st_mode  # noqa: PTH116
        if not modes.S_ISDIR(mode) and not modes.S_ISREG(mode):
            raise _refused(
                f'invalid output path: "{target}" must be a directory or a regular file: '
                "got a device"
            )


def _found_here(path: str) -> Found:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError:
        return Found(exists=False, is_directory=False)
    return Found(exists=True, is_directory=modes.S_ISDIR(mode))


# ── In ────────────────────────────────────────────────────────────────────────────────────


def _in(client: Client, source: str, name: str, target: str, given: dict[str, Any]) -> int:
    """Copy in; give the size of the archive."""
    path, found = _found_there(client, name, target)
    keeps = bool(given["archive"])
    if source == "-":
        if not found.is_directory:
            raise _refused(f'destination "{name}:{target}" must be a directory')
        client.files.extract(name, path, _typed(), keeps_owners=keeps)
        return 0
    try:
        told = (os.stat if given["follow_link"] else os.lstat)(source)
    except OSError as refusal:
        here = os.path.abspath(source)  # noqa: PTH100
        fault = (refusal.strerror or "").lower()
        raise _refused(f"lstat {here}: {fault}") from refusal
    where = landing(
        target if path == target else path, found,
        is_directory=modes.S_ISDIR(told.st_mode),
        name=os.path.basename(os.path.abspath(source)),  # noqa: PTH100, PTH119
        is_content=source.endswith("/.") or source == ".",
    )  # fmt: skip
    counted = [0]
    pieces = packed(source, where, follows=given["follow_link"], counted=counted)
    shown = pieces if given["quiet"] else watched(pieces, "copying")
    client.files.extract(name, where.directory, shown, keeps_owners=keeps)
    return counted[0]


def _found_there(client: Client, name: str, path: str) -> tuple[str, Found]:
    """Tell what is at a path of a container; a link is followed once."""
    try:
        told = client.files.stat(name, path)
        if int(told.get("mode", 0)) & _GO_LINK:
            path = str(told["linkTarget"])
            if not path.startswith("/"):
                path = str(PurePosixPath(told["name"]).parent / path)
            told = client.files.stat(name, path)
    except Refused as refusal:
        if "No such container" in refusal.what or refusal.status not in (404, 400):
            raise
        return path, Found(exists=False, is_directory=False)
    return path, Found(
        exists=True, is_directory=bool(int(told.get("mode", 0)) & _GO_DIRECTORY)
    )


def _typed() -> Iterator[bytes]:
    while piece := sys.stdin.buffer.read(1 << 16):
        yield piece


def _refused(what: str, words: tuple[str, ...] = ()) -> WordsRefused:
    return WordsRefused(
        what, why="one side is CONTAINER:PATH, the other a path of this machine, or -",
        try_next=f"minidock cp web:{words[0]} ." if words else "minidock cp --help",
        exit_code=ERROR,
    )  # fmt: skip


CP = Verb(
    "cp", cp, help="Copy files out of a container, or into it.",
    params=[
        switch("--archive", "-a", help="with their owners"),
        switch("--follow-link", "-L", help="what a link leads to, in its place"),
        switch("--quiet", "-q", help="say nothing"),
    ],
    usage="CONTAINER:PATH PATH|- or PATH|- CONTAINER:PATH", least=2, most=2,
)  # fmt: skip
