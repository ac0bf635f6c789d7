"""The build context: the archive that the client sent, as a tree and as sums.

    bytes ──► unpacked ──► entries ──┬─► tree on disk       COPY takes files from it
    (gzip…)                          └─► sums by name       the cache compares them

It is read once.  Each file is hashed while it is written, so asking the cache costs no
further reading.  Whiteouts mean nothing here, links stay inside, and owners do not count:
all that COPY takes belongs to root, unless it says otherwise.

Docker's client sends two odd things that are allowed for: with a Dockerfile from elsewhere
the last file is not padded, and the end of the archive is missing.

Source: measured on Docker Engine 26.1; moby, builder/remotecontext/archive.go, detect.go.
"""

import os
import stat
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from pyminidock.build.cachekey import Seen, Summing
from pyminidock.errors import MinidockError
from pyminidock.events import ContextReceived, Emit, ignore
from pyminidock.grammar.ignore import read as read_rules
from pyminidock.layers.apply import Policy, apply
from pyminidock.layers.archive import Entry, Kind, Stream, read_entries
from pyminidock.layers.compression import decompressed
from pyminidock.layers.merged import Merged

LARGEST_TEXT = 1 << 20  # bytes, of a Dockerfile or .dockerignore
_KINDS = {
    Kind.FILE: "file", Kind.HARD_LINK: "hard link", Kind.SYMLINK: "symlink",
    Kind.CHARACTER: "character", Kind.BLOCK: "block", Kind.DIRECTORY: "directory",
    Kind.FIFO: "fifo",
}  # fmt: skip


class DockerfileAbsent(MinidockError):
    """The context has no Dockerfile of this name, or none that can be read."""


class Files(Protocol):
    """Where COPY takes files from: a tree to look at, and the sums of what is in it."""

    @property
    def tree(self) -> Merged:
        """The tree."""

    def below(self, real: str) -> list[tuple[str, Seen | None]]:
        """Sum up a name and all below it, in the order of names; "" is not itself named.

        None is a name without an entry of its own.
        """


@dataclass(slots=True)
class Context:
    """A context that came; a context manager, because its tree keeps handles open."""

    tree: Merged
    directory: Path
    seen: dict[str, Seen]
    size_bytes: int = 0
    _names: list[str] = field(default_factory=list)

    def below(self, real: str) -> list[tuple[str, Seen | None]]:
        """See Files."""
        if not self._names:
            self._names = sorted(self.seen)
        found: list[tuple[str, Seen | None]] = []
        if real:
            found.append((real, self.seen.get(real)))
            if found[0][1] is not None and found[0][1].kind != "directory":
                return found
        prefix = f"{real}/" if real else ""
        start = bisect_left(self._names, prefix)
        for name in self._names[start:]:
            if not name.startswith(prefix):
                break
            found.append((name, self.seen[name]))
        return found

    def drop(self, path: str) -> None:
        """Take a file out, as if it had not been sent."""
        if self.seen.pop(path, None) is None:
            return
        self._names = []
        parent, name = os.path.split(self.tree.resolve(path, follow_last=False))
        for found, handle, _ in self.tree.scan(parent):  # a link on the way stays inside
            if found == name:
                os.unlink(name, dir_fd=handle)

    def text(self, path: str) -> str:
        """Read a small text file, links followed inside.

        Raises OSError where there is no regular file, ValueError if it is too large.
        """
        with self.tree.open(path) as file:
            data = file.read(LARGEST_TEXT + 1)
        if len(data) > LARGEST_TEXT:
            raise ValueError(f"{path} is larger than {LARGEST_TEXT} bytes")
        return data.decode("utf-8", "surrogateescape")

    def close(self) -> None:
        """Give the handles back; the directory is the caller's."""
        self.tree.close()


def receive(
    stream: Stream, directory: Path, *, emit: Emit = ignore, policy: Policy | None = None
) -> Context:
    """Unpack what the client sends into `directory` (host, empty, ours) and sum it up.

    Raises ArchiveRefused, CompressionUnknown, OSError; the tree is then half there.
    """
    seen: dict[str, Seen] = {}
    policy = replace(policy or Policy(), has_whiteouts=False)
    plain = decompressed(stream, emit=emit)
    entries = _summed(read_entries(plain, emit=emit, may_lack_end=True), seen)
    applied = apply(entries, directory, emit=emit, policy=policy)
    emit(ContextReceived(len(seen), applied.size_bytes, str(directory)))
    return Context(Merged([directory]), directory, seen, applied.size_bytes)


def empty(directory: Path) -> Context:
    """Give a context without files."""
    return Context(Merged([directory]), directory, {})


class _Tee:
    """The body of an entry, summed up while it is read."""

    def __init__(self, body: Stream, summing: Summing) -> None:
        self._body, self._summing = body, summing

    def read(self, limit: int, /) -> bytes:
        """See Stream."""
        data = self._body.read(limit)
        self._summing.feed(data)
        return data


