"""The build context: the archive that the client sent, as a tree and as sums.

    bytes ──► unpacked ──┬─► sums by name      the cache compares them
    (gzip…)              └─► archive on disk ──► tree on disk     COPY takes files from it

Each file is hashed while it comes in, so asking the cache costs no further reading.  The
tree is made when a file is first taken from it: a build that finds all in the cache needs
none (see `listing`).  Whiteouts mean nothing here, links stay inside, and owners do not
count: all that COPY takes belongs to root, unless it says otherwise.

Docker's client sends two odd things that are allowed for: with a Dockerfile from elsewhere
the last file is not padded, and the end of the archive is missing.

Source: measured on Docker Engine 26.1; moby, builder/remotecontext/archive.go, detect.go.
"""

import os
import stat
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from pyminidock.build.cachekey import Seen, Summing
from pyminidock.build.contents import Contents, contents_of
from pyminidock.build.copying import Tree
from pyminidock.build.listing import Listing
from pyminidock.errors import MinidockError
from pyminidock.events import ContextReceived, Emit, ignore
from pyminidock.grammar.ignore import read as read_rules
from pyminidock.layers.apply import Policy, apply
from pyminidock.layers.archive import Entry, Stream
from pyminidock.layers.compression import decompressed
from pyminidock.layers.merged import Merged
from pyminidock.store.files import telling_full

LARGEST_TEXT = 1 << 20  # bytes, of a Dockerfile or .dockerignore


class DockerfileAbsent(MinidockError):
    """The context has no Dockerfile of this name, or none that can be read."""


class Files(Protocol):
    """Where COPY takes files from: a tree to look at, and the sums of what is in it."""

    @property
    def names(self) -> Tree:
        """The tree, to look at."""

    @property
    def tree(self) -> Merged:
        """The tree, to take files from."""

    def below(self, real: str) -> list[tuple[str, Seen | None]]:
        """Sum up a name and all below it, in the order of names; "" is not itself named.

        None is a name without an entry of its own.
        """


class Context:
    """A context that came; a context manager, because it keeps files open."""

    def __init__(self, directory: Path, policy: Policy, emit: Emit) -> None:
        self.directory, self.size_bytes = directory, 0
        self.seen: Mapping[str, Seen] = {}
        self.spool: BinaryIO = BytesIO()
        self.listing: Listing | None = Listing(self.seen, self.spool)
        self.shared: Contents | None = None  # with other builds of the same archive
        self._policy, self._emit = policy, emit
        self._entries: Callable[[], Iterable[Entry]] = tuple
        self._tree: Merged | None = None
        self._names: list[str] = []
        self._dropped: list[str] = []

    def take(self, contents: Contents) -> None:
        """Take what an archive holds, whose bytes are in the spool."""
        self.seen, self.listing = contents.seen, contents.listing
        self.size_bytes, self.spool = contents.size_bytes, contents.spool
        self.shared, self._entries = contents.shared, contents.entries

    @property
    def names(self) -> Tree:
        """The tree, to look at; nothing is unpacked for it, if that can be."""
        return self.listing or self.tree

    @property
    def tree(self) -> Merged:
        """The tree, unpacked now if it was not.  Raises ArchiveRefused, StoreFull."""
        if self._tree is None:
            make_place(self.directory)
            with telling_full(self.directory):
                apply(self._entries(), self.directory, emit=self._emit,
                      policy=self._policy)  # fmt: skip
            self.spool.close()
            self._entries = tuple
            self.listing, self._tree = None, Merged([self.directory])
            for path in self._dropped:
                self._unlink(path)
        return self._tree

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
            seen = self.seen[name]
            found.append((name, self._followed(name) if seen.kind == "symlink" else seen))
        return found

    def _followed(self, path: str) -> Seen:
        """Give a link with the sum of what it leads to in the context."""
        try:
            real = os.fsdecode(self.tree.resolve(path)).lstrip("/")
        except OSError:  # in a circle: it does not count
            return replace(self.seen[path], sum="")
        target = self.seen.get(real)
        return replace(self.seen[path], sum=target.sum if target else path)

    def drop(self, path: str) -> None:
        """Take a file out, as if it had not been sent."""
        if path not in self.seen:
            return
        self.seen = {name: seen for name, seen in self.seen.items() if name != path}
        self._names = []
        if self.listing:
            self.listing = self.listing.without(path, self.seen)
            self._dropped.append(path)
        else:
            self._unlink(path)

    def _unlink(self, path: str) -> None:
        tree = self.tree
        parent, name = os.path.split(tree.resolve(path, follow_last=False))
        for found, handle, _ in tree.scan(parent):  # a link on the way stays inside
            if found == name:
                os.unlink(name, dir_fd=handle)

    def text(self, path: str) -> str:
        """Read a small text file, links followed inside.

        Raises OSError where there is no regular file, ValueError if it is too large.
        """
        if self.listing:
            data = self.listing.read(path, LARGEST_TEXT + 1)
        else:
            with self.tree.open(path) as file:
                data = file.read(LARGEST_TEXT + 1)
        if len(data) > LARGEST_TEXT:
            raise ValueError(f"{path} is larger than {LARGEST_TEXT} bytes")
        return data.decode("utf-8", "surrogateescape")

    def close(self) -> None:
        """Give the handles back; the directory is the caller's."""
        self.spool.close()
        if self._tree:
            self._tree.close()


