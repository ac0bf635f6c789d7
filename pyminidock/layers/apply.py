"""How the entries of an archive become a directory tree.

An archive is a list of wishes in no particular order; the same name may come twice, a link
may lead anywhere, a directory may be missing or come after its files.  The rules are short:

    the last entry of a name wins, and takes what was below the earlier one with it
    a hard link is another name, and its entry describes the file anew
    a directory on a directory is the exception: they merge, and the last owner, mode, … win
    what is missing above a name is made: 0755, owner 0:0
    links are kept as they are written, and followed inside the root where they are a parent
    .wh.NAME becomes a whiteout, unless this layer has NAME: it speaks of layers below only
    .wh..wh..opq makes its directory opaque

Owners come before modes, because chown takes the set-uid bit away, modes before attributes
and times, and directories are finished last, the deepest first.

What a name may reach is `growing`'s business; here stands what to do with it.

Source: OCI image-spec, layer.md; moby, pkg/archive (createTarFile); umoci, oci/layer.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from pyminidock.events import ArchiveWarned, Emit, ignore
from pyminidock.layers.archive import Entry, Kind, shown
from pyminidock.layers.growing import Directory, Growing
from pyminidock.layers.tarfields import refuse
from pyminidock.unionfs import whiteout
from pyminidock.unionfs.whiteout import TRUSTED, USER, Mark, Spelling

_AGAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 1 << 20
_LATEST = 2**33  # seconds: what every filesystem can write down
_OURS = (b"trusted.overlay.", b"user.overlay.")
_CAPABILITY = b"security.capability"
_MODES = {Kind.CHARACTER: stat.S_IFCHR, Kind.BLOCK: stat.S_IFBLK, Kind.FIFO: stat.S_IFIFO}
_OF_THE_ARCHIVE = {
    errno.ELOOP: "a link that leads to links without an end leads nowhere",
    errno.ENAMETOOLONG: "a name has at most 255 bytes, and a tree at most 1024 levels",
    errno.EMLINK: "a file has at most as many names as its filesystem can count",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What this engine may do on disk, and whether the archive is a layer at all."""

    spelling: Spelling = TRUSTED
    has_owners: bool = True  # chown, and file capabilities
    has_devices: bool = True  # without: an empty file stands for each
    has_whiteouts: bool = True  # in a build context .wh.x is a file like any other


