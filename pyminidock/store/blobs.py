"""Bytes by their digest: a file whose name says what must be in it.

    oci/blobs/sha256/<64 hex>     complete and durable, or absent
    oci/blobs/sha256/tmp-…        on its way in

Equal content has one name, so nothing is stored twice, and whoever holds a name can check
what it got.  A name is a claim about bytes that were once right.  The disk may have changed
them since, so each engine reads a blob once, before it trusts it for the rest of its life;
what does not match is set aside, and is absent from then on.

Source: OCI image layout specification, "Blobs"; hardening.md D.1.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pyminidock.errors import MinidockError
from pyminidock.image.digest import Digest, check, hex_of, of_hex
from pyminidock.store.failpoints import reach
from pyminidock.store.files import (
    DISK,
    PREFIX,
    Files,
    rename_noreplace,
    telling_full,
    temporary,
)
from pyminidock.store.leases import Leases
from pyminidock.store.quarantine import set_aside

PIECE_BYTES = 1 << 20
_SMALL_BYTES, _MOST_DOCUMENTS = 64 << 10, 256  # that are kept in memory


class BlobMissing(MinidockError):
    """No blob has this digest, or what had it was damaged."""

    status = 404


class BlobMismatch(MinidockError):
    """The bytes that came are not those that were announced."""

    status = 400


class Blobs:
    """The blobs of one root.  Any thread may ask."""

    def __init__(
        self,
        root: Path,
        leases: Leases,
        *,
        wall: Callable[[], float] = lambda: 0.0,
        files: Files = DISK,
    ) -> None:
        self._root, self._leases, self._wall, self._files = root, leases, wall, files
        self.directory = root / "oci" / "blobs" / "sha256"
        self._place = str(self.directory)
        self._trusted: set[Digest] = set()  # read, or written, in this engine's life
        self._documents: dict[
            Digest, bytes
        ] = {}  # small ones that came or were read lately

    def path(self, digest: Digest) -> Path:
        """Say where a blob lies, if it does.  Raises DigestMalformed."""
        return self.directory / hex_of(digest)

    def writer(self) -> "BlobWriter":
        """Take a blob in: `with blobs.writer() as out: out.write(…); out.commit()`."""
        self._leases.write_down()
        return BlobWriter(self, self._leases, self._files)

    def put(self, content: bytes) -> Digest:
        """Store bytes that are at hand; durable on return.  Raises StoreFull."""
        with self.writer() as out:
            out.write(content)
            digest = out.commit()[0]
        self._remember(digest, content)
        return digest

    def has(self, digest: Digest) -> bool:
        """Whether a blob is here and is what its name says; reads it the first time."""
        path = self.path(digest)
        self._leases.touch(digest)
        if not path.is_file():
            return False
        return digest in self._trusted or self.verify(digest) is None

    def size(self, digest: Digest) -> int:
        """Give a blob's length in bytes.  Raises BlobMissing."""
        self._leases.touch(digest)
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            raise missing(digest) from None

    def open(self, digest: Digest) -> BinaryIO:
        """Open a blob for reading, verified.  Raises BlobMissing."""
        if digest in self._trusted:
            self._leases.touch(digest)
        elif not self.has(digest):
            raise missing(digest)
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            raise missing(digest) from None

    def read(self, digest: Digest, limit: int = 8 << 20) -> bytes:
        """Give the content of a small blob.  Raises BlobMissing, BlobMismatch if longer.

        A blob is what its digest says, so the smallest are kept in memory; but one that
        is gone is gone.
        """
        known = self._documents.get(digest)
        if known is not None and len(known) <= limit and self._is_at_hand(digest, known):
            return known
        with self.open(digest) as file:
            length = os.fstat(file.fileno()).st_size  # to ask for more makes room for more
            content = file.read(min(length, limit) + 1)
        if len(content) > limit:
            raise BlobMismatch(
                f"blob {digest} is longer than {limit} bytes",
                why="it is read into memory whole, as a document",
                try_next="look what it is: tar --list < the blob",
                lesson="content-addressing",
            )
        self._remember(digest, content)
        return content

    def recall(self, digest: Digest, limit: int = 8 << 20) -> bytes:
        """Give what `read` gives, without a look at the disk where it is known already.

        For who only passes by: the blob stays, but may have been gone.
        """
        known = self._documents.get(digest)
        if known is None or len(known) > limit:
            return self.read(digest, limit)
        self._leases.touch(digest)
        return known

    def _remember(self, digest: Digest, content: bytes) -> None:
        if len(content) <= _SMALL_BYTES:
            if len(self._documents) >= _MOST_DOCUMENTS:
                self._documents = {}
            self._documents[digest] = content

    def _is_at_hand(self, digest: Digest, content: bytes) -> bool:
        """Whether a blob that was read is still here, and as long as it was."""
        self._leases.touch(digest)
        try:
            found = os.stat(f"{self._place}/{hex_of(digest)}")  # noqa: PTH116  (hot)
        except FileNotFoundError:
            return False
        return found.st_size == len(content)

    def all(self) -> tuple[Digest, ...]:
        """Give the digests of all blobs, in order."""
        with os.scandir(self.directory) as entries:
            names = sorted(entry.name for entry in entries)
        return tuple(of_hex(name) for name in names if not name.startswith(PREFIX))

    def remove(self, digest: Digest) -> None:
        """Remove a blob; an absent one is fine.  The caller knows that nobody needs it."""
        self._trusted.discard(digest)
        self._documents.pop(digest, None)
        self._files.remove(self.path(digest))

    def verify(self, digest: Digest) -> Path | None:
        """Read a blob through; None if it is as it was, else where it was set aside."""
        try:
            with self.path(digest).open("rb") as file:
                found = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as refusal:
            found = f"unreadable ({refusal.strerror})"
        if found == digest:
            self._trusted.add(digest)
            return None
        return self.set_aside(digest, f"its content is {found}")

    def set_aside(self, digest: Digest, why: str) -> Path:
        """Move a damaged blob into quarantine; give its directory there."""
        self._trusted.discard(digest)
        self._documents.pop(digest, None)
        path = self.path(digest)
        return set_aside(
            self._root, path.name, f"blob {digest}: {why}", self._wall(), path,
            files=self._files,
        )  # fmt: skip

    def settle(self, making: Path, digest: Digest, size_bytes: int) -> None:
        """Give a synced file its name; for the writer."""
        self._leases.touch(digest)  # before the name exists, or the sweeper could be faster
        path = self.path(digest)
        while not rename_noreplace(making, path, files=self._files):
            if self._is_here(digest, path, size_bytes):
                self._files.remove(making)
                break
        reach("blob.renamed")
        self._files.sync_directory(self.directory)
        reach("blob.directory")
        self._trusted.add(digest)

    def _is_here(self, digest: Digest, path: Path, size_bytes: int) -> bool:
        try:
            if path.stat().st_size != size_bytes:
                self.set_aside(digest, f"it is not {size_bytes} bytes long")
                return False
        except FileNotFoundError:
            return False
        return digest in self._trusted or self.verify(digest) is None


