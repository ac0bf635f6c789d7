"""The rows that say what exists: one SQLite file, `state.db`, private to one engine.

Files hold bytes, rows hold the truth about them.  A file without a row is rubbish and a row
without a file is damage, so a file comes before its row, and a row goes before its file.

    write()   one thread at a time, all or nothing, on the disk when it returns
    read()    any number at once, each sees one moment

SQLite keeps what it has not yet folded into `state.db` in `state.db-wal`; that shares
memory between readers and writers, which network filesystems cannot do: they are refused.

Source: sqlite.org/wal.html, /pragma.html; hardening.md D.2.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock, get_ident
from typing import Any

from pyminidock.errors import MinidockError
from pyminidock.store.failpoints import reach
from pyminidock.store.files import full
from pyminidock.store.schema import MIGRATIONS

NAME = "state.db"
APPLICATION = 0x4D444B31  # "MDK1", seen by file(1)
BALLAST_BYTES = 8 << 20
_NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre",
    "gfs2", "ocfs2", "ncpfs", "coda", "beegfs", "gpfs", "orangefs", "pvfs2", "vboxsf",
    "prl_fs",
})  # fmt: skip
_NETWORK_PREFIXES = ("fuse.sshfs", "fuse.gluster", "fuse.s3", "fuse.rclone", "fuse.ceph")


class DatabaseUnreadable(MinidockError):
    """`state.db` is damaged, or is no database of ours."""


class DatabaseTooNew(MinidockError):
    """`state.db` was written by a newer release; an old one would harm it."""


class NetworkFilesystem(MinidockError):
    """The root directory lies on a filesystem that other machines share."""


class Database:
    """`state.db` of one root directory.  Any thread may ask; the root itself is locked."""

    def __init__(
        self,
        root: Path,
        *,
        migrations: Sequence[str] = MIGRATIONS,
        mounts: str | None = None,
    ) -> None:
        """Open, and migrate if it is older.  The directory `root` exists.

        `mounts` is the text of /proc/self/mountinfo.  Raises DatabaseUnreadable,
        DatabaseTooNew, NetworkFilesystem, StoreFull.
        """
        self.path, self.ballast = root / NAME, root / "ballast"
        self.guard = RLock()  # one writer; also held by whoever must not meet one
        self._readers: list[sqlite3.Connection] = []  # idle ones
        self._depth, self._writing = 0, 0  # nested writes; the thread that writes
        self._after: list[Callable[[], object]] = []
        _refuse_network(root, _mounts() if mounts is None else mounts)
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._writer = self._connect()
        try:
            self._prepare(migrations)
        except BaseException as damage:
            self._writer.close()
            if isinstance(damage, sqlite3.DatabaseError):
                raise self._refusal(damage) from damage
            raise

    @contextmanager
    def write(self, *, makes_room: bool = False) -> Iterator[sqlite3.Connection]:
        """Change rows, all or none; durable on return.  Inside another write it joins it.

        With `makes_room` the change is the first step of freeing space: on a full disk the
        ballast is given up for it.  Raises StoreFull.
        """
        with self.guard:
            if self._depth:
                self._depth += 1
                try:
                    yield self._writer
                finally:
                    self._depth -= 1
                return
            if makes_room:
                self._drop_ballast_if_full()
            self._depth, self._writing = 1, get_ident()
            try:
                with self._telling():
                    self._transact_begin()
                    yield self._writer
                    reach("transaction.written")
                    self._writer.execute("COMMIT")
                reach("transaction.committed")
            except BaseException:
                self._after.clear()
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._depth = self._writing = 0
            self._run_after()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Ask, and see one moment throughout; within `write`, one's own changes too."""
        if self._writing == get_ident():
            yield self._writer
            return
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = self._connect()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._readers.append(connection)

    def after_commit(self, deed: Callable[[], object]) -> None:
        """Have `deed` done once when the present write is on the disk, before the next."""
        if deed not in self._after:
            self._after.append(deed)

    def close(self) -> None:
        """Fold everything into one file and let go of it."""
        with self.guard:
            while self._readers:
                self._readers.pop().close()
            with suppress(sqlite3.Error):  # all is safe in the -wal file as well
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._writer.close()

    def check(self) -> tuple[str, ...]:
        """Look through the whole file; give what is wrong with it."""
        with self.read() as rows:
            try:
                found = [row[0] for row in rows.execute("PRAGMA integrity_check")]
            except sqlite3.DatabaseError as damage:
                found = [str(damage)]
        return tuple(each for each in found if each != "ok")

    def keep_ballast(self) -> None:
        """Set 8 MiB aside that a removal can use when nothing else is left."""
        if self.ballast.exists():
            return
        descriptor = os.open(self.ballast, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
        except OSError:  # full already: then there is none
            self.ballast.unlink()
        finally:
            os.close(descriptor)

    def drop_ballast(self) -> None:
        """Give the 8 MiB back."""
        self.ballast.unlink(missing_ok=True)

    def _drop_ballast_if_full(self) -> None:
        facts = os.statvfs(self.path.parent)
        if facts.f_bavail * facts.f_frsize < BALLAST_BYTES or facts.f_favail == 0:
            self.drop_ballast()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=5.0, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF",
                       "cell_size_check=ON"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _prepare(self, migrations: Sequence[str]) -> None:
        """Bring the file to the newest version.  Source: hardening.md D.6."""
        writer = self._writer
        version, application = (
            _pragma(writer, "user_version"),
            _pragma(writer, "application_id"),
        )
        if application not in (0, APPLICATION) or (version and not application):
            raise _unreadable(self.path, "another program wrote it")
        if version > len(migrations):
            raise DatabaseTooNew(
                f"{self.path} was written by a newer release",
                why=f"it has version {version}, this release knows up to {len(migrations)}",
                try_next="install the newer release again, or use another --root",
                lesson="state-on-disk",
            )
        writer.execute("PRAGMA journal_mode=WAL")
        if version:
            verdict = writer.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise _unreadable(self.path, verdict)
        if version < len(migrations):
            self._migrate(version, migrations)

    def _migrate(self, version: int, migrations: Sequence[str]) -> None:
        if version:
            copy = sqlite3.connect(self.path.with_name(f"{NAME}.v{version}"))
            self._writer.backup(copy)
            copy.close()
            self.path.with_name(f"{NAME}.v{version}").chmod(0o600)
        with self._telling():
            self._writer.execute("BEGIN IMMEDIATE")
            for script in migrations[version:]:
                for statement in script.split(";\n"):
                    self._writer.execute(statement)
            self._writer.execute(f"PRAGMA application_id={APPLICATION}")
            self._writer.execute(f"PRAGMA user_version={len(migrations)}")
            self._writer.execute("COMMIT")

    def _transact_begin(self) -> None:
        self._writer.execute("BEGIN IMMEDIATE")
        reach("transaction.begun")

    def _run_after(self) -> None:
        deeds, self._after = self._after, []
        for deed in deeds:
            deed()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as refusal:
            if refusal.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            self.drop_ballast()
            raise full(self.path.parent) from refusal

    def _refusal(self, damage: sqlite3.DatabaseError) -> MinidockError:
        if getattr(damage, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
            return full(self.path.parent)
        return _unreadable(self.path, str(damage))


def filesystem_type(path: str, mounts: str) -> str:
    """Give the type of the filesystem that holds an absolute path, "" if none is known.

    >>> filesystem_type("/home/ada", "22 21 0:10 / /home rw - nfs4 server:/home rw")
    'nfs4'
    """
    best, found = -1, ""
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        words = fields.split(" ")
        if len(words) < 5 or not rest:
            continue
        point = words[4].encode("ascii", "replace").decode("unicode_escape")
        inside = point if point.endswith("/") else point + "/"
        if (path + "/").startswith(inside) and len(point) >= best:  # a later one covers
            best, found = len(point), rest.split(" ")[0]
    return found


def _refuse_network(root: Path, mounts: str) -> None:
    kind = filesystem_type(str(root.resolve()), mounts)
    if kind in _NETWORK or kind.startswith(_NETWORK_PREFIXES):
        raise NetworkFilesystem(
            f"{root} lies on a network filesystem ({kind})",
            why="the database shares memory between its users, and so do locks; both end"
            " at the border of one machine",
            try_next="use a --root on a local disk",
            lesson="state-on-disk",
        )


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return ""


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: Any = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return int(value)


def _unreadable(path: Path, why: str) -> DatabaseUnreadable:
    return DatabaseUnreadable(
        f"{path} cannot be read",
        why=why,
        try_next="start the engine: it sets the file aside and makes one from the blobs",
        lesson="state-on-disk",
    )