def _summed(entries: Iterator[Entry], seen: dict[str, Seen]) -> Iterator[Entry]:
    """Pass entries on as root's, and note the sum of each once its body has been read."""
    for entry in entries:
        name = os.fsdecode(entry.name)
        facts = Seen(
            _KINDS[entry.kind], entry.mode, entry.uid, entry.gid, entry.size,
            os.fsdecode(entry.link), entry.device,
        )  # fmt: skip
        summing = Summing(entry.name, facts, entry.xattrs)
        body = _Tee(entry.body, summing)
        yield replace(entry, uid=0, gid=0, body=body)
        if name != ".":
            if facts.kind != "directory" and seen.get(name, facts).kind == "directory":
                for inner in [each for each in seen if each.startswith(name + "/")]:
                    del seen[inner]
            seen[name] = summing.seen()


# ── What is in it ────────────────────────────────────────────────────────────────────────


def dockerfile(context: Context, name: str) -> tuple[str, str]:
    """Find the Dockerfile: its path in the context and its text.

    A `Dockerfile` that is missing may be spelt `dockerfile`.  What the ignore file names
    is then taken out, so that COPY does not see it.  Raises DockerfileAbsent.
    """
    names = [name, *(["dockerfile"] if name == "Dockerfile" else [])]
    for path in names:
        clean = os.path.normpath(path.lstrip("/"))
        if clean == ".." or clean.startswith("../"):
            raise _absent(
                f"forbidden path outside the build context: {name} ()",
                "the engine sees what was sent, and nothing around it",
            )
        if context.tree.lstat(clean) is None:
            continue
        try:
            text = context.text(clean)
        except (OSError, ValueError) as fault:
            raise _absent(f"failed to read dockerfile: {name}",
                          f"it is no plain text file: {fault}") from fault  # fmt: skip
        _drop_ignored(context, clean)
        return clean, text
    raise _absent(f"Cannot locate specified Dockerfile: {name}",
                  "no file of this name was sent with the context")  # fmt: skip


def _drop_ignored(context: Context, path: str) -> None:
    with suppress(OSError, ValueError, MinidockError):  # none, or none that can be read
        rules = read_rules(context.text(".dockerignore"))
        for name in (".dockerignore", path):
            if rules.verdict(name).is_ignored:
                context.drop(name)


def _absent(what: str, why: str) -> DockerfileAbsent:
    return DockerfileAbsent(
        what,
        why=why,
        try_next="minidock build -f PATH/TO/Dockerfile .",
        lesson="dockerfile",
    )


# ── Files of an image ────────────────────────────────────────────────────────────────────


class ImageFiles:
    """The files of an image or a stage; sums are made by reading them."""

    def __init__(self, tree: Merged) -> None:
        self.tree = tree

    def below(self, real: str) -> list[tuple[str, Seen | None]]:
        """See Files."""
        found: list[tuple[str, Seen | None]] = []
        waiting: list[tuple[str, Seen | None, bool]] = []
        if real:
            parent, name = os.path.split(os.fsencode("/" + real))
            for entry in self.tree.scan(parent):
                if entry[0] == name:
                    waiting.append((real, *self._summed(real, entry)))
        else:
            waiting.append(("", None, True))
        while waiting:
            path, seen, is_directory = waiting.pop()
            if path:
                found.append((path, seen))
            if is_directory:
                entries = self.tree.scan("/" + path)
                above = f"{path}/" if path else ""
                names = [above + os.fsdecode(entry[0]) for entry in entries]
                inner = [
                    (n, *self._summed(n, e)) for n, e in zip(names, entries, strict=True)
                ]
                waiting += reversed(inner)
        return found

    @staticmethod
    def _summed(path: str, entry: tuple[bytes, int, os.stat_result]) -> tuple[Seen, bool]:
        name, handle, status = entry
        kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink",
                 stat.S_IFCHR: "character", stat.S_IFBLK: "block"}  # fmt: skip
        kind = kinds.get(stat.S_IFMT(status.st_mode), "fifo")
        link = os.fsdecode(os.readlink(name, dir_fd=handle)) if kind == "symlink" else ""
        device = (os.major(status.st_rdev), os.minor(status.st_rdev))
        size = status.st_size if kind == "file" else 0
        facts = Seen(
            kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, size, link,
            device if kind in ("character", "block") else (0, 0),
        )  # fmt: skip
        summing = Summing(os.fsencode(path), facts)
        if kind == "file":
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            opened = os.open(name, flags, dir_fd=handle)
            with os.fdopen(opened, "rb", buffering=0) as file:
                while data := file.read(1 << 20):
                    summing.feed(data)
        return summing.seen(), kind == "directory"