def receive(
    stream: Stream, directory: Path, *, emit: Emit = ignore, policy: Policy | None = None
) -> Context:
    """Keep what the client sends and sum it up.

    `directory` (host, ours) is for the tree; like the one above it, which holds what is
    large for the time being, it is empty, or made when it is needed.

    Raises ArchiveRefused, CompressionUnknown, OSError; the tree is then half there.
    """
    policy = replace(policy or Policy(), has_whiteouts=False)
    context = Context(directory, policy, emit)
    try:
        plain = decompressed(stream, emit=emit)
        context.take(contents_of(plain, lambda: _spool(directory), emit))
        if context.listing and not context.listing.is_plain:
            context.tree  # noqa: B018  (what cannot be read without is unpacked at once)
        emit(ContextReceived(len(context.seen), context.size_bytes, str(directory)))
    except BaseException:  # whoever listens may have aborted
        context.close()
        raise
    return context


def make_place(directory: Path) -> None:
    """Make a directory and the one above it, which is ours alone, where they are not."""
    directory.parent.mkdir(0o700, exist_ok=True)
    directory.mkdir(0o755, exist_ok=True)


def _spool(directory: Path) -> BinaryIO:
    make_place(directory)
    return tempfile.TemporaryFile(dir=directory.parent)


def empty(directory: Path) -> Context:
    """Give a context without files."""
    return Context(directory, Policy(), ignore)


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
        if context.names.lstat(clean) is None:
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
    if ".dockerignore" not in context.seen:  # of most contexts, and an odd name is none
        return
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
        self.names = self.tree = tree
        self._sums: dict[str, str] = {}  # of what links lead to

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
                if seen is not None and seen.kind == "symlink":
                    seen = self._followed(path, seen)
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

    def _followed(self, path: str, link: Seen) -> Seen:
        """Give a link with the sum of what it leads to in the image."""
        try:
            real = os.fsdecode(self.tree.resolve("/" + path)).lstrip("/")
        except OSError:  # in a circle: it does not count
            return replace(link, sum="")
        if real not in self._sums:
            self._sums[real] = self._sum_at(real)
        return replace(link, sum=self._sums[real])

    def _sum_at(self, real: str) -> str:
        """Sum up one name; where nothing is, its path counts."""
        parent, name = os.path.split(os.fsencode("/" + real))
        with suppress(OSError):
            for entry in self.tree.scan(parent):
                if entry[0] == name:
                    return self._summed(real, entry)[0].sum
        return real or "."

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
