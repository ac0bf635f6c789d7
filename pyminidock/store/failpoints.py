"""Named places where a test may kill the engine, or let the disk be full.

A crash can come between any two lines.  The places where it matters are those between two
steps that change the disk, and each of them has a name here.  A test starts a program with
the name in its environment, the program dies there by SIGKILL, exactly as in a power cut of
the process, and the next one has to find nothing broken:

    MINIDOCK_FAILPOINT="blob.renamed"         die there
    MINIDOCK_FAILPOINT="blob.half:3"          die there the third time
    MINIDOCK_FAILPOINT="blob.half=enospc"     the disk is full there
    MINIDOCK_FAILPOINT="?"                    print each name that is reached
    MINIDOCK_FAILPOINT="told.exec.created"    die when this event has been told
    MINIDOCK_FAILPOINT="told?"                print each kind that is told

Every name is declared once, and a test holds declared names and reached names to be equal.

Source: FreeBSD, man 9 fail (named failpoints); hardening.md G.3.
"""

import errno
import os
import signal
from collections import Counter
from threading import Lock

VARIABLE = "MINIDOCK_FAILPOINT"

POINTS: tuple[str, ...] = (
    # a blob comes in
    "lease.taken",
    "lease.written",
    "blob.temporary",  # made, empty
    "blob.half",  # after each piece
    "blob.full",  # complete, digest compared, not yet on the disk
    "blob.synced",
    "blob.renamed",
    "blob.directory",  # durable
    # an archive becomes a tree
    "unpack.begun",
    "unpack.quarter",  # after each quarter of what was announced, or each MiB
    "unpack.metadata",  # all entries, and the directories' own modes and times
    "unpack.synced",
    "unpack.published",
    # a tree becomes an archive
    "diff.begun",
    "diff.half",  # after each piece
    "diff.synced",
    "diff.published",
    # a tree gets its name
    "layer.renamed",
    "layer.directory",
    # one transaction, and what is made from it
    "transaction.begun",
    "transaction.written",  # all rows, before the commit
    "transaction.committed",
    "index.written",
    "lease.released",
    # an image comes in with an archive
    "load.spooled",
    "load.layer",
    "load.admitted",
    "import.unpacked",
    # a Dockerfile becomes images, step by step
    "build.spool",  # the context is about to come in
    "build.unpacked",
    "build.parsed",
    "build.probe",  # the cache is about to be asked
    "build.snapshot",  # a container is made, nothing runs
    "build.program.started",
    "build.program.ended",
    "build.diff",
    "build.layer",
    "build.config",  # the document and the manifest are written
    "build.step",  # the rows of image and cache
    "build.workplace.removed",
    "build.tagged",
    # files come into a container from outside
    "copy.half",  # after each piece of a file that has no name yet
    "copy.written",
    "copy.entry",  # after each entry of the archive
    "copy.dated",  # the directories have their times
    # a container becomes an image
    "commit.paused",
    "commit.layer",
    "commit.admitted",
    "commit.tagged",
    "commit.resumed",
    # an image loses its names, and goes
    "remove.untagged",
    "remove.image",
    # away with what nobody needs
    "sweep.marked",
    "sweep.layer.row",
    "sweep.layer.trash",
    "sweep.layer.removed",
    "sweep.blob",
    # what is kept of a container changes, or goes
    "record.temporary",
    "record.renamed",
    "record.trashed",
    "record.removed",
    # a volume is made, filled, and goes
    "volume.made",  # under another name
    "volume.renamed",
    "volume.directory",  # durable, and no row says so
    "volume.copied",  # the image's files, under another name
    "volume.filling",  # they are on the disk, complete
    "volume.filled",
    "volume.row",  # it has none any more
    "volume.trashed",
    "volume.removed",
    "volume.mounted",  # for its first user, who has nothing of it yet
    "volume.unmounted",  # behind its last
    # an engine begins, and ends
    "daemon.locked",
    "daemon.adopted",  # all that an earlier one left is looked after
    "daemon.listening",
    "daemon.ending",
    # a store is opened
    "opening.database",
    "opening.rubbish",
    "opening.checked",
)

_ERRORS = {"enospc": errno.ENOSPC, "eio": errno.EIO, "edquot": errno.EDQUOT}
_seen: Counter[str] = Counter()
_lock = Lock()


def reach(name: str) -> None:
    """Say that the program is at `name`.  Does nothing unless a test armed this place.

    Raises OSError where the test asked for an error in place of death.
    """
    armed = os.environ.get(VARIABLE)
    if armed:
        _meet(name, armed)


def are_armed() -> bool:
    """Say whether a test has armed any place."""
    return bool(os.environ.get(VARIABLE))


def told(kind: str) -> None:
    """Say that an event of this kind was told: that is a place, too, where one may die."""
    armed = os.environ.get(VARIABLE, "")
    if armed.startswith("told"):
        _meet(f"told.{kind}", armed)


def _meet(name: str, armed: str) -> None:
    if armed in ("?", "told?"):
        os.write(2, f"failpoint {name}\n".encode())
        return
    place, _, action = armed.partition("=")
    wanted, _, nth = place.partition(":")
    if wanted != name:
        return
    with _lock:
        _seen[name] += 1
        is_it = _seen[name] == int(nth or 1)
    if not is_it:
        return
    if action in _ERRORS:
        raise OSError(_ERRORS[action], os.strerror(_ERRORS[action]))
    os.kill(os.getpid(), signal.SIGKILL)