class BlobWriter:
    """One blob on its way in; without `commit` nothing of it stays."""

    def __init__(self, blobs: Blobs, leases: Leases, files: Files) -> None:
        self._blobs, self._leases, self._files = blobs, leases, files
        self._hash, self._descriptor = hashlib.sha256(), -1
        self.size_bytes = 0
        self.path = temporary(blobs.directory)

    def __enter__(self) -> Self:
        with telling_full(self.path.parent):
            self._descriptor = self._files.create(self.path)
        reach("blob.temporary")
        return self

    def write(self, data: bytes) -> None:
        """Append.  Raises StoreFull."""
        with telling_full(self.path.parent):
            self._files.write(self._descriptor, data)
            reach("blob.half")
        self._hash.update(data)
        self.size_bytes += len(data)

    def digest(self) -> Digest:
        """Name what was written so far."""
        return f"sha256:{self._hash.hexdigest()}"

    def commit(
        self, expected: Digest | None = None, size_bytes: int | None = None
    ) -> tuple[Digest, int]:
        """Make the blob exist, durably; give its digest and length.

        Raises BlobMismatch if it is not the `expected` one; nothing exists then.
        """
        digest = self.digest()
        if expected is not None and digest != check(expected):
            raise _mismatch(f"digest {digest}", f"digest {expected}")
        if size_bytes is not None and size_bytes != self.size_bytes:
            raise _mismatch(f"{self.size_bytes} bytes", f"{size_bytes} bytes")
        reach("blob.full")
        with telling_full(self.path.parent):
            self._files.sync(self._descriptor)
            reach("blob.synced")
            self._blobs.settle(self.path, digest, self.size_bytes)
        return digest, self.size_bytes

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close(self._descriptor)
        self._files.remove(self.path)


def missing(digest: Digest) -> BlobMissing:
    """Make the refusal for a digest that nobody has."""
    return BlobMissing(
        f"blob {digest} is not here",
        why="it never came, was swept, or was damaged and set aside",
        try_next="load, pull or build its image again; look into quarantine/",
        lesson="content-addressing",
    )


def _mismatch(found: str, announced: str) -> BlobMismatch:
    return BlobMismatch(
        f"the content has {found}, announced was {announced}",
        why="a digest names exactly these bytes; others were sent, or some are missing",
        try_next="send it again; if it stays so, the source is damaged",
        lesson="content-addressing",
    )
