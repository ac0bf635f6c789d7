"""What COPY and ADD mean: which files, and under which names in the image.

    COPY a /x           the file /x, or /x/a if /x is a directory
    COPY a /x/          /x/a
    COPY d /x           what d holds, never d itself
    COPY a d *.py /x/   each of them so; a matched directory gives what it holds

A source is a name in the context (or in another image) and cannot leave it: links in the
source are followed with the context as their root.  The destination is a place in the
image, found through the image's own links, and relative to the working directory.

Source: measured on Docker Engine 26.1; moby, builder/dockerfile/copy.go.
"""

import errno
import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from pyminidock.build.globs import has_wildcards, matches
from pyminidock.errors import MinidockError

_NO_WAY = (  # what a path is to blame for
    errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL,
    errno.EACCES,
)  # fmt: skip
_DEEPEST = 255  # names on the way to one; source: moby, pkg/symlink/fs.go
_LONGEST_NAME_BYTES = 255  # limits.h: NAME_MAX
_MOST_NAMES = 4096  # among which one that was meant is looked for


class Tree(Protocol):
    """A tree of files, as `layers.merged.Merged` shows one."""

    def lstat(self, path: str | bytes) -> os.stat_result | None:
        """Say what `path` is, a last link not followed; None if there is nothing."""

    def list(self, path: str | bytes = b"/") -> tuple[bytes, ...]:
        """Name what a directory holds, sorted by bytes."""

    def resolve(self, path: str | bytes, *, follow_last: bool = True) -> bytes:
        """Give the canonical path that `path` leads to; links stay inside."""


