"""The rows that say what exists: one SQLite file, `state.db`, private to one engine.

Files hold bytes, rows hold the truth about them.  A file without a row is rubbish and a row
without a file is damage, so a file comes before its row, and a row goes before its file.

    write()   one thread at a time, all or nothing, on the disk when it returns
    read()    any number at once, each sees one moment
    ask()     the same, for one question
    recall()  the same, and the answer is kept until something is written

SQLite keeps what it has not yet folded into `state.db` in `state.db-wal`; that shares
memory between readers and writers, which network filesystems cannot do: they are refused.

Source: sqlite.org/wal.html, /pragma.html; hardening.md D.2.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import RLock, get_ident
from typing import Any, TypeVar

from pyminidock.errors import MinidockError
from pyminidock.store import soundness
from pyminidock.store.answers import Answers
from pyminidock.store.failpoints import reach
from pyminidock.store.files import full, telling_full
from pyminidock.store.schema import MIGRATIONS

_Made = TypeVar("_Made")
NAME = "state.db"
APPLICATION = 0x4D444B31  # "MDK1", seen by file(1)
BALLAST_BYTES = 8 << 20
_LEAST_BALLAST_BYTES = 128 << 10  # enough for the rows of a removal
_SETTINGS: dict[str, Any] = {  # the guard is held by who writes, a reader is lent to one
    "timeout": 5.0, "isolation_level": None, "check_same_thread": False,
}  # fmt: skip
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
        fill: Callable[["Database"], object] = lambda new: None,
        guard: AbstractContextManager[Any] | None = None,
    ) -> None:
        """Open, and migrate if it is older.  The directory `root` exists.

        A new database becomes one together with what `fill` writes, or not at all.
        `mounts` is the text of /proc/self/mountinfo.  Raises DatabaseUnreadable,
        DatabaseTooNew, NetworkFilesystem, StoreFull.
        """
        self.path, self.ballast = root / NAME, root / "ballast"
        # One writer.  Also held by whoever must not meet one; entered again by who has it.
        self.guard: AbstractContextManager[Any] = guard or RLock()
        self._idle: list[sqlite3.Connection] = []  # readers
        self._depth, self._writing = 0, 0  # nested writes; the thread that writes
        self._answers, self._is_changed = Answers(), False
        self._after: list[Callable[[], object]] = []
        self._is_closed = self.was_reindexed = False
        _refuse_network(root, _mounts() if mounts is None else mounts)
        with telling_full(root), suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._writer = sqlite3.connect(self.path, **_SETTINGS)
        try:
            self._prepare(migrations, fill)
        except BaseException as damage:
            self._writer.close()
            if isinstance(damage, sqlite3.DatabaseError | UnicodeDecodeError):
                raise _unreadable(self.path, str(damage)) from damage
            raise

    @contextmanager
    def write(
        self, *, makes_room: bool = False, answers_stay: bool = False
    ) -> Iterator[sqlite3.Connection]:
        """Change rows, all or none; durable on return.  Inside another write it joins it.

        With `makes_room` the change is the first step of freeing space: on a full disk the
        ballast is given up for it, and what can be had is taken back.  With `answers_stay`
        it changes nothing that `recall` is asked for.  Raises StoreFull.
        """
        with self.guard:
            if makes_room:
                self._drop_ballast_if_full()
            begin, end, undo = self._verbs()
            deeds = len(self._after)
            with self._telling():
                self._writer.execute(begin)
                self._depth, self._writing = self._depth + 1, get_ident()
                self._is_changed |= not answers_stay
                try:
                    reach("transaction.begun")
                    yield self._writer
                    reach("transaction.written")
                    self._writer.execute(end)
                except BaseException:
                    if makes_room:  # a quota, which nobody shows: it may go the next time
                        self.drop_ballast()
                    del self._after[deeds:]
                    if self._writer.in_transaction:  # a full disk has ended it already
                        for verb in undo:
                            self._writer.execute(verb)
                    raise
                finally:
                    self._depth -= 1
                    self._writing = get_ident() if self._depth else 0
                    if self._is_changed and not self._depth:
                        self._is_changed = False
                        self._answers.forget()
            if not self._depth:
                reach("transaction.committed")
                self._run_after()
                if makes_room:
                    self.keep_ballast()

    def _verbs(self) -> tuple[str, str, tuple[str, ...]]:
        """Say how to begin, end and undo a write: within another one it is a savepoint."""
        if not self._depth:
            return "BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",)
        inner = f"inner{self._depth}"
        undo = (f"ROLLBACK TO {inner}", f"RELEASE {inner}")
        return f"SAVEPOINT {inner}", f"RELEASE {inner}", undo

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Ask, and see one moment throughout; within `write`, one's own changes too."""
        if self._writing == get_ident():
            yield self._writer
            return
        connection = self._lend()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._take_back(connection)

    def ask(self, question: str, *values: object) -> list[sqlite3.Row]:
        """Give the rows of one SELECT, which sees one moment by itself; else as `read`."""
        if self._writing == get_ident():
            mine: list[sqlite3.Row] = self._writer.execute(question, values).fetchall()
            return mine
        connection = self._lend()
        try:
            found: list[sqlite3.Row] = connection.execute(question, values).fetchall()
        finally:
            self._take_back(connection)
        return found

    def recall(
        self, made: Callable[[sqlite3.Row], _Made], question: str, *values: object
    ) -> tuple[_Made, ...]:
        """As `ask`, for few rows that are asked for again and again.

        Gives what is `made` of each, a value that nobody can change.
        """
        if self._writing == get_ident():
            return tuple(map(made, self.ask(question, *values)))
        asked, moment = (question, values), self._answers.moment
        found = self._answers.get(asked)
        if found is None:
            found = tuple(map(made, self.ask(question, *values)))
            self._answers.keep(asked, found, moment)
        return found

    def _lend(self) -> sqlite3.Connection:
        """Lend a reader to one thread."""
        try:
            return self._idle.pop()
        except IndexError:
            return _configured(sqlite3.connect(self.path, **_SETTINGS))

    def _take_back(self, connection: sqlite3.Connection) -> None:
        self._idle.append(connection)
        if self._is_closed:
            self._close_idle()

    def after_commit(self, deed: Callable[[], object]) -> None:
        """Have `deed` done once when the present write is on the disk, before the next."""
        if deed not in self._after:
            self._after.append(deed)

    def close(self) -> None:
        """Fold everything into one file and let go of it; twice is fine."""
        with self.guard:
            if self._is_closed:
                return
            self._is_closed = True
            self._close_idle()
            with suppress(sqlite3.Error):  # all is safe in the -wal file as well
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._writer.close()

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def check(self) -> tuple[str, ...]:
        """Look through the whole file; give what is wrong with it."""
        with self.read() as rows:
            try:
                found = [row[0] for row in rows.execute("PRAGMA integrity_check")]
            except sqlite3.DatabaseError as damage:
                found = [str(damage)]
        return tuple(each for each in found if each != "ok")

    def keep_ballast(self) -> None:
        """Set 8 MiB aside that a removal can use when nothing else is left, or less."""
        size = BALLAST_BYTES
        while not self.ballast.exists() and size >= _LEAST_BALLAST_BYTES:
            flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
            with suppress(OSError):  # no room for the file itself
                descriptor = os.open(self.ballast, flags, 0o600)
                try:
                    os.posix_fallocate(descriptor, 0, size)
                except OSError:  # full already: then with less
                    self.ballast.unlink()
                finally:
                    os.close(descriptor)
            size //= 2

    def drop_ballast(self) -> None:
        """Give the 8 MiB back."""
        self.ballast.unlink(missing_ok=True)

    def _drop_ballast_if_full(self) -> None:
        facts = os.statvfs(self.path.parent)
        if facts.f_bavail * facts.f_frsize < BALLAST_BYTES or facts.f_favail == 0:
            self.drop_ballast()

    def _prepare(
        self, migrations: Sequence[str], fill: Callable[["Database"], object]
    ) -> None:
        """Bring the file to the newest version.  Source: hardening.md D.6."""
        writer = self._writer
        version, application = (
            writer.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("user_version", "application_id")
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
        with self._telling():
            writer.execute("PRAGMA journal_mode=WAL")
            _configured(writer)
        if version:
            self._check(migrations[:version])
        if version < len(migrations):
            self._migrate(version, migrations, fill)

    def _check(self, migrations: Sequence[str]) -> None:
        """Look through the file; its indices are made anew if that is all it needs."""
        fault = soundness.fault(self._writer, migrations)
        if fault:
            with self._telling():
                self._writer.execute("REINDEX")
            self.was_reindexed = True
            fault = soundness.fault(self._writer, migrations)
        if fault:
            raise _unreadable(self.path, fault)

    def _migrate(
        self, version: int, migrations: Sequence[str], fill: Callable[["Database"], object]
    ) -> None:
        if version:
            self._copy(self.path.with_name(f"{NAME}.v{version}"))
        with self.write() as rows:
            for script in migrations[version:]:
                for statement in script.split(";\n"):
                    rows.execute(statement)
            if not version:
                fill(self)
            rows.execute(f"PRAGMA application_id={APPLICATION}")
            rows.execute(f"PRAGMA user_version={len(migrations)}")

    def _copy(self, path: Path) -> None:
        """Copy the database as it is before a migration; an older copy makes way."""
        path.unlink(missing_ok=True)
        with telling_full(path.parent):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        copy = sqlite3.connect(path)
        try:
            with self._telling():
                self._writer.backup(copy)
        finally:
            copy.close()

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
            raise full(self.path.parent) from refusal


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


def _configured(connection: sqlite3.Connection) -> sqlite3.Connection:
    for setting in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF",
                    "cell_size_check=ON"):  # fmt: skip
        connection.execute(f"PRAGMA {setting}")
    connection.row_factory = sqlite3.Row
    return connection


def _unreadable(path: Path, why: str) -> DatabaseUnreadable:
    return DatabaseUnreadable(
        f"{path} cannot be read",
        why=why,
        try_next="start the engine: it sets the file aside and makes one from the blobs",
        lesson="state-on-disk",
    )
