"""How a layer comes to exist: its archive, its tree and its row, all of them or none.

Two ways lead here.  A layer that was pulled or loaded comes as a stream, and is stored as
it came, hashed, unpacked, in one pass; nothing is read twice:

    stream ──┬──► blob, sha256 = its digest
             └──► decompressed, sha256 = diff id ──► entries ──► layers/tmp-7/diff

A layer that was built is a directory already: it is packed into its blob, and moved.

Only then does anything get its name.  A name on the disk must not outlive the content that
it promises, and a tree has thousands of files.  Syncing each costs as many waits for the
disk (10,000 files on ext4: seconds); syncing the filesystem once costs one (some 50 ms), so
`sync` does that.  Without a call for one filesystem at hand it is sync(2), which waits for
all of them.  Then: rename, sync of the directory, row.

Source: man 2 sync (since Linux 1.3.20 it waits); hardening.md C.5, D.1.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pyminidock.errors import MinidockError
from pyminidock.events import Emit, LayerCommitted, LayerReused, LayerUnpacked, ignore
from pyminidock.image.chain import extend
from pyminidock.image.digest import Digest
from pyminidock.layers.apply import ROOT, Applying, Policy, apply
from pyminidock.layers.archive import Limits, Stream, read_entries
from pyminidock.layers.compression import decompressed
from pyminidock.layers.diff import pack
from pyminidock.layers.digests import Hashed
from pyminidock.layers.snapshots import remove_tree
from pyminidock.layers.tarfields import DEFAULT_LIMITS
from pyminidock.store.blobs import BlobWriter
from pyminidock.store.failpoints import reach
from pyminidock.store.files import telling_full
from pyminidock.store.layers import LayerRow
from pyminidock.store.opening import Store

Sync = Callable[[Path], None]
"""Return when all that was written to the filesystem of a directory is on the disk."""


class LayerMismatch(MinidockError):
    """A layer is not the one that its image names; `found` is what it unpacked to."""

    status = 400
    found: Digest = ""


def sync_everything(_directory: Path) -> None:
    """Be a Sync without a call of our own: wait for every filesystem of the machine."""
    os.sync()


def unpack(  # noqa: PLR0913  (each is a promise about the stream, or who does the work)
    store: Store, stream: Stream, parent: Digest = "", *, size_bytes: int = 0,
    expected_blob: Digest | None = None, expected_diff: Digest | None = None,
    policy: Policy = ROOT, limits: Limits = DEFAULT_LIMITS, sync: Sync = sync_everything,
    emit: Emit = ignore,
) -> LayerRow:  # fmt: skip
    """Store the layer in `stream` on top of the layer `parent`; give its row.

    `size_bytes` and the expected digests are what a manifest and a config promise; without
    them whatever comes is taken.  The caller holds a lease.  If the layer is here already,
    its row is given and the stream was only checked.
    Raises ArchiveRefused, BlobMismatch, LayerMismatch, StoreFull, and publishes nothing.
    """
    with store.blobs.writer() as out, _workshop(store) as making:
        reach("unpack.begun")
        came = _Tee(stream, out, size_bytes)
        plain = decompressed(came, limits, emit=emit)
        archive = Hashed(plain) if plain.compression != "none" else None
        (making / "diff").mkdir(0o700)
        entries = read_entries(archive or plain, limits, emit=emit)
        applied = apply(entries, making / "diff", emit=emit, policy=policy)
        reach("unpack.metadata")
        diff_id = archive.digest if archive else out.digest()
        if expected_diff is not None and diff_id != expected_diff:
            raise _mismatch(diff_id, expected_diff)
        blob, _ = out.commit(expected_blob, size_bytes or None)
        sync(making)
        reach("unpack.synced")
        row = LayerRow(
            extend(parent, diff_id),
            diff_id,
            parent,
            blob,
            applied.size_bytes,
            applied.files,
        )
        is_new = store.layers.settle(making, row)
    reach("unpack.published")
    facts = (row.chain_id, row.diff_id, row.size_bytes, row.files)
    emit(LayerUnpacked(*facts) if is_new else LayerReused(row.chain_id))
    return row


def commit_tree(  # noqa: PLR0913  (as above)
    store: Store, upper: Path, parent: Digest = "", *, policy: Policy = ROOT,
    sync: Sync = sync_everything, emit: Emit = ignore,
) -> LayerRow:  # fmt: skip
    """Make the tree `upper` a layer on top of `parent`; give its row.

    `upper` is a host directory on the store's filesystem, in overlayfs's spelling, that
    nobody writes to; it is moved away, and what no archive can hold (sockets) is removed
    from it, so that the layer here is the layer elsewhere.  The caller holds a lease.
    Raises as `pack` does, and StoreFull; `upper` is then where it was.
    """
    with store.blobs.writer() as out, _workshop(store) as making:
        reach("diff.begun")

        def take(piece: bytes) -> None:
            out.write(piece)
            reach("diff.half")

        packed = pack(upper, take, emit=emit, spelling=policy.spelling)
        diff_id, _ = out.commit()
        row = LayerRow(
            extend(parent, diff_id), diff_id, parent, diff_id,
            packed.content_bytes, packed.entries,
        )  # fmt: skip
        with _moved(upper, making / "diff"):
            _leave_out(making / "diff", packed.left_out)
            sync(making)
            reach("diff.synced")
            store.layers.settle(making, row)
    reach("diff.published")
    emit(LayerCommitted(row.chain_id, row.diff_id, row.size_bytes, row.files))
    return row


def commit_copy(  # noqa: PLR0913  (as above)
    store: Store, upper: Path, parent: Digest = "", *, policy: Policy = ROOT,
    sync: Sync = sync_everything, emit: Emit = ignore,
) -> LayerRow:  # fmt: skip
    """Make a layer like the tree `upper`, which stays: a container goes on in it.

    As `commit_tree`, but the new tree is made of the entries that went into the archive,
    while they go.  A container that writes meanwhile may have half of something in the
    layer, as with a copy of any kind; archive and tree have the same half.
    """
    with store.blobs.writer() as out, _workshop(store) as making:
        reach("diff.begun")

        def take(piece: bytes) -> None:
            out.write(piece)
            reach("diff.half")

        (making / "diff").mkdir(0o700)
        with Applying(making / "diff", policy=policy) as twin:
            pack(upper, take, emit=emit, spelling=policy.spelling, twin=twin)
            applied = twin.finish()
        diff_id, _ = out.commit()
        sync(making)
        reach("diff.synced")
        row = LayerRow(
            extend(parent, diff_id), diff_id, parent, diff_id,
            applied.size_bytes, applied.files,
        )  # fmt: skip
        store.layers.settle(making, row)
    reach("diff.published")
    emit(LayerCommitted(row.chain_id, row.diff_id, row.size_bytes, row.files))
    return row


@contextmanager
def _workshop(store: Store) -> Iterator[Path]:
    """Give a place to make a tree in; what is left of it afterwards goes."""
    making = store.layers.workshop()
    try:
        with telling_full(making):
            yield making
    finally:
        remove_tree(making)  # absent if it got its name


@contextmanager
def _moved(tree: Path, place: Path) -> Iterator[None]:
    """Have a tree at another place; if the work fails it goes back to its owner."""
    tree.rename(place)
    try:
        yield
    except BaseException:
        with suppress(FileNotFoundError):  # it has become a layer
            place.rename(tree)
        raise


class _Tee:
    """A stream whose bytes go into a blob as they are read."""

    def __init__(self, stream: Stream, out: BlobWriter, size_bytes: int) -> None:
        self._stream, self._out = stream, out
        self._quarter = self._next = max(size_bytes // 4, 1 << 20)

    def read(self, limit: int, /) -> bytes:
        """Give 1 to `limit` bytes, or none at the end."""
        piece = self._stream.read(limit)
        if piece:
            self._out.write(piece)
            if self._out.size_bytes >= self._next:
                self._next += self._quarter
                reach("unpack.quarter")
        return piece


def _leave_out(tree: Path, paths: Sequence[bytes]) -> None:
    """Unlink what was not packed, one handle and one name at a time."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    for path in paths:
        *parents, last = path.split(b"/")
        handle = os.open(tree, flags)
        try:
            for name in parents:
                inner = os.open(name, flags, dir_fd=handle)
                os.close(handle)
                handle = inner
            above, status = (
                os.fstat(handle),
                os.stat(last, dir_fd=handle, follow_symlinks=False),
            )
            if stat.S_ISSOCK(status.st_mode):
                os.unlink(last, dir_fd=handle)
                os.utime(handle, ns=(above.st_atime_ns, above.st_mtime_ns))
        finally:
            os.close(handle)


def _mismatch(found: Digest, expected: Digest) -> LayerMismatch:
    refusal = LayerMismatch(
        f"the layer unpacks to {found}, its image names {expected}",
        why="a config names its layers by the digest of what they unpack to",
        try_next="load or pull it again; if it stays so, the image itself is wrong",
        lesson="layers",
    )
    refusal.found = found
    return refusal