class CopyRefused(MinidockError):
    """A COPY or ADD cannot be done; `what` is Docker's sentence."""

    status = 400


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to copy: `path` as asked for, `real` where it lies; no slash first."""

    path: str
    real: str
    is_directory: bool

    @property
    def name(self) -> str:
        """The name that it gets in a directory."""
        return posixpath.basename(self.path)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a COPY or ADD asks for: its verb, its sources, its destination, as expanded."""

    verb: str
    sources: tuple[str, ...]
    destination: str
    is_from_context: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where it goes: a canonical path in the image, and whether as a directory."""

    path: str
    is_directory: bool


# ── Sources ──────────────────────────────────────────────────────────────────────────────


def select(wish: Wish, tree: Tree) -> tuple[Source, ...]:
    """Find the sources, in the order of the instruction.  Raises CopyRefused."""
    found: list[Source] = []
    for asked in wish.sources:
        path = _relative(wish, asked)
        if has_wildcards(path):
            found += [_source(wish, tree, each) for each in _matching(tree, path)]
        else:
            found.append(_source(wish, tree, path))
    if not found:
        raise refused(wish, "no source files were specified", "no name matches a pattern")
    return tuple(found)


def _relative(wish: Wish, asked: str) -> str:
    """Clean the name of a source; "" is the whole tree.  Raises CopyRefused."""
    path = posixpath.normpath(asked.lstrip("/").removeprefix("./") or ".")
    if path == ".." or path.startswith("../"):
        raise refused(
            wish, f"forbidden path outside the build context: {asked} ()",
            "the engine has a copy of the context and nothing around it",
            try_next="build in the folder above, and name this one with -f",
        )  # fmt: skip
    return "" if path == "." else path


def _source(wish: Wish, tree: Tree, path: str) -> Source:
    try:
        real = way_to("/" + path, tree)
        status = tree.lstat(real)
    except OSError as fault:
        refuse_another(fault)
        status = None
    if status is None:
        raise _absent(wish, path, _names_beside(tree, path))
    return Source(path, os.fsdecode(real)[1:], stat.S_ISDIR(status.st_mode))


def refuse_another(fault: OSError) -> None:
    """Raise again what no path is to blame for: no descriptors, a bad disk."""
    if fault.errno not in _NO_WAY:
        raise fault


def _names_beside(tree: Tree, path: str) -> list[str]:
    """Give the names that are where a missing one was looked for."""
    here = posixpath.dirname(path)
    try:
        names = tree.list("/" + here)
    except OSError:
        return []
    return [posixpath.join(here, os.fsdecode(name)) for name in names[:_MOST_NAMES]]


def _absent(wish: Wish, path: str, names: Sequence[str]) -> CopyRefused:
    meant = get_close_matches(path, names, 1)
    place = "file not found in build context or excluded by .dockerignore: "
    return refused(
        wish,
        f"{place if wish.is_from_context else ''}stat {path}: file does not exist",
        "no file of this name was sent" if wish.is_from_context
        else "the image has no file of this name",
        try_next=f"{wish.verb} {meant[0]} {wish.destination}" if meant
        else "see in .dockerignore whether a line leaves it out" if wish.is_from_context
        else "",
    )  # fmt: skip


def _matching(tree: Tree, pattern: str) -> Iterator[str]:
    """Walk the tree in the order of names; links are names, not ways."""
    depth = pattern.count("/")
    waiting = [""]
    while waiting:
        here = waiting.pop()
        inner: list[str] = []
        for raw in tree.list("/" + here):
            path = posixpath.join(here, os.fsdecode(raw))
            level = path.count("/")
            if level == depth and matches(pattern, path):
                yield path
            if level < depth and _is_directory(tree, path):
                inner.append(path)
        waiting += reversed(inner)


def _is_directory(tree: Tree, path: str) -> bool:
    status = tree.lstat("/" + path)
    return status is not None and stat.S_ISDIR(status.st_mode)


# ── Destination ──────────────────────────────────────────────────────────────────────────


def destination(working_directory: str, asked: str) -> str:
    """Make the destination absolute; a slash at its end is kept, for it says "directory".

    >>> destination("/app", "x"), destination("/app", "."), destination("", "a/../b/")
    ('/app/x', '/app/', '/b/')
    """
    ends = asked.endswith("/") or asked in (".", "") or asked.endswith("/.")
    path = posixpath.normpath(posixpath.join("/", working_directory, asked))
    path = "/" + path.lstrip("/")
    return path if path == "/" or not ends else path + "/"


def place(wish: Wish, sources: Sequence[Source], wanted: str, image: Tree) -> Place:
    """Decide where the sources go.  Raises CopyRefused.

    `wanted` comes from `destination`, `image` is what the instruction stands on.
    """
    says_directory = wanted.endswith("/")
    if len(sources) > 1 and not says_directory:
        raise CopyRefused(
            f"When using {wish.verb} with more than one source file, the destination must "
            "be a directory and end with a /",
            why="several files cannot have one name",
            try_next=f"{wish.verb} … {wish.destination}/",
            lesson="copy",
        )
    try:
        path = way_to(wanted.rstrip("/") or "/", image)
        status = image.lstat(path)
    except OSError as fault:
        refuse_another(fault)
        raise no_place(no_way(wanted, image, fault)) from fault
    exists = status is not None and stat.S_ISDIR(status.st_mode)
    if status is not None and not exists and (says_directory or sources[0].is_directory):
        deed = "copy directory" if sources[0].is_directory else "create new directory"
        raise no_place(f"failed to {deed}: mkdir {os.fsdecode(path)}: not a directory")
    holds = exists or says_directory or sources[0].is_directory
    return Place(os.fsdecode(path), holds)


def way_to(path: str, image: Tree) -> bytes:
    """Give the canonical path that `path` leads to in the image, if there may be one.

    Raises OSError: ELOOP also for a very deep path, ENAMETOOLONG, EINVAL, ENOTDIR.
    """
    names = path.strip("/").split("/")
    if len(names) > _DEEPEST:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    for name in names:
        if number := oddity(name):
            raise OSError(number, os.strerror(number))
    return image.resolve(path)


def oddity(name: str) -> int:
    r"""Say, as an error number, why nothing can be called so; 0 if something can.

    >>> oddity("a"), errno.errorcode[oddity("a" * 256)], errno.errorcode[oddity("\0")]
    (0, 'ENAMETOOLONG', 'EINVAL')
    """
    if "\0" in name:
        return errno.EINVAL
    return errno.ENAMETOOLONG if len(os.fsencode(name)) > _LONGEST_NAME_BYTES else 0


def first_out_of_reach(path: str, image: Tree) -> str:
    """Give the first name on the way to `path` that cannot be reached."""
    names = path.strip("/").split("/")
    for count in range(1, len(names)):
        way = "/" + "/".join(names[:count])
        try:
            way_to(way, image)
        except OSError:
            return way
    return "/" + "/".join(names)


def no_way(path: str, image: Tree, fault: OSError) -> str:
    """Say in Docker's words why `path` cannot be reached in the image."""
    if fault.errno == errno.ELOOP:
        return f"evalSymlinksInScope: too many links in {path.rstrip('/')}"
    reason = os.strerror(fault.errno or errno.ENOTDIR).lower()
    return f"lstat {first_out_of_reach(path, image)}: {reason}"


def no_place(said: str) -> CopyRefused:
    """Make the refusal of a destination where something else is in the way."""
    return CopyRefused(
        f"failed to copy files: {said}",
        why="the image has something else than a directory there",
        try_next="choose another destination, or remove what is there in a RUN before",
        lesson="copy",
    )


def refused(wish: Wish, what: str, why: str, *, try_next: str = "") -> CopyRefused:
    """Make the refusal of an instruction, in Docker's words."""
    return CopyRefused(
        f"{wish.verb} failed: {what}",
        why=why,
        try_next=try_next
        or "look at the names: minidock build with the folder that has them",
        lesson="copy",
    )