ROOT = Policy()
UNPRIVILEGED = Policy(USER, has_owners=False, has_devices=False)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was put into the tree: entries of any kind; bytes of files and of link texts."""

    files: int
    size_bytes: int
    warnings: int


def apply(
    entries: Iterable[Entry], directory: Path, *, emit: Emit = ignore, policy: Policy = ROOT
) -> Applied:
    """Put `entries` into the empty `directory` (a host path that is nobody else's).

    Nothing outside is read or changed, whatever the entries say.  Each oddness is told
    once, as ArchiveWarned.  Raises ArchiveRefused where an entry has no meaning, OSError as
    the disk does; the tree is then half there, and the caller's to remove.
    """
    with Applying(directory, emit, policy) as work:
        for entry in entries:
            work.put(entry)
        return work.finish()


class Applying:
    """An empty `directory` while it is filled: `put` each entry, then `finish`."""

    def __init__(self, directory: Path, emit: Emit = ignore, policy: Policy = ROOT) -> None:
        self.tree = Growing(directory, policy.spelling)
        self.files = self.size_bytes = self.warnings = 0
        self._emit, self._policy = emit, policy
        self._told: set[str] = set()
        self._verbs: Mapping[Kind, Callable[[Entry, Directory, bytes], None]] = {
            Kind.FILE: self._file, Kind.DIRECTORY: self._directory,
            Kind.SYMLINK: self._symlink, Kind.HARD_LINK: self._hard_link,
            Kind.CHARACTER: self._node, Kind.BLOCK: self._node, Kind.FIFO: self._node,
        }  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        self.tree.close()

    def put(self, entry: Entry) -> None:
        """Carry out one entry.  Raises ArchiveRefused, OSError."""
        try:
            is_mark = self._policy.has_whiteouts and b".wh." in entry.name
            if is_mark and self._mark(entry):
                return
            if entry.xattrs:
                self._check_xattrs(entry)
            above, _, name = entry.name.rpartition(b"/")
            if name in (b"", b".", b".."):
                self._root(entry)
            else:
                self._verbs[entry.kind](entry, self.tree.walk(above), name)
        except OSError as refusal:
            if refusal.errno not in _OF_THE_ARCHIVE:
                raise
            problem = os.strerror(refusal.errno).lower()
            self._refuse(entry, problem, _OF_THE_ARCHIVE[refusal.errno])
        self.files += 1

    def finish(self) -> Applied:
        """Give the directories their owners, modes and times; say what was put."""
        if self.tree.implied:
            self._warn(f"{self.tree.implied} directories were not in the archive", None)
        self.tree.finish(has_owners=self._policy.has_owners)
        return Applied(self.files, self.size_bytes, self.warnings)

    def _wants_owner(self, entry: Entry) -> bool:
        """Whether what was just made for an entry has to be given to somebody else."""
        return self._policy.has_owners and (entry.uid, entry.gid) != self.tree.owner

    # ── One verb for each kind ───────────────────────────────────────────────────────────

    def _root(self, entry: Entry) -> None:
        if entry.name not in (b".", b"") or entry.kind is not Kind.DIRECTORY:
            self._refuse(entry, "it would replace the root", "the root is a directory")
        self._describe(self.tree.root, entry)

    def _directory(self, entry: Entry, parent: Directory, name: bytes) -> None:
        node = parent.inner.get(name)
        if node is None:
            try:
                node = self.tree.make_directory(parent, name, None)
            except FileExistsError:
                status = self.tree.look(parent, name)
                node = self.tree.make_directory(parent, name, status)
        self._describe(node, entry)

    def _describe(self, node: Directory, entry: Entry) -> None:
        handle = self.tree.handle(node)
        if (
            node.said is not None
        ):  # an earlier entry's attributes go with its owner and mode
            for word in os.listxattr(handle):
                if not word.startswith(self._policy.spelling.prefix):
                    os.removexattr(handle, word)
        node.said = (entry.mode & 0o7777, entry.uid, entry.gid, _time_of(entry))
        if entry.xattrs:
            self._set_xattrs(handle, entry)

    def _file(self, entry: Entry, parent: Directory, name: bytes) -> None:
        tree = self.tree
        try:
            made = os.open(name, _NEW, 0o600, dir_fd=tree.handle(parent))
        except FileExistsError:
            tree.clear(parent, name)
            made = os.open(name, _NEW, 0o600, dir_fd=tree.handle(parent))
        try:
            if entry.size:
                self._pour(entry, made)
            if self._wants_owner(entry):
                os.chown(made, entry.uid, entry.gid)
            os.fchmod(made, entry.mode & 0o7777)
            if entry.xattrs:
                self._set_xattrs(made, entry)
            time_ns = _time_of(entry)
            os.utime(made, ns=(time_ns, time_ns))
        finally:
            os.close(made)

    def _pour(self, entry: Entry, made: int) -> None:
        rest = entry.size
        while rest:
            piece = entry.body.read(min(rest, _PIECE))
            if not piece:
                self._refuse(entry, f"{rest} bytes of it are missing", "a body is whole")
            rest -= len(piece)
            written = os.write(made, piece)
            while written < len(piece):
                written += os.write(made, piece[written:])
        self.size_bytes += entry.size

    def _symlink(self, entry: Entry, parent: Directory, name: bytes) -> None:
        try:
            os.symlink(entry.link, name, dir_fd=self.tree.handle(parent))
        except FileExistsError:
            self.tree.clear(parent, name)
            os.symlink(entry.link, name, dir_fd=self.tree.handle(parent))
        self.size_bytes += len(entry.link)  # as st_size has it, and Docker's sizes
        self._settle(entry, self.tree.handle(parent), name)

    def _hard_link(self, entry: Entry, parent: Directory, name: bytes) -> None:
        origin, target, status = self._origin(entry)
        if origin is parent and target == name:
            self._refuse(entry, "it is a link to itself", "a hard link names another entry")
        held = os.dup(self.tree.handle(origin))
        try:
            try:
                self._link(held, target, parent, name)
            except FileExistsError:
                self.tree.clear(parent, name)
                self._link(held, target, parent, name)
        except FileNotFoundError:  # it lay in the directory that it should replace
            self._refuse(entry, "its target goes with what it replaces", "last entry wins")
        finally:
            os.close(held)
        self._describe_again(entry, status, self.tree.handle(parent), name)

    def _describe_again(
        self, entry: Entry, status: os.stat_result, handle: int, name: bytes
    ) -> None:
        """Let the last entry of a file describe it, as Docker does.

        Mostly it says the same, and is not touched: any chown takes capabilities away.
        """
        owner = (status.st_uid, status.st_gid)
        is_new = self._policy.has_owners and owner != (entry.uid, entry.gid)
        if is_new:
            os.chown(name, entry.uid, entry.gid, dir_fd=handle, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            return
        if is_new or stat.S_IMODE(status.st_mode) != entry.mode & 0o7777:
            os.chmod(name, entry.mode & 0o7777, dir_fd=handle)
        if is_new and entry.xattrs and stat.S_ISREG(status.st_mode):
            opened = os.open(name, _AGAIN, dir_fd=handle)
            try:
                self._set_xattrs(opened, entry)
            finally:
                os.close(opened)
        if (time_ns := _time_of(entry)) != status.st_mtime_ns:
            os.utime(name, ns=(time_ns, time_ns), dir_fd=handle, follow_symlinks=False)

    def _link(self, held: int, target: bytes, parent: Directory, name: bytes) -> None:
        os.link(
            target, name, src_dir_fd=held, dst_dir_fd=self.tree.handle(parent),
            follow_symlinks=False,
        )  # fmt: skip

    def _origin(self, entry: Entry) -> tuple[Directory, bytes, os.stat_result]:
        """Find what a hard link names: a file of this layer, not followed if a link."""
        rule = "a hard link is another name for a file that this archive had before"
        above, _, target = entry.link.rpartition(b"/")
        try:
            origin = self.tree.walk(above, makes=False)
        except (FileNotFoundError, NotADirectoryError):
            self._refuse(entry, f"its target {shown(entry.link)} is not there", rule)
        if target in (b"", b".", b"..") or target in origin.inner:
            self._refuse(entry, f"its target {shown(entry.link)} is a directory", rule)
        status = self.tree.look(origin, target)
        if status is None or self.tree.is_whiteout(origin, target, status):
            self._refuse(entry, f"its target {shown(entry.link)} is not there", rule)
        return origin, target, status

    def _node(self, entry: Entry, parent: Directory, name: bytes) -> None:
        """Make a device or a FIFO; without privileges an empty file for a device."""
        major, minor = entry.device
        if entry.kind is Kind.CHARACTER and (major, minor) == (0, 0):
            self._refuse(
                entry, "it is the device 0:0", "overlayfs reads that device as a deletion"
            )
        if entry.kind is not Kind.FIFO:
            if major >= 1 << 12 or minor >= 1 << 20:
                self._refuse(
                    entry, f"device {major}:{minor}", "Linux has 12 + 20 bits for it"
                )
            if not self._policy.has_devices:
                self._warn("a device is an empty file here, making one takes root", entry)
                self._file(entry, parent, name)
                return
        if self.tree.look(parent, name) is not None:
            self.tree.clear(parent, name)
        handle = self.tree.handle(parent)
        number = 0 if entry.kind is Kind.FIFO else os.makedev(major, minor)
        os.mknod(name, _MODES[entry.kind] | 0o600, number, dir_fd=handle)
        self._settle(entry, handle, name)

    def _settle(self, entry: Entry, handle: int, name: bytes) -> None:
        """Give owner, mode and time to what is never opened."""
        if self._wants_owner(entry):
            os.chown(name, entry.uid, entry.gid, dir_fd=handle, follow_symlinks=False)
        if entry.kind is not Kind.SYMLINK:  # it was just made, so it is no link
            os.chmod(name, entry.mode & 0o7777, dir_fd=handle)
        if entry.xattrs:
            self._warn("attributes of a link, device or FIFO are dropped", entry)
        time_ns = _time_of(entry)
        os.utime(name, ns=(time_ns, time_ns), dir_fd=handle, follow_symlinks=False)

    # ── Whiteouts ────────────────────────────────────────────────────────────────────────

    def _mark(self, entry: Entry) -> bool:
        """Carry out an entry that speaks of layers below; False: it is an ordinary one."""
        *parents, last = entry.name.split(b"/")
        for name in parents:
            if name.startswith(b".wh..wh."):
                self._warn("files of aufs are skipped", entry)
                return True
            if name.startswith(whiteout.PREFIX):
                self._refuse(entry, "it lies below a whiteout", "a whiteout has no content")
        try:
            mark = whiteout.read(last)
        except whiteout.WhiteoutMalformed as refusal:
            self._refuse(entry, refusal.what, refusal.why)
        match mark:
            case None:
                return False
            case Mark.FOREIGN, _:
                self._warn("files of aufs are skipped", entry)
            case Mark.OPAQUE, _:
                directory = self.tree.walk(b"/".join(parents))
                if directory is self.tree.root:
                    self._warn("overlayfs cannot hide all that is below a root", entry)
                self.tree.make_opaque(directory)
            case _, hidden:
                self._delete(self.tree.walk(b"/".join(parents)), hidden, _time_of(entry))
        return True

    def _delete(self, parent: Directory, hidden: bytes, time_ns: int) -> None:
        if parent.is_opaque:  # nothing of that name shines through
            return
        if (own := parent.inner.get(hidden)) is not None:
            self.tree.make_opaque(own)
            return
        try:
            self.tree.make_whiteout(parent, hidden, time_ns)
        except FileExistsError:  # a file of this layer hides what is below it anyway
            return

    # ── Attributes ───────────────────────────────────────────────────────────────────────

    def _check_xattrs(self, entry: Entry) -> None:
        for name in entry.xattrs:
            if name.startswith(_OURS):
                self._refuse(
                    entry, f"it has the attribute {shown(name)}",
                    "overlayfs obeys such attributes; one can lead a directory elsewhere",
                )  # fmt: skip

    def _set_xattrs(self, handle: int, entry: Entry) -> None:
        for name, value in entry.xattrs.items():
            is_kept = name.startswith(b"user.")
            if name == _CAPABILITY and entry.kind is Kind.FILE:
                is_kept = self._policy.has_owners
            if not is_kept:
                self._warn(f"the attribute {shown(name)} is dropped", entry)
                continue
            try:
                os.setxattr(handle, name, value)
            except OSError as refusal:
                if refusal.errno not in (errno.EINVAL, errno.ENOTSUP, errno.E2BIG):
                    raise
                self._warn(f"the attribute {shown(name)}: {refusal.strerror}", entry)

    # ── Words ────────────────────────────────────────────────────────────────────────────

    def _warn(self, what: str, entry: Entry | None) -> None:
        """Tell an oddness, once for each kind of it."""
        if what not in self._told and len(self._told) < 100:
            self._told.add(what)
            self.warnings += 1
            name, offset = (shown(entry.name), entry.offset) if entry else ("", 0)
            self._emit(ArchiveWarned(what, name, offset))

    def _refuse(self, entry: Entry, problem: str, rule: str) -> NoReturn:
        refuse(
            f"{entry.kind.name.lower()} {shown(entry.name)}: {problem}", entry.offset, rule
        )


def policy_here(*, is_single_user: bool = False) -> Policy:
    """Give the policy of who runs this: root's, or an ordinary user's.

    `is_single_user`: this root is one of a user namespace with one uid (port.Machine); it
    may give files to nobody else, make no devices and set no `trusted` attributes.
    """
    return ROOT if os.geteuid() == 0 and not is_single_user else UNPRIVILEGED


def _time_of(entry: Entry) -> int:
    """Give nanoseconds since 1970; before that and far ahead are cut off."""
    if 0 <= entry.mtime < _LATEST:
        return entry.mtime * 10**9 + entry.nanoseconds
    return 0 if entry.mtime < 0 else _LATEST * 10**9
